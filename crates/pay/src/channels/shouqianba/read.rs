//! Reading Shouqianba's answers and notices, three layers deep.
//!
//! The outer `result_code` tells of the call, the inner one of the business step, and
//! `order_status` is the truth about the order.

use http::{HeaderMap, header};
use qiantai_core::attempt::DeclineCode;
use qiantai_core::clock::{Millis, Timestamp};
use serde_json::{Map, Value};

use super::codes::{Fault, fault, unlisted};
use super::signature::is_genuine_notice;
use crate::answer::{
    CloseAnswer, ConfigCause, GatewayAnswer, PaidFact, PendingState, QrAnswer, RefundAnswer,
    RefundRefusal, ReverseAnswer, UnknownCause,
};
use crate::channel::RefundRequest;
use crate::channels::exchange::cannot_arrive;
use crate::crypto::VerifyKey;
use crate::notice::{Notice, NoticeError, PaymentNotice};
use crate::yuan::from_fen;

/// An order that the gateway has no record of may still arrive for this long: the gateway itself
/// waits for the wallet.
const CHARGE_MAY_ARRIVE: Millis = Millis::minutes(2);
/// A QR code whose making was never confirmed can be paid for this long: four minutes by the
/// gateway's text, and a margin.
const CODE_LIFE: Millis = Millis::seconds(330);
/// `sub_payway` of QR codes.
const QR: &str = "2";

/// What came back from one call, or why nothing did.
pub(super) type Outcome = Result<Reply, Fault>;

/// The business part of an answer to a call that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// Outcome of the step.
    result: String,
    /// `error_code` of the step.
    error: Option<(String, String)>,
    /// The order.
    order: Fields,
    /// Everything in the business part.
    pub business: Fields,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// A field that is a text or a whole number, and not empty.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let text = match self.0.get(name)? {
            Value::String(text) => text.clone(),
            Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    fn inner(&self, name: &str) -> Fields {
        match self.0.get(name) {
            Some(Value::Object(fields)) => Fields(fields.clone()),
            _ => Fields::default(),
        }
    }

    fn error(&self) -> Option<(String, String)> {
        let code = self.text("error_code")?;
        Some((code, self.text("error_message").unwrap_or_default()))
    }
}

impl Reply {
    /// Reads an answer's body.
    pub(super) fn read(body: &[u8]) -> Outcome {
        let fields = serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))?;
        let answer = Fields(fields);
        match answer.text("result_code").as_deref() {
            Some("200") => {}
            Some("400") => {
                let (code, words) = answer.error().unwrap_or_default();
                return Err(fault(&code, &words));
            }
            Some("500") => return Err(Fault::Unknown(UnknownCause::GatewayFault(500))),
            _ => return Err(lacks("result_code")),
        }
        let business = answer.inner("biz_response");
        Ok(Reply {
            result: business.text("result_code").unwrap_or_default(),
            error: business.error(),
            order: business.inner("data"),
            business,
        })
    }

    /// Code and words of an answer that calls the request wrong.
    pub(super) fn mistake(body: &[u8]) -> Option<(String, String)> {
        let answer = Fields(serde_json::from_slice(body).ok()?);
        let is_mistake = answer.text("result_code").as_deref() == Some("400");
        is_mistake.then(|| answer.error().unwrap_or_default())
    }

    /// Refuses an answer about another order. Without an order there is nothing to compare.
    fn about(self, attempt_no: &str) -> Outcome {
        match self.order.text("client_sn") {
            Some(number) if number != attempt_no => Err(Fault::Unknown(UnknownCause::Mismatched)),
            _ => Ok(self),
        }
    }

    fn status(&self) -> Option<String> {
        self.order.text("order_status")
    }

    /// The cause that the step names; without one, its result.
    fn fault(&self) -> Fault {
        match &self.error {
            Some((code, words)) => fault(code, words),
            None => unlisted(&self.result),
        }
    }

    /// Steps that broke off on the way: the gateway undoes them some time.
    fn broke_off(&self) -> bool {
        let step = self.order.text("status").unwrap_or_default();
        step.starts_with("FAIL_IO") || step.starts_with("FAIL_PROTOCOL") || step == "FAIL_ERROR"
    }
}

/// How an order stands. What it says of money is believed only for an order of ours.
pub(super) fn standing(attempt_no: &str, outcome: Outcome) -> GatewayAnswer {
    let found = outcome
        .and_then(|reply| reply.about(attempt_no))
        .and_then(|reply| stands(&reply));
    match found {
        Ok(answer) => answer,
        Err(Fault::Declined(code)) => GatewayAnswer::Declined(code),
        Err(fault) => match setback(fault) {
            Setback::Unknown(cause) => GatewayAnswer::Unknown(cause),
            Setback::Config(cause) => GatewayAnswer::ConfigError(cause),
        },
    }
}

/// What the gateway says of the very payment that a notice tells of.
pub(super) fn confirmed(notice: &PaymentNotice, outcome: Outcome) -> GatewayAnswer {
    match standing(&notice.attempt_no, outcome) {
        GatewayAnswer::Success(paid) | GatewayAnswer::Returned(paid)
            if paid.channel_txn_no != notice.paid.channel_txn_no =>
        {
            GatewayAnswer::Unknown(UnknownCause::Mismatched)
        }
        answer => answer,
    }
}

fn stands(reply: &Reply) -> Result<GatewayAnswer, Fault> {
    let Some(status) = reply.status() else {
        return Err(match reply.result.as_str() {
            "PAY_FAIL" | "FAIL" => reply.fault(),
            "PAY_IN_PROGRESS" => return Ok(GatewayAnswer::Pending(PendingState::UserPaying)),
            result => unlisted(result),
        });
    };
    if reply.order.text("client_sn").is_none() {
        return Err(lacks("client_sn"));
    }
    let is_qr = reply.order.text("sub_payway").as_deref() == Some(QR);
    match status.as_str() {
        "PAID" => paid(&reply.order).map(GatewayAnswer::Success),
        "PARTIAL_REFUNDED" => paid(&reply.order).map(GatewayAnswer::Returned),
        // All of it went back: where the order does not tell of what, nothing is owed either.
        "REFUNDED" | "CANCELED" => {
            Ok(paid(&reply.order).map_or(GatewayAnswer::Closed, GatewayAnswer::Returned))
        }
        _ if reply.broke_off() => Err(unlisted(&status)),
        "CREATED" if is_qr => Ok(GatewayAnswer::Pending(PendingState::NotScanned)),
        "CREATED" => Ok(GatewayAnswer::Pending(PendingState::UserPaying)),
        "PAY_CANCELED" => Ok(match (&reply.error, reply.fault()) {
            (Some(_), Fault::Declined(code)) => GatewayAnswer::Declined(code),
            _ if is_qr => GatewayAnswer::Closed,
            _ => GatewayAnswer::Declined(DeclineCode::NotCompleted),
        }),
        _ => Err(unlisted(&status)),
    }
}

pub(super) fn created(attempt_no: &str, outcome: Outcome) -> QrAnswer {
    let payload = outcome
        .and_then(|reply| reply.about(attempt_no))
        .and_then(|reply| match reply.result.as_str() {
            "PRECREATE_SUCCESS" => {
                let code = reply.order.text("qr_code");
                code.ok_or_else(|| lacks("qr_code"))
            }
            "PRECREATE_FAIL" => Err(reply.fault()),
            result => Err(unlisted(result)),
        });
    match payload {
        Ok(payload) => QrAnswer::Created { payload },
        Err(Fault::Declined(code)) => QrAnswer::Declined(code),
        Err(fault) => match setback(fault) {
            Setback::Unknown(cause) => QrAnswer::Unknown(cause),
            Setback::Config(cause) => QrAnswer::ConfigError(cause),
        },
    }
}

/// What an order that stands like this needs before it is closed; `None` when it has to be
/// cancelled.
pub(super) fn closed_already(
    attempt_no: &str,
    standing: &GatewayAnswer,
    asked_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<CloseAnswer> {
    match standing {
        GatewayAnswer::Success(_) | GatewayAnswer::Returned(_) => Some(CloseAnswer::AlreadyPaid),
        GatewayAnswer::Closed | GatewayAnswer::Declined(_) => Some(CloseAnswer::Closed),
        GatewayAnswer::Unknown(UnknownCause::NotFound)
            if cannot_arrive(attempt_no, asked_at, CODE_LIFE, now) =>
        {
            Some(CloseAnswer::Closed)
        }
        GatewayAnswer::Unknown(cause) => Some(CloseAnswer::Unknown(cause.clone())),
        GatewayAnswer::ConfigError(cause) => Some(CloseAnswer::ConfigError(cause.clone())),
        GatewayAnswer::Pending(_) => None,
    }
}

/// Closed is closed, also when the customer paid a moment before: then the money goes back.
pub(super) fn closed(reversed: ReverseAnswer) -> CloseAnswer {
    match reversed {
        ReverseAnswer::Reversed { .. } => CloseAnswer::Closed,
        ReverseAnswer::WindowPassed => CloseAnswer::AlreadyPaid,
        ReverseAnswer::Unknown(cause) => CloseAnswer::Unknown(cause),
        ReverseAnswer::ConfigError(cause) => CloseAnswer::ConfigError(cause),
    }
}

/// What a cancellation came to; `None` when the order has to be asked about.
pub(super) fn cancelled(
    attempt_no: &str,
    outcome: Outcome,
    sent_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<ReverseAnswer> {
    let is_late = cannot_arrive(attempt_no, sent_at, CHARGE_MAY_ARRIVE, now);
    let reply = match outcome.and_then(|reply| reply.about(attempt_no)) {
        Ok(reply) => reply,
        Err(fault) => return not_cancelled(fault, is_late),
    };
    match reply.result.as_str() {
        "CANCEL_SUCCESS" | "CANCEL_ABORT_SUCCESS" => Some(ReverseAnswer::Reversed {
            money_returned: match reply.status().as_deref() {
                Some("CANCELED" | "REFUNDED") => Some(true),
                Some("PAY_CANCELED") => Some(false),
                _ => None,
            },
        }),
        _ if reply.error.is_some() => not_cancelled(reply.fault(), is_late),
        result => not_cancelled(unlisted(result), is_late),
    }
}

/// `is_late` once what the gateway has no record of can no longer arrive.
fn not_cancelled(fault: Fault, is_late: bool) -> Option<ReverseAnswer> {
    match fault {
        Fault::Noop | Fault::WrongState => None,
        Fault::Unknown(UnknownCause::NotFound) if is_late => Some(ReverseAnswer::Reversed {
            money_returned: Some(false),
        }),
        fault => Some(match setback(fault) {
            Setback::Unknown(cause) => ReverseAnswer::Unknown(cause),
            Setback::Config(cause) => ReverseAnswer::ConfigError(cause),
        }),
    }
}

/// What an order that could not be cancelled tells by how it stands. One whose whole money went back
/// is what was asked for, whoever did it first.
pub(super) fn cancelled_by_standing(attempt_no: &str, outcome: Outcome) -> ReverseAnswer {
    let status = match &outcome {
        Ok(reply) => reply.status(),
        Err(_) => None,
    };
    let money_returned = match status.as_deref() {
        Some("CANCELED" | "REFUNDED") => Some(true),
        Some("PAY_CANCELED") => Some(false),
        _ => None,
    };
    match standing(attempt_no, outcome) {
        GatewayAnswer::Returned(_) if money_returned == Some(true) => {
            ReverseAnswer::Reversed { money_returned }
        }
        GatewayAnswer::Closed | GatewayAnswer::Declined(_) => {
            ReverseAnswer::Reversed { money_returned }
        }
        GatewayAnswer::Success(_) | GatewayAnswer::Returned(_) => ReverseAnswer::WindowPassed,
        GatewayAnswer::Pending(_) => ReverseAnswer::Unknown(UnknownCause::Unreadable(
            "the order is neither open nor closed".to_owned(),
        )),
        GatewayAnswer::Unknown(cause) => ReverseAnswer::Unknown(cause),
        GatewayAnswer::ConfigError(cause) => ReverseAnswer::ConfigError(cause),
    }
}

/// What a refund came to; `None` when the order has to be asked about.
pub(super) fn refunded(request: &RefundRequest, outcome: Outcome) -> Option<RefundAnswer> {
    let found = outcome
        .and_then(|reply| reply.about(&request.attempt_no))
        .and_then(|reply| match reply.result.as_str() {
            "REFUND_SUCCESS" => Ok(done(request)),
            "REFUND_IN_PROGRESS" => Ok(RefundAnswer::Accepted),
            _ if reply.error.is_some() => Err(reply.fault()),
            result => Err(unlisted(result)),
        });
    Some(match found {
        Ok(answer) => answer,
        Err(Fault::Noop) => return None,
        Err(Fault::FundsShort) => RefundAnswer::MerchantFundsShort,
        Err(Fault::RefundTooLarge) => RefundAnswer::Refused(RefundRefusal::ExceedsPaid),
        Err(Fault::WrongState) => RefundAnswer::Refused(RefundRefusal::TooLate),
        Err(fault) => match setback(fault) {
            Setback::Unknown(cause) => RefundAnswer::Unknown(cause),
            Setback::Config(cause) => RefundAnswer::ConfigError(cause),
        },
    })
}

/// What an order tells of a refund that the gateway calls done already.
pub(super) fn refunded_by_standing(request: &RefundRequest, outcome: Outcome) -> RefundAnswer {
    match outcome.and_then(|reply| reply.about(&request.attempt_no)) {
        Ok(reply) => match reply.status().as_deref() {
            Some("REFUNDED" | "PARTIAL_REFUNDED") => done(request),
            _ => RefundAnswer::Unknown(UnknownCause::NotFound),
        },
        Err(fault) => match setback(fault) {
            Setback::Unknown(cause) => RefundAnswer::Unknown(cause),
            Setback::Config(cause) => RefundAnswer::ConfigError(cause),
        },
    }
}

/// The gateway numbers refunds by our own numbers.
fn done(request: &RefundRequest) -> RefundAnswer {
    RefundAnswer::Succeeded {
        channel_refund_no: request.refund_no.clone(),
        amount: request.amount,
    }
}

/// Verifies, then reads, a notice. Even with the vendor's key it says only that the notice is the
/// vendor's: its one key signs for every merchant, and no field names ours. So without the key, which
/// not every merchant is given, it is the same hint, from anybody: the gateway is asked.
pub(super) fn notice(
    key: Option<&VerifyKey>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Notice, NoticeError> {
    if let Some(key) = key {
        let authorization = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .ok_or(NoticeError::MissingHeader("authorization"))?;
        if !is_genuine_notice(authorization, body, key) {
            return Err(NoticeError::WrongSignature);
        }
    }
    let fields = serde_json::from_slice(body);
    let order = Fields(fields.map_err(|error| NoticeError::Malformed(error.to_string()))?);
    let malformed = |field: &str| NoticeError::Malformed(format!("the field {field} is missing"));
    let status = order.text("order_status");
    let status = status.ok_or_else(|| malformed("order_status"))?;
    if status != "PAID" {
        return Ok(Notice::Other(format!("order_status {status}")));
    }
    let paid = paid(&order).map_err(|fault| NoticeError::Malformed(format!("{fault:?}")))?;
    Ok(Notice::Hint(PaymentNotice {
        notice_id: format!("{}:{status}", paid.channel_txn_no),
        attempt_no: order
            .text("client_sn")
            .ok_or_else(|| malformed("client_sn"))?,
        paid,
    }))
}

fn paid(order: &Fields) -> Result<PaidFact, Fault> {
    let amount = order
        .text("total_amount")
        .ok_or_else(|| lacks("total_amount"))?;
    let paid_at = order
        .text("channel_finish_time")
        .or_else(|| order.text("finish_time"))
        .ok_or_else(|| lacks("finish_time"))?;
    let paid_at: Option<i64> = paid_at.parse().ok();
    Ok(PaidFact {
        channel_txn_no: order.text("sn").ok_or_else(|| lacks("sn"))?,
        amount: from_fen(&amount)
            .ok_or_else(|| unreadable("total_amount is no amount".to_owned()))?,
        paid_at: paid_at
            .map(Timestamp::from_ms)
            .ok_or_else(|| unreadable("finish_time is no time".to_owned()))?,
        payer: order.text("payer_uid"),
    })
}

/// What every call makes of a fault that means nothing special to it.
enum Setback {
    Unknown(UnknownCause),
    Config(ConfigCause),
}

fn setback(fault: Fault) -> Setback {
    match fault {
        Fault::Unknown(cause) => Setback::Unknown(cause),
        Fault::Config(cause) => Setback::Config(cause),
        Fault::WrongKey => Setback::Config(ConfigCause::Signature),
        Fault::NotActivated => Setback::Config(ConfigCause::NotPermitted),
        other => Setback::Unknown(UnknownCause::Unreadable(format!(
            "{other:?} does not answer the request"
        ))),
    }
}

pub(super) fn unreadable(problem: String) -> Fault {
    Fault::Unknown(UnknownCause::Unreadable(problem))
}

pub(super) fn lacks(field: &str) -> Fault {
    unreadable(format!("the field {field} is missing"))
}
