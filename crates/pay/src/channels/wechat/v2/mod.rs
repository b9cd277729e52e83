//! Payment codes by API v2: XML, signed with a shared key.

mod call;
mod read;
mod signature;
mod xml;

pub(super) use call::{charge, reverse};
pub(super) use read::{charged, reversed};
pub use signature::{SignType, string_to_sign};
pub use xml::{XmlError, read_xml, write_xml};
