//! The gateway's side of the training protocol: request bytes in, answer bytes out.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use qiantai_core::clock::Timestamp;
use qiantai_pay::SharedKey;
use qiantai_pay::channels::training::message::{
    self, AttemptRef, ChargeCode, CreatePayment, CreateRefund, Fault, FaultCode, RefundRef,
};
use qiantai_pay::channels::training::signature::{
    Envelope, SIGNATURE, Scope, SealError, SealedEnvelope,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::gateway::{AnswerFault, Gateway, Operation, Refusal};

/// Paths of the protocol, all by POST.
pub const ROUTES: [(&str, Operation); 7] = [
    (message::CREATE, Operation::Create),
    (message::CHARGE, Operation::Charge),
    (message::QUERY, Operation::Query),
    (message::CLOSE, Operation::Close),
    (message::REVERSE, Operation::Reverse),
    (message::REFUND, Operation::Refund),
    (message::QUERY_REFUND, Operation::QueryRefund),
];

/// An answer and when to give it.
#[derive(Debug)]
pub struct Reply {
    /// What to answer.
    pub response: http::Response<Bytes>,
    /// When.
    pub timing: Timing,
}

/// When to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Now.
    AtOnce,
    /// After this many milliseconds.
    AfterMs(u64),
    /// Not at all: hold the connection until the caller gives up.
    Never,
}

/// Answers one request to `path`.
pub fn answer(
    gateway: &mut Gateway,
    path: &str,
    operation: Operation,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Reply {
    let (envelope, key) = match caller(gateway, path, headers, body, now) {
        Ok(caller) => caller,
        Err(refusal) => return at_once(plain(StatusCode::UNAUTHORIZED, &fault(&refusal))),
    };
    let message = is_json(headers).and_then(|()| Message::read(operation, body));
    let message = message.and_then(|message| message.of(&envelope.merchant));
    let attempt_no = message.as_ref().ok().and_then(Message::attempt_no);
    let spoiled = gateway.faults().take_answer(attempt_no, operation);
    if spoiled == Some(AnswerFault::Lost) {
        return never();
    }
    let (status, body) = match message.and_then(|message| message.perform(gateway, now)) {
        Ok(body) => (StatusCode::OK, body),
        Err(refusal) => (status_of(refusal.code), fault(&refusal)),
    };
    let seal = Envelope {
        signed_at: now,
        nonce: gateway.new_nonce(),
        ..envelope.clone()
    };
    let scope = Scope::Answer {
        request_nonce: &envelope.nonce,
    };
    let sealed = |body: &[u8]| {
        let mut response = plain(status, body);
        let signature = seal
            .seal(&key, scope, body)
            .expect("the merchant number came in a header, the nonce is hexadecimal");
        response.headers_mut().extend(signature);
        response
    };
    match spoiled {
        None => at_once(sealed(&body)),
        Some(AnswerFault::Delay { delay_ms }) => Reply {
            response: sealed(&body),
            timing: Timing::AfterMs(delay_ms),
        },
        Some(AnswerFault::Lost | AnswerFault::Silent) => never(),
        Some(AnswerFault::FailAfterDone) => at_once(plain(StatusCode::INTERNAL_SERVER_ERROR, b"")),
        Some(AnswerFault::WrongSignature) => {
            let mut response = sealed(&body);
            let wrong = HeaderValue::from_str(&"0".repeat(64)).expect("digits are plain text");
            response.headers_mut().insert(SIGNATURE, wrong);
            at_once(response)
        }
        Some(AnswerFault::Garbled) => at_once(sealed(b"<html>gateway busy</html>")),
    }
}

/// Who asks, once the signature holds.
fn caller(
    gateway: &Gateway,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(Envelope, SharedKey), Refusal> {
    let sign_error = |text: &str| Refusal::new(FaultCode::SignError, text);
    let sealed = SealedEnvelope::read(headers)
        .map_err(|name| sign_error(&format!("the header {name} is missing or wrong")))?;
    let merchant = gateway
        .merchant(&sealed.envelope.merchant)
        .ok_or_else(|| sign_error("the merchant is unknown"))?;
    sealed
        .verify(&merchant.key, Scope::Request { path }, body, now)
        .map_err(|error| match error {
            SealError::Stale => Refusal::new(
                FaultCode::ClockOff,
                "the timestamp is more than five minutes off",
            ),
            SealError::WrongSignature => sign_error("the signature does not hold"),
        })?;
    Ok((sealed.envelope, merchant.key.clone()))
}

enum Message {
    Create(CreatePayment),
    Charge(ChargeCode),
    Query(AttemptRef),
    Close(AttemptRef),
    Reverse(AttemptRef),
    Refund(CreateRefund),
    QueryRefund(RefundRef),
}

impl Message {
    fn read(operation: Operation, body: &[u8]) -> Result<Message, Refusal> {
        Ok(match operation {
            Operation::Create => Message::Create(parse(body)?),
            Operation::Charge => Message::Charge(parse(body)?),
            Operation::Query => Message::Query(parse(body)?),
            Operation::Close => Message::Close(parse(body)?),
            Operation::Reverse => Message::Reverse(parse(body)?),
            Operation::Refund => Message::Refund(parse(body)?),
            Operation::QueryRefund => Message::QueryRefund(parse(body)?),
        })
    }

    fn of(self, signer: &str) -> Result<Message, Refusal> {
        let merchant = match &self {
            Message::Create(request) => &request.merchant,
            Message::Charge(request) => &request.merchant,
            Message::Query(request) | Message::Close(request) | Message::Reverse(request) => {
                &request.merchant
            }
            Message::Refund(request) => &request.merchant,
            Message::QueryRefund(request) => &request.merchant,
        };
        if merchant == signer {
            return Ok(self);
        }
        Err(Refusal::new(
            FaultCode::BadRequest,
            "the merchant differs from the signer",
        ))
    }

    fn attempt_no(&self) -> Option<&str> {
        match self {
            Message::Create(request) => Some(&request.attempt_no),
            Message::Charge(request) => Some(&request.attempt_no),
            Message::Query(request) | Message::Close(request) | Message::Reverse(request) => {
                Some(&request.attempt_no)
            }
            Message::Refund(request) => Some(&request.attempt_no),
            Message::QueryRefund(_) => None,
        }
    }

    fn perform(self, gateway: &mut Gateway, now: Timestamp) -> Result<Vec<u8>, Refusal> {
        match self {
            Message::Create(request) => gateway.create(&request, now).map(|a| json(&a)),
            Message::Charge(request) => gateway.charge(&request, now).map(|a| json(&a)),
            Message::Query(request) => gateway.query(&request, now).map(|a| json(&a)),
            Message::Close(request) => gateway.close(&request, now).map(|a| json(&a)),
            Message::Reverse(request) => gateway.reverse(&request, now).map(|a| json(&a)),
            Message::Refund(request) => gateway.refund(&request, now).map(|a| json(&a)),
            Message::QueryRefund(request) => gateway.query_refund(&request).map(|a| json(&a)),
        }
    }
}

fn is_json(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value == "application/json")
    {
        return Ok(());
    }
    Err(Refusal::new(
        FaultCode::BadRequest,
        "content-type must be application/json",
    ))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::new(FaultCode::BadRequest, error.to_string()))
}

fn json(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("messages hold only texts and numbers")
}

fn fault(refusal: &Refusal) -> Vec<u8> {
    json(&Fault {
        code: refusal.code.name().to_owned(),
        message: refusal.message.clone(),
    })
}

fn status_of(code: FaultCode) -> StatusCode {
    match code {
        FaultCode::SignError | FaultCode::ClockOff => StatusCode::UNAUTHORIZED,
        FaultCode::BadRequest | FaultCode::WrongKind => StatusCode::BAD_REQUEST,
        FaultCode::AttemptNotFound | FaultCode::RefundNotFound => StatusCode::NOT_FOUND,
        FaultCode::AttemptNoUsed
        | FaultCode::AlreadyPaid
        | FaultCode::OrderClosed
        | FaultCode::NotPaid
        | FaultCode::RefundExceedsPaid
        | FaultCode::RefundNoUsed => StatusCode::CONFLICT,
    }
}

fn plain(status: StatusCode, body: &[u8]) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::copy_from_slice(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn at_once(response: http::Response<Bytes>) -> Reply {
    Reply {
        response,
        timing: Timing::AtOnce,
    }
}

fn never() -> Reply {
    Reply {
        response: plain(StatusCode::GATEWAY_TIMEOUT, b""),
        timing: Timing::Never,
    }
}
