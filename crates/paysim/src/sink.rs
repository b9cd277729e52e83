//! Where notices go.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;
use qiantai_pay::channels::wechat::v2::read_xml;
use qiantai_pay::transport::HttpTransport;

use crate::gateway::Acknowledgement;

/// Takes notices to merchants.
#[async_trait]
pub trait NoticeSink: Send + Sync {
    /// Delivers one signed notice, addressed to the merchant's `notify_url`.
    async fn deliver(&self, notice: http::Request<Bytes>) -> DeliveryOutcome;
}

/// What became of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The merchant answered as the protocol wants it.
    Acknowledged,
    /// Anything else.
    Failed,
}

impl Acknowledgement {
    /// True when the merchant answered so.
    pub fn is_met_by(self, answer: &http::Response<Bytes>) -> bool {
        match self {
            Acknowledgement::Status => answer.status().is_success(),
            Acknowledgement::Body(text) => {
                answer.status() == StatusCode::OK && answer.body() == text.as_bytes()
            }
            Acknowledgement::Xml(name, value) => {
                let said = read_xml(answer.body()).unwrap_or_default();
                let is_said = said.get(name).is_some_and(|said| said == value);
                answer.status() == StatusCode::OK && is_said
            }
        }
    }
}

/// Sends notices by a transport: over the network, or to a router in the same process.
#[derive(Clone)]
pub struct TransportSink(pub Arc<dyn HttpTransport>);

#[async_trait]
impl NoticeSink for TransportSink {
    async fn deliver(&self, notice: http::Request<Bytes>) -> DeliveryOutcome {
        let expected = notice.extensions().get().copied();
        let expected = expected.unwrap_or(Acknowledgement::Status);
        match self.0.send(notice).await {
            Ok(answer) if expected.is_met_by(&answer) => DeliveryOutcome::Acknowledged,
            Ok(answer) => {
                tracing::debug!(status = answer.status().as_u16(), "notice refused");
                DeliveryOutcome::Failed
            }
            Err(error) => {
                tracing::debug!(%error, "notice not delivered");
                DeliveryOutcome::Failed
            }
        }
    }
}

/// Any async function of the notice is a sink.
#[async_trait]
impl<F, Fut> NoticeSink for F
where
    F: Fn(http::Request<Bytes>) -> Fut + Send + Sync,
    Fut: Future<Output = DeliveryOutcome> + Send,
{
    async fn deliver(&self, notice: http::Request<Bytes>) -> DeliveryOutcome {
        self(notice).await
    }
}
