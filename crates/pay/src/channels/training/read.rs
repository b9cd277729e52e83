//! Reading the gateway's answers: bytes in, meaning out.

use bytes::Bytes;
use http::StatusCode;
use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;
use serde::de::DeserializeOwned;

use super::TrainingConfig;
use super::message::{
    Fault, FaultCode, Paid, PaidNotice, PaymentAnswer, PaymentState, RefundReply, decline_of,
};
use super::signature::{Scope, SealError, SealedEnvelope};
use crate::answer::{
    CloseAnswer, ConfigCause, GatewayAnswer, PaidFact, PendingState, QrAnswer, RefundAnswer,
    RefundRefusal, ReverseAnswer, UnknownCause,
};
use crate::notice::{Notice, NoticeError, PaymentNotice};

/// What came back from one call: a verified body, or why there is none.
pub(super) type Outcome = Result<Bytes, Trouble>;

/// Why a call brought no body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// A signed refusal with a listed code.
    Fault(FaultCode, String),
    /// Nothing certain.
    Unknown(UnknownCause),
    /// Our set-up is wrong.
    Config(ConfigCause),
}

/// Verifies an answer before anything in it is believed.
pub(super) fn verified(
    config: &TrainingConfig,
    request_nonce: &str,
    answer: &http::Response<Bytes>,
    now: Timestamp,
) -> Outcome {
    let status = answer.status();
    if status.is_server_error() {
        return Err(Trouble::Unknown(UnknownCause::GatewayFault(
            status.as_u16(),
        )));
    }
    let Ok(sealed) = SealedEnvelope::read(answer.headers()) else {
        return Err(unsigned(status, answer.body()));
    };
    let scope = Scope::Answer { request_nonce };
    if sealed.envelope.merchant != config.merchant
        || sealed
            .verify(&config.key, scope, answer.body(), now)
            .is_err()
    {
        return Err(Trouble::Unknown(UnknownCause::BadSignature));
    }
    match status {
        StatusCode::OK => Ok(answer.body().clone()),
        status if status.is_client_error() => Err(signed_fault(answer.body())),
        other => Err(Trouble::Unknown(UnknownCause::Unreadable(format!(
            "status {other}"
        )))),
    }
}

/// An unsigned answer proves nothing, with two exceptions that end no attempt: the gateway cannot
/// sign for a party it does not recognise (401), and may be too busy to sign (429).
fn unsigned(status: StatusCode, body: &Bytes) -> Trouble {
    match status {
        StatusCode::UNAUTHORIZED => match parse::<Fault>(body) {
            Ok(fault) if fault.code == FaultCode::ClockOff.name() => {
                Trouble::Config(ConfigCause::Clock)
            }
            Ok(_) | Err(_) => Trouble::Config(ConfigCause::Signature),
        },
        StatusCode::TOO_MANY_REQUESTS => Trouble::Unknown(UnknownCause::Busy),
        _ => Trouble::Unknown(UnknownCause::BadSignature),
    }
}

fn signed_fault(body: &Bytes) -> Trouble {
    let fault = match parse::<Fault>(body) {
        Ok(fault) => fault,
        Err(cause) => return Trouble::Unknown(cause),
    };
    match FaultCode::of(&fault.code) {
        Some(code) => Trouble::Fault(code, fault.message),
        None => Trouble::Unknown(UnknownCause::Unlisted(fault.code)),
    }
}

/// What every call makes of a fault that means nothing special to it.
enum Setback {
    Unknown(UnknownCause),
    Config(ConfigCause),
}

fn setback(trouble: Trouble) -> Setback {
    let (code, message) = match trouble {
        Trouble::Unknown(cause) => return Setback::Unknown(cause),
        Trouble::Config(cause) => return Setback::Config(cause),
        Trouble::Fault(code, message) => (code, message),
    };
    match code {
        FaultCode::SignError => Setback::Config(ConfigCause::Signature),
        FaultCode::ClockOff => Setback::Config(ConfigCause::Clock),
        FaultCode::BadRequest | FaultCode::WrongKind => {
            Setback::Config(ConfigCause::BadRequest(message))
        }
        FaultCode::NotPermitted => Setback::Config(ConfigCause::NotPermitted),
        FaultCode::MerchantBlocked => Setback::Config(ConfigCause::MerchantBlocked),
        FaultCode::ForbiddenWord => Setback::Config(ConfigCause::ForbiddenWord(message)),
        FaultCode::AttemptNotFound | FaultCode::RefundNotFound => {
            Setback::Unknown(UnknownCause::NotFound)
        }
        FaultCode::AttemptNoUsed | FaultCode::RefundNoUsed => {
            Setback::Unknown(UnknownCause::NumberReused)
        }
        FaultCode::AlreadyPaid => Setback::Unknown(UnknownCause::AlreadyPaid),
        FaultCode::OrderClosed | FaultCode::NotPaid | FaultCode::RefundExceedsPaid => {
            Setback::Unknown(UnknownCause::Unlisted(code.name().to_owned()))
        }
    }
}

pub(super) fn created(config: &TrainingConfig, attempt_no: &str, outcome: Outcome) -> QrAnswer {
    let payment = match payment(config, attempt_no, outcome) {
        Ok(payment) => payment,
        Err(Trouble::Fault(FaultCode::OrderClosed, _)) => return QrAnswer::Closed,
        Err(trouble) => {
            return match setback(trouble) {
                Setback::Unknown(cause) => QrAnswer::Unknown(cause),
                Setback::Config(cause) => QrAnswer::ConfigError(cause),
            };
        }
    };
    match payment.payload {
        Some(payload) if !payload.is_empty() => QrAnswer::Created { payload },
        _ => QrAnswer::Unknown(lacks("payload")),
    }
}

pub(super) fn standing(
    config: &TrainingConfig,
    attempt_no: &str,
    outcome: Outcome,
) -> GatewayAnswer {
    let payment = match payment(config, attempt_no, outcome) {
        Ok(payment) => payment,
        Err(Trouble::Fault(FaultCode::OrderClosed, _)) => return GatewayAnswer::Closed,
        Err(trouble) => {
            return match setback(trouble) {
                Setback::Unknown(cause) => GatewayAnswer::Unknown(cause),
                Setback::Config(cause) => GatewayAnswer::ConfigError(cause),
            };
        }
    };
    match payment.state {
        PaymentState::NotScanned => GatewayAnswer::Pending(PendingState::NotScanned),
        PaymentState::UserPaying => GatewayAnswer::Pending(PendingState::UserPaying),
        PaymentState::Paid => match payment.paid {
            Some(paid) => GatewayAnswer::Success(fact(paid)),
            None => GatewayAnswer::Unknown(lacks("paid")),
        },
        PaymentState::Failed => match payment.decline {
            Some(name) => match decline_of(&name) {
                Some(code) => GatewayAnswer::Declined(code),
                None => GatewayAnswer::Unknown(UnknownCause::Unlisted(name)),
            },
            None => GatewayAnswer::Unknown(lacks("decline")),
        },
        PaymentState::Closed | PaymentState::Reversed => GatewayAnswer::Closed,
        PaymentState::Unlisted => GatewayAnswer::Unknown(unexpected_state()),
    }
}

pub(super) fn closed(config: &TrainingConfig, attempt_no: &str, outcome: Outcome) -> CloseAnswer {
    match payment(config, attempt_no, outcome) {
        Ok(payment) => match payment.state {
            PaymentState::Closed => CloseAnswer::Closed,
            PaymentState::Paid => CloseAnswer::AlreadyPaid,
            _ => CloseAnswer::Unknown(unexpected_state()),
        },
        Err(Trouble::Fault(FaultCode::AlreadyPaid, _)) => CloseAnswer::AlreadyPaid,
        Err(Trouble::Fault(FaultCode::OrderClosed, _)) => CloseAnswer::Closed,
        Err(trouble) => match setback(trouble) {
            Setback::Unknown(cause) => CloseAnswer::Unknown(cause),
            Setback::Config(cause) => CloseAnswer::ConfigError(cause),
        },
    }
}

pub(super) fn reversed(
    config: &TrainingConfig,
    attempt_no: &str,
    outcome: Outcome,
) -> ReverseAnswer {
    match payment(config, attempt_no, outcome) {
        Ok(payment) if payment.state == PaymentState::Reversed => ReverseAnswer::Reversed {
            money_returned: Some(payment.paid.is_some()),
        },
        Ok(_) => ReverseAnswer::Unknown(unexpected_state()),
        Err(trouble) => match setback(trouble) {
            Setback::Unknown(cause) => ReverseAnswer::Unknown(cause),
            Setback::Config(cause) => ReverseAnswer::ConfigError(cause),
        },
    }
}

pub(super) fn refunded(config: &TrainingConfig, refund_no: &str, outcome: Outcome) -> RefundAnswer {
    let body = match outcome {
        Ok(body) => body,
        Err(Trouble::Fault(FaultCode::NotPaid, _)) => {
            return RefundAnswer::Refused(RefundRefusal::NotPaid);
        }
        Err(Trouble::Fault(FaultCode::RefundExceedsPaid, _)) => {
            return RefundAnswer::Refused(RefundRefusal::ExceedsPaid);
        }
        Err(trouble) => {
            return match setback(trouble) {
                Setback::Unknown(cause) => RefundAnswer::Unknown(cause),
                Setback::Config(cause) => RefundAnswer::ConfigError(cause),
            };
        }
    };
    match parse::<RefundReply>(&body) {
        Err(cause) => RefundAnswer::Unknown(cause),
        Ok(reply) if reply.merchant != config.merchant || reply.refund_no != refund_no => {
            RefundAnswer::Unknown(UnknownCause::Mismatched)
        }
        Ok(reply) => RefundAnswer::Succeeded {
            channel_refund_no: reply.channel_refund_no,
            amount: Money::from_fen(reply.amount_fen),
        },
    }
}

/// Verifies, then reads, a notice.
pub(super) fn notice(
    config: &TrainingConfig,
    headers: &http::HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Notice, NoticeError> {
    let sealed = SealedEnvelope::read(headers).map_err(NoticeError::MissingHeader)?;
    if sealed.envelope.merchant != config.merchant {
        return Err(NoticeError::OtherMerchant);
    }
    sealed
        .verify(&config.key, Scope::Notice, body, now)
        .map_err(|error| match error {
            SealError::Stale => NoticeError::StaleTimestamp {
                signed_at: sealed.envelope.signed_at,
                now,
            },
            SealError::WrongSignature => NoticeError::WrongSignature,
        })?;
    let notice: PaidNotice =
        serde_json::from_slice(body).map_err(|error| NoticeError::Malformed(error.to_string()))?;
    if notice.merchant != config.merchant {
        return Err(NoticeError::OtherMerchant);
    }
    Ok(Notice::Payment(PaymentNotice {
        notice_id: notice.notice_id,
        attempt_no: notice.attempt_no,
        paid: fact(notice.paid),
    }))
}

fn payment(
    config: &TrainingConfig,
    attempt_no: &str,
    outcome: Outcome,
) -> Result<PaymentAnswer, Trouble> {
    let payment: PaymentAnswer = parse(&outcome?).map_err(Trouble::Unknown)?;
    if payment.merchant != config.merchant || payment.attempt_no != attempt_no {
        return Err(Trouble::Unknown(UnknownCause::Mismatched));
    }
    Ok(payment)
}

fn fact(paid: Paid) -> PaidFact {
    PaidFact {
        channel_txn_no: paid.channel_txn_no,
        amount: Money::from_fen(paid.amount_fen),
        paid_at: Timestamp::from_ms(paid.paid_at_ms),
        payer: paid.payer,
    }
}

fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, UnknownCause> {
    serde_json::from_slice(body).map_err(|error| UnknownCause::Unreadable(error.to_string()))
}

fn lacks(field: &str) -> UnknownCause {
    UnknownCause::Unreadable(format!("the field {field} is missing"))
}

fn unexpected_state() -> UnknownCause {
    UnknownCause::Unreadable("the state does not answer the request".to_owned())
}
