//! API v3: which path means what, and how an answer is written and signed.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use percent_encoding::percent_decode_str;
use qiantai_core::clock::Timestamp;
use qiantai_pay::channels::wechat::signature::{
    NONCE, SCHEME, SERIAL, SIGNATURE, TIMESTAMP, answer_message,
};
use serde_json::Value;

use super::account::WechatMerchant;
use super::caller::{Caller, admitted};
use super::message::{self, CloseOrder, CodeCharge, NativeOrder, RefundOrder, ReverseOrder};
use super::refusal::Refusal;
use super::{bill, notice, order, refund};
use crate::gateway::{AnswerFault, Gateway, Operation};
use crate::protocols::{Call, Reply, Said, Seal, conduct, header_value, host_of};

/// Begins a signature that says itself that it is none.
pub(super) const PROBE: &str = "WECHATPAY/SIGNTEST/";

/// What came of a request.
pub(super) struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
    /// The file of a bill is the one thing that is not signed.
    pub is_signed: bool,
    /// Names the exact cause of a refusal.
    internal_number: u32,
}

impl Answer {
    pub fn json(status: StatusCode, body: &Value) -> Answer {
        Answer {
            status,
            body: body.to_string().into_bytes(),
            is_signed: true,
            internal_number: 0,
        }
    }

    pub fn empty() -> Answer {
        Answer {
            body: Vec::new(),
            ..Answer::json(StatusCode::NO_CONTENT, &Value::Null)
        }
    }

    pub fn file(body: Vec<u8>) -> Answer {
        Answer {
            body,
            is_signed: false,
            ..Answer::json(StatusCode::OK, &Value::Null)
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Answer {
        Answer {
            internal_number: refusal.internal_number(),
            ..Answer::json(refusal.status, &refusal.body())
        }
    }
}

/// Where an order is looked for.
pub(super) enum OrderName {
    Ours(String),
    Theirs(String),
}

/// A request that was understood.
enum Wish {
    Native(NativeOrder, String),
    CodePay(CodeCharge, String),
    Query(OrderName, String),
    Close(String, CloseOrder),
    Reverse(String, ReverseOrder),
    Refund(RefundOrder),
    QueryRefund(String),
    TradeBill(bill::BillWish),
    BillFile(String),
    Certificates,
}

/// Answers one request.
pub(super) fn answer(
    gateway: &mut Gateway,
    request: &http::Request<Bytes>,
    now: Timestamp,
) -> Reply {
    let caller = match admitted(gateway, request, now) {
        Ok(caller) => caller,
        // Nobody is known for whom to choose a key.
        Err(refusal) => return Reply::at_once(bare(gateway, &refusal.into(), now)),
    };
    let wish = Wish::read(request);
    let (operation, attempt_no) = match &wish {
        Ok(wish) => wish.operation(gateway, &caller.merchant),
        Err(_) => (Operation::Query, None),
    };
    let call = Call {
        operation,
        attempt_no: attempt_no.as_deref(),
    };
    let host = host_of(request);
    conduct(
        gateway,
        call,
        now,
        Gateway::renew_wechat_keys,
        |gateway, fault| {
            wish.and_then(|wish| wish.perform(gateway, &caller, &host, fault, now))
                .unwrap_or_else(Answer::from)
        },
        |gateway, said, seal| {
            let busy = Answer::from(Refusal::busy());
            let garbled = Answer {
                body: b"<html>gateway busy</html>".to_vec(),
                ..Answer::json(StatusCode::OK, &Value::Null)
            };
            let answer = match said {
                Said::Result(answer) => answer,
                Said::Busy => &busy,
                Said::Garbled => &garbled,
            };
            signed(gateway, &caller, answer, seal, now)
        },
    )
}

impl Wish {
    fn read(request: &http::Request<Bytes>) -> Result<Wish, Refusal> {
        let path = request.uri().path();
        let parts: Vec<String> = path
            .trim_start_matches('/')
            .split('/')
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let query = request.uri().query().unwrap_or("");
        let (get, post) = (Method::GET, Method::POST);
        let body = request.body();
        let method = request.method();
        Ok(match parts.as_slice() {
            ["v3", "pay", "transactions", "native"] if *method == post => {
                let (order, content) = message::read(body)?;
                Wish::Native(order, content)
            }
            ["v3", "pay", "transactions", "codepay"] if *method == post => {
                let (order, content) = message::read(body)?;
                Wish::CodePay(order, content)
            }
            ["v3", "pay", "transactions", "out-trade-no", number] if *method == get => Wish::Query(
                OrderName::Ours((*number).to_owned()),
                parameter(query, "mchid")?,
            ),
            ["v3", "pay", "transactions", "id", number] if *method == get => Wish::Query(
                OrderName::Theirs((*number).to_owned()),
                parameter(query, "mchid")?,
            ),
            ["v3", "pay", "transactions", "out-trade-no", number, "close"] if *method == post => {
                Wish::Close((*number).to_owned(), message::read(body)?.0)
            }
            [
                "v3",
                "pay",
                "transactions",
                "out-trade-no",
                number,
                "reverse",
            ] if *method == post => Wish::Reverse((*number).to_owned(), message::read(body)?.0),
            ["v3", "refund", "domestic", "refunds"] if *method == post => {
                Wish::Refund(message::read(body)?.0)
            }
            ["v3", "refund", "domestic", "refunds", number] if *method == get => {
                Wish::QueryRefund((*number).to_owned())
            }
            ["v3", "bill", "tradebill"] if *method == get => {
                Wish::TradeBill(bill::BillWish::read(query)?)
            }
            ["v3", "billdownload", "file"] if *method == get => {
                Wish::BillFile(parameter(query, "token")?)
            }
            ["v3", "certificates"] if *method == get => Wish::Certificates,
            _ => return Err(Refusal::no_resource("请求的资源不存在")),
        })
    }

    fn operation(
        &self,
        gateway: &Gateway,
        merchant: &WechatMerchant,
    ) -> (Operation, Option<String>) {
        match self {
            Wish::Native(order, _) => (Operation::Create, Some(order.out_trade_no.clone())),
            Wish::CodePay(order, _) => (Operation::Charge, Some(order.out_trade_no.clone())),
            Wish::Query(OrderName::Ours(number), _) => (Operation::Query, Some(number.clone())),
            Wish::Query(OrderName::Theirs(_), _) => (Operation::Query, None),
            Wish::Close(number, _) => (Operation::Close, Some(number.clone())),
            Wish::Reverse(number, _) => (Operation::Reverse, Some(number.clone())),
            Wish::Refund(order) => {
                let numbers = (
                    order.transaction_id.as_deref(),
                    order.out_trade_no.as_deref(),
                );
                let attempt = refund::attempt(gateway, merchant, numbers).ok();
                (Operation::Refund, attempt.map(|key| key.attempt_no))
            }
            Wish::QueryRefund(number) => {
                let returned = gateway.find_refund(&order::key(merchant, number)).ok();
                let attempt_no = returned.map(|refund| refund.order.key.attempt_no.clone());
                (Operation::QueryRefund, attempt_no)
            }
            Wish::TradeBill(_) | Wish::BillFile(_) => (Operation::Bill, None),
            Wish::Certificates => (Operation::Certificates, None),
        }
    }

    fn perform(
        self,
        gateway: &mut Gateway,
        caller: &Caller,
        host: &str,
        fault: Option<AnswerFault>,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        let merchant = &caller.merchant;
        match self {
            Wish::Native(request, content) => {
                order::create(gateway, merchant, request, content, now)
            }
            Wish::CodePay(request, content) => {
                order::charge(gateway, merchant, request, content, now)
            }
            Wish::Query(name, mchid) => order::query(gateway, merchant, &name, &mchid, now),
            Wish::Close(number, request) => order::close(gateway, merchant, &number, &request, now),
            Wish::Reverse(..) if fault == Some(AnswerFault::NotFound) => Err(Refusal::not_found()),
            Wish::Reverse(number, request) => {
                order::reverse(gateway, merchant, &number, &request, now)
            }
            Wish::Refund(_) if fault == Some(AnswerFault::FundsShort) => Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "NOT_ENOUGH",
                "商户账户可用余额不足",
            )),
            Wish::Refund(request) => {
                let gets_stuck = fault == Some(AnswerFault::RefundStuck);
                refund::refund(gateway, merchant, request, gets_stuck, now)
            }
            Wish::QueryRefund(number) => refund::query(gateway, merchant, &number, now),
            Wish::TradeBill(wish) => {
                let lacks_line = fault == Some(AnswerFault::BillLineMissing);
                bill::place(gateway, merchant, &wish, host, lacks_line, now)
            }
            Wish::BillFile(token) => bill::file(gateway, merchant, &token, now),
            Wish::Certificates if fault == Some(AnswerFault::NotFound) => {
                Err(Refusal::no_certificates())
            }
            Wish::Certificates => notice::certificates(gateway, merchant)
                .map(|list| Answer::json(StatusCode::OK, &list)),
        }
    }
}

fn parameter(query: &str, name: &str) -> Result<String, Refusal> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
        .filter(|value| !value.is_empty())
        .ok_or_else(|| Refusal::parameter(format!("缺少参数{name}")))
}

fn bare(gateway: &mut Gateway, answer: &Answer, now: Timestamp) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::from(answer.body.clone()));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    if !answer.body.is_empty() && answer.is_signed {
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, json);
    }
    headers.insert(header::DATE, header_value(&message::http_date(now)));
    let id = format!("{}-{}", gateway.new_nonce(), answer.internal_number);
    headers.insert("Request-ID", header_value(&id));
    response
}

fn signed(
    gateway: &mut Gateway,
    caller: &Caller,
    answer: &Answer,
    seal: Seal,
    now: Timestamp,
) -> http::Response<Bytes> {
    let mut response = bare(gateway, answer, now);
    if answer.is_signed {
        let keys = &gateway.sides.wechat.keys;
        let key = keys
            .of_answer(caller.merchant.mode, caller.wished_key.as_deref())
            .expect("the wished key was found when the caller was admitted");
        let (serial, signing) = (key.serial.clone(), key.key.clone());
        let private = match seal {
            Seal::Wrong => keys.stranger().private.clone(),
            Seal::Genuine | Seal::Probe => signing.private,
        };
        let sealed = sealed(
            gateway,
            &serial,
            &private,
            seal == Seal::Probe,
            &answer.body,
            now,
        );
        response.headers_mut().extend(sealed);
    }
    response
}

/// The headers of a signature over `body`.
pub(super) fn sealed(
    gateway: &mut Gateway,
    serial: &str,
    key: &qiantai_pay::crypto::PrivateKey,
    is_probe: bool,
    body: &[u8],
    now: Timestamp,
) -> http::HeaderMap {
    let seconds = now.ms().div_euclid(1_000).to_string();
    let nonce = gateway.new_nonce();
    let message = answer_message(&seconds, &nonce, body);
    let signature = key
        .sign_sha256_base64(&message)
        .expect("a whole key signs any message");
    let signature = if is_probe {
        format!("{PROBE}{signature}")
    } else {
        signature
    };
    let mut headers = http::HeaderMap::new();
    for (name, value) in [
        (TIMESTAMP, seconds.as_str()),
        (NONCE, nonce.as_str()),
        (SERIAL, serial),
        (SIGNATURE, signature.as_str()),
        ("Wechatpay-Signature-Type", SCHEME),
    ] {
        let name = http::HeaderName::try_from(name).expect("these names are plain");
        headers.insert(name, header_value(value));
    }
    headers
}
