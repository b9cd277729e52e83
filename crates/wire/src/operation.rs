//! Signed operations: deterministic CBOR (RFC 8949 §4.2.1) with integer keys inside COSE_Sign1
//! (RFC 9052) with EdDSA (Ed25519). Bytes are made once by [`SignedOperation::sign`], stored as
//! those bytes and sent as those bytes; nothing re-encodes them.
//!
//! A receipt's QR code must hold an operation, so whatever another field implies is left out:
//! see the documentation of the envelope and the bodies. Each content has exactly one form, and
//! bytes in another form are refused. A writer gets the smallest operation when a top-up's first
//! operation, its action and its order share one id, and when boot ids are small numbers.

mod body;
pub(crate) mod cose;
mod drawer;
mod envelope;
mod kind;
mod lease;
mod member;
mod quote;
mod server;
mod terminal;
mod value;

pub use kind::Kind;

use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use qiantai_core::ids::{ActionId, DeviceId, OpId, StoreId, TenantId};
use qiantai_core::operation::{Hash, Operation};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Greatest length of a signed operation in bytes.
pub const OPERATION_MAX: usize = 1 << 16;

/// What the signature of an operation covers besides it: nothing.
const EXTERNAL: &[u8] = &[];

/// One operation as it is stored and sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignedOperation {
    /// COSE_Sign1.
    pub bytes: Vec<u8>,
}

impl SignedOperation {
    /// Signs an operation. The same operation and key always give the same bytes.
    ///
    /// Not in the bytes, because the server computes them again: the rules and notices of a
    /// quote. They decode as empty.
    pub fn sign(operation: &Operation, key: &SigningKey) -> SignedOperation {
        SignedOperation {
            bytes: cose::seal(EXTERNAL, &body::encode(operation), key),
        }
    }

    /// SHA-256 of the whole: the `prev_hash` of the device's next operation.
    pub fn hash(&self) -> Hash {
        Sha256::digest(&self.bytes).into()
    }

    /// What can be known even of a kind or version that is not; the signature is not checked.
    ///
    /// # Errors
    /// The bytes are too long or not an operation at all.
    pub fn header(&self) -> Result<Header, DecodeError> {
        let (payload, _) = cose::open(&self.bytes)?;
        Ok(body::peek(payload)?.into_header(self.hash()))
    }

    /// The whole operation; the signature is not checked.
    ///
    /// # Errors
    /// See [`DecodeError`].
    pub fn operation(&self) -> Result<Operation, DecodeError> {
        let (payload, _) = cose::open(&self.bytes)?;
        body::decode(payload)
    }

    /// Checks the signature, strictly (no malleable or small-order forms).
    ///
    /// # Errors
    /// The signature is not of this key over these bytes.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), SignatureWrong> {
        let (payload, signature) = cose::open(&self.bytes).map_err(|_| SignatureWrong)?;
        key.verify_strict(
            &cose::signed_content(EXTERNAL, payload),
            &Signature::from_bytes(&signature),
        )
        .map_err(|_| SignatureWrong)
    }
}

impl From<Vec<u8>> for SignedOperation {
    fn from(bytes: Vec<u8>) -> SignedOperation {
        SignedOperation { bytes }
    }
}

/// Signs an operation; see [`SignedOperation::sign`].
pub fn sign(operation: &Operation, key: &SigningKey) -> SignedOperation {
    SignedOperation::sign(operation, key)
}

/// Reads an operation and its header; the signature is not checked.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(bytes: &[u8]) -> Result<(Header, Operation), DecodeError> {
    let (payload, _) = cose::open(bytes)?;
    let operation = body::decode(payload)?;
    let header = body::peek(payload)?.into_header(Sha256::digest(bytes).into());
    Ok((header, operation))
}

/// What is known of an operation before its body is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// SHA-256 of the signed bytes.
    pub hash: Hash,
    /// Number of its kind; may be newer than [`Kind`] knows.
    pub kind: u16,
    /// Version of that kind.
    pub version: u16,
    /// Names the record.
    pub op_id: OpId,
    /// Names the intent.
    pub action_id: ActionId,
    /// Whose books.
    pub tenant: TenantId,
    /// Which store.
    pub store: StoreId,
    /// Which device wrote it.
    pub device: DeviceId,
    /// Counts key changes of the device.
    pub epoch: u32,
    /// Place in the device's chain.
    pub device_seq: u64,
    /// Hash of the operation before.
    pub prev_hash: Hash,
}

/// Why bytes are not a readable operation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Longer than [`OPERATION_MAX`].
    #[error("{0} bytes are too long for an operation")]
    TooLong(usize),
    /// Not COSE_Sign1 in the one form that is written here.
    #[error("not a signed operation")]
    NotSigned,
    /// A field is missing, of another type or out of range.
    #[error("malformed operation: {0}")]
    Malformed(String),
    /// The same content has another, shorter form.
    #[error("the bytes are not in canonical form")]
    NotCanonical,
    /// A kind that this version does not know.
    #[error("unknown kind {0}")]
    UnknownKind(u16),
    /// A newer version of a known kind.
    #[error("version {version} of kind {kind} is newer than this program")]
    NewerVersion {
        /// Its kind.
        kind: u16,
        /// Its version.
        version: u16,
    },
}

impl DecodeError {
    /// True when a newer program may read the bytes: they are held, not wrong.
    pub fn is_newer(&self) -> bool {
        matches!(
            self,
            DecodeError::UnknownKind(_) | DecodeError::NewerVersion { .. }
        )
    }
}

/// The signature is not of that key over those bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the signature is wrong")]
pub struct SignatureWrong;
