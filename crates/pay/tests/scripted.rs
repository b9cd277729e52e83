//! A transport that answers as the test says, and surroundings that stand still.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use qiantai_core::clock::Timestamp;
use qiantai_pay::channels::training::signature::{Envelope, Scope};
use qiantai_pay::channels::training::{TrainingChannel, TrainingConfig};
use qiantai_pay::transport::{HttpTransport, TransportError};
use qiantai_pay::{SharedKey, Surroundings};

pub const MERCHANT: &str = "1900000001";
pub const NOW: Timestamp = Timestamp::from_ms(1_795_298_592_480);
pub const NONCE: &str = "0123456789abcdef0123456789abcdef";

pub fn key() -> SharedKey {
    SharedKey::from_bytes((0..32).collect()).expect("long enough")
}

pub fn other_key() -> SharedKey {
    SharedKey::from_bytes((1..33).collect()).expect("long enough")
}

pub struct Still;

impl Surroundings for Still {
    fn now(&self) -> Timestamp {
        NOW
    }
    fn nonce(&self) -> String {
        NONCE.to_owned()
    }
}

type Answer = Result<http::Response<Bytes>, TransportError>;

/// Gives one answer to every request and keeps the requests.
pub struct Scripted {
    answer: Answer,
    pub requests: Mutex<Vec<http::Request<Bytes>>>,
}

#[async_trait]
impl HttpTransport for Scripted {
    async fn send(&self, request: http::Request<Bytes>) -> Answer {
        self.requests.lock().unwrap().push(request);
        self.answer.clone()
    }
}

pub fn channel(answer: Answer) -> (TrainingChannel, Arc<Scripted>) {
    let transport = Arc::new(Scripted {
        answer,
        requests: Mutex::new(Vec::new()),
    });
    let config = TrainingConfig {
        base_url: "http://gateway.test:8787/".to_owned(),
        merchant: MERCHANT.to_owned(),
        key: key(),
    };
    let channel = TrainingChannel::new(config, transport.clone(), Arc::new(Still)).unwrap();
    (channel, transport)
}

pub fn envelope(merchant: &str, signed_at: Timestamp) -> Envelope {
    Envelope {
        merchant: merchant.to_owned(),
        signed_at,
        nonce: "answernonce".to_owned(),
    }
}

/// An answer as the gateway signs it.
pub fn signed(status: u16, body: &str) -> Answer {
    sealed(status, body, &key(), NONCE, MERCHANT, NOW)
}

pub fn sealed(
    status: u16,
    body: &str,
    key: &SharedKey,
    request_nonce: &str,
    merchant: &str,
    signed_at: Timestamp,
) -> Answer {
    let scope = Scope::Answer { request_nonce };
    let headers = envelope(merchant, signed_at)
        .seal(key, scope, body.as_bytes())
        .unwrap();
    response(status, headers, body)
}

pub fn unsigned(status: u16, body: &str) -> Answer {
    response(status, HeaderMap::new(), body)
}

fn response(status: u16, headers: HeaderMap, body: &str) -> Answer {
    let mut response = http::Response::new(Bytes::copy_from_slice(body.as_bytes()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    *response.headers_mut() = headers;
    Ok(response)
}
