//! The one place that touches the network.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

/// Sends one HTTP request to a gateway. Implemented by [`NetworkTransport`] and, in process, by
/// anything that can answer a request.
#[async_trait]
pub trait HttpTransport: Send + Sync {
    /// Sends the request and waits for the whole answer. Every status is an answer.
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError>;
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No byte of the request left: no address, no connection, no TLS.
    #[error("not sent: no connection to the gateway")]
    NotSent,
    /// Sent, no whole answer in time.
    #[error("no answer in time")]
    Timeout,
    /// Sent, then the connection broke or the answer was not acceptable HTTP.
    #[error("the connection broke")]
    Broken,
}

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For the connection.
    pub connect: Duration,
    /// For the whole exchange, connection included.
    pub answer: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            connect: Duration::from_secs(3),
            answer: Duration::from_secs(10),
        }
    }
}

/// Largest answer accepted; gateway answers are a few kilobytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Sends over the network. Follows no redirects, and takes no proxy from the environment: a
/// payment goes to the configured address or nowhere.
#[derive(Clone, Debug)]
pub struct NetworkTransport {
    client: reqwest::Client,
}

impl NetworkTransport {
    /// Fails only when the system's network library cannot start.
    pub fn new(patience: Patience) -> Result<NetworkTransport, NetworkUnavailable> {
        let client = reqwest::Client::builder()
            .connect_timeout(patience.connect)
            .timeout(patience.answer)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("Qiantai/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| NetworkUnavailable(error.to_string()))?;
        Ok(NetworkTransport { client })
    }
}

/// The system's network library cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the network cannot be used: {0}")]
pub struct NetworkUnavailable(String);

#[async_trait]
impl HttpTransport for NetworkTransport {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let request = reqwest::Request::try_from(request).map_err(|error| cause_of(&error))?;
        let mut incoming = self
            .client
            .execute(request)
            .await
            .map_err(|error| cause_of(&error))?;
        let mut answer = http::Response::new(Bytes::new());
        *answer.status_mut() = incoming.status();
        *answer.headers_mut() = incoming.headers().clone();
        let mut body = BytesMut::new();
        while let Some(chunk) = incoming.chunk().await.map_err(|error| cause_of(&error))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                tracing::warn!(limit = ANSWER_BYTES_MAX, "gateway answer too large");
                return Err(TransportError::Broken);
            }
            body.extend_from_slice(&chunk);
        }
        *answer.body_mut() = body.freeze();
        Ok(answer)
    }
}

fn cause_of(error: &reqwest::Error) -> TransportError {
    // A connection that timed out is both; then nothing was sent, so this order matters.
    if error.is_builder() || error.is_connect() {
        TransportError::NotSent
    } else if error.is_timeout() {
        TransportError::Timeout
    } else {
        TransportError::Broken
    }
}
