//! Orders of API v3: made, charged, asked about, closed, reversed.

use http::{StatusCode, Uri};
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_pay::channels::training::message::WalletName;
use serde_json::{Value, json};

use super::account::{CodeApi, WechatMerchant};
use super::message::{
    CloseOrder, CodeCharge, NativeOrder, ReverseOrder, Total, read_time, written,
};
use super::refusal::{Refusal, declined};
use super::v3::{Answer, OrderName};
use crate::gateway::{Arrival, AttemptKey, Gateway, Means, NewPayment, Payment, Protocol, Stage};

const DESCRIPTION_CHARS_MAX: usize = 127;
const ATTACH_BYTES_MAX: usize = 128;
const URL_BYTES_MAX: usize = 256;
const AMOUNT_FEN_MAX: i64 = 10_000_000_000;
/// A reversal may come this long after the charge.
pub(super) const REVERSIBLE_FOR: Millis = Millis::days(7);
/// A reversal may not come sooner after the charge.
pub(super) const REVERSIBLE_AFTER: Millis = Millis::seconds(15);

pub(super) fn key(merchant: &WechatMerchant, out_trade_no: &str) -> AttemptKey {
    AttemptKey {
        protocol: Protocol::Wechat,
        merchant: merchant.mchid.clone(),
        attempt_no: out_trade_no.to_owned(),
    }
}

/// Makes a QR order. The same order again gets a new code, and the old code dies.
pub(super) fn create(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
    request: NativeOrder,
    content: String,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    check_party(merchant, &request.appid, &request.mchid)?;
    check_order_no(&request.out_trade_no)?;
    check_description(&request.description)?;
    check_attach(request.attach.as_deref())?;
    check_url(&request.notify_url)?;
    let amount = checked_amount(&request.amount)?;
    let deadline = match &request.time_expire {
        None => Timestamp::from_ms(i64::MAX),
        Some(text) => {
            let at = read_time(text);
            at.ok_or_else(|| Refusal::parameter("time_expire格式错误，须为RFC3339格式"))?
        }
    };
    let key = key(merchant, &request.out_trade_no);
    let is_new = gateway.find(&key, now).is_err();
    if is_new && deadline <= now {
        return Err(Refusal::parameter("time_expire须晚于当前时间"));
    }
    let order = NewPayment {
        key: key.clone(),
        amount,
        subject: request.description,
        means: Means::Qr {
            wallet: WalletName::Wechat,
            expires_at: deadline,
        },
        notify_url: Some(request.notify_url),
        rest: content,
    };
    let arrival = gateway.open_qr(order, now)?;
    let stage = gateway.find(&key, now)?.stage;
    match stage {
        Stage::NotScanned | Stage::UserPaying => {}
        over => return Err(over_already(over)),
    }
    if arrival == Arrival::Repeated {
        gateway.renew_token(&key, now);
    }
    let code_url = gateway.find(&key, now)?.payload();
    Ok(Answer::json(StatusCode::OK, &json!({"code_url": code_url})))
}

/// Charges a payment code.
pub(super) fn charge(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
    request: CodeCharge,
    content: String,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    if merchant.codes != CodeApi::V3 {
        let message = "商户号该产品权限未开通，请前往商户平台检查后重试";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "NO_AUTH", message));
    }
    check_party(merchant, &request.appid, &request.mchid)?;
    check_order_no(&request.out_trade_no)?;
    check_description(&request.description)?;
    check_attach(request.attach.as_deref())?;
    let amount = checked_amount(&request.amount)?;
    let store = &request.scene_info.store_info;
    if store.id.is_none() && store.out_id.is_none() {
        return Err(Refusal::parameter("store_info中id与out_id不能同时为空"));
    }
    check_auth_code(&request.payer.auth_code)?;
    let order = NewPayment {
        key: key(merchant, &request.out_trade_no),
        amount,
        subject: request.description,
        means: Means::Code {
            auth_code: request.payer.auth_code,
        },
        notify_url: None,
        rest: content,
    };
    let key = order.key.clone();
    let arrival = gateway.charge(order, &[WalletName::Wechat], now)?;
    let payment = gateway.find(&key, now)?;
    match payment.stage {
        Stage::UserPaying | Stage::NotScanned => Ok(Answer::json(
            StatusCode::ACCEPTED,
            &json!({"code": "USERPAYING", "message": "用户支付中，需要输入密码"}),
        )),
        Stage::Paid if arrival == Arrival::New => Ok(Answer::json(
            StatusCode::OK,
            &transaction(merchant, payment),
        )),
        Stage::Failed(cause) => Err(declined(cause)),
        over => Err(over_already(over)),
    }
}

pub(super) fn query(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
    name: &OrderName,
    mchid: &str,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    if mchid != merchant.mchid {
        return Err(Refusal::parameter("mchid与商户号不一致"));
    }
    let key = match name {
        OrderName::Ours(number) => key(merchant, number),
        OrderName::Theirs(number) => gateway
            .attempt_of(Protocol::Wechat, &merchant.mchid, number)
            .ok_or_else(Refusal::not_found)?,
    };
    let payment = gateway.find(&key, now)?;
    Ok(Answer::json(
        StatusCode::OK,
        &transaction(merchant, payment),
    ))
}

pub(super) fn close(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
    number: &str,
    request: &CloseOrder,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    if request.mchid != merchant.mchid {
        return Err(Refusal::parameter("mchid与商户号不一致"));
    }
    gateway.close(&key(merchant, number), now)?;
    Ok(Answer::empty())
}

pub(super) fn reverse(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
    number: &str,
    request: &ReverseOrder,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    check_party(merchant, &request.appid, &request.mchid)?;
    let key = key(merchant, number);
    if let Ok(payment) = gateway.find(&key, now) {
        let age = now - payment.created_at;
        if age < REVERSIBLE_AFTER {
            return Err(Refusal::request("请在支付15秒后再调用撤销"));
        }
        if age > REVERSIBLE_FOR {
            let message = "订单超过7天，无法撤销";
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "REVERSE_EXPIRE",
                message,
            ));
        }
    }
    gateway.reverse(&key, now)?;
    Ok(Answer::json(
        StatusCode::OK,
        &json!({"appid": merchant.appid, "mchid": merchant.mchid, "out_trade_no": number}),
    ))
}

fn over_already(stage: Stage) -> Refusal {
    let bad = |code, message: &str| Refusal::new(StatusCode::BAD_REQUEST, code, message);
    match stage {
        Stage::Paid => bad("ORDER_PAID", "该订单已支付"),
        Stage::Reversed => bad("ORDER_REVERSED", "订单已撤销"),
        _ => bad("ORDER_CLOSED", "订单已关闭"),
    }
}

/// An order as queries, code payments and notices state it.
pub(super) fn transaction(merchant: &WechatMerchant, payment: &Payment) -> Value {
    let state = state(payment);
    let mut order = json!({
        "appid": merchant.appid,
        "mchid": merchant.mchid,
        "out_trade_no": payment.key().attempt_no,
        "trade_state": state,
        "trade_state_desc": description(state),
        "promotion_detail": [],
    });
    if let Some(paid) = payment.paid() {
        let fen = paid.amount.fen();
        let more = json!({
            "transaction_id": paid.channel_txn_no,
            "trade_type": if payment.is_qr() { "NATIVE" } else { "MICROPAY" },
            "bank_type": "OTHERS",
            "attach": "",
            "success_time": written(paid.paid_at),
            "payer": {"openid": paid.payer},
            "amount": {
                "total": fen,
                "payer_total": fen,
                "currency": "CNY",
                "payer_currency": "CNY",
            },
        });
        merge(&mut order, more);
    }
    order
}

pub(super) fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(fields), Value::Object(more)) = (into, more) {
        fields.extend(more);
    }
}

pub(super) fn state(payment: &Payment) -> &'static str {
    match payment.stage {
        Stage::NotScanned | Stage::UserPaying if payment.is_qr() => "NOTPAY",
        Stage::NotScanned | Stage::UserPaying => "USERPAYING",
        Stage::Paid if payment.returned().is_positive() => "REFUND",
        Stage::Paid => "SUCCESS",
        Stage::Failed(_) => "PAYERROR",
        Stage::Closed => "CLOSED",
        Stage::Reversed => "REVOKED",
    }
}

fn description(state: &str) -> &'static str {
    match state {
        "NOTPAY" => "订单未支付",
        "USERPAYING" => "用户支付中，需要输入密码",
        "SUCCESS" => "支付成功",
        "REFUND" => "转入退款",
        "PAYERROR" => "支付失败，请重新下单支付",
        "REVOKED" => "已撤销",
        _ => "订单已关闭",
    }
}

fn check_party(merchant: &WechatMerchant, appid: &str, mchid: &str) -> Result<(), Refusal> {
    if mchid != merchant.mchid {
        return Err(Refusal::parameter("mchid与商户号不一致"));
    }
    if appid != merchant.appid {
        let status = StatusCode::BAD_REQUEST;
        let message = "appid和mch_id不匹配，请检查后再试";
        return Err(Refusal::new(status, "APPID_MCHID_NOT_MATCH", message));
    }
    Ok(())
}

fn check_order_no(number: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*".contains(&byte);
    let fits = (6..=32).contains(&number.len()) && number.bytes().all(plain);
    fits.then_some(())
        .ok_or_else(|| Refusal::parameter("out_trade_no须为6到32位数字、字母或_-|*"))
}

fn check_description(text: &str) -> Result<(), Refusal> {
    let fits = (1..=DESCRIPTION_CHARS_MAX).contains(&text.chars().count())
        && !text.chars().any(char::is_control);
    fits.then_some(())
        .ok_or_else(|| Refusal::parameter("description须为1到127个字符"))
}

fn check_attach(attach: Option<&str>) -> Result<(), Refusal> {
    let fits = attach.is_none_or(|text| text.len() <= ATTACH_BYTES_MAX);
    fits.then_some(())
        .ok_or_else(|| Refusal::parameter("attach超过128字节"))
}

pub(super) fn check_url(url: &str) -> Result<(), Refusal> {
    let is_good = url.len() <= URL_BYTES_MAX
        && url.parse::<Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
                && uri.query().is_none()
        });
    is_good
        .then_some(())
        .ok_or_else(|| Refusal::parameter("notify_url须为http(s)地址，不能携带参数"))
}

fn checked_amount(amount: &Total) -> Result<Money, Refusal> {
    if amount.currency.as_deref().is_some_and(|code| code != "CNY") {
        return Err(Refusal::parameter("currency只支持CNY"));
    }
    if (1..=AMOUNT_FEN_MAX).contains(&amount.total) {
        return Ok(Money::from_fen(amount.total));
    }
    Err(Refusal::parameter("amount.total须为正整数，单位为分"))
}

fn check_auth_code(code: &str) -> Result<(), Refusal> {
    let is_plain = code.len() == 18 && code.bytes().all(|byte| byte.is_ascii_digit());
    let is_ours = is_plain && ("10"..="15").contains(&&code[..2]);
    if is_ours {
        return Ok(());
    }
    let message = "付款码无效，请扫描微信支付的付款码";
    Err(Refusal::new(
        StatusCode::BAD_REQUEST,
        "AUTH_CODE_INVALID",
        message,
    ))
}
