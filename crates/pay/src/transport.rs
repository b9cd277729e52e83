//! The one place that touches the network.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use zeroize::Zeroizing;

use crate::crypto::{Certificate, CryptoError, PrivateKey};

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

/// The largest answer that is accepted, where a request carries one as an extension. Without,
/// [`AnswerLimit::MESSAGE`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerLimit(usize);

impl AnswerLimit {
    /// Messages have a few kilobytes.
    pub const MESSAGE: AnswerLimit = AnswerLimit(1024 * 1024);
    /// Bills have a line for each payment of a day.
    pub const BILL: AnswerLimit = AnswerLimit(32 * 1024 * 1024);
}

/// A certificate with its key that the connection shows to the gateway (mutual TLS), carried by a
/// request as an extension. `Debug` hides it.
#[derive(Clone)]
pub struct ClientIdentity(Arc<IdentityPem>);

struct IdentityPem {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl ClientIdentity {
    /// Takes a certificate and the key that belongs to it.
    pub fn new(certificate: &Certificate, key: &PrivateKey) -> Result<ClientIdentity, CryptoError> {
        Ok(ClientIdentity(Arc::new(IdentityPem {
            certificate: certificate.to_pem()?,
            key: key.to_pem()?,
        })))
    }

    /// The certificate in PEM, which the gateway gets to see.
    pub fn certificate_pem(&self) -> &[u8] {
        &self.0.certificate
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity(hidden)")
    }
}

/// Sends over the network by TLS 1.2 or later. Follows no redirects, and takes no proxy from the
/// environment: a payment goes to the configured address or nowhere.
#[derive(Clone, Debug)]
pub struct NetworkTransport {
    patience: Patience,
    client: reqwest::Client,
    /// Connections that showed a certificate are used for no other.
    identified: Arc<Mutex<BTreeMap<Vec<u8>, reqwest::Client>>>,
}

impl NetworkTransport {
    /// Fails only when the system's network library cannot start.
    pub fn new(patience: Patience) -> Result<NetworkTransport, NetworkUnavailable> {
        let client = builder(patience).build();
        Ok(NetworkTransport {
            patience,
            client: client.map_err(|error| NetworkUnavailable(error.to_string()))?,
            identified: Arc::default(),
        })
    }

    fn client_for(
        &self,
        identity: Option<&ClientIdentity>,
    ) -> Result<reqwest::Client, TransportError> {
        let Some(ClientIdentity(pem)) = identity else {
            return Ok(self.client.clone());
        };
        // The map is whole after each insertion, whatever panicked meanwhile.
        let mut identified = self
            .identified
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = identified.get(&pem.certificate) {
            return Ok(client.clone());
        }
        let client = reqwest::Identity::from_pkcs8_pem(&pem.certificate, &pem.key)
            .and_then(|identity| builder(self.patience).identity(identity).build())
            .map_err(|error| {
                tracing::error!(%error, "the client certificate cannot be used");
                TransportError::NotSent
            })?;
        identified.insert(pem.certificate.clone(), client.clone());
        Ok(client)
    }
}

fn builder(patience: Patience) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(patience.connect)
        .timeout(patience.answer)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .tls_backend_native()
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .user_agent(concat!("Qiantai/", env!("CARGO_PKG_VERSION")))
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
        let extensions = request.extensions();
        let AnswerLimit(limit) = extensions.get().copied().unwrap_or(AnswerLimit::MESSAGE);
        let client = self.client_for(extensions.get())?;
        let request = reqwest::Request::try_from(request).map_err(|error| cause_of(&error))?;
        let mut incoming = client
            .execute(request)
            .await
            .map_err(|error| cause_of(&error))?;
        let mut answer = http::Response::new(Bytes::new());
        *answer.status_mut() = incoming.status();
        *answer.headers_mut() = incoming.headers().clone();
        let mut body = BytesMut::new();
        while let Some(chunk) = incoming.chunk().await.map_err(|error| cause_of(&error))? {
            if body.len() + chunk.len() > limit {
                tracing::warn!(limit, "gateway answer too large");
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
