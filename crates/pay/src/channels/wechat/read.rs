//! Reading the gateway's answers: bytes in, meaning out.

use bytes::Bytes;
use http::{StatusCode, header};
use qiantai_core::attempt::DeclineCode;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::account::Account;
use super::codes::{Meaning, meaning};
use super::keyring::PlatformKeys;
use super::message::{
    CURRENCY, CreatedOrder, PaidTotal, Refund, Refusal, ReversedOrder, Transaction, read_time,
};
use super::signature::{Seal, SealError};
use crate::answer::{
    CloseAnswer, ConfigCause, GatewayAnswer, PaidFact, PendingState, QrAnswer, RefundAnswer,
    RefundRefusal, ReverseAnswer, UnknownCause,
};
use crate::channels::exchange::cannot_arrive;
use crate::notice::CLOCK_TOLERANCE;

/// An order that the gateway has no record of may still arrive for this long. Twice the minute of
/// the table, because where nobody knows when it went out the time in our number is a terminal's.
const ORDER_MAY_ARRIVE: Millis = Millis::minutes(2);

/// What came back from one call: a verified answer, or why there is none.
pub(super) type Outcome = Result<Reply, Trouble>;

/// An answer of status 2xx whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub status: StatusCode,
    pub body: Bytes,
}

/// Why a call brought no reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// A refusal whose signature holds.
    Refused { code: String, message: String },
    /// Nothing certain.
    Unknown(UnknownCause),
    /// Our set-up is wrong.
    Config(ConfigCause),
}

/// Verifies an answer before anything in it is believed.
pub(super) fn verified(
    keys: &PlatformKeys,
    answer: &http::Response<Bytes>,
    now: Timestamp,
) -> Result<Outcome, UnknownKey> {
    let (status, body) = (answer.status(), answer.body());
    if status.is_server_error() {
        let cause = UnknownCause::GatewayFault(status.as_u16());
        return Ok(Err(Trouble::Unknown(cause)));
    }
    let sealed = Seal::read(answer.headers()).and_then(|seal| seal.verify(keys, body, now));
    Ok(match sealed {
        Ok(()) if status.is_success() => Ok(Reply {
            status,
            body: body.clone(),
        }),
        Ok(()) if status.is_client_error() => Err(refused(answer, now)),
        Ok(()) => Err(Trouble::Unknown(UnknownCause::Unreadable(format!(
            "status {status}"
        )))),
        Err(SealError::UnknownKey(serial)) => return Err(UnknownKey(serial)),
        Err(SealError::MissingHeader(_) | SealError::Stale { .. }) => Err(unsigned(answer, now)),
        Err(SealError::Probe | SealError::WrongSignature) => {
            Err(Trouble::Unknown(UnknownCause::BadSignature))
        }
    })
}

/// The answer names a key that is not held; it may be worth fetching.
pub(super) struct UnknownKey(pub String);

/// An answer that nobody signed proves nothing, with exceptions that end no attempt: the gateway
/// cannot sign for a party it does not recognise (401), may be too busy to sign (429), and having
/// no record is no proof anyway (404).
pub(super) fn unsigned(answer: &http::Response<Bytes>, now: Timestamp) -> Trouble {
    match answer.status() {
        StatusCode::UNAUTHORIZED => match refused(answer, now) {
            config @ Trouble::Config(ConfigCause::Clock) => config,
            _ => Trouble::Config(ConfigCause::Signature),
        },
        StatusCode::TOO_MANY_REQUESTS => Trouble::Unknown(UnknownCause::Busy),
        StatusCode::NOT_FOUND => match refused(answer, now) {
            Trouble::Refused { code, message } if meaning(&code, &message) == Meaning::NotFound => {
                Trouble::Unknown(UnknownCause::NotFound)
            }
            _ => Trouble::Unknown(UnknownCause::BadSignature),
        },
        _ => Trouble::Unknown(UnknownCause::BadSignature),
    }
}

fn refused(answer: &http::Response<Bytes>, now: Timestamp) -> Trouble {
    let status = answer.status();
    let refusal: Refusal = match parse(answer.body()) {
        Ok(refusal) => refusal,
        Err(_) if status == StatusCode::TOO_MANY_REQUESTS => {
            return Trouble::Unknown(UnknownCause::Busy);
        }
        Err(cause) => return Trouble::Unknown(cause),
    };
    if status == StatusCode::UNAUTHORIZED && clocks_differ(answer, now) {
        return Trouble::Config(ConfigCause::Clock);
    }
    match meaning(&refusal.code, &refusal.message) {
        Meaning::Config(cause) if status == StatusCode::UNAUTHORIZED => Trouble::Config(cause),
        Meaning::Unlisted if status == StatusCode::TOO_MANY_REQUESTS => {
            Trouble::Unknown(UnknownCause::Busy)
        }
        _ => Trouble::Refused {
            code: refusal.code,
            message: refusal.message,
        },
    }
}

/// True when the gateway's own clock, which every HTTP answer states, is too far from ours.
fn clocks_differ(answer: &http::Response<Bytes>, now: Timestamp) -> bool {
    let date = answer.headers().get(header::DATE);
    let date = date.and_then(|date| date.to_str().ok());
    // HTTP writes GMT where the mail format has an offset.
    let date = date.map(|date| date.replace("GMT", "+0000"));
    let date = date.and_then(|date| OffsetDateTime::parse(&date, &Rfc2822).ok());
    date.is_some_and(|date| {
        let theirs = Timestamp::from_ms(date.unix_timestamp().saturating_mul(1_000));
        Millis((now - theirs).0.saturating_abs()) > CLOCK_TOLERANCE
    })
}

/// What every call makes of a refusal that means nothing special to it.
enum Setback {
    Declined(DeclineCode),
    Closed,
    UserPaying,
    Unknown(UnknownCause),
    Config(ConfigCause),
}

fn setback(trouble: Trouble) -> Setback {
    let (code, message) = match trouble {
        Trouble::Unknown(cause) => return Setback::Unknown(cause),
        Trouble::Config(cause) => return Setback::Config(cause),
        Trouble::Refused { code, message } => (code, message),
    };
    match meaning(&code, &message) {
        Meaning::Declined(cause) => Setback::Declined(cause),
        Meaning::Closed => Setback::Closed,
        Meaning::UserPaying => Setback::UserPaying,
        Meaning::AlreadyPaid => Setback::Unknown(UnknownCause::AlreadyPaid),
        Meaning::NumberReused => Setback::Unknown(UnknownCause::NumberReused),
        Meaning::NotFound => Setback::Unknown(UnknownCause::NotFound),
        Meaning::Busy => Setback::Unknown(UnknownCause::Busy),
        Meaning::Config(cause) => Setback::Config(cause),
        Meaning::Failed | Meaning::Unlisted => Setback::Unknown(UnknownCause::Unlisted(code)),
    }
}

fn unlisted_decline(cause: DeclineCode) -> UnknownCause {
    UnknownCause::Unlisted(format!("{cause:?} does not answer the request"))
}

fn user_paying() -> UnknownCause {
    UnknownCause::Unlisted("USERPAYING".to_owned())
}

pub(super) fn created(outcome: Outcome) -> QrAnswer {
    let trouble = match outcome {
        Ok(reply) => match parse::<CreatedOrder>(&reply.body) {
            Ok(order) if !order.code_url.is_empty() => {
                return QrAnswer::Created {
                    payload: order.code_url,
                };
            }
            Ok(_) => Trouble::Unknown(lacks("code_url")),
            Err(cause) => Trouble::Unknown(cause),
        },
        Err(trouble) => trouble,
    };
    match setback(trouble) {
        // Nobody has scanned anything yet: a limit can only be the merchant's own.
        Setback::Declined(DeclineCode::DailyLimit) => {
            QrAnswer::Declined(DeclineCode::MerchantLimit)
        }
        Setback::Declined(cause) => QrAnswer::Declined(cause),
        Setback::Closed => QrAnswer::Closed,
        Setback::UserPaying => QrAnswer::Unknown(user_paying()),
        Setback::Unknown(cause) => QrAnswer::Unknown(cause),
        Setback::Config(cause) => QrAnswer::ConfigError(cause),
    }
}

pub(super) fn standing(account: &Account, attempt_no: &str, outcome: Outcome) -> GatewayAnswer {
    let trouble = match outcome {
        Ok(reply) => match order(account, attempt_no, &reply) {
            Ok(answer) => return answer,
            Err(trouble) => trouble,
        },
        Err(trouble) => trouble,
    };
    match setback(trouble) {
        Setback::Declined(cause) => GatewayAnswer::Declined(cause),
        Setback::Closed => GatewayAnswer::Closed,
        Setback::UserPaying => GatewayAnswer::Pending(PendingState::UserPaying),
        Setback::Unknown(cause) => GatewayAnswer::Unknown(cause),
        Setback::Config(cause) => GatewayAnswer::ConfigError(cause),
    }
}

/// A code payment that waits for the password comes as 202, as an order or in the form of a
/// refusal.
fn order(account: &Account, attempt_no: &str, reply: &Reply) -> Result<GatewayAnswer, Trouble> {
    if reply.status == StatusCode::ACCEPTED
        && let Ok(Refusal { code, message }) = parse(&reply.body)
    {
        return Err(Trouble::Refused { code, message });
    }
    let order: Transaction = parse(&reply.body).map_err(Trouble::Unknown)?;
    if order.out_trade_no != attempt_no
        || order.mchid != account.mchid
        || order.appid != account.appid
    {
        return Err(Trouble::Unknown(UnknownCause::Mismatched));
    }
    state(order).map_err(Trouble::Unknown)
}

pub(super) fn state(order: Transaction) -> Result<GatewayAnswer, UnknownCause> {
    Ok(match order.trade_state.as_str() {
        "SUCCESS" => GatewayAnswer::Success(fact(order)?),
        "REFUND" => GatewayAnswer::Returned(fact(order)?),
        "NOTPAY" => GatewayAnswer::Pending(PendingState::NotScanned),
        "USERPAYING" | "ACCEPT" => GatewayAnswer::Pending(PendingState::UserPaying),
        "CLOSED" | "REVOKED" => GatewayAnswer::Closed,
        "PAYERROR" => GatewayAnswer::Declined(DeclineCode::NotCompleted),
        _ => GatewayAnswer::Unknown(UnknownCause::Unlisted(order.trade_state)),
    })
}

pub(super) fn fact(order: Transaction) -> Result<PaidFact, UnknownCause> {
    let channel_txn_no = order
        .transaction_id
        .filter(|number| !number.is_empty())
        .ok_or_else(|| lacks("transaction_id"))?;
    let paid_at = order.success_time.as_deref().and_then(read_time);
    Ok(PaidFact {
        channel_txn_no,
        amount: amount(order.amount.ok_or_else(|| lacks("amount"))?)?,
        paid_at: paid_at.ok_or_else(|| lacks("success_time"))?,
        payer: order.payer.and_then(|payer| payer.openid),
    })
}

fn amount(paid: PaidTotal) -> Result<Money, UnknownCause> {
    match paid.currency.as_deref() {
        None | Some(CURRENCY) if paid.total > 0 => Ok(Money::from_fen(paid.total)),
        _ => Err(UnknownCause::Mismatched),
    }
}

pub(super) fn closed(
    attempt_no: &str,
    outcome: Outcome,
    asked_at: Option<Timestamp>,
    now: Timestamp,
) -> CloseAnswer {
    let trouble = match outcome {
        Ok(reply) if reply.status == StatusCode::NO_CONTENT => return CloseAnswer::Closed,
        Ok(reply) => Trouble::Unknown(UnknownCause::Unreadable(format!("status {}", reply.status))),
        Err(trouble) => trouble,
    };
    if is_missing(&trouble) && cannot_arrive(attempt_no, asked_at, ORDER_MAY_ARRIVE, now) {
        return CloseAnswer::Closed;
    }
    match setback(trouble) {
        Setback::Closed => CloseAnswer::Closed,
        Setback::Unknown(UnknownCause::AlreadyPaid) => CloseAnswer::AlreadyPaid,
        Setback::Declined(cause) => CloseAnswer::Unknown(unlisted_decline(cause)),
        Setback::UserPaying => CloseAnswer::Unknown(user_paying()),
        Setback::Unknown(cause) => CloseAnswer::Unknown(cause),
        Setback::Config(cause) => CloseAnswer::ConfigError(cause),
    }
}

pub(super) fn reversed(
    account: &Account,
    attempt_no: &str,
    outcome: Outcome,
    charged_at: Option<Timestamp>,
    now: Timestamp,
) -> ReverseAnswer {
    let done = ReverseAnswer::Reversed {
        money_returned: None,
    };
    let trouble = match outcome {
        Ok(reply) => match parse::<ReversedOrder>(&reply.body) {
            Ok(order)
                if order.out_trade_no == attempt_no
                    && order.mchid == account.mchid
                    && order.appid == account.appid =>
            {
                return done;
            }
            Ok(_) => Trouble::Unknown(UnknownCause::Mismatched),
            Err(cause) => Trouble::Unknown(cause),
        },
        Err(trouble) => trouble,
    };
    if window_passed(&trouble) {
        return ReverseAnswer::WindowPassed;
    }
    if is_missing(&trouble) && cannot_arrive(attempt_no, charged_at, ORDER_MAY_ARRIVE, now) {
        return ReverseAnswer::Reversed {
            money_returned: Some(false),
        };
    }
    match setback(trouble) {
        Setback::Closed => done,
        Setback::Declined(cause) => ReverseAnswer::Unknown(unlisted_decline(cause)),
        Setback::UserPaying => ReverseAnswer::Unknown(user_paying()),
        Setback::Unknown(cause) => ReverseAnswer::Unknown(cause),
        Setback::Config(cause) => ReverseAnswer::ConfigError(cause),
    }
}

/// True when the gateway says, signed, that it has no such order.
fn is_missing(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Refused { code, .. }
        if matches!(code.as_str(), "ORDER_NOT_EXIST" | "ORDERNOTEXIST"))
}

/// Reversals end after seven days.
pub(super) fn window_passed(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Refused { code, .. } if code == "REVERSE_EXPIRE")
}

pub(super) fn refunded(attempt_no: &str, refund_no: &str, outcome: Outcome) -> RefundAnswer {
    let trouble = match outcome {
        Ok(reply) => match parse::<Refund>(&reply.body) {
            Ok(refund)
                if refund.out_refund_no == refund_no && refund.out_trade_no == attempt_no =>
            {
                return refund_state(refund.refund_id, &refund.status, refund.amount.refund);
            }
            Ok(_) => Trouble::Unknown(UnknownCause::Mismatched),
            Err(cause) => Trouble::Unknown(cause),
        },
        Err(trouble) => trouble,
    };
    if let Trouble::Refused { code, message } = &trouble
        && let Some(answer) = refund_refusal(code, message)
    {
        return answer;
    }
    match setback(trouble) {
        Setback::Unknown(cause) => RefundAnswer::Unknown(cause),
        Setback::Config(cause) => RefundAnswer::ConfigError(cause),
        Setback::Declined(cause) => RefundAnswer::Unknown(unlisted_decline(cause)),
        Setback::Closed => RefundAnswer::Refused(RefundRefusal::NotPaid),
        Setback::UserPaying => RefundAnswer::Unknown(user_paying()),
    }
}

pub(super) fn refund_state(refund_id: String, status: &str, fen: i64) -> RefundAnswer {
    match status {
        "SUCCESS" if fen > 0 => RefundAnswer::Succeeded {
            channel_refund_no: refund_id,
            amount: Money::from_fen(fen),
        },
        "PROCESSING" => RefundAnswer::Accepted,
        "ABNORMAL" => RefundAnswer::NeedsHandling,
        "CLOSED" => RefundAnswer::Refused(RefundRefusal::ClosedByGateway),
        other => RefundAnswer::Unknown(UnknownCause::Unlisted(other.to_owned())),
    }
}

/// Codes that mean something else for a refund than for a charge. The gateway tells the causes of
/// `INVALID_REQUEST` apart only by its words.
fn refund_refusal(code: &str, message: &str) -> Option<RefundAnswer> {
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let refused = |cause| Some(RefundAnswer::Refused(cause));
    match code {
        "NOT_ENOUGH" | "NOTENOUGH" => Some(RefundAnswer::MerchantFundsShort),
        "USER_ACCOUNT_ABNORMAL" => Some(RefundAnswer::NeedsHandling),
        "INVALID_REQUEST" if says(&["一年", "1年", "期限", "超期", "过期"]) => {
            refused(RefundRefusal::TooLate)
        }
        "INVALID_REQUEST" if says(&["大于", "超过", "超出", "全额退款", "已全部退"]) => {
            refused(RefundRefusal::ExceedsPaid)
        }
        "INVALID_REQUEST" if says(&["未支付", "没有支付"]) => {
            refused(RefundRefusal::NotPaid)
        }
        _ => None,
    }
}

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, UnknownCause> {
    serde_json::from_slice(body).map_err(|error| UnknownCause::Unreadable(error.to_string()))
}

fn lacks(field: &str) -> UnknownCause {
    UnknownCause::Unreadable(format!("the field {field} is missing"))
}
