//! Where notices go.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use qiantai_pay::transport::HttpTransport;

/// Takes notices to merchants.
#[async_trait]
pub trait NoticeSink: Send + Sync {
    /// Delivers one signed notice, addressed to the merchant's `notify_url`.
    async fn deliver(&self, notice: http::Request<Bytes>) -> DeliveryOutcome;
}

/// What became of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The merchant answered with a 2xx status.
    Acknowledged,
    /// Anything else.
    Failed,
}

/// Sends notices by a transport: over the network, or to a router in the same process.
#[derive(Clone)]
pub struct TransportSink(pub Arc<dyn HttpTransport>);

#[async_trait]
impl NoticeSink for TransportSink {
    async fn deliver(&self, notice: http::Request<Bytes>) -> DeliveryOutcome {
        match self.0.send(notice).await {
            Ok(answer) if answer.status().is_success() => DeliveryOutcome::Acknowledged,
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
