//! What one gateway call told us (docs: domain §2.2, the errors-to-cashier table).
//!
//! Only `Declined`, `Closed` and `Reversed` end an attempt unpaid. A timeout, a bad signature, a
//! 5xx, an unreadable answer and a code that nobody listed are always `Unknown`.

use qiantai_core::attempt::{ConfigFault, DeclineCode};
use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;

/// The answer to a charge or a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayAnswer {
    /// Paid.
    Success(PaidFact),
    /// Paid, and returned since, in whole or in part. Whoever asked for that knows; to whomever
    /// nobody told it, the money is not there to be credited.
    Returned(PaidFact),
    /// Refused; final, nothing was charged.
    Declined(DeclineCode),
    /// Not paid yet; keep asking.
    Pending(PendingState),
    /// Closed, expired or reversed at the gateway; final, nothing is owed.
    Closed,
    /// Nobody knows; money may have moved. Do not charge again before a final answer.
    Unknown(UnknownCause),
    /// Our own set-up is wrong. Says nothing about money that an earlier call moved.
    ConfigError(ConfigCause),
}

impl GatewayAnswer {
    /// The answer to a query, from a gateway that records a QR payment when it is scanned.
    pub(crate) fn recorded_when_scanned(self) -> GatewayAnswer {
        match self {
            GatewayAnswer::Unknown(UnknownCause::NotFound) => {
                GatewayAnswer::Unknown(UnknownCause::NotFoundOrNotScanned)
            }
            other => other,
        }
    }
}

/// A payment as the gateway states it. The caller compares `amount` with the attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidFact {
    /// The channel's number of this payment.
    pub channel_txn_no: String,
    /// Amount received.
    pub amount: Money,
    /// When, by the channel's clock.
    pub paid_at: Timestamp,
    /// The channel's opaque name of the payer, if it gives one.
    pub payer: Option<String>,
}

/// How far the customer is, as far as the channel reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PendingState {
    /// The QR code has not been scanned, or the channel does not report scanning.
    NotScanned,
    /// The customer is confirming (支付中).
    UserPaying,
}

/// The answer to a request for a QR code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QrAnswer {
    /// The code to show.
    Created {
        /// What the QR code says, to be shown unchanged.
        payload: String,
    },
    /// Refused; final.
    Declined(DeclineCode),
    /// This number is over; a new attempt needs a new number.
    Closed,
    /// Nobody knows whether the code exists, or the attempt may be paid already.
    Unknown(UnknownCause),
    /// Our own set-up is wrong; no code was made.
    ConfigError(ConfigCause),
}

/// The answer to closing a QR attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseAnswer {
    /// Closed unpaid. Repeating says the same.
    Closed,
    /// Too late: it is paid. Query for the facts.
    AlreadyPaid,
    /// Nobody knows; repeat.
    Unknown(UnknownCause),
    /// Our own set-up is wrong; nothing was closed.
    ConfigError(ConfigCause),
}

/// The answer to reversing a payment-code attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReverseAnswer {
    /// Undone. Repeating says the same.
    Reversed {
        /// True when the customer had paid and gets the money back; `None` where the gateway
        /// does not say.
        money_returned: Option<bool>,
    },
    /// The window for reversals has passed; query, then refund if it was paid.
    WindowPassed,
    /// Nobody knows; repeat.
    Unknown(UnknownCause),
    /// Our own set-up is wrong; nothing was reversed.
    ConfigError(ConfigCause),
}

/// The answer to a refund or a query about one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundAnswer {
    /// Money is on its way back to the payer; final.
    Succeeded {
        /// The channel's number of this refund.
        channel_refund_no: String,
        /// Amount returned.
        amount: Money,
    },
    /// Accepted, not done yet; ask again.
    Accepted,
    /// The merchant account lacks the money; repeat later with the same number.
    MerchantFundsShort,
    /// Cannot be done; final for this number.
    Refused(RefundRefusal),
    /// The payer's card is gone; staff must act at the gateway.
    NeedsHandling,
    /// Nobody knows; repeat with the same number.
    Unknown(UnknownCause),
    /// Our own set-up is wrong; nothing was returned.
    ConfigError(ConfigCause),
}

/// Why a refund cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundRefusal {
    /// There is no such payment, or it was never paid.
    NotPaid,
    /// With earlier refunds it is more than was paid.
    ExceedsPaid,
    /// The window or state of the payment does not allow it; pay back by other means.
    TooLate,
    /// The gateway gave the refund up. Find out why there, then try with a new number.
    ClosedByGateway,
}

/// Why nothing certain is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownCause {
    /// No byte left this machine: the call itself moved no money, and the same request may be
    /// sent again with the same number. Earlier calls for the number may still have arrived.
    #[error("the gateway could not be reached")]
    NotSent,
    /// Sent, and no answer came in time.
    #[error("the gateway did not answer in time")]
    Timeout,
    /// Sent, and the connection broke before the whole answer came.
    #[error("the connection broke before the answer was complete")]
    Broken,
    /// The answer's signature is missing, wrong, stale or of another key.
    #[error("the answer's signature does not hold")]
    BadSignature,
    /// The gateway failed (5xx).
    #[error("the gateway failed with status {0}")]
    GatewayFault(u16),
    /// Signed, but not what the protocol says.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
    /// The answer speaks of another attempt or merchant.
    #[error("the answer belongs to another request")]
    Mismatched,
    /// The gateway has no record; a charge sent less than 60 s ago may still arrive.
    #[error("the gateway has no record of it")]
    NotFound,
    /// The gateway has no record, and keeps none of a QR code before somebody scans it. Where it
    /// had answered that it made the code, nobody has scanned it yet: it is not paid, and can be
    /// until the code's time is over. Where it had not, and for payment codes, this says no more
    /// than [`UnknownCause::NotFound`].
    #[error("the gateway has no record of it, and keeps none before a scan")]
    NotFoundOrNotScanned,
    /// The gateway says that it is paid; query for the facts.
    #[error("the gateway says that it is paid already")]
    AlreadyPaid,
    /// The gateway knows this number with other content; query.
    #[error("the gateway knows this number with other content")]
    NumberReused,
    /// Too many calls; slow down and repeat with the same number.
    #[error("the gateway asks for fewer calls")]
    Busy,
    /// A code that the protocol does not list.
    #[error("the gateway answered with the unlisted code {0}")]
    Unlisted(String),
}

/// What is wrong with our own set-up; someone has to fix it before the channel works.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigCause {
    /// The gateway does not accept our signature: wrong key or wrong merchant.
    #[error("the gateway does not accept our signature")]
    Signature,
    /// Our clock is too far from the gateway's.
    #[error("our clock is too far from the gateway's")]
    Clock,
    /// The merchant may not use this product.
    #[error("the merchant is not permitted to use this channel")]
    NotPermitted,
    /// The gateway stopped the merchant from receiving money.
    #[error("the merchant may not receive money at present")]
    MerchantBlocked,
    /// The gateway calls our request wrong; carries its words, for support.
    #[error("the gateway calls the request wrong: {0}")]
    BadRequest(String),
    /// What is set up here is not enough for the call: something of it is missing, cannot be used or
    /// cannot be kept; in our words.
    #[error("the set-up is not complete: {0}")]
    Incomplete(String),
    /// What is sold bears a word that the gateway forbids; carries its words, for support.
    #[error("the gateway forbids a word in what is sold: {0}")]
    ForbiddenWord(String),
}

impl ConfigCause {
    /// What the ledger keeps of it; the gateway's words stay in the log.
    pub fn fault(&self) -> ConfigFault {
        match self {
            ConfigCause::Signature | ConfigCause::Incomplete(_) => ConfigFault::Signature,
            ConfigCause::Clock => ConfigFault::Clock,
            ConfigCause::NotPermitted => ConfigFault::NotPermitted,
            ConfigCause::MerchantBlocked => ConfigFault::MerchantBlocked,
            ConfigCause::BadRequest(_) => ConfigFault::BadRequest,
            ConfigCause::ForbiddenWord(_) => ConfigFault::ForbiddenWord,
        }
    }
}
