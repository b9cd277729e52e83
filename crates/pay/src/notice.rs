//! Notices that gateways post to us.

use qiantai_core::clock::{Millis, Timestamp};

use crate::answer::PaidFact;

/// How far a message's time may be from ours, both ways.
pub(crate) const CLOCK_TOLERANCE: Millis = Millis::minutes(5);

/// A verified notice of a payment. It may come late, repeatedly, out of order, or never.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The gateway's number of the event; the same in every repetition.
    pub notice_id: String,
    /// Our number of the attempt.
    pub attempt_no: String,
    /// What was paid.
    pub paid: PaidFact,
}

/// What we tell the gateway about a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeReceipt {
    /// Stored for good, or known already: do not send it again.
    Taken,
    /// Not taken: send it again later.
    Refused,
}

/// Why a notice is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// A header of the signature is missing or cannot be read.
    #[error("the notice lacks the header {0}")]
    MissingHeader(&'static str),
    /// Signed for another merchant than ours.
    #[error("the notice is for another merchant")]
    OtherMerchant,
    /// Older or newer than five minutes.
    #[error("the notice is stale: signed at {signed_at}, now {now}")]
    StaleTimestamp {
        /// Time in the notice.
        signed_at: Timestamp,
        /// Our time.
        now: Timestamp,
    },
    /// The signature is not of the shared key.
    #[error("the notice's signature does not hold")]
    WrongSignature,
    /// Signed, but not what the protocol says.
    #[error("the notice cannot be read: {0}")]
    Malformed(String),
}
