//! Encrypted connections: the house's own certificate authority, and the door that shows a
//! certificate to whoever connects.
//!
//! Everything is done by the OpenSSL that is linked already (docs: adr 0014, 0025).

mod authority;
mod door;

use std::path::PathBuf;

use openssl::error::ErrorStack;

pub use authority::{Authority, CERTIFICATE_VALID, Names, authority_key_path};
pub use door::{Door, RENEWED_BEFORE};

/// Why there is no encrypted connection.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("{path}: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A file does not hold what it should, or its two halves do not belong together.
    #[error("{path} {problem}")]
    Unfit {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The cryptographic library refused.
    #[error(transparent)]
    Library(#[from] ErrorStack),
}
