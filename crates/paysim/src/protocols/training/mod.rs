//! The training protocol from the gateway's side.

mod message;
mod notice;
mod rules;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use qiantai_core::clock::Timestamp;
use qiantai_pay::SharedKey;
use qiantai_pay::channels::training::message::{self as wire, Fault, FaultCode};
use qiantai_pay::channels::training::signature::{
    Envelope, SIGNATURE, Scope, SealError, SealedEnvelope,
};

pub(crate) use notice::notice;

use super::{Call, Reply, Said, Seal, conduct};
use crate::gateway::{AnswerFault, Gateway, Operation, SetUpCause};
use message::{Message, json};

/// Paths of the protocol, all by POST.
pub const ROUTES: [(&str, Operation); 7] = [
    (wire::CREATE, Operation::Create),
    (wire::CHARGE, Operation::Charge),
    (wire::QUERY, Operation::Query),
    (wire::CLOSE, Operation::Close),
    (wire::REVERSE, Operation::Reverse),
    (wire::REFUND, Operation::Refund),
    (wire::QUERY_REFUND, Operation::QueryRefund),
];

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub code: FaultCode,
    pub message: String,
}

impl Refusal {
    pub fn new(code: FaultCode, message: impl Into<String>) -> Refusal {
        Refusal {
            code,
            message: message.into(),
        }
    }
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
        Err(refusal) => {
            return Reply::at_once(plain(StatusCode::UNAUTHORIZED, &fault(&refusal)));
        }
    };
    let message = is_json(headers).and_then(|()| Message::read(operation, body));
    let message = message.and_then(|message| message.of(&envelope.merchant));
    let attempt_no = message.as_ref().ok().and_then(Message::attempt_no);
    let attempt_no = attempt_no.map(str::to_owned);
    let request_nonce = envelope.nonce.clone();
    let call = Call {
        operation,
        attempt_no: attempt_no.as_deref(),
    };
    conduct(
        gateway,
        call,
        now,
        |_, _| {},
        |gateway, spoilt| {
            let admitted = match spoilt {
                Some(AnswerFault::SetUpRefused { cause }) => Err(set_up_refused(cause)),
                _ => message,
            };
            match admitted.and_then(|message| message.perform(gateway, now)) {
                Ok(body) => (StatusCode::OK, body),
                Err(refusal) => (status_of(refusal.code), fault(&refusal)),
            }
        },
        |gateway, said, seal| {
            let (status, body) = match said {
                Said::Result((status, body)) => (*status, body.as_slice()),
                Said::Busy => return plain(StatusCode::TOO_MANY_REQUESTS, b""),
                Said::Garbled => (StatusCode::OK, b"<html>gateway busy</html>".as_slice()),
            };
            let mut response = plain(status, body);
            let envelope = Envelope {
                signed_at: now,
                nonce: gateway.new_nonce(),
                ..envelope.clone()
            };
            let scope = Scope::Answer {
                request_nonce: &request_nonce,
            };
            let signature = envelope
                .seal(&key, scope, body)
                .expect("the merchant number came in a header, the nonce is hexadecimal");
            response.headers_mut().extend(signature);
            if seal != Seal::Genuine {
                let wrong = super::header_value(&"0".repeat(64));
                response.headers_mut().insert(SIGNATURE, wrong);
            }
            response
        },
    )
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

fn set_up_refused(cause: SetUpCause) -> Refusal {
    let (code, text) = match cause {
        SetUpCause::Signature => (FaultCode::SignError, "the signature does not hold"),
        SetUpCause::Clock => (FaultCode::ClockOff, "the timestamp is too far off"),
        SetUpCause::NotPermitted => (FaultCode::NotPermitted, "there is no contract for this"),
        SetUpCause::MerchantBlocked => (
            FaultCode::MerchantBlocked,
            "the merchant may not receive money",
        ),
        SetUpCause::BadRequest => (FaultCode::BadRequest, "the request is refused"),
        SetUpCause::ForbiddenWord => (FaultCode::ForbiddenWord, "a word of it is forbidden"),
    };
    Refusal::new(code, text)
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
        FaultCode::NotPermitted | FaultCode::MerchantBlocked | FaultCode::ForbiddenWord => {
            StatusCode::FORBIDDEN
        }
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
