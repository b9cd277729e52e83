//! Payment codes by API v2: XML, signed with a shared key; and its notices of refunds.

mod call;
mod notice;
mod read;
mod signature;
mod xml;

pub(super) use call::{charge, reverse};
pub use notice::{SEALED_ROOT, notice_key};
pub(super) use notice::{is_notice, notice_response, read_notice};
pub(super) use read::{charged, reversed};
pub use signature::{SignType, string_to_sign};
pub use xml::{XmlError, read_flat, read_xml, write_flat, write_xml};
