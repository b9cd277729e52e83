//! Refunds. The merchant's number of one is the gateway's as well.

use qiantai_core::clock::{Millis, Timestamp};
use qiantai_pay::beijing::dashed;
use qiantai_pay::yuan::yuan;
use serde_json::json;

use super::answer::{Refusal, Said};
use super::caller::Caller;
use super::trade::{existing, named};
use crate::gateway::{Arrival, Gateway, NewRefund};

/// A query finds a refund this long after it was made.
const REFUND_TAKES: Millis = Millis::seconds(10);
const REFUNDABLE_FOR: Millis = Millis::days(365);

pub(super) fn refund(
    gateway: &mut Gateway,
    caller: &Caller,
    now: Timestamp,
) -> Result<Said, Refusal> {
    let content = &caller.content;
    let amount = content.amount("refund_amount")?;
    let key = named(gateway, caller)?;
    let refund_no = match content.text("out_request_no") {
        Some(_) => content.out_request_no()?.to_owned(),
        None => key.attempt_no.clone(),
    };
    let payment = existing(gateway, &key, now)?;
    let paid_at = payment.paid().map(|paid| paid.paid_at);
    if paid_at.is_some_and(|at| now - at > REFUNDABLE_FOR) {
        return Err(Refusal::business(
            "ACQ.TRADE_STATUS_ERROR",
            "交易已超过可退款时间",
        ));
    }
    let order = NewRefund {
        notify_url: payment.order.notify_url.clone(),
        key: key.clone(),
        channel_txn_no: content.text("trade_no").map(str::to_owned),
        refund_no,
        amount,
        // The same number with another reason is the same refund.
        reason: String::new(),
    };
    let (refund, arrival) = gateway.refund(&order, REFUND_TAKES, now)?;
    let payment = gateway.find(&key, now)?;
    Ok(Said::success(json!({
        "trade_no": refund.channel_txn_no,
        "out_trade_no": key.attempt_no,
        "buyer_logon_id": "139****0001",
        "fund_change": if arrival == Arrival::New { "Y" } else { "N" },
        "refund_fee": yuan(payment.returned()),
        "gmt_refund_pay": dashed(refund.accepted_at),
    })))
}

/// A refund that is not done, or was never asked for, is not told.
pub(super) fn query(
    gateway: &mut Gateway,
    caller: &Caller,
    now: Timestamp,
) -> Result<Said, Refusal> {
    let key = named(gateway, caller)?;
    existing(gateway, &key, now)?;
    let number = caller.content.out_request_no()?;
    let Ok(refund) = gateway.find_refund(&caller.key(number)) else {
        return Ok(Said::success(json!({})));
    };
    if refund.order.key != key || !refund.is_done(now) {
        return Ok(Said::success(json!({})));
    }
    Ok(Said::success(json!({
        "trade_no": refund.channel_txn_no,
        "out_trade_no": key.attempt_no,
        "out_request_no": number,
        "total_amount": yuan(refund.paid),
        "refund_amount": yuan(refund.order.amount),
        "refund_status": "REFUND_SUCCESS",
    })))
}
