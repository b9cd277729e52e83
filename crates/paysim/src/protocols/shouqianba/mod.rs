//! The aggregator Shouqianba from its own side: terminals with a key for each day, orders of
//! several wallets, signed notices (docs: protocols, aggregator-shouqianba). Its answers are not
//! signed.

mod account;
mod answer;
mod order;
mod terminal;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use qiantai_core::clock::Timestamp;

pub use account::ShouqianbaOpening;

use super::{Call, Reply, Said, conduct, header_value};
use crate::gateway::{AnswerFault, Event, Gateway, NoticeSeal, Operation, Try};
use crate::keys::RsaKey;
use account::Vendor;
use answer::{Answer, Refusal};
use order::Content;
use terminal::Terminal;

/// Paths of the protocol.
pub(crate) const PATHS: [&str; 2] = ["/terminal/{*rest}", "/upay/v2/{*rest}"];

/// Vendors, terminals and the keys of notices.
#[derive(Clone, Debug, Default)]
pub(crate) struct Side {
    vendors: BTreeMap<String, Vendor>,
    terminals: BTreeMap<String, Terminal>,
    keys: Option<NoticeKeys>,
}

/// Signs notices; the other signs what is forged.
#[derive(Clone, Debug)]
struct NoticeKeys {
    own: RsaKey,
    stranger: RsaKey,
}

/// Answers one request.
pub(crate) fn answer(
    gateway: &mut Gateway,
    request: &http::Request<Bytes>,
    now: Timestamp,
) -> Reply {
    let operation = match request.uri().path() {
        _ if request.method() != Method::POST => None,
        "/terminal/activate" => return of_terminal(gateway, request, now, terminal::activate),
        "/terminal/checkin" => return of_terminal(gateway, request, now, terminal::check_in),
        "/upay/v2/pay" => Some(Operation::Charge),
        "/upay/v2/precreate" => Some(Operation::Create),
        "/upay/v2/query" => Some(Operation::Query),
        "/upay/v2/cancel" | "/upay/v2/revoke" => Some(Operation::Reverse),
        "/upay/v2/refund" => Some(Operation::Refund),
        _ => None,
    };
    let Some(operation) = operation else {
        return Reply::at_once(bare(StatusCode::NOT_FOUND, b"404"));
    };
    let terminal_sn = match terminal::caller(gateway, request, now) {
        Ok(sn) => sn,
        Err(refusal) => return Reply::at_once(page(&Err(refusal))),
    };
    let content = Content::read(request.body(), &terminal_sn);
    let attempt_no = content
        .as_ref()
        .ok()
        .and_then(|content| content.text("client_sn"));
    let attempt_no = attempt_no.map(str::to_owned);
    let call = Call {
        operation,
        attempt_no: attempt_no.as_deref(),
    };
    conduct(
        gateway,
        call,
        now,
        |_, _| {},
        |gateway, fault| {
            let content = content?;
            match operation {
                Operation::Charge => order::pay(gateway, &content, now),
                Operation::Create => order::precreate(gateway, &content, now),
                Operation::Reverse => order::cancel(gateway, &content, now),
                Operation::Refund if fault == Some(AnswerFault::FundsShort) => Ok(answer::failed(
                    "REFUND_ERROR",
                    "SELLER_BALANCE_NOT_ENOUGH",
                    "商户余额不足",
                )),
                Operation::Refund => order::refund(gateway, &content, now),
                _ => order::query(gateway, &content, now),
            }
        },
        dressed,
    )
}

/// Activates a terminal or checks one in.
fn of_terminal(
    gateway: &mut Gateway,
    request: &http::Request<Bytes>,
    now: Timestamp,
    perform: fn(&mut Gateway, &http::Request<Bytes>, Timestamp) -> Result<Answer, Refusal>,
) -> Reply {
    let call = Call {
        operation: Operation::Certificates,
        attempt_no: None,
    };
    conduct(
        gateway,
        call,
        now,
        |_, _| {},
        |gateway, _| perform(gateway, request, now),
        dressed,
    )
}

fn dressed(
    _: &mut Gateway,
    said: Said<'_, Result<Answer, Refusal>>,
    _: super::Seal,
) -> http::Response<Bytes> {
    match said {
        Said::Result(outcome) => page(outcome),
        Said::Busy => bare(StatusCode::TOO_MANY_REQUESTS, b""),
        Said::Garbled => bare(StatusCode::OK, b"<html>gateway busy</html>"),
    }
}

/// Headers and body of a notice. The protocol has no probes: one is a forgery.
pub(crate) fn notice(gateway: &mut Gateway, notice: &Try, now: Timestamp) -> (HeaderMap, Vec<u8>) {
    let key = &notice.draft.key;
    let payment = gateway
        .find(key, now)
        .expect("a notice is of a known order");
    let body = match &notice.draft.event {
        Event::Paid(paid) => order::told(payment, paid),
        Event::Refunded(_) => unreachable!("refunds of this protocol carry no address for notices"),
    };
    let body = body.to_string().into_bytes();
    let keys = gateway.sides.shouqianba.keys.as_ref();
    let keys = keys.expect("keys are drawn when the first vendor opens its account");
    let private = match notice.seal {
        NoticeSeal::Genuine => &keys.own.private,
        NoticeSeal::Forged | NoticeSeal::Probe => &keys.stranger.private,
    };
    let signature = private
        .sign_sha256_base64(&body)
        .expect("a whole key signs any message");
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, header_value(&signature));
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, json);
    (headers, body)
}

fn page(outcome: &Result<Answer, Refusal>) -> http::Response<Bytes> {
    let body = match outcome {
        Ok(answer) => answer.body(),
        Err(refusal) => refusal.body(),
    };
    bare(StatusCode::OK, body.to_string().as_bytes())
}

fn bare(status: StatusCode, body: &[u8]) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::copy_from_slice(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
