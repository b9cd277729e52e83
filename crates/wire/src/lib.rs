//! Bytes and shapes that cross a boundary: signed operations, rows of the feed, HTTP bodies,
//! errors. Domain types are not serialisable; every conversion is here.

#![cfg_attr(
    test,
    expect(clippy::unwrap_used, reason = "a test fails by panicking")
)]

pub mod api;
pub mod call;
pub mod codes;
pub mod copy;
pub mod enrol;
pub mod error;
pub mod feed;
pub mod operation;
pub mod profile;
pub mod receipt_qr;
pub mod text;

pub use error::{ApiError, ErrorCode};
pub use operation::{DecodeError, Header, SignatureWrong, SignedOperation};
