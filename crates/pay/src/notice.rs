//! Notices that gateways post to us.

use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;

use crate::answer::{PaidFact, RefundAnswer};

/// How far a message's time may be from ours, both ways.
pub(crate) const CLOCK_TOLERANCE: Millis = Millis::minutes(5);

/// A verified notice. It may come late, repeatedly, out of order, or never.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Somebody paid.
    Payment(PaymentNotice),
    /// Somebody paid another merchant or application than ours, or was paid back by it, under a
    /// number that may be ours. Signed by the gateway like any other.
    PaidElsewhere(ElsewhereNotice),
    /// Somebody paid, and nothing in the notice says whom: another merchant of the gateway could be
    /// told the same under our number. To be believed only as [`crate::Channel::confirm`] says.
    Hint(PaymentNotice),
    /// A refund came to its end, or to a halt.
    Refund(RefundNotice),
    /// An event that changes no payment and no refund; to be taken and forgotten. Says which.
    Other(String),
}

/// A payment, as a notice states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentNotice {
    /// The gateway's number of the event; the same in every repetition.
    pub notice_id: String,
    /// Our number of the attempt.
    pub attempt_no: String,
    /// What was paid.
    pub paid: PaidFact,
}

impl PaymentNotice {
    /// What a notice is that names us, or somebody else.
    pub(crate) fn of(self, is_ours: bool) -> Notice {
        match is_ours {
            true => Notice::Payment(self),
            false => Notice::PaidElsewhere(ElsewhereNotice {
                attempt_no: self.attempt_no,
                channel_txn_no: self.paid.channel_txn_no,
                amount: self.paid.amount,
            }),
        }
    }
}

/// A payment to somebody else, as the notice of it or of its refund states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElsewhereNotice {
    /// The number of the attempt, which may be ours.
    pub attempt_no: String,
    /// The gateway's number of the payment.
    pub channel_txn_no: String,
    /// Amount of the payment, or what went back of it where the notice does not say.
    pub amount: Money,
}

/// A refund, as a notice states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundNotice {
    /// The gateway's number of the event; the same in every repetition.
    pub notice_id: String,
    /// Our number of the attempt that was paid.
    pub attempt_no: String,
    /// Our number of the refund.
    pub refund_no: String,
    /// What the notice says of it. Where it does not tell this refund's own amount, that it was
    /// accepted: the gateway has to be asked.
    pub answer: RefundAnswer,
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
    /// Names another merchant than ours, and nobody signed that.
    #[error("the notice is for another merchant")]
    OtherMerchant,
    /// Signed with a key that we do not hold, or hold no longer.
    #[error("the notice is signed with the unknown key {0}")]
    UnknownKey(String),
    /// Not a notice: the gateway tests whether we verify signatures.
    #[error("the notice is a probe with a false signature")]
    Probe,
    /// The signature holds, but the content does not decrypt with our key.
    #[error("the notice does not decrypt")]
    DoesNotDecrypt,
    /// Older or newer than five minutes.
    #[error("the notice is stale: signed at {signed_at}, now {now}")]
    StaleTimestamp {
        /// Time in the notice.
        signed_at: Timestamp,
        /// Our time.
        now: Timestamp,
    },
    /// The signature is not of the gateway's key.
    #[error("the notice's signature does not hold")]
    WrongSignature,
    /// Signed, but not what the protocol says.
    #[error("the notice cannot be read: {0}")]
    Malformed(String),
}
