//! The network. Only this folder sees reqwest.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, stream};
use http::{Request, Response, Uri};
use qiantai_wire::api::EVENTS_SILENCE_MAX;
use tokio::time::timeout;

use super::pinned::PinnedClient;
use super::{ANSWER_MAX, ByteStream, Transport, TransportError, Trust};

pub(super) const CONNECT_MAX: Duration = Duration::from_secs(5);
pub(super) const ANSWER_WAIT_MAX: Duration = Duration::from_secs(20);

/// Shorter than the server waits, so that no request goes out on a connection just being cut.
pub(super) const IDLE_MAX: Duration = Duration::from_secs(20);

/// Longest address that is taken from a server.
const ADDRESS_MAX: usize = 512;

/// Requests over HTTP/1.1.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    client: Client,
    base: String,
}

/// By whom the server must be believed.
#[derive(Clone, Debug)]
enum Client {
    Machine(reqwest::Client),
    Pinned(PinnedClient),
}

impl HttpTransport {
    /// A transport to the server at `base`, such as `https://192.168.1.10:7810`, which must prove
    /// itself as `trust` says. Where the machine decides and the address begins with `http://`,
    /// nothing is encrypted and nothing proved.
    ///
    /// # Errors
    /// [`TransportError::NotSent`] when `base` is no address with scheme and host, or the
    /// machine's network set-up cannot be read; [`TransportError::Untrusted`] when the authority
    /// is no certificate, or the address is not one at which a server proves itself.
    pub fn new(base: &str, trust: &Trust) -> Result<HttpTransport, TransportError> {
        let base = HttpTransport::base(base)?;
        let client = match trust {
            Trust::Machine => {
                let client = builder().build().map_err(|_| TransportError::NotSent)?;
                Client::Machine(client)
            }
            Trust::Authority(_) if !is_encrypted(&base) => return Err(TransportError::Untrusted),
            Trust::Authority(certificate) => Client::Pinned(PinnedClient::new(certificate)?),
        };
        Ok(HttpTransport { client, base })
    }

    /// The way to an address that a server named, believed as the server here is: it must be
    /// encrypted if this one is, and bear nothing but scheme, host, port and path.
    ///
    /// # Errors
    /// [`TransportError::NotSent`] when nothing can be sent to it, [`TransportError::Untrusted`]
    /// when nothing may.
    pub(super) fn at(&self, address: &str) -> Result<HttpTransport, TransportError> {
        let is_short = address.len() <= ADDRESS_MAX;
        if !is_short || address.contains(['@', '?', '#']) {
            return Err(TransportError::NotSent);
        }
        let base = HttpTransport::base(address)?;
        if is_encrypted(&self.base) && !is_encrypted(&base) {
            return Err(TransportError::Untrusted);
        }
        let client = self.client.clone();
        Ok(HttpTransport { client, base })
    }

    /// Where it goes.
    pub(super) fn base_url(&self) -> &str {
        &self.base
    }

    /// The address without what may follow host and port.
    pub(super) fn base(base: &str) -> Result<String, TransportError> {
        let uri: Uri = base.parse().map_err(|_| TransportError::NotSent)?;
        if uri.scheme().is_none() || uri.host().is_none() {
            return Err(TransportError::NotSent);
        }
        Ok(base.trim_end_matches('/').to_owned())
    }

    async fn start(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let (mut parts, body) = request.into_parts();
        let address = format!("{}{}", self.base, parts.uri);
        match &self.client {
            Client::Machine(client) => {
                let request = client.request(parts.method, address);
                let request = request.headers(parts.headers).body(body);
                let answer = request.send().await.map_err(|error| cause(&error))?;
                let head = with_head_of(&answer, ());
                let body = answer.bytes_stream().map_err(|error| cause(&error));
                Ok(head.map(|()| body.boxed()))
            }
            Client::Pinned(client) => {
                parts.uri = address.parse().map_err(|_| TransportError::NotSent)?;
                client.start(Request::from_parts(parts, body)).await
            }
        }
    }

    async fn whole(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let (head, mut chunks) = self.start(request).await?.into_parts();
        let mut body = BytesMut::new();
        while let Some(chunk) = chunks.try_next().await? {
            if body.len() + chunk.len() > ANSWER_MAX {
                return Err(TransportError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response::from_parts(head, body.freeze()))
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let answered = timeout(ANSWER_WAIT_MAX, self.whole(request)).await;
        answered.unwrap_or(Err(TransportError::Timeout))
    }

    async fn stream(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<ByteStream>, TransportError> {
        let started = timeout(ANSWER_WAIT_MAX, self.start(request)).await;
        let answer = started.map_err(|_| TransportError::Timeout)??;
        Ok(answer.map(heartbeat))
    }
}

fn is_encrypted(base: &str) -> bool {
    base.starts_with("https://")
}

/// `body` until it ends or falls silent.
fn heartbeat(body: ByteStream) -> ByteStream {
    let beats = stream::unfold(Some(body), |body| async {
        let mut body = body?;
        match timeout(EVENTS_SILENCE_MAX, body.next()).await {
            Ok(chunk) => Some((chunk?, Some(body))),
            Err(_) => Some((Err(TransportError::Timeout), None)),
        }
    });
    beats.boxed()
}

fn with_head_of<B>(answer: &reqwest::Response, body: B) -> Response<B> {
    let mut response = Response::new(body);
    *response.status_mut() = answer.status();
    response.headers_mut().clone_from(answer.headers());
    response
}

/// What every way to a server has in common.
pub(super) fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_MAX)
        .pool_idle_timeout(IDLE_MAX)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
}

pub(super) fn cause(error: &reqwest::Error) -> TransportError {
    if error.is_connect() && is_unproven(error) {
        TransportError::Untrusted
    } else if error.is_connect() || error.is_builder() {
        TransportError::NotSent
    } else if error.is_timeout() {
        TransportError::Timeout
    } else {
        TransportError::Interrupted
    }
}

/// True when the other side was there and could not prove itself. A connection that broke while it
/// was about to is no proof of anything.
fn is_unproven(error: &reqwest::Error) -> bool {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    let causes: Vec<_> = causes.collect();
    let of_tls = causes
        .iter()
        .rposition(|cause| cause.is::<native_tls::Error>());
    of_tls.is_some_and(|place| {
        !causes[place..]
            .iter()
            .any(|cause| cause.is::<std::io::Error>())
    })
}
