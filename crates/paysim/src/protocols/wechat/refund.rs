//! Refunds of API v3. An accepted refund is done a little later.

use http::StatusCode;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use serde_json::{Value, json};

use super::account::WechatMerchant;
use super::message::{RefundOrder, written};
use super::order::{check_url, key, merge};
use super::refusal::Refusal;
use super::v3::Answer;
use crate::gateway::{AttemptKey, Gateway, NewRefund, Protocol, Refund};

/// How long the money is on its way.
pub(super) const REFUND_TAKES: Millis = Millis::seconds(5);
const REFUNDABLE_FOR: Millis = Millis::days(365);
const REFUNDS_MAX: usize = 50;
const BETWEEN_REFUNDS: Millis = Millis::minutes(1);
const REASON_CHARS_MAX: usize = 80;

pub(super) fn refund(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
    request: RefundOrder,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    check_refund_no(&request.out_refund_no)?;
    if let Some(reason) = &request.reason
        && reason.chars().count() > REASON_CHARS_MAX
    {
        return Err(Refusal::parameter("reason超过80个字符"));
    }
    if let Some(url) = &request.notify_url {
        check_url(url)?;
    }
    if request
        .funds_account
        .as_deref()
        .is_some_and(|name| name != "AVAILABLE")
    {
        return Err(Refusal::parameter("funds_account取值错误"));
    }
    if request.amount.currency != "CNY" || request.amount.refund < 1 {
        return Err(Refusal::parameter(
            "amount错误：refund须为正整数，currency须为CNY",
        ));
    }
    let attempt = attempt(gateway, merchant, &request)?;
    let order = NewRefund {
        key: attempt,
        channel_txn_no: request.transaction_id,
        refund_no: request.out_refund_no,
        amount: Money::from_fen(request.amount.refund),
        reason: request.reason.unwrap_or_default(),
        notify_url: request.notify_url,
    };
    check_window(gateway, &order, Money::from_fen(request.amount.total), now)?;
    let (refund, _) = gateway.refund(&order, REFUND_TAKES, now)?;
    Ok(Answer::json(StatusCode::OK, &standing(&refund, now)))
}

pub(super) fn query(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
    refund_no: &str,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let refund = gateway.find_refund(&key(merchant, refund_no))?;
    Ok(Answer::json(StatusCode::OK, &standing(refund, now)))
}

fn attempt(
    gateway: &Gateway,
    merchant: &WechatMerchant,
    request: &RefundOrder,
) -> Result<AttemptKey, Refusal> {
    match (&request.transaction_id, &request.out_trade_no) {
        (Some(number), ours) => {
            let found = gateway.attempt_of(Protocol::Wechat, &merchant.mchid, number);
            let found = found.ok_or_else(|| Refusal::no_resource("订单不存在"))?;
            let agrees = ours.as_ref().is_none_or(|ours| *ours == found.attempt_no);
            agrees
                .then_some(found)
                .ok_or_else(|| Refusal::request("transaction_id与out_trade_no不匹配"))
        }
        (None, Some(ours)) => Ok(key(merchant, ours)),
        (None, None) => Err(Refusal::parameter(
            "transaction_id与out_trade_no不能同时为空",
        )),
    }
}

/// What the gateway looks at only when a refund is new.
fn check_window(
    gateway: &mut Gateway,
    order: &NewRefund,
    total: Money,
    now: Timestamp,
) -> Result<(), Refusal> {
    let refund_key = AttemptKey {
        attempt_no: order.refund_no.clone(),
        ..order.key.clone()
    };
    let payment = gateway
        .find(&order.key, now)
        .map_err(|_| Refusal::no_resource("订单不存在"))?;
    let paid_at = payment.paid().map(|paid| paid.paid_at);
    if payment.amount() != total {
        return Err(Refusal::request(
            "订单金额或退款金额与之前请求不一致，请核实后再试",
        ));
    }
    if gateway.find_refund(&refund_key).is_ok() {
        return Ok(());
    }
    if paid_at.is_some_and(|at| now - at > REFUNDABLE_FOR) {
        return Err(Refusal::request("交易已超过一年的可退款期限"));
    }
    let earlier = gateway.refunds_of(&order.key);
    if earlier.len() >= REFUNDS_MAX {
        return Err(Refusal::request("部分退款次数已达50次"));
    }
    if earlier
        .last()
        .is_some_and(|last| now - last.accepted_at < BETWEEN_REFUNDS)
    {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let message = "同一笔订单的两次退款须间隔1分钟";
        return Err(Refusal::new(status, "FREQUENCY_LIMITED", message));
    }
    Ok(())
}

fn check_refund_no(number: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte);
    let fits = (1..=64).contains(&number.len()) && number.bytes().all(plain);
    fits.then_some(())
        .ok_or_else(|| Refusal::parameter("out_refund_no须为1到64位数字、字母或_-|*@"))
}

fn standing(refund: &Refund, now: Timestamp) -> Value {
    let is_done = refund.is_done(now);
    let mut answer = json!({
        "refund_id": refund.channel_refund_no,
        "out_refund_no": refund.order.refund_no,
        "transaction_id": refund.channel_txn_no,
        "out_trade_no": refund.order.key.attempt_no,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": written(refund.accepted_at),
        "status": if is_done { "SUCCESS" } else { "PROCESSING" },
        "funds_account": "AVAILABLE",
        "amount": amounts(refund),
        "promotion_detail": [],
    });
    if is_done {
        merge(
            &mut answer,
            json!({"success_time": written(refund.done_at)}),
        );
    }
    answer
}

fn amounts(refund: &Refund) -> Value {
    let (paid, returned) = (refund.paid.fen(), refund.order.amount.fen());
    json!({
        "total": paid,
        "refund": returned,
        "payer_total": paid,
        "payer_refund": returned,
        "settlement_refund": returned,
        "settlement_total": paid,
        "discount_refund": 0,
        "currency": "CNY",
    })
}

/// A refund as its notice states it.
pub(super) fn event(merchant: &WechatMerchant, refund: &Refund) -> Value {
    let (paid, returned) = (refund.paid.fen(), refund.order.amount.fen());
    json!({
        "mchid": merchant.mchid,
        "out_trade_no": refund.order.key.attempt_no,
        "transaction_id": refund.channel_txn_no,
        "out_refund_no": refund.order.refund_no,
        "refund_id": refund.channel_refund_no,
        "refund_status": "SUCCESS",
        "success_time": written(refund.done_at),
        "user_received_account": "支付用户零钱",
        "amount": {
            "total": paid,
            "refund": returned,
            "payer_total": paid,
            "payer_refund": returned,
        },
    })
}
