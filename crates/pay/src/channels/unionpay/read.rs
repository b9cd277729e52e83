//! Reading UnionPay's answers and notices: verified pairs in, meaning out.

use qiantai_core::clock::{Millis, Timestamp};

use super::codes::{Meaning, meaning};
use super::message::Reference;
use super::signature::{is_unionpay, signer};
use super::{UnionpayConfig, codes};
use crate::answer::{
    CloseAnswer, ConfigCause, GatewayAnswer, PaidFact, PendingState, QrAnswer, RefundAnswer,
    RefundRefusal, ReverseAnswer, UnknownCause,
};
use crate::beijing;
use crate::channels::QrLife;
use crate::crypto::Certificate;
use crate::notice::{ElsewhereNotice, Notice, NoticeError, PaymentNotice, RefundNotice};
use crate::pairs::{Charset, Pairs};
use crate::yuan::from_fen;

/// A charge that the gateway has no record of may still arrive for this long. Twice the minute of
/// the table, because where nobody knows when it went out the time in our number is a terminal's.
const CHARGE_MAY_ARRIVE: Millis = Millis::minutes(2);

/// `txnType` of a payment and of a refund.
const PAYMENT: &str = "01";
const REFUND: &str = "04";

/// What came back from one call: genuine pairs, or why there are none.
pub(super) type Outcome = Result<Pairs, UnknownCause>;

/// Believes an answer only when UnionPay signed it and it is about our transaction.
pub(super) fn answer(
    config: &UnionpayConfig,
    trusted: &[Certificate],
    at: &Reference,
    body: &[u8],
    now: Timestamp,
) -> Outcome {
    let unreadable = |error: String| UnknownCause::Unreadable(error);
    let fields = Pairs::from_plain(body).map_err(|error| unreadable(error.to_string()))?;
    let certificate = signer(&fields).ok_or(UnknownCause::BadSignature)?;
    if !is_unionpay(&certificate, trusted, now) {
        return Err(UnknownCause::BadSignature);
    }
    let is_ours = fields.get("merId") == Some(&config.merchant_id)
        && fields.get("orderId") == Some(&at.order_id);
    if is_ours {
        Ok(fields)
    } else {
        Err(UnknownCause::Mismatched)
    }
}

/// What a call's own code says.
pub(super) fn of_call(outcome: &Outcome) -> Meaning {
    match outcome {
        Ok(fields) => code(fields, "respCode", "respMsg"),
        Err(cause) => Meaning::Unknown(cause.clone()),
    }
}

fn code(fields: &Pairs, name: &str, words: &str) -> Meaning {
    match fields.get(name) {
        Some(code) => meaning(code, fields.get(words).unwrap_or_default()),
        None => Meaning::Unknown(lacks(name)),
    }
}

pub(super) fn created(outcome: &Outcome) -> QrAnswer {
    match of_call(outcome) {
        Meaning::Done | Meaning::Accepted => {
            let payload = outcome
                .as_ref()
                .ok()
                .and_then(|fields| fields.get("qrCode"));
            match payload {
                Some(payload) => QrAnswer::Created {
                    payload: payload.to_owned(),
                },
                None => QrAnswer::Unknown(lacks("qrCode")),
            }
        }
        Meaning::Declined(code) => QrAnswer::Declined(code),
        meaning => match setback(meaning) {
            Setback::Unknown(cause) => QrAnswer::Unknown(cause),
            Setback::Config(cause) => QrAnswer::ConfigError(cause),
        },
    }
}

/// The answer to a charge. That it was taken proves nothing yet: `None` means that the transaction
/// has to be asked about.
pub(super) fn charged(outcome: &Outcome) -> Option<GatewayAnswer> {
    match of_call(outcome) {
        Meaning::Done => None,
        meaning => Some(standing(meaning)),
    }
}

/// What became of the transaction that was asked about.
pub(super) fn queried(outcome: &Outcome) -> GatewayAnswer {
    match of_call(outcome) {
        Meaning::Done => {}
        // The code is of the question, not of the payment.
        Meaning::Accepted | Meaning::Declined(_) => {
            return GatewayAnswer::Unknown(UnknownCause::Unreadable(
                "the question was not answered".to_owned(),
            ));
        }
        meaning => return standing(meaning),
    }
    let Ok(fields) = outcome else {
        return GatewayAnswer::Unknown(lacks("respCode"));
    };
    match code(fields, "origRespCode", "origRespMsg") {
        Meaning::Done => match paid(fields) {
            Ok(paid) => GatewayAnswer::Success(paid),
            Err(cause) => GatewayAnswer::Unknown(cause),
        },
        // A code about our set-up that comes with a transaction speaks of money that did not
        // move, but only the issuer's words end an attempt.
        meaning => standing(meaning),
    }
}

fn standing(meaning: Meaning) -> GatewayAnswer {
    match meaning {
        Meaning::Accepted => GatewayAnswer::Pending(PendingState::UserPaying),
        Meaning::Declined(code) => GatewayAnswer::Declined(code),
        meaning => match setback(meaning) {
            Setback::Unknown(cause) => GatewayAnswer::Unknown(cause),
            Setback::Config(cause) => GatewayAnswer::ConfigError(cause),
        },
    }
}

/// The gateway has no call that closes a code: what a question answered decides.
pub(super) fn closed(
    standing: GatewayAnswer,
    code_ends_at: Timestamp,
    now: Timestamp,
) -> CloseAnswer {
    match standing {
        GatewayAnswer::Success(_) | GatewayAnswer::Returned(_) => CloseAnswer::AlreadyPaid,
        GatewayAnswer::Declined(_) | GatewayAnswer::Closed => CloseAnswer::Closed,
        GatewayAnswer::Unknown(UnknownCause::NotFound) if QrLife::is_past(code_ends_at, now) => {
            CloseAnswer::Closed
        }
        GatewayAnswer::Pending(_) => CloseAnswer::Unknown(still_paying()),
        GatewayAnswer::Unknown(cause) => CloseAnswer::Unknown(cause),
        GatewayAnswer::ConfigError(cause) => CloseAnswer::ConfigError(cause),
    }
}

/// What a reversal comes to when there is nothing to cancel; for a payment, the payment.
pub(super) fn nothing_to_cancel(
    standing: GatewayAnswer,
    charged_at: Timestamp,
    now: Timestamp,
) -> Result<PaidFact, ReverseAnswer> {
    let unpaid = ReverseAnswer::Reversed {
        money_returned: Some(false),
    };
    Err(match standing {
        GatewayAnswer::Success(paid) | GatewayAnswer::Returned(paid) => return Ok(paid),
        GatewayAnswer::Declined(_) | GatewayAnswer::Closed => unpaid,
        GatewayAnswer::Unknown(UnknownCause::NotFound) if now >= charged_at + CHARGE_MAY_ARRIVE => {
            unpaid
        }
        GatewayAnswer::Pending(_) => ReverseAnswer::Unknown(still_paying()),
        GatewayAnswer::Unknown(cause) => ReverseAnswer::Unknown(cause),
        GatewayAnswer::ConfigError(cause) => ReverseAnswer::ConfigError(cause),
    })
}

/// `sent` is what the call to cancel answered, `standing` what became of the cancellation. That the
/// gateway would not cancel ends it only when no earlier call of the same number did.
pub(super) fn cancelled(sent: Meaning, standing: GatewayAnswer) -> ReverseAnswer {
    match (standing, sent) {
        (GatewayAnswer::Success(_) | GatewayAnswer::Returned(_), _) => ReverseAnswer::Reversed {
            money_returned: Some(true),
        },
        (GatewayAnswer::Declined(_), _)
        | (
            GatewayAnswer::Unknown(UnknownCause::NotFound),
            Meaning::WrongState | Meaning::WrongAmount,
        ) => ReverseAnswer::WindowPassed,
        (_, Meaning::Config(cause)) => ReverseAnswer::ConfigError(cause),
        (GatewayAnswer::Unknown(cause), _) => ReverseAnswer::Unknown(cause),
        (GatewayAnswer::ConfigError(cause), _) => ReverseAnswer::ConfigError(cause),
        (GatewayAnswer::Pending(_) | GatewayAnswer::Closed, _) => {
            ReverseAnswer::Unknown(still_paying())
        }
    }
}

/// The payment that a refund returns, or why there is none.
pub(super) fn refundable(standing: GatewayAnswer) -> Result<PaidFact, RefundAnswer> {
    Err(match standing {
        GatewayAnswer::Success(paid) | GatewayAnswer::Returned(paid) => return Ok(paid),
        GatewayAnswer::Declined(_) | GatewayAnswer::Closed | GatewayAnswer::Pending(_) => {
            RefundAnswer::Refused(RefundRefusal::NotPaid)
        }
        GatewayAnswer::Unknown(cause) => RefundAnswer::Unknown(cause),
        GatewayAnswer::ConfigError(cause) => RefundAnswer::ConfigError(cause),
    })
}

/// What the call to refund answered, where that is already all; `None` means that the refund has
/// to be asked about.
pub(super) fn refund_refused(sent: Meaning) -> Option<RefundAnswer> {
    match sent {
        Meaning::Done | Meaning::Accepted => None,
        // The number is known already: an earlier call arrived.
        Meaning::Unknown(UnknownCause::AlreadyPaid) => None,
        Meaning::WrongState => Some(RefundAnswer::Refused(RefundRefusal::TooLate)),
        Meaning::WrongAmount => Some(RefundAnswer::Refused(RefundRefusal::ExceedsPaid)),
        Meaning::Declined(_) => Some(RefundAnswer::NeedsHandling),
        Meaning::Unknown(cause) => Some(RefundAnswer::Unknown(cause)),
        Meaning::Config(cause) => Some(RefundAnswer::ConfigError(cause)),
    }
}

/// What became of a refund that was asked about.
pub(super) fn refund_queried(standing: GatewayAnswer) -> RefundAnswer {
    match standing {
        GatewayAnswer::Success(done) | GatewayAnswer::Returned(done) => RefundAnswer::Succeeded {
            channel_refund_no: done.channel_txn_no,
            amount: done.amount,
        },
        GatewayAnswer::Pending(_) => RefundAnswer::Accepted,
        GatewayAnswer::Declined(_) | GatewayAnswer::Closed => RefundAnswer::NeedsHandling,
        GatewayAnswer::Unknown(cause) => RefundAnswer::Unknown(cause),
        GatewayAnswer::ConfigError(cause) => RefundAnswer::ConfigError(cause),
    }
}

/// Verifies, then reads, a notice.
pub(super) fn notice(
    config: &UnionpayConfig,
    trusted: &[Certificate],
    body: &[u8],
    now: Timestamp,
) -> Result<Notice, NoticeError> {
    let malformed = |problem: String| NoticeError::Malformed(problem);
    let fields = Pairs::from_form(body, Charset::Utf8);
    let fields = fields.map_err(|error| malformed(error.to_string()))?;
    let certificate = signer(&fields).ok_or(NoticeError::WrongSignature)?;
    if !is_unionpay(&certificate, trusted, now) {
        return Err(NoticeError::WrongSignature);
    }
    let is_ours = fields.get("merId") == Some(&config.merchant_id);
    let need = |name: &str| {
        let value = fields.get(name).map(str::to_owned);
        value.ok_or_else(|| malformed(format!("the field {name} is missing")))
    };
    let kind = fields.get("txnType").unwrap_or_default();
    let is_done = code(&fields, "respCode", "respMsg") == codes::Meaning::Done;
    if !is_done || !matches!(kind, PAYMENT | REFUND) {
        let code = fields.get("respCode").unwrap_or_default();
        return Ok(Notice::Other(format!("txnType {kind} respCode {code}")));
    }
    let moved = paid(&fields).map_err(|cause| malformed(cause.to_string()))?;
    let notice_id = moved.channel_txn_no.clone();
    if kind == PAYMENT {
        let notice = PaymentNotice {
            notice_id,
            attempt_no: need("orderId")?,
            paid: moved,
        };
        return Ok(notice.of(is_ours));
    }
    if !is_ours {
        return Ok(Notice::PaidElsewhere(ElsewhereNotice {
            attempt_no: need("reqReserved")?,
            channel_txn_no: need("origQryId")?,
            amount: moved.amount,
        }));
    }
    Ok(Notice::Refund(RefundNotice {
        notice_id,
        attempt_no: need("reqReserved")?,
        refund_no: need("orderId")?,
        answer: RefundAnswer::Succeeded {
            channel_refund_no: moved.channel_txn_no,
            amount: moved.amount,
        },
    }))
}

/// The gateway gives no time of payment with a year; the transaction's own time stands for it.
fn paid(fields: &Pairs) -> Result<PaidFact, UnknownCause> {
    let need = |name: &str| fields.get(name).ok_or_else(|| lacks(name));
    let wrong = |name: &str| UnknownCause::Unreadable(format!("the field {name} is wrong"));
    if fields.get("currencyCode").is_some_and(|code| code != "156") {
        return Err(wrong("currencyCode"));
    }
    Ok(PaidFact {
        channel_txn_no: need("queryId")?.to_owned(),
        amount: from_fen(need("txnAmt")?).ok_or_else(|| wrong("txnAmt"))?,
        paid_at: beijing::from_compact(need("txnTime")?).ok_or_else(|| wrong("txnTime"))?,
        payer: None,
    })
}

enum Setback {
    Unknown(UnknownCause),
    Config(ConfigCause),
}

fn setback(meaning: Meaning) -> Setback {
    match meaning {
        Meaning::Unknown(cause) => Setback::Unknown(cause),
        Meaning::Config(cause) => Setback::Config(cause),
        other => Setback::Unknown(UnknownCause::Unreadable(format!(
            "{other:?} does not answer the request"
        ))),
    }
}

fn still_paying() -> UnknownCause {
    UnknownCause::Unreadable("the gateway is still at work on it".to_owned())
}

fn lacks(field: &str) -> UnknownCause {
    UnknownCause::Unreadable(format!("the field {field} is missing"))
}
