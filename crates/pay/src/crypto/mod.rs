//! The primitives that gateways ask for, over one library (docs: adr 0013).
//!
//! Everything here is a pure function over bytes. Keys hide themselves in `Debug` output and their
//! memory is wiped when they are dropped. Nothing here decides what a signature covers: that is
//! each channel's own matter.

mod aes;
mod certificate;
mod digest;
mod pkcs12;
mod rsa;

pub use aes::{Aes256Key, GCM_NONCE_BYTES, GCM_TAG_BYTES};
pub use certificate::{Certificate, NameEntry};
pub use digest::{hmac_sha256, is_same, md5, sha1, sha256};
pub use pkcs12::KeyStore;
pub use rsa::{PrivateKey, VerifyKey};

/// Why a key, certificate or message is not accepted. Never quotes a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// Neither a PEM private key without password nor the same in bare base64.
    #[error("this is not a private key: expected PEM (or its base64 text), without a password")]
    NotAPrivateKey,
    /// Neither a PEM public key or certificate nor a public key in bare base64.
    #[error("this is not a public key or certificate: expected PEM (or its base64 text)")]
    NotAVerifyKey,
    /// Not a PEM or DER certificate that can be read.
    #[error("this is not a certificate: expected X.509 in PEM or DER")]
    NotACertificate,
    /// Not a PKCS#12 file, or the password is not its own.
    #[error("this is not a PKCS#12 file (.pfx, .p12), or the password is wrong")]
    NotAKeyStore,
    /// A PKCS#12 file without a private key, or without its certificate.
    #[error("the PKCS#12 file lacks the {0}")]
    KeyStoreLacks(&'static str),
    /// A key of another kind than RSA.
    #[error("the key is not an RSA key")]
    NotRsa,
    /// An RSA key too short to be safe.
    #[error("the RSA key has {0} bits; at least 1024 are needed")]
    KeyTooShort(u32),
    /// A symmetric key of the wrong length.
    #[error("the key has {0} bytes; exactly 32 are needed")]
    NotThirtyTwoBytes(usize),
    /// A nonce of the wrong length.
    #[error("the nonce has {0} bytes; exactly 12 are needed")]
    NonceLength(usize),
    /// Wrong key, or changed on its way.
    #[error("the text does not decrypt with this key")]
    DoesNotDecrypt,
    /// The library refused an operation that needs no input from outside.
    #[error("the cryptographic library failed: {0}")]
    Library(String),
}

impl CryptoError {
    fn library(error: &openssl::error::ErrorStack) -> CryptoError {
        CryptoError::Library(error.to_string())
    }
}
