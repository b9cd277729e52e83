//! Refunds, by API v3 and in what API v2 has in common with it. An accepted refund is done a little
//! later.

use http::StatusCode;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use serde_json::{Value, json};

use super::account::WechatMerchant;
use super::message::{RefundOrder, written};
use super::order::{check_url, key, merge};
use super::refusal::Refusal;
use super::v3::Answer;
use crate::gateway::{AttemptKey, BookRefusal, Gateway, NewRefund, Protocol, Refund, RefundStage};

/// How long the money is on its way.
pub(super) const REFUND_TAKES: Millis = Millis::seconds(5);
const REFUNDABLE_FOR: Millis = Millis::days(365);
const REFUNDS_MAX: usize = 50;
const BETWEEN_REFUNDS: Millis = Millis::minutes(1);
pub(super) const REASON_CHARS_MAX: usize = 80;

pub(super) fn refund(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
    request: RefundOrder,
    gets_stuck: bool,
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
    let wish = Wish {
        transaction_id: request.transaction_id,
        out_trade_no: request.out_trade_no,
        refund_no: request.out_refund_no,
        amount: Money::from_fen(request.amount.refund),
        total: Money::from_fen(request.amount.total),
        reason: request.reason.unwrap_or_default(),
        notify_url: request.notify_url,
    };
    let refund = place(gateway, merchant, wish, now)?;
    if gets_stuck {
        gateway.stick_refund(&refund, now);
    }
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

/// A refund whose fields are in order, by either API.
pub(super) struct Wish {
    pub transaction_id: Option<String>,
    pub out_trade_no: Option<String>,
    pub refund_no: String,
    pub amount: Money,
    /// What the merchant takes the payment's amount for.
    pub total: Money,
    pub reason: String,
    pub notify_url: Option<String>,
}

/// Why a refund is not taken; each API has its own words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bar {
    NoNumber,
    NoOrder,
    /// The two numbers are of different orders.
    OtherOrder,
    OtherTotal,
    TooLate,
    TooMany,
    TooSoon,
    Book(BookRefusal),
}

/// Takes a refund, or finds what the same request did before.
pub(super) fn place(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
    wish: Wish,
    now: Timestamp,
) -> Result<Refund, Bar> {
    let numbers = (wish.transaction_id.as_deref(), wish.out_trade_no.as_deref());
    let order = NewRefund {
        key: attempt(gateway, merchant, numbers)?,
        channel_txn_no: wish.transaction_id,
        refund_no: wish.refund_no,
        amount: wish.amount,
        reason: wish.reason,
        notify_url: wish.notify_url,
    };
    check_window(gateway, &order, wish.total, now)?;
    let taken = gateway.refund(&order, REFUND_TAKES, now);
    taken.map(|(refund, _)| refund).map_err(Bar::Book)
}

/// The attempt of the gateway's number of a payment, of ours, or of both.
pub(super) fn attempt(
    gateway: &Gateway,
    merchant: &WechatMerchant,
    numbers: (Option<&str>, Option<&str>),
) -> Result<AttemptKey, Bar> {
    match numbers {
        (Some(number), ours) => {
            let found = gateway.attempt_of(Protocol::Wechat, &merchant.mchid, number);
            let found = found.ok_or(Bar::NoOrder)?;
            let agrees = ours.is_none_or(|ours| *ours == found.attempt_no);
            agrees.then_some(found).ok_or(Bar::OtherOrder)
        }
        (None, Some(ours)) => Ok(key(merchant, ours)),
        (None, None) => Err(Bar::NoNumber),
    }
}

/// What the gateway looks at only when a refund is new.
fn check_window(
    gateway: &mut Gateway,
    order: &NewRefund,
    total: Money,
    now: Timestamp,
) -> Result<(), Bar> {
    let refund_key = AttemptKey {
        attempt_no: order.refund_no.clone(),
        ..order.key.clone()
    };
    let payment = gateway.find(&order.key, now).map_err(|_| Bar::NoOrder)?;
    let paid_at = payment.paid().map(|paid| paid.paid_at);
    if payment.amount() != total {
        return Err(Bar::OtherTotal);
    }
    if gateway.find_refund(&refund_key).is_ok() {
        return Ok(());
    }
    if paid_at.is_some_and(|at| now - at > REFUNDABLE_FOR) {
        return Err(Bar::TooLate);
    }
    let earlier = gateway.refunds_of(&order.key);
    if earlier.len() >= REFUNDS_MAX {
        return Err(Bar::TooMany);
    }
    if earlier
        .last()
        .is_some_and(|last| now - last.accepted_at < BETWEEN_REFUNDS)
    {
        return Err(Bar::TooSoon);
    }
    Ok(())
}

/// Whether a refund may have this number.
pub(super) fn is_refund_no(number: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte);
    (1..=64).contains(&number.len()) && number.bytes().all(plain)
}

fn check_refund_no(number: &str) -> Result<(), Refusal> {
    is_refund_no(number)
        .then_some(())
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
        "status": word(refund.stage(now)),
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

const fn word(stage: RefundStage) -> &'static str {
    match stage {
        RefundStage::UnderWay => "PROCESSING",
        RefundStage::Stuck => "ABNORMAL",
        RefundStage::Done => "SUCCESS",
    }
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

/// Kind, summary and content of a refund's notice.
pub(super) fn event(
    merchant: &WechatMerchant,
    refund: &Refund,
    now: Timestamp,
) -> (&'static str, &'static str, Value) {
    let stage = refund.stage(now);
    let (paid, returned) = (refund.paid.fen(), refund.order.amount.fen());
    let mut content = json!({
        "mchid": merchant.mchid,
        "out_trade_no": refund.order.key.attempt_no,
        "transaction_id": refund.channel_txn_no,
        "out_refund_no": refund.order.refund_no,
        "refund_id": refund.channel_refund_no,
        "refund_status": word(stage),
        "user_received_account": "支付用户零钱",
        "amount": {
            "total": paid,
            "refund": returned,
            "payer_total": paid,
            "payer_refund": returned,
        },
    });
    if stage == RefundStage::Stuck {
        return ("REFUND.ABNORMAL", "退款异常", content);
    }
    merge(
        &mut content,
        json!({"success_time": written(refund.done_at)}),
    );
    ("REFUND.SUCCESS", "退款成功", content)
}
