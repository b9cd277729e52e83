//! What transactions ask of the book. A transaction is known by its number and time together, and
//! one of a QR code leaves no trace until somebody scans it.

use http::Uri;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_pay::Pairs;
use qiantai_pay::beijing::from_compact;
use qiantai_pay::channels::training::message::WalletName;
use qiantai_pay::yuan::from_fen;

use super::Undone;
use super::code::RespCode;
use crate::gateway::{
    AttemptKey, Gateway, Means, NewPayment, NewRefund, Payment, Protocol, Refund, Stage,
    Transaction,
};

/// A code is good for this long if the merchant names no time.
const CODE_LIVES: Millis = Millis::minutes(5);
/// What a merchant names as the address of notices when it wants none.
const NO_NOTICES: &str = "http://www.specialUrl.com";

type Outcome = Result<(RespCode, Pairs), RespCode>;

fn need<'a>(params: &'a Pairs, name: &str) -> Result<&'a str, RespCode> {
    params.get(name).ok_or(RespCode::MISSING)
}

fn key(params: &Pairs, number: &str) -> AttemptKey {
    AttemptKey {
        protocol: Protocol::Unionpay,
        merchant: params.get("merId").unwrap_or_default().to_owned(),
        attempt_no: number.to_owned(),
    }
}

fn amount(params: &Pairs) -> Result<Money, RespCode> {
    from_fen(need(params, "txnAmt")?)
        .filter(|amount| amount.is_positive())
        .ok_or(RespCode::FORMAT)
}

fn notify_url(params: &Pairs) -> Result<Option<String>, RespCode> {
    let url = need(params, "backUrl")?;
    let is_good = url.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
    });
    match is_good {
        true => Ok((url != NO_NOTICES).then(|| url.to_owned())),
        false => Err(RespCode::FORMAT),
    }
}

/// True when the number names a transaction of any kind.
fn is_taken(gateway: &mut Gateway, params: &Pairs, now: Timestamp) -> bool {
    let number = params.get("orderId").unwrap_or_default();
    let key = key(params, number);
    let undone = (key.merchant.clone(), number.to_owned());
    gateway.find(&key, now).is_ok() || gateway.sides.unionpay.undone.contains_key(&undone)
}

fn new_payment(params: &Pairs, means: Means) -> Result<NewPayment, RespCode> {
    if need(params, "currencyCode")? != "156" {
        return Err(RespCode::FORMAT);
    }
    Ok(NewPayment {
        key: key(params, need(params, "orderId")?),
        amount: amount(params)?,
        subject: params.get("orderDesc").unwrap_or("云闪付").to_owned(),
        means,
        notify_url: notify_url(params)?,
        rest: need(params, "txnTime")?.to_owned(),
    })
}

/// Applies for a QR code. A number serves once, also for the same content.
pub(super) fn create(gateway: &mut Gateway, params: &Pairs, now: Timestamp) -> Outcome {
    let expires_at = match params.get("payTimeout") {
        None => now + CODE_LIVES,
        Some(text) => from_compact(text).ok_or(RespCode::FORMAT)?,
    };
    let order = new_payment(
        params,
        Means::Qr {
            wallet: WalletName::Unionpay,
            expires_at,
        },
    )?;
    if is_taken(gateway, params, now) {
        return Err(RespCode::DUPLICATE);
    }
    if expires_at <= now {
        return Err(RespCode::FORMAT);
    }
    let key = order.key.clone();
    gateway.open_qr(order, now)?;
    let mut more = Pairs::new();
    more.set("qrCode", gateway.find(&key, now)?.payload());
    Ok((RespCode::DONE, more))
}

/// Charges a payment code. That it was taken says nothing of how it ends.
pub(super) fn charge(gateway: &mut Gateway, params: &Pairs, now: Timestamp) -> Outcome {
    let auth_code = need(params, "qrNo")?.to_owned();
    let order = new_payment(params, Means::Code { auth_code })?;
    if is_taken(gateway, params, now) {
        return Err(RespCode::DUPLICATE);
    }
    let key = order.key.clone();
    gateway.charge(order, &[WalletName::Unionpay], now)?;
    match gateway.find(&key, now)?.stage {
        Stage::Failed(cause) => Err(RespCode::declined(cause)),
        Stage::UserPaying | Stage::NotScanned => Ok((RespCode::UNDER_WAY, Pairs::new())),
        _ => Ok((RespCode::DONE, Pairs::new())),
    }
}

/// What became of a transaction of any kind.
pub(super) fn query(gateway: &mut Gateway, params: &Pairs, now: Timestamp) -> Outcome {
    let (number, time) = (need(params, "orderId")?, need(params, "txnTime")?);
    let key = key(params, number);
    let undone = (key.merchant.clone(), number.to_owned());
    if let Some(undone) = gateway.sides.unionpay.undone.get(&undone) {
        if undone.txn_time != time {
            return Err(RespCode::NOT_FOUND);
        }
        let mut more = original(RespCode::DONE);
        more.set("queryId", &undone.query_id);
        more.set("txnAmt", undone.amount.fen().to_string());
        more.set("currencyCode", "156");
        more.set("txnType", undone.txn_type);
        more.set("txnSubType", "00");
        return Ok((RespCode::DONE, more));
    }
    let payment = gateway.find(&key, now)?;
    let is_known = payment.was_scanned || payment.paid().is_some();
    if payment.order.rest != time || !is_known {
        return Err(RespCode::NOT_FOUND);
    }
    let mut more = match payment.paid() {
        // A cancellation is a transaction of its own: the payment stays one.
        Some(paid) => {
            let mut more = original(RespCode::DONE);
            for (name, value) in facts(payment, paid).iter() {
                more.set(name, value);
            }
            more
        }
        None => original(match payment.stage {
            Stage::Failed(cause) => RespCode::declined(cause),
            Stage::NotScanned | Stage::UserPaying => RespCode::UNDER_WAY,
            Stage::Paid | Stage::Closed | Stage::Reversed => RespCode::FAILED,
        }),
    };
    more.set("txnType", "01");
    more.set("txnSubType", if payment.is_qr() { "07" } else { "06" });
    Ok((RespCode::DONE, more))
}

fn original(code: RespCode) -> Pairs {
    let mut pairs = Pairs::new();
    pairs.set("origRespCode", code.code);
    pairs.set("origRespMsg", code.words);
    pairs
}

/// A payment as answers and notices state it.
pub(super) fn facts(payment: &Payment, paid: &Transaction) -> Pairs {
    let mut facts = Pairs::new();
    facts.set("queryId", &paid.channel_txn_no);
    facts.set("txnAmt", paid.amount.fen().to_string());
    facts.set("settleAmt", paid.amount.fen().to_string());
    facts.set("currencyCode", "156");
    facts.set("txnTime", &payment.order.rest);
    facts.set("traceNo", format!("{:06}", paid.paid_at.ms() % 1_000_000));
    facts
}

/// A refund as its notice states it. Of the payment it has UnionPay's number only.
pub(super) fn returned(undone: &Undone, refund: &Refund) -> Pairs {
    let amount = undone.amount.fen().to_string();
    let mut facts = Pairs::new();
    for (name, value) in [
        ("orderId", refund.order.refund_no.as_str()),
        ("txnTime", undone.txn_time.as_str()),
        ("txnType", undone.txn_type),
        ("txnSubType", "00"),
        ("queryId", undone.query_id.as_str()),
        ("origQryId", refund.channel_txn_no.as_str()),
        ("txnAmt", amount.as_str()),
        ("settleAmt", amount.as_str()),
        ("currencyCode", "156"),
    ] {
        facts.set(name, value);
    }
    if let Some(reserved) = &undone.reserved {
        facts.set("reqReserved", reserved);
    }
    facts
}

/// Cancels a payment of the same day in full.
pub(super) fn cancel(gateway: &mut Gateway, params: &Pairs, now: Timestamp) -> Outcome {
    let amount = amount(params)?;
    notify_url(params)?;
    let key = original_of(gateway, params)?;
    if is_taken(gateway, params, now) {
        return Err(RespCode::DUPLICATE);
    }
    let payment = gateway.find(&key, now)?;
    let paid = payment.paid().ok_or(RespCode::WRONG_STATE)?;
    let is_of_today = paid.paid_at.local().date() == now.local().date();
    let is_whole = payment.stage == Stage::Paid && !payment.returned().is_positive();
    if !is_of_today || !is_whole {
        return Err(RespCode::WRONG_STATE);
    }
    if amount != paid.amount {
        return Err(RespCode::WRONG_AMOUNT);
    }
    gateway.undo(&key, now)?;
    let query_id = format!("62{:014}{:010}", now.ms(), 31);
    note(gateway, params, "31", query_id, amount)
}

/// Returns money.
pub(super) fn refund(gateway: &mut Gateway, params: &Pairs, now: Timestamp) -> Outcome {
    let amount = amount(params)?;
    let notify_url = notify_url(params)?;
    let key = original_of(gateway, params)?;
    if is_taken(gateway, params, now) {
        return Err(RespCode::DUPLICATE);
    }
    let order = NewRefund {
        key,
        channel_txn_no: Some(need(params, "origQryId")?.to_owned()),
        refund_no: need(params, "orderId")?.to_owned(),
        amount,
        reason: String::new(),
        notify_url,
    };
    let (refund, _) = gateway.refund(&order, Millis(0), now)?;
    note(gateway, params, "04", refund.channel_refund_no, amount)
}

/// The attempt that a request is about: by the payment that it undoes, by the refund that it asks
/// about, or by its own number.
pub(super) fn attempt_no(gateway: &Gateway, params: &Pairs) -> Option<String> {
    if let Ok(original) = original_of(gateway, params) {
        return Some(original.attempt_no);
    }
    let number = params.get("orderId")?;
    let returned = gateway.find_refund(&key(params, number)).ok();
    let of_refund = returned.map(|refund| refund.order.key.attempt_no.clone());
    of_refund.or_else(|| Some(number.to_owned()))
}

fn original_of(gateway: &Gateway, params: &Pairs) -> Result<AttemptKey, RespCode> {
    let query_id = need(params, "origQryId")?;
    let merchant = params.get("merId").unwrap_or_default();
    gateway
        .attempt_of(Protocol::Unionpay, merchant, query_id)
        .ok_or(RespCode::WRONG_STATE)
}

fn note(
    gateway: &mut Gateway,
    params: &Pairs,
    txn_type: &'static str,
    query_id: String,
    amount: Money,
) -> Outcome {
    let key = key(params, need(params, "orderId")?);
    let undone = Undone {
        txn_time: need(params, "txnTime")?.to_owned(),
        txn_type,
        query_id: query_id.clone(),
        amount,
        reserved: params.get("reqReserved").map(str::to_owned),
    };
    let number = (key.merchant, key.attempt_no);
    gateway.sides.unionpay.undone.insert(number, undone);
    let mut more = Pairs::new();
    more.set("queryId", query_id);
    // Taken; a question tells how it ended.
    Ok((RespCode::DONE, more))
}
