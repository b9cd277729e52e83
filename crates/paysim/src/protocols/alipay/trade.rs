//! Trades: made, charged, asked about, cancelled, closed. A trade of a QR code does not exist
//! until somebody scans it.

use qiantai_core::clock::{Millis, Timestamp};
use qiantai_pay::beijing::dashed;
use qiantai_pay::channels::training::message::WalletName;
use qiantai_pay::yuan::yuan;
use serde_json::{Value, json};

use super::answer::{Refusal, Said, declined};
use super::caller::Caller;
use crate::gateway::{
    Arrival, AttemptKey, Gateway, Means, NewPayment, Payment, Protocol, Stage, Transaction,
};

/// An unscanned code is good for this long if the merchant names no time.
const CODE_LIVES: Millis = Millis::hours(2);

/// Makes a QR code. The same number with the same amount gets a code of the same order.
pub(super) fn precreate(
    gateway: &mut Gateway,
    caller: &Caller,
    now: Timestamp,
) -> Result<Said, Refusal> {
    let content = &caller.content;
    let number = content.out_trade_no()?;
    let amount = content.amount("total_amount")?;
    let subject = content.subject()?;
    check_notify_url(caller)?;
    let key = caller.key(number);
    if let Ok(known) = gateway.find(&key, now) {
        if !known.is_qr() || known.amount() != amount {
            return Err(Refusal::business(
                "ACQ.CONTEXT_INCONSISTENT",
                "交易信息被篡改",
            ));
        }
        if !known.stage.is_open() {
            return Err(over_already(known.stage));
        }
        return Ok(shown(known));
    }
    let expires_at = content.ends_at(now)?.unwrap_or(now + CODE_LIVES);
    let order = NewPayment {
        key: key.clone(),
        amount,
        subject: subject.to_owned(),
        means: Means::Qr {
            wallet: WalletName::Alipay,
            expires_at,
        },
        notify_url: caller.notify_url.clone(),
        rest: String::new(),
    };
    gateway.open_qr(order, now)?;
    Ok(shown(gateway.find(&key, now)?))
}

fn shown(payment: &Payment) -> Said {
    Said::success(json!({
        "out_trade_no": payment.key().attempt_no,
        "qr_code": payment.payload(),
    }))
}

/// Charges a payment code.
pub(super) fn pay(gateway: &mut Gateway, caller: &Caller, now: Timestamp) -> Result<Said, Refusal> {
    let content = &caller.content;
    let number = content.out_trade_no()?;
    if content.need("scene")? != "bar_code" {
        return Err(Refusal::business("ACQ.INVALID_PARAMETER", "scene参数无效"));
    }
    let auth_code = content.need("auth_code")?;
    check_notify_url(caller)?;
    let order = NewPayment {
        key: caller.key(number),
        amount: content.amount("total_amount")?,
        subject: content.subject()?.to_owned(),
        means: Means::Code {
            auth_code: auth_code.to_owned(),
        },
        notify_url: caller.notify_url.clone(),
        rest: String::new(),
    };
    let key = order.key.clone();
    let arrival = gateway.charge(order, &[WalletName::Alipay], now)?;
    let payment = gateway.find(&key, now)?;
    match payment.stage {
        Stage::Failed(cause) => Err(declined(cause)),
        Stage::NotScanned | Stage::UserPaying => Ok(Said::waiting(json!({
            "out_trade_no": number,
            "trade_no": trade_no(payment),
            "total_amount": yuan(payment.amount()),
        }))),
        Stage::Paid if arrival == Arrival::New => {
            let paid = payment.paid().ok_or_else(Refusal::no_trade)?;
            let mut fields = facts(payment, paid);
            fields["gmt_payment"] = json!(dashed(paid.paid_at));
            Ok(Said::success(fields))
        }
        over => Err(over_already(over)),
    }
}

pub(super) fn query(
    gateway: &mut Gateway,
    caller: &Caller,
    now: Timestamp,
) -> Result<Said, Refusal> {
    let key = named(gateway, caller)?;
    let payment = existing(gateway, &key, now)?;
    let mut fields = match payment.paid() {
        Some(paid) => {
            let mut fields = facts(payment, paid);
            fields["send_pay_date"] = json!(dashed(paid.paid_at));
            fields
        }
        None => json!({
            "out_trade_no": payment.key().attempt_no,
            "trade_no": trade_no(payment),
            "total_amount": yuan(payment.amount()),
        }),
    };
    fields["trade_status"] = json!(status(payment));
    Ok(Said::success(fields))
}

/// Undoes a trade of the same day, paid or not.
pub(super) fn cancel(
    gateway: &mut Gateway,
    caller: &Caller,
    now: Timestamp,
) -> Result<Said, Refusal> {
    let key = named(gateway, caller)?;
    let payment = existing(gateway, &key, now)?;
    if payment.created_at.local().date() != now.local().date() {
        return Err(Refusal::business(
            "ACQ.CANCEL_NOT_ALLOWED",
            "超过撤销时间范围",
        ));
    }
    let mut fields = json!({
        "out_trade_no": key.attempt_no,
        "trade_no": trade_no(payment),
        "retry_flag": "N",
    });
    match payment.stage {
        Stage::NotScanned | Stage::UserPaying => fields["action"] = json!("close"),
        Stage::Paid => fields["action"] = json!("refund"),
        Stage::Failed(_) | Stage::Closed | Stage::Reversed => return Ok(Said::success(fields)),
    }
    gateway.undo(&key, now)?;
    Ok(Said::success(fields))
}

pub(super) fn close(
    gateway: &mut Gateway,
    caller: &Caller,
    now: Timestamp,
) -> Result<Said, Refusal> {
    let key = named(gateway, caller)?;
    let payment = existing(gateway, &key, now)?;
    let trade_no = trade_no(payment);
    if !payment.stage.is_open() {
        return Err(Refusal::business(
            "ACQ.REASON_TRADE_STATUS_INVALID",
            "交易状态异常",
        ));
    }
    if payment.is_qr() {
        gateway.close(&key, now)?;
    } else {
        gateway.undo(&key, now)?;
    }
    Ok(Said::success(
        json!({"out_trade_no": key.attempt_no, "trade_no": trade_no}),
    ))
}

/// The attempt that a call names, by either number.
pub(super) fn named(gateway: &Gateway, caller: &Caller) -> Result<AttemptKey, Refusal> {
    match (
        caller.content.text("trade_no"),
        caller.content.text("out_trade_no"),
    ) {
        (Some(theirs), _) => gateway
            .attempt_of(Protocol::Alipay, &caller.merchant.app_id, theirs)
            .ok_or_else(Refusal::no_trade),
        (None, Some(_)) => Ok(caller.key(caller.content.out_trade_no()?)),
        (None, None) => Err(Refusal::missing(
            "isv.missing-parameter",
            "out_trade_no与trade_no不能同时为空",
        )),
    }
}

/// A trade that somebody scanned, or that was made by charging a code.
pub(super) fn existing<'a>(
    gateway: &'a mut Gateway,
    key: &AttemptKey,
    now: Timestamp,
) -> Result<&'a Payment, Refusal> {
    let payment = gateway.find(key, now)?;
    let exists = payment.was_scanned || payment.paid().is_some();
    exists.then_some(payment).ok_or_else(Refusal::no_trade)
}

/// The number of an unpaid trade is made from its own; a paid one has that of the payment.
fn trade_no(payment: &Payment) -> String {
    match payment.paid() {
        Some(paid) => paid.channel_txn_no.clone(),
        None => format!("22{:014}0000000000", payment.created_at.ms()),
    }
}

pub(super) fn status(payment: &Payment) -> &'static str {
    match payment.stage {
        Stage::NotScanned | Stage::UserPaying => "WAIT_BUYER_PAY",
        Stage::Paid if payment.paid().is_some_and(|paid| paid.left().is_positive()) => {
            "TRADE_SUCCESS"
        }
        Stage::Paid | Stage::Failed(_) | Stage::Closed | Stage::Reversed => "TRADE_CLOSED",
    }
}

fn facts(payment: &Payment, paid: &Transaction) -> Value {
    let amount = yuan(paid.amount);
    json!({
        "trade_no": paid.channel_txn_no,
        "out_trade_no": payment.key().attempt_no,
        "buyer_logon_id": "139****0001",
        "buyer_user_id": paid.payer,
        "total_amount": amount,
        "receipt_amount": amount,
        "buyer_pay_amount": amount,
        "point_amount": "0.00",
        "invoice_amount": amount,
        "fund_bill_list": [{"amount": amount, "fund_channel": "ALIPAYACCOUNT"}],
    })
}

fn over_already(stage: Stage) -> Refusal {
    match stage {
        Stage::Paid => Refusal::business("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"),
        _ => Refusal::business("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"),
    }
}

fn check_notify_url(caller: &Caller) -> Result<(), Refusal> {
    let is_good = caller.notify_url.as_deref().is_none_or(|url| {
        url.len() <= 256
            && url.parse::<http::Uri>().is_ok_and(|uri| {
                matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
            })
    });
    is_good
        .then_some(())
        .ok_or_else(|| Refusal::business("ACQ.INVALID_PARAMETER", "notify_url参数无效"))
}
