//! The Alipay channel as the server uses it.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderMap, header};
use qiantai_core::clock::Timestamp;

use super::codes::Fault;
use super::keys::{Keys, Trust, Verdict};
use super::message::{self, Call};
use super::read::{self, Outcome, Reply, unreadable};
use super::signature::{SignedAnswer, charset_of, header_charset};
use super::{AlipayBill, AlipayConfig, ID};
use crate::answer::{
    CloseAnswer, GatewayAnswer, QrAnswer, RefundAnswer, ReverseAnswer, UnknownCause,
};
use crate::bill::{BillAnswer, BillRequest};
use crate::channel::{Channel, ChannelId, CodeRequest, QrRequest, RefundQuery, RefundRequest};
use crate::channels::errand::{self, Errand};
use crate::channels::exchange::{base_url, post, wrong};
use crate::credentials::Expiry;
use crate::notice::{Notice, NoticeError, NoticeReceipt};
use crate::registry::OpenError;
use crate::surroundings::Surroundings;
use crate::transport::{AnswerLimit, HttpTransport};

/// One shop's account at Alipay.
pub struct AlipayChannel {
    config: AlipayConfig,
    keys: Keys,
    transport: Arc<dyn HttpTransport>,
    surroundings: Arc<dyn Surroundings>,
}

impl AlipayChannel {
    /// Checks the settings; nothing is sent.
    pub fn new(
        mut config: AlipayConfig,
        transport: Arc<dyn HttpTransport>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<AlipayChannel, OpenError> {
        config.base_url = base_url(ID, &config.base_url)?;
        let app_id_is_plain = config.app_id.bytes().all(|byte| byte.is_ascii_digit());
        if config.app_id.is_empty() || !app_id_is_plain {
            return Err(wrong(ID, "app_id must be digits"));
        }
        let keys = Keys::of(&config)?;
        Ok(AlipayChannel {
            config,
            keys,
            transport,
            surroundings,
        })
    }

    /// Calls the gateway and believes only what Alipay signed. A certificate that we do not hold
    /// is fetched first.
    async fn call(&self, call: &Call) -> Outcome {
        let mut errand = Errand::new(ID, &self.transport);
        let answer = errand.send(call.method, self.request(call)?).await;
        let answer = answer.and_then(errand::ok).map_err(Fault::Unknown)?;
        let charset = charset_of(content_type(answer.headers()), answer.body());
        let signed = SignedAnswer::read(answer.body(), charset, &call.node())
            .map_err(|error| unreadable(error.to_string()))?;
        let now = self.surroundings.now();
        let verdict = match self.keys.judge(&signed, now) {
            Verdict::UnknownCertificate(sn) => {
                self.fetch_certificate(&errand, &sn).await?;
                self.keys.judge(&signed, self.surroundings.now())
            }
            verdict => verdict,
        };
        let text = signed.text();
        let text = text.ok_or_else(|| unreadable("not of its character set".to_owned()))?;
        match verdict {
            Verdict::Genuine => Reply::read(&text),
            _ if signed.is_error_node && signed.sign.is_none() => Err(Reply::unsigned(&text)),
            Verdict::Forged | Verdict::UnknownCertificate(_) => {
                Err(Fault::Unknown(UnknownCause::BadSignature))
            }
        }
    }

    fn request(&self, call: &Call) -> Result<http::Request<Bytes>, Fault> {
        let now = self.surroundings.now();
        let params = message::signed(&self.config, &self.keys, call, now)
            .map_err(|error| unreadable(format!("our request cannot be signed: {error}")))?;
        let address = format!("{}/gateway.do?charset=utf-8", self.config.base_url);
        let content_type = "application/x-www-form-urlencoded;charset=utf-8";
        Ok(post(&address, content_type, params.to_form()))
    }

    /// Fetches one of Alipay's certificates. The answer is signed by that same certificate, so
    /// not its signature counts but that the certificate chains to the configured roots.
    async fn fetch_certificate(&self, errand: &Errand<'_>, sn: &str) -> Result<(), Fault> {
        let Trust::Certificates(trust) = &self.keys.trust else {
            return Ok(());
        };
        let call = message::certificate(sn);
        let answer = errand.prepare(call.method, self.request(&call)?).await;
        let answer = answer.and_then(errand::ok).map_err(Fault::Unknown)?;
        let charset = charset_of(content_type(answer.headers()), answer.body());
        let signed = SignedAnswer::read(answer.body(), charset, &call.node());
        let text = signed.ok().and_then(|signed| signed.text());
        let reply = text.and_then(|text| Reply::read(&text).ok());
        let is_taken = reply
            .and_then(|reply| reply.text("alipay_cert_content"))
            .and_then(|content| BASE64.decode(content).ok())
            .and_then(|pem| String::from_utf8(pem).ok())
            .is_some_and(|pem| trust.take(&pem, sn, self.surroundings.now()));
        if is_taken {
            tracing::info!(channel = %ID, sn, "took a new certificate of Alipay's");
            Ok(())
        } else {
            tracing::warn!(channel = %ID, sn, "a certificate of Alipay's cannot be believed");
            Err(Fault::Unknown(UnknownCause::BadSignature))
        }
    }
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

#[async_trait]
impl Channel for AlipayChannel {
    fn id(&self) -> ChannelId {
        ID
    }

    async fn create_qr(&self, request: &QrRequest) -> QrAnswer {
        let outcome = self.call(&message::precreate(&self.config, request)).await;
        read::created(&request.attempt_no, outcome)
    }

    async fn charge_code(&self, request: &CodeRequest) -> GatewayAnswer {
        let outcome = self.call(&message::pay(request)).await;
        read::charged(&request.attempt_no, outcome)
    }

    async fn query(&self, attempt_no: &str) -> GatewayAnswer {
        let outcome = self.call(&message::query(attempt_no)).await;
        read::queried(attempt_no, outcome).recorded_when_scanned()
    }

    /// A code says itself when it ends, whenever it was asked for.
    async fn close(&self, attempt_no: &str, _asked_at: Option<Timestamp>) -> CloseAnswer {
        let outcome = self.call(&message::close(attempt_no)).await;
        let end = message::code_ends_at(&self.config, attempt_no);
        read::closed(attempt_no, outcome, end, self.surroundings.now())
    }

    async fn reverse(&self, attempt_no: &str, charged_at: Option<Timestamp>) -> ReverseAnswer {
        let outcome = self.call(&message::cancel(attempt_no)).await;
        read::reversed(attempt_no, outcome, charged_at, self.surroundings.now())
    }

    async fn refund(&self, request: &RefundRequest) -> RefundAnswer {
        let outcome = self.call(&message::refund(request)).await;
        read::refunded(request, outcome)
    }

    async fn query_refund(&self, query: &RefundQuery) -> RefundAnswer {
        let outcome = self.call(&message::refund_query(query)).await;
        read::refund_queried(query, outcome)
    }

    async fn fetch_bill(&self, request: &BillRequest) -> BillAnswer {
        let outcome = self.call(&message::bill_address(request.date)).await;
        let address = match read::bill_address(request.date, outcome, self.surroundings.now()) {
            Ok(address) => address,
            Err(answer) => return answer,
        };
        let mut download = http::Request::new(Bytes::new());
        *download.uri_mut() = address;
        download.extensions_mut().insert(AnswerLimit::BILL);
        let mut errand = Errand::new(ID, &self.transport);
        let file = errand.send("bill download", download).await;
        match file.and_then(errand::ok) {
            Ok(file) => match AlipayBill::read(file.body()).and_then(|bill| bill.lines()) {
                Ok(lines) => BillAnswer::Ready(lines),
                Err(error) => BillAnswer::Damaged(error.to_string()),
            },
            Err(cause) => BillAnswer::Unknown(cause),
        }
    }

    fn expiries(&self) -> Vec<Expiry> {
        self.keys.expiries()
    }

    fn parse_notice(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notice, NoticeError> {
        let charset = header_charset(content_type(headers));
        read::notice(
            &self.config,
            &self.keys,
            charset,
            body,
            self.surroundings.now(),
        )
    }

    /// Exactly the seven bytes `success`; anything else has the notice sent again.
    fn notice_response(&self, _: &[u8], receipt: NoticeReceipt) -> http::Response<Bytes> {
        http::Response::new(Bytes::from_static(match receipt {
            NoticeReceipt::Taken => b"success",
            NoticeReceipt::Refused => b"failure",
        }))
    }
}
