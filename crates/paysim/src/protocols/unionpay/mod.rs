//! UnionPay's online gateway (ACP 5.1.0) from its own side: QR codes, payment codes, questions,
//! cancellations, refunds (docs: protocols, unionpay-emvco).

mod account;
mod code;
mod transaction;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;
use qiantai_pay::channels::unionpay::signature::sign;
use qiantai_pay::{Charset, Pairs};

pub use account::UnionpayOpening;

use super::{Call, Reply, Said, Seal, conduct};
use crate::gateway::{Event, Gateway, NoticeSeal, Operation, Try};
use crate::issuer::Issuer;
use account::UnionpayMerchant;
use code::RespCode;

/// Where transactions and where questions go.
pub(crate) const PATHS: [&str; 2] = [TRANSACT, QUERY];
const TRANSACT: &str = "/gateway/api/backTransReq.do";
const QUERY: &str = "/gateway/api/queryTrans.do";

/// Merchants, keys, and what undid payments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Side {
    merchants: BTreeMap<String, UnionpayMerchant>,
    keys: Option<Issuer>,
    /// Cancellations and refunds, by merchant and their own number.
    undone: BTreeMap<(String, String), Undone>,
}

/// A cancellation or a refund that was done.
#[derive(Clone, Debug)]
struct Undone {
    txn_time: String,
    txn_type: &'static str,
    query_id: String,
    amount: Money,
    /// What the merchant reserved for itself.
    reserved: Option<String>,
}

/// Answers one request.
pub(crate) fn answer(
    gateway: &mut Gateway,
    request: &http::Request<Bytes>,
    now: Timestamp,
) -> Reply {
    if request.method() != Method::POST {
        return Reply::at_once(page(StatusCode::METHOD_NOT_ALLOWED, String::new()));
    }
    let Ok(params) = Pairs::from_form(request.body(), Charset::Utf8) else {
        return Reply::at_once(page(StatusCode::BAD_REQUEST, String::new()));
    };
    let is_query = request.uri().path() == QUERY;
    let kind = (params.get("txnType"), params.get("txnSubType"));
    let operation = match kind {
        (Some("00"), Some("00")) if is_query => Operation::Query,
        (Some("01"), Some("07")) if !is_query => Operation::Create,
        (Some("01"), Some("06")) if !is_query => Operation::Charge,
        (Some("31"), Some("00")) if !is_query => Operation::Reverse,
        (Some("04"), Some("00")) if !is_query => Operation::Refund,
        _ => {
            let answer = signed(gateway, said(&params, RespCode::FORMAT), Seal::Genuine);
            return Reply::at_once(page(StatusCode::OK, answer));
        }
    };
    if let Err(code) = admitted(gateway, &params) {
        let answer = signed(gateway, said(&params, code), Seal::Genuine);
        return Reply::at_once(page(StatusCode::OK, answer));
    }
    let attempt_no = transaction::attempt_no(gateway, &params);
    let call = Call {
        operation,
        attempt_no: attempt_no.as_deref(),
    };
    conduct(
        gateway,
        call,
        now,
        Gateway::renew_unionpay_keys,
        |gateway, _| {
            let outcome = match operation {
                Operation::Create => transaction::create(gateway, &params, now),
                Operation::Charge => transaction::charge(gateway, &params, now),
                Operation::Reverse => transaction::cancel(gateway, &params, now),
                Operation::Refund => transaction::refund(gateway, &params, now),
                _ => transaction::query(gateway, &params, now),
            };
            match outcome {
                Ok((code, more)) => {
                    let mut answer = said(&params, code);
                    for (name, value) in more.iter() {
                        answer.set(name, value);
                    }
                    answer
                }
                Err(code) => said(&params, code),
            }
        },
        |gateway, said_of, seal| {
            let answer = match said_of {
                Said::Result(answer) => answer.clone(),
                Said::Busy => said(&params, RespCode::BUSY),
                Said::Garbled => {
                    return page(StatusCode::OK, "<html>gateway busy</html>".to_owned());
                }
            };
            page(StatusCode::OK, signed(gateway, answer, seal))
        },
    )
}

/// Whose request it is, and that it is whole.
fn admitted(gateway: &Gateway, params: &Pairs) -> Result<(), RespCode> {
    const NEEDED: [&str; 10] = [
        "version",
        "encoding",
        "signMethod",
        "bizType",
        "accessType",
        "merId",
        "orderId",
        "txnTime",
        "certId",
        "signature",
    ];
    if NEEDED.iter().any(|name| params.get(name).is_none()) {
        return Err(RespCode::MISSING);
    }
    let is = |name: &str, value: &str| params.get(name) == Some(value);
    let fixed = is("version", "5.1.0")
        && is("encoding", "UTF-8")
        && is("signMethod", "01")
        && is("bizType", "000000")
        && is("accessType", "0");
    let order_id = params.get("orderId").unwrap_or_default();
    let plain = order_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let time = params.get("txnTime").unwrap_or_default();
    let has_time = qiantai_pay::beijing::from_compact(time).is_some();
    if !fixed || !plain || !(8..=40).contains(&order_id.len()) || !has_time {
        return Err(RespCode::FORMAT);
    }
    let merchants = &gateway.sides.unionpay.merchants;
    let merchant = params.get("merId").and_then(|number| merchants.get(number));
    let merchant = merchant.ok_or(RespCode::MERCHANT)?;
    if !is("certId", &merchant.cert_id) || !merchant.has_signed(params) {
        return Err(RespCode::SIGNATURE);
    }
    Ok(())
}

/// An answer with what it repeats of its request.
fn said(params: &Pairs, code: RespCode) -> Pairs {
    const REPEATED: [&str; 12] = [
        "version",
        "encoding",
        "signMethod",
        "bizType",
        "accessType",
        "channelType",
        "merId",
        "orderId",
        "txnTime",
        "txnType",
        "txnSubType",
        "reqReserved",
    ];
    let mut answer = Pairs::new();
    for name in REPEATED {
        if let Some(value) = params.get(name) {
            answer.set(name, value);
        }
    }
    answer.set("respCode", code.code);
    answer.set("respMsg", format!("{}[{}]", code.words, code.code));
    answer
}

/// The pairs as they are, not encoded, with certificate and signature.
fn signed(gateway: &mut Gateway, answer: Pairs, seal: Seal) -> String {
    let keys = gateway.sides.unionpay.keys.as_ref();
    // Without any merchant there is no key either, and nobody to believe it.
    let Some(keys) = keys else {
        return plain(&answer);
    };
    plain(&sealed(keys, answer, seal == Seal::Genuine))
}

fn plain(pairs: &Pairs) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// The pairs with the certificate, as it stands in answers, and the signature.
fn sealed(keys: &Issuer, mut pairs: Pairs, is_genuine: bool) -> Pairs {
    let signer = keys.newest();
    let certificate = signer.certificate.pem.replace('\n', "\r\n");
    pairs.set("signPubKeyCert", certificate);
    let private = match is_genuine {
        true => &signer.key.private,
        false => &keys.stranger.private,
    };
    let signature = sign(&pairs, private).expect("a whole key signs any message");
    pairs.set("signature", signature);
    pairs
}

/// Headers and body of a notice. The protocol has no probes.
pub(crate) fn notice(gateway: &mut Gateway, notice: &Try, now: Timestamp) -> (HeaderMap, Vec<u8>) {
    let key = &notice.draft.key;
    let mut form = match &notice.draft.event {
        Event::Paid(paid) => {
            let payment = gateway
                .find(key, now)
                .expect("a notice is of a known transaction");
            let mut form = transaction::facts(payment, paid);
            form.set("orderId", &key.attempt_no);
            form.set("txnType", "01");
            form.set("txnSubType", if payment.is_qr() { "07" } else { "06" });
            form
        }
        Event::Refunded(refund) => {
            let number = (key.merchant.clone(), refund.order.refund_no.clone());
            let undone = &gateway.sides.unionpay.undone;
            let undone = undone.get(&number).expect("a notice is of a known refund");
            transaction::returned(undone, refund)
        }
    };
    for (name, value) in [
        ("version", "5.1.0"),
        ("encoding", "UTF-8"),
        ("signMethod", "01"),
        ("bizType", "000000"),
        ("accessType", "0"),
        ("merId", key.merchant.as_str()),
        ("respCode", "00"),
        ("respMsg", "成功[0000000]"),
    ] {
        form.set(name, value);
    }
    let keys = gateway.sides.unionpay.keys.as_ref();
    let keys = keys.expect("keys are drawn when the first merchant opens its account");
    let form = sealed(keys, form, notice.seal == NoticeSeal::Genuine);
    let mut headers = HeaderMap::new();
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded;charset=UTF-8");
    headers.insert(header::CONTENT_TYPE, kind);
    (headers, form.to_form().into_bytes())
}

fn page(status: StatusCode, text: String) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/html;charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
