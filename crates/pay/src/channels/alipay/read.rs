//! Reading Alipay's answers and notices: verified text in, meaning out.

use http::Uri;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use serde_json::{Map, Value};
use time::Date;

use super::AlipayConfig;
use super::codes::{Fault, SUCCESS, WAIT_BUYER_PAY, fault};
use super::keys::Keys;
use super::signature::SignedNotice;
use crate::answer::{
    CloseAnswer, ConfigCause, GatewayAnswer, PaidFact, PendingState, QrAnswer, RefundAnswer,
    RefundRefusal, ReverseAnswer, UnknownCause,
};
use crate::beijing;
use crate::bill::BillAnswer;
use crate::channel::{RefundQuery, RefundRequest};
use crate::channels::QrLife;
use crate::channels::exchange::cannot_arrive;
use crate::notice::{ElsewhereNotice, Notice, NoticeError, PaymentNotice, RefundNotice};
use crate::pairs::Charset;
use crate::yuan::from_yuan;

/// A charge that the gateway has no record of may still arrive for this long.
const CHARGE_MAY_ARRIVE: Millis = Millis::seconds(60);
/// Hour of the next day at which bills are ready, China time.
const BILL_READY_HOUR: u8 = 10;

/// What came back from one call, or why nothing did.
pub(super) type Outcome = Result<Reply, Fault>;

/// The node of a genuine answer whose code is no fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    fields: Map<String, Value>,
}

impl Reply {
    /// Reads the text of a genuine node.
    pub(super) fn read(node: &str) -> Outcome {
        let reply = Reply::fields_of(node)?;
        match reply.text("code") {
            Some(code) if code == SUCCESS || code == WAIT_BUYER_PAY => Ok(reply),
            Some(code) => Err(reply.fault(&code)),
            None => Err(lacks("code")),
        }
    }

    /// What a node that nobody signed may say: that our set-up is wrong. Whatever else it says
    /// proves nothing.
    pub(super) fn unsigned(node: &str) -> Fault {
        let bad_signature = Fault::Unknown(UnknownCause::BadSignature);
        match Reply::fields_of(node) {
            Ok(reply) => match reply.fault(&reply.text("code").unwrap_or_default()) {
                config @ Fault::Config(
                    ConfigCause::Signature | ConfigCause::Clock | ConfigCause::NotPermitted,
                ) => config,
                _ => bad_signature,
            },
            Err(_) => bad_signature,
        }
    }

    fn fields_of(node: &str) -> Outcome {
        let fields = serde_json::from_str(node).map_err(|error| unreadable(error.to_string()))?;
        Ok(Reply { fields })
    }

    fn fault(&self, code: &str) -> Fault {
        let sub_code = self.text("sub_code").unwrap_or_default();
        let words = self.text("sub_msg").or_else(|| self.text("msg"));
        fault(code, &sub_code, &words.unwrap_or_default())
    }

    fn is_waiting(&self) -> bool {
        self.text("code").as_deref() == Some(WAIT_BUYER_PAY)
    }

    /// A field that is a text or a whole number, and not empty.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let text = match self.fields.get(name)? {
            Value::String(text) => text.clone(),
            Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    fn need(&self, name: &str) -> Result<String, Fault> {
        self.text(name).ok_or_else(|| lacks(name))
    }

    fn money(&self, name: &str) -> Result<Money, Fault> {
        from_yuan(&self.need(name)?).ok_or_else(|| unreadable(format!("{name} is no amount")))
    }

    fn time(&self, name: &str) -> Result<Timestamp, Fault> {
        let text = self.need(name)?;
        beijing::from_dashed(&text).ok_or_else(|| unreadable(format!("{name} is no time")))
    }

    /// Refuses an answer about another number.
    fn about(self, name: &str, expected: &str) -> Outcome {
        if self.need(name)? == expected {
            Ok(self)
        } else {
            Err(Fault::Unknown(UnknownCause::Mismatched))
        }
    }

    fn paid(&self, time: &str) -> Result<PaidFact, Fault> {
        Ok(PaidFact {
            channel_txn_no: self.need("trade_no")?,
            amount: self.money("total_amount")?,
            paid_at: self.time(time)?,
            payer: self
                .text("buyer_open_id")
                .or_else(|| self.text("buyer_user_id")),
        })
    }
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
        other => Setback::Unknown(UnknownCause::Unreadable(format!(
            "{other:?} does not answer the request"
        ))),
    }
}

pub(super) fn created(attempt_no: &str, outcome: Outcome) -> QrAnswer {
    let payload = outcome
        .and_then(|reply| reply.about("out_trade_no", attempt_no))
        .and_then(|reply| reply.need("qr_code"));
    match payload {
        Ok(payload) => QrAnswer::Created { payload },
        Err(Fault::Declined(code)) => QrAnswer::Declined(code),
        Err(Fault::Closed) => QrAnswer::Closed,
        Err(fault) => match setback(fault) {
            Setback::Unknown(cause) => QrAnswer::Unknown(cause),
            Setback::Config(cause) => QrAnswer::ConfigError(cause),
        },
    }
}

pub(super) fn charged(attempt_no: &str, outcome: Outcome) -> GatewayAnswer {
    standing(outcome.and_then(|reply| {
        let reply = reply.about("out_trade_no", attempt_no)?;
        if reply.is_waiting() {
            return Ok(GatewayAnswer::Pending(PendingState::UserPaying));
        }
        reply.paid("gmt_payment").map(GatewayAnswer::Success)
    }))
}

/// A closed trade was never paid, or was paid, as the time of that tells, and paid back in full.
pub(super) fn queried(attempt_no: &str, outcome: Outcome) -> GatewayAnswer {
    standing(outcome.and_then(|reply| {
        let reply = reply.about("out_trade_no", attempt_no)?;
        match reply.need("trade_status")?.as_str() {
            "WAIT_BUYER_PAY" => Ok(GatewayAnswer::Pending(PendingState::UserPaying)),
            "TRADE_SUCCESS" | "TRADE_FINISHED" => {
                reply.paid("send_pay_date").map(GatewayAnswer::Success)
            }
            "TRADE_CLOSED" if reply.text("send_pay_date").is_some() => {
                reply.paid("send_pay_date").map(GatewayAnswer::Returned)
            }
            "TRADE_CLOSED" => Ok(GatewayAnswer::Closed),
            other => Err(unreadable(format!("trade_status {other}"))),
        }
    }))
}

fn standing(found: Result<GatewayAnswer, Fault>) -> GatewayAnswer {
    match found {
        Ok(answer) => answer,
        Err(Fault::Declined(code)) => GatewayAnswer::Declined(code),
        Err(Fault::Closed) => GatewayAnswer::Closed,
        Err(fault) => match setback(fault) {
            Setback::Unknown(cause) => GatewayAnswer::Unknown(cause),
            Setback::Config(cause) => GatewayAnswer::ConfigError(cause),
        },
    }
}

/// `code_ends_at` is when the QR code ends at the latest: a trade that does not exist can begin
/// until then, and not after.
pub(super) fn closed(
    attempt_no: &str,
    outcome: Outcome,
    code_ends_at: Option<Timestamp>,
    now: Timestamp,
) -> CloseAnswer {
    match outcome.and_then(|reply| reply.about("out_trade_no", attempt_no)) {
        Ok(_) | Err(Fault::Closed) => CloseAnswer::Closed,
        Err(Fault::WrongState | Fault::Unknown(UnknownCause::AlreadyPaid)) => {
            // Paid, or closed already: the query that follows tells which.
            CloseAnswer::AlreadyPaid
        }
        Err(Fault::Unknown(UnknownCause::NotFound))
            if code_ends_at.is_some_and(|end| QrLife::is_past(end, now)) =>
        {
            CloseAnswer::Closed
        }
        Err(fault) => match setback(fault) {
            Setback::Unknown(cause) => CloseAnswer::Unknown(cause),
            Setback::Config(cause) => CloseAnswer::ConfigError(cause),
        },
    }
}

/// Only `close` says that nothing was charged. What is closed already, or leaves nothing to do, may
/// be so by an earlier call that returned the money and whose answer was lost.
pub(super) fn reversed(
    attempt_no: &str,
    outcome: Outcome,
    charged_at: Option<Timestamp>,
    now: Timestamp,
) -> ReverseAnswer {
    let reply = match outcome.and_then(|reply| reply.about("out_trade_no", attempt_no)) {
        Ok(reply) => reply,
        Err(Fault::CancelWindowPassed) => return ReverseAnswer::WindowPassed,
        Err(Fault::Closed) => {
            return ReverseAnswer::Reversed {
                money_returned: None,
            };
        }
        Err(Fault::Unknown(UnknownCause::NotFound))
            if cannot_arrive(attempt_no, charged_at, CHARGE_MAY_ARRIVE, now) =>
        {
            return ReverseAnswer::Reversed {
                money_returned: Some(false),
            };
        }
        Err(fault) => {
            return match setback(fault) {
                Setback::Unknown(cause) => ReverseAnswer::Unknown(cause),
                Setback::Config(cause) => ReverseAnswer::ConfigError(cause),
            };
        }
    };
    if reply.text("retry_flag").as_deref() == Some("Y") {
        return ReverseAnswer::Unknown(UnknownCause::GatewayFault(500));
    }
    match reply.text("action").as_deref() {
        Some("refund") => ReverseAnswer::Reversed {
            money_returned: Some(true),
        },
        Some("close") => ReverseAnswer::Reversed {
            money_returned: Some(false),
        },
        None => ReverseAnswer::Reversed {
            money_returned: None,
        },
        Some(other) => ReverseAnswer::Unknown(UnknownCause::Unlisted(other.to_owned())),
    }
}

/// `refund_fee` is the sum of all refunds so far, so it is no proof of this one's amount.
pub(super) fn refunded(request: &RefundRequest, outcome: Outcome) -> RefundAnswer {
    let moved = outcome.and_then(|reply| {
        let reply = match request.channel_txn_no.as_deref() {
            Some(trade_no) => reply.about("trade_no", trade_no)?,
            None => reply.about("out_trade_no", &request.attempt_no)?,
        };
        let total = reply.money("refund_fee")?;
        match reply.need("fund_change")?.as_str() {
            "Y" if total < request.amount => Err(Fault::Unknown(UnknownCause::Mismatched)),
            "Y" => Ok(true),
            "N" => Ok(false),
            other => Err(unreadable(format!("fund_change {other}"))),
        }
    });
    match moved {
        Ok(true) => RefundAnswer::Succeeded {
            channel_refund_no: request.refund_no.clone(),
            amount: request.amount,
        },
        Ok(false) => RefundAnswer::Accepted,
        Err(fault) => refund_fault(fault),
    }
}

/// Alipay numbers refunds by our own numbers.
pub(super) fn refund_queried(query: &RefundQuery, outcome: Outcome) -> RefundAnswer {
    let found = outcome.and_then(|reply| match reply.text("refund_status").as_deref() {
        Some("REFUND_SUCCESS") => reply
            .about("out_trade_no", &query.attempt_no)?
            .about("out_request_no", &query.refund_no)?
            .money("refund_amount"),
        // Not done, or never asked for.
        None => Err(Fault::Unknown(UnknownCause::NotFound)),
        Some(other) => Err(unreadable(format!("refund_status {other}"))),
    });
    match found {
        Ok(amount) => RefundAnswer::Succeeded {
            channel_refund_no: query.refund_no.clone(),
            amount,
        },
        Err(fault) => refund_fault(fault),
    }
}

fn refund_fault(fault: Fault) -> RefundAnswer {
    match fault {
        Fault::FundsShort => RefundAnswer::MerchantFundsShort,
        Fault::RefundTooLarge => RefundAnswer::Refused(RefundRefusal::ExceedsPaid),
        Fault::WrongState | Fault::Closed => RefundAnswer::Refused(RefundRefusal::TooLate),
        Fault::Frozen => RefundAnswer::NeedsHandling,
        fault => match setback(fault) {
            Setback::Unknown(cause) => RefundAnswer::Unknown(cause),
            Setback::Config(cause) => RefundAnswer::ConfigError(cause),
        },
    }
}

/// Where the bill of a day can be fetched, or the answer that there is no address. Bills are ready
/// at ten the next morning; a day without trades has none.
pub(super) fn bill_address(day: Date, outcome: Outcome, now: Timestamp) -> Result<Uri, BillAnswer> {
    let address = outcome.and_then(|reply| {
        let address: Option<Uri> = reply.need("bill_download_url")?.parse().ok();
        address
            .filter(|address| matches!(address.scheme_str(), Some("http" | "https")))
            .ok_or_else(|| unreadable("bill_download_url is no address".to_owned()))
    });
    address.map_err(|fault| match fault {
        Fault::NoBill => {
            let local = now.local();
            let ready_on = day.saturating_add(time::Duration::DAY);
            if (local.date(), local.hour()) < (ready_on, BILL_READY_HOUR) {
                BillAnswer::NotYet
            } else {
                BillAnswer::Ready(Vec::new())
            }
        }
        fault => match setback(fault) {
            Setback::Unknown(cause) => BillAnswer::Unknown(cause),
            Setback::Config(cause) => BillAnswer::ConfigError(cause),
        },
    })
}

/// Verifies, then reads, a notice. It carries no time of signing that a forger could not repeat;
/// a repetition is told from a new payment by its numbers.
pub(super) fn notice(
    config: &AlipayConfig,
    keys: &Keys,
    header: Option<Charset>,
    body: &[u8],
    now: Timestamp,
) -> Result<Notice, NoticeError> {
    let malformed = |problem: String| NoticeError::Malformed(problem);
    let signed = SignedNotice::read(body, header);
    let signed = signed.map_err(|error| malformed(error.to_string()))?;
    if !keys.is_genuine_notice(&signed, now) {
        return Err(NoticeError::WrongSignature);
    }
    let fields = signed.fields;
    let need = |name: &str| {
        let value = fields.get(name).map(str::to_owned);
        value.ok_or_else(|| malformed(format!("the field {name} is missing")))
    };
    let other_seller = config
        .seller_id
        .as_deref()
        .is_some_and(|ours| fields.get("seller_id") != Some(ours));
    let is_ours = need("app_id")? == config.app_id && !other_seller;
    // What comes after a refund names it; the trade's own status stays or becomes closed.
    if let (Some(refund_no), Some(_)) = (fields.get("out_biz_no"), fields.get("gmt_refund")) {
        if !is_ours {
            return Ok(Notice::PaidElsewhere(ElsewhereNotice {
                attempt_no: need("out_trade_no")?,
                channel_txn_no: need("trade_no")?,
                amount: from_yuan(&need("total_amount")?)
                    .ok_or_else(|| malformed("total_amount is no amount".to_owned()))?,
            }));
        }
        return Ok(Notice::Refund(RefundNotice {
            notice_id: need("notify_id")?,
            attempt_no: need("out_trade_no")?,
            refund_no: refund_no.to_owned(),
            // `refund_fee` is the sum of all refunds of the trade.
            answer: RefundAnswer::Accepted,
        }));
    }
    let status = need("trade_status")?;
    if status != "TRADE_SUCCESS" && status != "TRADE_FINISHED" {
        return Ok(Notice::Other(status));
    }
    let amount = from_yuan(&need("total_amount")?);
    let paid_at = beijing::from_dashed(&need("gmt_payment")?);
    let notice = PaymentNotice {
        notice_id: need("notify_id")?,
        attempt_no: need("out_trade_no")?,
        paid: PaidFact {
            channel_txn_no: need("trade_no")?,
            amount: amount.ok_or_else(|| malformed("total_amount is no amount".to_owned()))?,
            paid_at: paid_at.ok_or_else(|| malformed("gmt_payment is no time".to_owned()))?,
            payer: fields
                .get("buyer_open_id")
                .or_else(|| fields.get("buyer_id"))
                .map(str::to_owned),
        },
    };
    Ok(notice.of(is_ours))
}

pub(super) fn unreadable(problem: String) -> Fault {
    Fault::Unknown(UnknownCause::Unreadable(problem))
}

fn lacks(field: &str) -> Fault {
    unreadable(format!("the field {field} is missing"))
}
