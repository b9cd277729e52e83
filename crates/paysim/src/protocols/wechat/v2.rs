//! API v2: micropay, its query and its reversal; refunds and their notices.

mod notice;
mod refund;

use std::collections::BTreeMap;

use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;
use qiantai_pay::beijing::compact;
use qiantai_pay::channels::training::message::WalletName;
use qiantai_pay::channels::wechat::v2::{SignType, read_xml, write_xml};
use qiantai_pay::transport::ClientIdentity;
use qiantai_pay::yuan::from_fen;

use super::account::{CodeApi, WechatMerchant};
use super::order::{REVERSIBLE_AFTER, REVERSIBLE_FOR, key, state};
use super::refusal::words;
use crate::gateway::{
    AnswerFault, Arrival, BookRefusal, Gateway, Means, NewPayment, Operation, Payment, Stage,
};
use crate::protocols::{Call, Reply, Said, Seal, conduct};
use crate::tls::ShownCertificate;

pub(super) use notice::refund_notice;

type Params = BTreeMap<String, String>;

/// The two layers of a refusal.
enum Refusal {
    /// `return_code` FAIL: nothing was looked at, and nothing is signed.
    Transport(String),
    /// `result_code` FAIL.
    Business(&'static str, String),
}

fn business(code: &'static str, message: &str) -> Refusal {
    Refusal::Business(code, message.to_owned())
}

const MICROPAY: &str = "/pay/micropay";
const QUERY: &str = "/pay/orderquery";
const REVERSE: &str = "/secapi/pay/reverse";
const REFUND: &str = "/secapi/pay/refund";
const REFUND_QUERY: &str = "/pay/refundquery";

/// Answers one request.
pub(super) fn answer(
    gateway: &mut Gateway,
    request: &http::Request<Bytes>,
    now: Timestamp,
) -> Reply {
    let path = request.uri().path();
    let operation = match path {
        MICROPAY => Operation::Charge,
        QUERY => Operation::Query,
        REVERSE => Operation::Reverse,
        REFUND => Operation::Refund,
        REFUND_QUERY => Operation::QueryRefund,
        _ => return Reply::at_once(page(StatusCode::NOT_FOUND, "404 Not Found")),
    };
    let (merchant, params, sign_type) = match admitted(gateway, request) {
        Ok(caller) => caller,
        Err(message) => return Reply::at_once(xml(&transport_failure(&message))),
    };
    // The connection is refused before anything is read, as far as this side can tell.
    let wants_certificate = matches!(operation, Operation::Reverse | Operation::Refund);
    if wants_certificate && !shows_certificate(request, &merchant) {
        let text = "400 No required SSL certificate was sent";
        return Reply::at_once(page(StatusCode::BAD_REQUEST, text));
    }
    let attempt_no = refund::attempt_no(gateway, &merchant, &params);
    let call = Call {
        operation,
        attempt_no: attempt_no.as_deref(),
    };
    conduct(
        gateway,
        call,
        now,
        |_, _| {},
        |gateway, fault| match operation {
            Operation::Charge => charge(gateway, &merchant, &params, now),
            Operation::Reverse if fault == Some(AnswerFault::NotFound) => {
                Err(business("ORDERNOTEXIST", "订单不存在"))
            }
            Operation::Reverse => reverse(gateway, &merchant, &params, now),
            Operation::Refund if fault == Some(AnswerFault::FundsShort) => {
                Err(business("NOTENOUGH", "基本账户余额不足，请充值后重新发起"))
            }
            Operation::Refund => {
                let gets_stuck = fault == Some(AnswerFault::RefundStuck);
                refund::refund(gateway, &merchant, &params, gets_stuck, now)
            }
            Operation::QueryRefund => refund::query(gateway, &merchant, &params, now),
            _ => query(gateway, &merchant, &params, now),
        },
        |gateway, said, seal| {
            let mut answer = match said {
                Said::Result(Ok(params)) => success(params),
                Said::Result(Err(Refusal::Business(code, text))) => failure(code, text),
                Said::Result(Err(Refusal::Transport(text))) => {
                    return xml(&transport_failure(text));
                }
                Said::Busy => failure("FREQUENCY_LIMITED", "请求频率超限"),
                Said::Garbled => return page(StatusCode::OK, "<html>gateway busy</html>"),
            };
            answer.insert("appid".to_owned(), merchant.appid.clone());
            answer.insert("mch_id".to_owned(), merchant.mchid.clone());
            answer.insert("nonce_str".to_owned(), gateway.new_nonce());
            let sign = match seal {
                Seal::Genuine => sign_type
                    .sign(&answer, &merchant.v2_key)
                    .expect("the library digests any text"),
                Seal::Wrong | Seal::Probe => "0".repeat(32),
            };
            answer.insert("sign".to_owned(), sign);
            xml(&answer)
        },
    )
}

/// Who asks, once the signature holds; otherwise the words of the first layer.
fn admitted(
    gateway: &Gateway,
    request: &http::Request<Bytes>,
) -> Result<(WechatMerchant, Params, SignType), String> {
    if request.method() != Method::POST {
        return Err("请使用post方法".to_owned());
    }
    let params = read_xml(request.body()).map_err(|_| "XML格式错误".to_owned())?;
    for name in ["appid", "mch_id", "nonce_str", "sign"] {
        if params.get(name).is_none_or(String::is_empty) {
            return Err(format!("缺少参数{name}"));
        }
    }
    let merchant = gateway
        .sides
        .wechat
        .merchant(&params["mch_id"])
        .ok_or_else(|| "商户号mch_id不存在".to_owned())?;
    if params["appid"] != merchant.appid {
        return Err("appid和mch_id不匹配".to_owned());
    }
    if params["nonce_str"].chars().count() > 32 {
        return Err("nonce_str超过32位".to_owned());
    }
    let sign_type = match params.get("sign_type") {
        None => SignType::Md5,
        Some(name) => SignType::of(name).ok_or_else(|| "sign_type取值错误".to_owned())?,
    };
    if !sign_type.verifies(&params, &merchant.v2_key) {
        return Err("签名错误".to_owned());
    }
    Ok((merchant.clone(), params, sign_type))
}

fn shows_certificate(request: &http::Request<Bytes>, merchant: &WechatMerchant) -> bool {
    let extensions = request.extensions();
    let in_process: Option<&ClientIdentity> = extensions.get();
    let by_tls: Option<&ConnectInfo<ShownCertificate>> = extensions.get();
    let shown = in_process.map(ClientIdentity::certificate_pem);
    let shown = shown.or_else(|| by_tls?.0.0.as_deref());
    shown == Some(merchant.certificate.pem.as_bytes())
}

/// Refuses a request that lacks one of these.
fn need(params: &Params, names: &[&str]) -> Result<(), Refusal> {
    let lacks = |name: &&&str| params.get(**name).is_none_or(String::is_empty);
    match names.iter().find(lacks) {
        Some(name) => Err(Refusal::Transport(format!("缺少参数{name}"))),
        None => Ok(()),
    }
}

fn charge(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
    params: &Params,
    now: Timestamp,
) -> Result<Params, Refusal> {
    if merchant.codes != CodeApi::V2 {
        return Err(business("NOAUTH", "商户无权限"));
    }
    const NEEDED: [&str; 5] = [
        "body",
        "out_trade_no",
        "total_fee",
        "spbill_create_ip",
        "auth_code",
    ];
    need(params, &NEEDED)?;
    let number = &params["out_trade_no"];
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*".contains(&byte);
    if number.len() > 32 || !number.bytes().all(is_plain) {
        return Err(business("PARAM_ERROR", "out_trade_no参数错误"));
    }
    let amount = from_fen(&params["total_fee"]).filter(|amount: &Money| amount.is_positive());
    let amount = amount.ok_or_else(|| business("PARAM_ERROR", "total_fee参数错误"))?;
    if params.get("fee_type").is_some_and(|code| code != "CNY") {
        return Err(business("PARAM_ERROR", "fee_type参数错误"));
    }
    let mut rest = params.clone();
    for name in ["sign", "nonce_str", "sign_type", "auth_code"] {
        rest.remove(name);
    }
    let order = NewPayment {
        key: key(merchant, number),
        amount,
        subject: params["body"].clone(),
        means: Means::Code {
            auth_code: params["auth_code"].clone(),
        },
        notify_url: None,
        rest: write_xml(&rest),
    };
    let key = order.key.clone();
    let arrival =
        gateway
            .charge(order, &[WalletName::Wechat], now)
            .map_err(|cause| match cause {
                BookRefusal::NumberUsed => business("OUT_TRADE_NO_USED", "商户订单号重复"),
                _ => business("ORDERREVERSED", "订单已撤销"),
            })?;
    let payment = gateway.find(&key, now).expect("the book just took it");
    match payment.stage {
        Stage::Paid if arrival == Arrival::New => Ok(paid(payment)),
        Stage::Paid => Err(business("ORDERPAID", "订单已支付")),
        Stage::UserPaying | Stage::NotScanned => {
            Err(business("USERPAYING", "需要用户输入支付密码"))
        }
        Stage::Failed(cause) => {
            let (code, message) = words(cause);
            Err(business(code, message))
        }
        Stage::Closed => Err(business("ORDERCLOSED", "订单已关闭")),
        Stage::Reversed => Err(business("ORDERREVERSED", "订单已撤销")),
    }
}

fn query(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
    params: &Params,
    now: Timestamp,
) -> Result<Params, Refusal> {
    let number = params.get("out_trade_no").map_or("", String::as_str);
    let payment = gateway
        .find(&key(merchant, number), now)
        .map_err(|_| business("ORDERNOTEXIST", "订单不存在"))?;
    let mut answer = match payment.paid() {
        Some(_) => paid(payment),
        None => Params::from([("out_trade_no".to_owned(), number.to_owned())]),
    };
    answer.insert("trade_state".to_owned(), state(payment).to_owned());
    Ok(answer)
}

/// Undoes a charge; `recall` says whether to call again.
fn reverse(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
    params: &Params,
    now: Timestamp,
) -> Result<Params, Refusal> {
    let number = params.get("out_trade_no").map_or("", String::as_str);
    let key = key(merchant, number);
    let recall = |again: &str| Params::from([("recall".to_owned(), again.to_owned())]);
    if let Ok(payment) = gateway.find(&key, now) {
        let age = now - payment.created_at;
        if age < REVERSIBLE_AFTER {
            return Ok(recall("Y"));
        }
        if age > REVERSIBLE_FOR {
            return Err(business("REVERSE_EXPIRE", "订单超过7天，无法撤销"));
        }
    }
    gateway
        .reverse(&key, now)
        .map_err(|_| business("INVALID_REQUEST", "该订单不是付款码支付，不能撤销"))?;
    Ok(recall("N"))
}

fn paid(payment: &Payment) -> Params {
    let mut params = Params::new();
    let mut set = |name: &str, value: &str| params.insert(name.to_owned(), value.to_owned());
    set("out_trade_no", &payment.key().attempt_no);
    set("trade_type", "MICROPAY");
    set("bank_type", "OTHERS");
    set("fee_type", "CNY");
    if let Some(paid) = payment.paid() {
        let fen = paid.amount.fen().to_string();
        set("openid", &paid.payer);
        set("is_subscribe", "N");
        set("total_fee", &fen);
        set("cash_fee", &fen);
        set("transaction_id", &paid.channel_txn_no);
        set("time_end", &compact(paid.paid_at));
    }
    params
}

fn success(params: &Params) -> Params {
    let mut answer = params.clone();
    answer.insert("return_code".to_owned(), "SUCCESS".to_owned());
    answer.insert("return_msg".to_owned(), "OK".to_owned());
    answer.insert("result_code".to_owned(), "SUCCESS".to_owned());
    answer
}

fn failure(code: &str, message: &str) -> Params {
    let mut answer = success(&Params::new());
    answer.insert("result_code".to_owned(), "FAIL".to_owned());
    answer.insert("err_code".to_owned(), code.to_owned());
    answer.insert("err_code_des".to_owned(), message.to_owned());
    answer
}

fn transport_failure(message: &str) -> Params {
    Params::from([
        ("return_code".to_owned(), "FAIL".to_owned()),
        ("return_msg".to_owned(), message.to_owned()),
    ])
}

fn xml(params: &Params) -> http::Response<Bytes> {
    let mut response = page(StatusCode::OK, &write_xml(params));
    let kind = HeaderValue::from_static("text/xml; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn page(status: StatusCode, text: &str) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::copy_from_slice(text.as_bytes()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
