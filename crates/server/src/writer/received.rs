//! Operations as they arrive: read and verified before they queue for the writer.

use ed25519_dalek::VerifyingKey;
use qiantai_core::operation::Operation;
use qiantai_wire::operation::Kind;
use qiantai_wire::{DecodeError, Header, SignedOperation};

use crate::db::{Attachment, HeldReason};

/// An operation whose signature holds.
#[derive(Clone, Debug)]
pub struct Received {
    /// The bytes as they arrived.
    pub signed: SignedOperation,
    /// What is known whatever the body says.
    pub header: Header,
    /// The body, when this version can read it.
    pub content: Content,
    /// What travelled beside it.
    pub attachment: Option<Attachment>,
}

impl Received {
    /// False for what means nothing without those before it. What cannot be read is held wherever it
    /// stands.
    pub(super) fn stands_alone(&self) -> bool {
        match &self.content {
            Content::Known(operation) => Kind::of(&operation.body).stands_alone(),
            Content::Unread(_) => true,
        }
    }
}

/// What could be read.
#[derive(Clone, Debug)]
pub enum Content {
    /// Everything.
    Known(Box<Operation>),
    /// Only the header; the bytes are held.
    Unread(HeldReason),
}

/// The bytes are no operation, or not signed by that device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not an operation of this device")]
pub struct NotAnOperation;

/// Reads and verifies bytes against the device's key. A body that cannot be read is no error:
/// what was signed is kept.
///
/// # Errors
/// [`NotAnOperation`] when not even the header or the signature holds.
pub fn receive(bytes: Vec<u8>, key: &VerifyingKey) -> Result<Received, NotAnOperation> {
    let signed = SignedOperation::from(bytes);
    let header = signed.header().map_err(|_| NotAnOperation)?;
    signed.verify(key).map_err(|_| NotAnOperation)?;
    let content = match signed.operation() {
        Ok(operation) => Content::Known(Box::new(operation)),
        Err(DecodeError::UnknownKind(_)) => Content::Unread(HeldReason::UnknownKind),
        Err(DecodeError::NewerVersion { .. }) => Content::Unread(HeldReason::NewerVersion),
        Err(DecodeError::TooLong(_) | DecodeError::NotSigned) => return Err(NotAnOperation),
        Err(DecodeError::Malformed(_) | DecodeError::NotCanonical) => {
            Content::Unread(HeldReason::Malformed)
        }
    };
    Ok(Received {
        signed,
        header,
        content,
        attachment: None,
    })
}
