//! The training channel as the server uses it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use qiantai_core::clock::Timestamp;
use serde::Serialize;

use super::message::{
    AttemptRef, CHARGE, CLOSE, CREATE, ChargeCode, CreatePayment, CreateRefund, QUERY,
    QUERY_REFUND, REFUND, REVERSE, RefundRef,
};
use super::read::{self, Outcome, Trouble};
use super::signature::{Envelope, Scope};
use super::{ID, TrainingConfig};
use crate::answer::{CloseAnswer, GatewayAnswer, QrAnswer, RefundAnswer, ReverseAnswer};
use crate::channel::{Channel, ChannelId, CodeRequest, QrRequest, RefundQuery, RefundRequest};
use crate::channels::errand::Errand;
use crate::notice::{Notice, NoticeError, NoticeReceipt};
use crate::registry::OpenError;
use crate::surroundings::Surroundings;
use crate::transport::HttpTransport;

/// One merchant account at the simulated gateway.
pub struct TrainingChannel {
    config: TrainingConfig,
    transport: Arc<dyn HttpTransport>,
    surroundings: Arc<dyn Surroundings>,
}

impl TrainingChannel {
    /// Checks the settings; nothing is sent.
    pub fn new(
        mut config: TrainingConfig,
        transport: Arc<dyn HttpTransport>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<TrainingChannel, OpenError> {
        let wrong = |problem: &str| OpenError::Settings {
            channel: ID,
            problem: problem.to_owned(),
        };
        let base: Uri = config
            .base_url
            .parse()
            .map_err(|_| wrong("base_url is not an address"))?;
        let is_web = matches!(base.scheme_str(), Some("http" | "https"));
        if !is_web || base.path() != "/" || base.query().is_some() {
            return Err(wrong(
                "base_url must be http:// or https:// and a host, without a path",
            ));
        }
        let merchant_is_plain = config.merchant.bytes().all(|b| b.is_ascii_alphanumeric());
        if config.merchant.is_empty() || !merchant_is_plain {
            return Err(wrong("merchant must be letters and digits"));
        }
        config
            .base_url
            .truncate(config.base_url.trim_end_matches('/').len());
        Ok(TrainingChannel {
            config,
            transport,
            surroundings,
        })
    }

    async fn call(&self, path: &str, message: &impl Serialize) -> Outcome {
        let nonce = self.surroundings.nonce();
        let request = request(&self.config, path, &nonce, self.surroundings.now(), message);
        let answer = Errand::new(ID, &self.transport).send(path, request).await;
        let answer = answer.map_err(Trouble::Unknown)?;
        read::verified(&self.config, &nonce, &answer, self.surroundings.now())
    }

    fn attempt(&self, attempt_no: &str) -> AttemptRef {
        AttemptRef {
            merchant: self.config.merchant.clone(),
            attempt_no: attempt_no.to_owned(),
        }
    }
}

/// Builds and signs one request.
fn request(
    config: &TrainingConfig,
    path: &str,
    nonce: &str,
    now: Timestamp,
    message: &impl Serialize,
) -> http::Request<Bytes> {
    let body = serde_json::to_vec(message).expect("messages hold only texts and numbers");
    let envelope = Envelope {
        merchant: config.merchant.clone(),
        signed_at: now,
        nonce: nonce.to_owned(),
    };
    let headers = envelope
        .seal(&config.key, Scope::Request { path }, &body)
        .expect("merchant numbers and nonces are letters and digits");
    let uri = format!("{}{path}", config.base_url)
        .parse::<Uri>()
        .expect("the base address was checked when the channel was opened");
    let mut request = http::Request::new(Bytes::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    let json = HeaderValue::from_static("application/json");
    request
        .headers_mut()
        .insert(header::CONTENT_TYPE, json.clone());
    request.headers_mut().insert(header::ACCEPT, json);
    request
}

#[async_trait]
impl Channel for TrainingChannel {
    fn id(&self) -> ChannelId {
        ID
    }

    async fn create_qr(&self, request: &QrRequest) -> QrAnswer {
        let message = CreatePayment {
            merchant: self.config.merchant.clone(),
            attempt_no: request.attempt_no.clone(),
            amount_fen: request.amount.fen(),
            subject: request.subject.clone(),
            wallet: request.wallet.into(),
            expires_at_ms: request.expires_at.ms(),
            notify_url: request.notify_url.clone(),
        };
        let outcome = self.call(CREATE, &message).await;
        read::created(&self.config, &request.attempt_no, outcome)
    }

    async fn charge_code(&self, request: &CodeRequest) -> GatewayAnswer {
        let message = ChargeCode {
            merchant: self.config.merchant.clone(),
            attempt_no: request.attempt_no.clone(),
            amount_fen: request.amount.fen(),
            subject: request.subject.clone(),
            auth_code: request.auth_code.expose().to_owned(),
            notify_url: request.notify_url.clone(),
        };
        let outcome = self.call(CHARGE, &message).await;
        read::standing(&self.config, &request.attempt_no, outcome)
    }

    async fn query(&self, attempt_no: &str) -> GatewayAnswer {
        let outcome = self.call(QUERY, &self.attempt(attempt_no)).await;
        read::standing(&self.config, attempt_no, outcome)
    }

    async fn close(&self, attempt_no: &str, _asked_at: Option<Timestamp>) -> CloseAnswer {
        let outcome = self.call(CLOSE, &self.attempt(attempt_no)).await;
        read::closed(&self.config, attempt_no, outcome)
    }

    async fn reverse(&self, attempt_no: &str, _charged_at: Option<Timestamp>) -> ReverseAnswer {
        let outcome = self.call(REVERSE, &self.attempt(attempt_no)).await;
        read::reversed(&self.config, attempt_no, outcome)
    }

    async fn refund(&self, request: &RefundRequest) -> RefundAnswer {
        let message = CreateRefund {
            merchant: self.config.merchant.clone(),
            attempt_no: request.attempt_no.clone(),
            channel_txn_no: request.channel_txn_no.clone(),
            refund_no: request.refund_no.clone(),
            amount_fen: request.amount.fen(),
            reason: request.reason.clone(),
        };
        let outcome = self.call(REFUND, &message).await;
        read::refunded(&self.config, &request.refund_no, outcome)
    }

    async fn query_refund(&self, query: &RefundQuery) -> RefundAnswer {
        let message = RefundRef {
            merchant: self.config.merchant.clone(),
            refund_no: query.refund_no.clone(),
        };
        let outcome = self.call(QUERY_REFUND, &message).await;
        read::refunded(&self.config, &query.refund_no, outcome)
    }

    fn parse_notice(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notice, NoticeError> {
        read::notice(&self.config, headers, body, self.surroundings.now())
    }

    fn notice_response(&self, _: &[u8], receipt: NoticeReceipt) -> http::Response<Bytes> {
        let mut response = http::Response::new(Bytes::new());
        *response.status_mut() = match receipt {
            NoticeReceipt::Taken => StatusCode::NO_CONTENT,
            NoticeReceipt::Refused => StatusCode::SERVICE_UNAVAILABLE,
        };
        response
    }
}
