//! The UnionPay channel as the server uses it.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use qiantai_core::clock::Timestamp;
use zeroize::Zeroizing;

use super::message::{self, QUERY, Reference, TRANSACT};
use super::read::{self, Outcome};
use super::{ID, UnionpayConfig, is_merchant_id};
use crate::answer::{
    CloseAnswer, ConfigCause, GatewayAnswer, QrAnswer, RefundAnswer, ReverseAnswer, UnknownCause,
};
use crate::channel::{Channel, ChannelId, CodeRequest, QrRequest, RefundQuery, RefundRequest};
use crate::channels::errand::{self, Errand};
use crate::channels::exchange::{base_url, post, wrong};
use crate::credentials::Expiry;
use crate::crypto::{Certificate, KeyStore};
use crate::notice::{Notice, NoticeError, NoticeReceipt};
use crate::pairs::Pairs;
use crate::registry::OpenError;
use crate::surroundings::Surroundings;
use crate::transport::HttpTransport;

/// One merchant account at UnionPay.
pub struct UnionpayChannel {
    config: UnionpayConfig,
    keys: KeyStore,
    trusted: Vec<Certificate>,
    transport: Arc<dyn HttpTransport>,
    surroundings: Arc<dyn Surroundings>,
}

impl UnionpayChannel {
    /// Checks the settings; nothing is sent.
    pub fn new(
        mut config: UnionpayConfig,
        transport: Arc<dyn HttpTransport>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<UnionpayChannel, OpenError> {
        config.base_url = base_url(ID, &config.base_url)?;
        if !is_merchant_id(&config.merchant_id) {
            return Err(wrong(ID, "merchant_id must be fifteen digits and letters"));
        }
        let file = BASE64
            .decode(config.key_store.expose().trim())
            .map(Zeroizing::new)
            .map_err(|_| wrong(ID, "key_store is not base64"))?;
        let keys = KeyStore::from_pkcs12(&file, config.key_store_password.expose())
            .map_err(|error| wrong(ID, format!("key_store: {error}")))?;
        let trusted = Certificate::bundle(&config.trusted_certificates)
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| wrong(ID, format!("trusted_certificates: {error}")))?;
        if trusted.is_empty() {
            return Err(wrong(ID, "trusted_certificates holds no certificate"));
        }
        Ok(UnionpayChannel {
            config,
            keys,
            trusted,
            transport,
            surroundings,
        })
    }

    fn errand(&self) -> Errand<'_> {
        Errand::new(ID, &self.transport)
    }

    async fn call(
        &self,
        errand: &mut Errand<'_>,
        path: &str,
        at: &Reference,
        params: Pairs,
    ) -> Outcome {
        let params = message::signed(params, &self.keys).map_err(|error| {
            UnknownCause::Unreadable(format!("our request cannot be signed: {error}"))
        })?;
        let address = format!("{}{path}", self.config.base_url);
        let content_type = "application/x-www-form-urlencoded;charset=UTF-8";
        let request = post(&address, content_type, params.to_form());
        let answer = errand::ok(errand.send(path, request).await?)?;
        let now = self.surroundings.now();
        read::answer(&self.config, &self.trusted, at, answer.body(), now)
    }

    async fn standing(&self, errand: &mut Errand<'_>, at: &Reference) -> GatewayAnswer {
        let params = message::query(&self.config, at);
        read::queried(&self.call(errand, QUERY, at, params).await)
    }
}

/// A number of ours always has its time; a number from elsewhere cannot be used here.
fn reference(number: &str) -> Result<Reference, ConfigCause> {
    Reference::of(number).ok_or_else(|| {
        let problem = "UnionPay needs a number of 8 to 40 letters and digits with its time";
        ConfigCause::BadRequest(problem.to_owned())
    })
}

#[async_trait]
impl Channel for UnionpayChannel {
    fn id(&self) -> ChannelId {
        ID
    }

    async fn create_qr(&self, request: &QrRequest) -> QrAnswer {
        match reference(&request.attempt_no) {
            Ok(at) => {
                let mut errand = self.errand();
                let params = message::qr(&self.config, &at, request);
                read::created(&self.call(&mut errand, TRANSACT, &at, params).await)
            }
            Err(cause) => QrAnswer::ConfigError(cause),
        }
    }

    async fn charge_code(&self, request: &CodeRequest) -> GatewayAnswer {
        let at = match reference(&request.attempt_no) {
            Ok(at) => at,
            Err(cause) => return GatewayAnswer::ConfigError(cause),
        };
        let mut errand = self.errand();
        let params = message::charge(&self.config, &at, request);
        match read::charged(&self.call(&mut errand, TRANSACT, &at, params).await) {
            Some(answer) => answer,
            None => self.standing(&mut errand, &at).await,
        }
    }

    async fn query(&self, attempt_no: &str) -> GatewayAnswer {
        match reference(attempt_no) {
            Ok(at) => {
                let standing = self.standing(&mut self.errand(), &at).await;
                standing.recorded_when_scanned()
            }
            Err(cause) => GatewayAnswer::ConfigError(cause),
        }
    }

    /// A code says itself when it ends, whenever it was asked for.
    async fn close(&self, attempt_no: &str, _asked_at: Option<Timestamp>) -> CloseAnswer {
        match reference(attempt_no) {
            Ok(at) => {
                let standing = self.standing(&mut self.errand(), &at).await;
                let end = at.code_ends_at(&self.config);
                read::closed(standing, end, self.surroundings.now())
            }
            Err(cause) => CloseAnswer::ConfigError(cause),
        }
    }

    async fn reverse(&self, attempt_no: &str, charged_at: Option<Timestamp>) -> ReverseAnswer {
        let at = match reference(attempt_no) {
            Ok(at) => at,
            Err(cause) => return ReverseAnswer::ConfigError(cause),
        };
        let mut errand = self.errand();
        let standing = self.standing(&mut errand, &at).await;
        let charged_at = charged_at.unwrap_or(at.txn_time);
        let now = self.surroundings.now();
        let paid = match read::nothing_to_cancel(standing, charged_at, now) {
            Ok(paid) => paid,
            Err(answer) => return answer,
        };
        let reversal = at.reversal();
        let query_id = &paid.channel_txn_no;
        let params = message::cancel(&self.config, &reversal, query_id, paid.amount);
        let sent = read::of_call(&self.call(&mut errand, TRANSACT, &reversal, params).await);
        read::cancelled(sent, self.standing(&mut errand, &reversal).await)
    }

    async fn refund(&self, request: &RefundRequest) -> RefundAnswer {
        let (at, back) = match (
            reference(&request.attempt_no),
            reference(&request.refund_no),
        ) {
            (Ok(at), Ok(back)) => (at, back),
            (Err(cause), _) | (_, Err(cause)) => return RefundAnswer::ConfigError(cause),
        };
        let mut errand = self.errand();
        let query_id = match &request.channel_txn_no {
            Some(number) => number.clone(),
            None => match read::refundable(self.standing(&mut errand, &at).await) {
                Ok(paid) => paid.channel_txn_no,
                Err(answer) => return answer,
            },
        };
        let params = message::refund(&self.config, &back, &query_id, request);
        let sent = read::of_call(&self.call(&mut errand, TRANSACT, &back, params).await);
        match read::refund_refused(sent) {
            Some(answer) => answer,
            None => read::refund_queried(self.standing(&mut errand, &back).await),
        }
    }

    async fn query_refund(&self, query: &RefundQuery) -> RefundAnswer {
        match reference(&query.refund_no) {
            Ok(back) => {
                let standing = self.standing(&mut self.errand(), &back).await;
                read::refund_queried(standing)
            }
            Err(cause) => RefundAnswer::ConfigError(cause),
        }
    }

    fn expiries(&self) -> Vec<Expiry> {
        let trusted = self.trusted.iter().map(|certificate| Expiry {
            credential: "trusted_certificates".to_owned(),
            at: certificate.not_after(),
        });
        let own = Expiry {
            credential: "key_store".to_owned(),
            at: self.keys.certificate.not_after(),
        };
        std::iter::once(own).chain(trusted).collect()
    }

    fn parse_notice(&self, _headers: &HeaderMap, body: &[u8]) -> Result<Notice, NoticeError> {
        read::notice(&self.config, &self.trusted, body, self.surroundings.now())
    }

    fn notice_response(&self, _: &[u8], receipt: NoticeReceipt) -> http::Response<Bytes> {
        let mut response = http::Response::new(Bytes::new());
        *response.status_mut() = match receipt {
            NoticeReceipt::Taken => StatusCode::OK,
            NoticeReceipt::Refused => StatusCode::SERVICE_UNAVAILABLE,
        };
        response
    }
}
