//! Refunds of API v2, in the book of those of API v3.

use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;
use qiantai_pay::beijing::dashed;
use qiantai_pay::yuan::from_fen;

use super::{Params, Refusal, business, need};
use crate::gateway::{AttemptKey, BookRefusal, Gateway, Protocol, Refund, RefundStage};
use crate::protocols::wechat::account::WechatMerchant;
use crate::protocols::wechat::order::{check_url, key};
use crate::protocols::wechat::refund::{Bar, REASON_CHARS_MAX, Wish, attempt, is_refund_no, place};

pub(super) fn refund(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
    params: &Params,
    gets_stuck: bool,
    now: Timestamp,
) -> Result<Params, Refusal> {
    need(params, &["out_refund_no", "total_fee", "refund_fee"])?;
    let refund = place(gateway, merchant, wish(params)?, now).map_err(said)?;
    gateway.tell_in_old_form(&refund);
    if gets_stuck {
        gateway.stick_refund(&refund, now);
    }
    let mut answer = about(&refund);
    let fen = refund.order.amount.fen().to_string();
    answer.insert("out_refund_no".to_owned(), refund.order.refund_no);
    answer.insert("refund_id".to_owned(), refund.channel_refund_no);
    answer.insert("refund_fee".to_owned(), fen.clone());
    answer.insert("cash_refund_fee".to_owned(), fen);
    Ok(answer)
}

fn wish(params: &Params) -> Result<Wish, Refusal> {
    let wrong = |name: &str| business("PARAM_ERROR", &format!("{name}参数错误"));
    let text = |name: &str| params.get(name).filter(|text| !text.is_empty()).cloned();
    let fen = |name: &str| {
        let amount = params.get(name).and_then(|fen| from_fen(fen));
        let amount = amount.filter(|amount: &Money| amount.is_positive());
        amount.ok_or_else(|| wrong(name))
    };
    let only = |name: &str, allowed: &[&str]| {
        let is_allowed = |value: String| allowed.contains(&value.as_str());
        text(name)
            .is_none_or(is_allowed)
            .then_some(())
            .ok_or_else(|| wrong(name))
    };
    only("refund_fee_type", &["CNY"])?;
    let accounts = [
        "REFUND_SOURCE_UNSETTLED_FUNDS",
        "REFUND_SOURCE_RECHARGE_FUNDS",
    ];
    only("refund_account", &accounts)?;
    let reason = text("refund_desc").unwrap_or_default();
    if reason.chars().count() > REASON_CHARS_MAX {
        return Err(wrong("refund_desc"));
    }
    let notify_url = text("notify_url");
    if notify_url
        .as_deref()
        .is_some_and(|url| check_url(url).is_err())
    {
        return Err(wrong("notify_url"));
    }
    let refund_no = text("out_refund_no").unwrap_or_default();
    if !is_refund_no(&refund_no) {
        return Err(wrong("out_refund_no"));
    }
    Ok(Wish {
        transaction_id: text("transaction_id"),
        out_trade_no: text("out_trade_no"),
        refund_no,
        amount: fen("refund_fee")?,
        total: fen("total_fee")?,
        reason,
        notify_url,
    })
}

/// The attempt that a request is about, by any of its numbers.
pub(super) fn attempt_no(
    gateway: &Gateway,
    merchant: &WechatMerchant,
    params: &Params,
) -> Option<String> {
    let number = |name: &str| params.get(name).map(String::as_str);
    let numbers = (number("transaction_id"), number("out_trade_no"));
    let of_payment = attempt(gateway, merchant, numbers).ok();
    let of_refund = || {
        let known = gateway.find_refund(&key(merchant, number("out_refund_no")?));
        Some(known.ok()?.order.key.clone())
    };
    of_payment.or_else(of_refund).map(|key| key.attempt_no)
}

/// Tells the refunds that the most exact of the given numbers names, oldest first.
pub(super) fn query(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
    params: &Params,
    now: Timestamp,
) -> Result<Params, Refusal> {
    let found = found(gateway, merchant, params)?;
    let Some(first) = found.first() else {
        return Err(business("REFUNDNOTEXIST", "退款订单查询失败"));
    };
    let mut answer = about(first);
    let count = found.len().to_string();
    answer.insert("refund_count".to_owned(), count);
    for (index, refund) in found.iter().enumerate() {
        answer.extend(told(refund, index, now));
    }
    Ok(answer)
}

fn found(
    gateway: &Gateway,
    merchant: &WechatMerchant,
    params: &Params,
) -> Result<Vec<Refund>, Refusal> {
    let text = |name: &str| {
        params
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    };
    let of_merchant = |refund: &&Refund| {
        let key = &refund.order.key;
        key.protocol == Protocol::Wechat && key.merchant == merchant.mchid
    };
    if let Some(number) = text("refund_id") {
        let found = gateway.refund_of_number(number).filter(of_merchant);
        return Ok(found.into_iter().cloned().collect());
    }
    if let Some(number) = text("out_refund_no") {
        let found = gateway.find_refund(&key(merchant, number)).ok();
        return Ok(found.into_iter().cloned().collect());
    }
    let numbers = (text("transaction_id"), text("out_trade_no"));
    let attempt: AttemptKey = attempt(gateway, merchant, numbers).map_err(said)?;
    let found = gateway.refunds_of(&attempt);
    Ok(found.into_iter().cloned().collect())
}

/// The payment that a refund returns.
fn about(refund: &Refund) -> Params {
    let fen = refund.paid.fen().to_string();
    let fields = [
        ("transaction_id", refund.channel_txn_no.as_str()),
        ("out_trade_no", refund.order.key.attempt_no.as_str()),
        ("total_fee", &fen),
        ("cash_fee", &fen),
        ("fee_type", "CNY"),
    ];
    fields
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// One refund of several.
fn told(refund: &Refund, index: usize, now: Timestamp) -> Params {
    let fen = refund.order.amount.fen().to_string();
    let done_at = dashed(refund.done_at);
    let status = word(refund.stage(now));
    let mut fields = vec![
        ("out_refund_no", refund.order.refund_no.as_str()),
        ("refund_id", refund.channel_refund_no.as_str()),
        ("refund_channel", "ORIGINAL"),
        ("refund_fee", &fen),
        ("refund_status", status),
        ("refund_recv_accout", "支付用户零钱"),
        ("refund_account", "REFUND_SOURCE_UNSETTLED_FUNDS"),
    ];
    if refund.is_done(now) {
        fields.push(("refund_success_time", &done_at));
    }
    fields
        .into_iter()
        .map(|(name, value)| (format!("{name}_{index}"), value.to_owned()))
        .collect()
}

pub(super) const fn word(stage: RefundStage) -> &'static str {
    match stage {
        RefundStage::UnderWay => "PROCESSING",
        RefundStage::Stuck => "CHANGE",
        RefundStage::Done => "SUCCESS",
    }
}

fn said(bar: Bar) -> Refusal {
    let (code, message) = match bar {
        Bar::NoNumber => {
            let words = "transaction_id、out_trade_no、out_refund_no、refund_id不能同时为空";
            return Refusal::Transport(words.to_owned());
        }
        Bar::NoOrder | Bar::OtherOrder => ("INVALID_TRANSACTIONID", "无效的transaction_id"),
        Bar::OtherTotal | Bar::Book(BookRefusal::RefundNumberUsed) => (
            "REFUND_FEE_MISMATCH",
            "订单金额或退款金额与之前请求不一致，请核实后再试",
        ),
        Bar::TooLate => ("TRADE_OVERDUE", "订单已经超过退款期限"),
        Bar::TooMany => ("INVALID_REQUEST", "部分退款次数已达50次"),
        Bar::TooSoon => ("FREQUENCY_LIMITED", "同一笔订单的两次退款须间隔1分钟"),
        Bar::Book(BookRefusal::RefundExceedsPaid) => {
            ("INVALID_REQUEST", "申请退款金额大于订单剩余可退金额")
        }
        Bar::Book(_) => ("INVALID_REQUEST", "订单未支付，不能退款"),
    };
    business(code, message)
}
