//! Requests to whichever server one authority signed for.
//!
//! A certificate is judged by its signature and not by its dates: those would be read against the
//! clock of this machine, and a till with an empty battery thinks that it is the year 2000. reqwest
//! can only leave out the dates together with the signature, so the connection is made here
//! (docs: adr 0025).

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use openssl::error::ErrorStack;
use openssl::ssl::{self, SslConnector, SslMethod, SslVersion};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_openssl::SslStream;
use tower::{Service, ServiceExt};

use super::http::{CONNECT_MAX, IDLE_MAX};
use super::{ByteStream, TransportError};

/// What OpenSSL says when the other side closes the connection in the middle
/// (`SSL_R_UNEXPECTED_EOF_WHILE_READING`).
const CLOSED_IN_THE_MIDDLE: i32 = 294;

/// A client of the servers of one authority, over HTTP/1.1.
#[derive(Clone, Debug)]
pub(super) struct PinnedClient(Client<Connector, Full<Bytes>>);

impl PinnedClient {
    /// A client that believes the authority with this certificate (DER) and no other.
    pub(super) fn new(authority: &[u8]) -> Result<PinnedClient, TransportError> {
        let authority = X509::from_der(authority).map_err(|_| TransportError::Untrusted)?;
        let believing = believing(authority).map_err(|_| TransportError::NotSent)?;
        let mut network = HttpConnector::new();
        network.enforce_http(false);
        network.set_nodelay(true);
        let connector = Connector { network, believing };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .build(connector);
        Ok(PinnedClient(client))
    }

    /// Sends a request to the address in it. The answer's head has come, its body comes.
    pub(super) async fn start(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<ByteStream>, TransportError> {
        let answer = self.0.request(request.map(Full::new)).await;
        let (head, body) = answer.map_err(|error| cause(&error))?.into_parts();
        let body = body.into_data_stream();
        let body = body.map_err(|_| TransportError::Interrupted).boxed();
        Ok(Response::from_parts(head, body))
    }
}

/// Verifies the chain to `authority`, and that its end is a server's certificate. Not judged are
/// the name, for the authority signs for one shop, and the dates.
fn believing(authority: X509) -> Result<SslConnector, ErrorStack> {
    let mut only = X509StoreBuilder::new()?;
    only.add_cert(authority)?;
    let mut connector = SslConnector::builder(SslMethod::tls_client())?;
    connector.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    connector.set_cert_store(only.build());
    connector
        .verify_param_mut()
        .set_flags(X509VerifyFlags::NO_CHECK_TIME)?;
    Ok(connector.build())
}

/// Makes connections on which the other side has proved itself.
#[derive(Clone, Debug)]
struct Connector {
    network: HttpConnector,
    believing: SslConnector,
}

impl Connector {
    async fn connect(self, address: Uri) -> Result<TokioIo<Proven>, TransportError> {
        let host = address.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let ssl = self
            .believing
            .configure()
            .and_then(|ssl| ssl.verify_hostname(false).into_ssl(host))
            .map_err(|_| TransportError::NotSent)?;
        let network = self.network.oneshot(address).await;
        let network = network.map_err(|_| TransportError::NotSent)?.into_inner();
        let stream = SslStream::new(ssl, network).map_err(|_| TransportError::NotSent)?;
        let mut stream = Box::pin(stream);
        match stream.as_mut().connect().await {
            Ok(()) => Ok(TokioIo::new(Proven(stream))),
            Err(error) if is_unproven(&error) => Err(TransportError::Untrusted),
            Err(_) => Err(TransportError::NotSent),
        }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Proven>;
    type Error = TransportError;
    type Future = BoxFuture<'static, Result<TokioIo<Proven>, TransportError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let connection = timeout(CONNECT_MAX, self.clone().connect(address));
        let connection = async { connection.await.unwrap_or(Err(TransportError::NotSent)) };
        connection.boxed()
    }
}

/// True when the other side was there and could not prove itself. A connection that broke while it
/// was about to is no proof of anything.
fn is_unproven(error: &ssl::Error) -> bool {
    error.ssl_error().is_some_and(|stack| {
        let mut errors = stack.errors().iter();
        !errors.any(|error| error.reason_code() == CLOSED_IN_THE_MIDDLE)
    })
}

fn cause(error: &Error) -> TransportError {
    let source = std::error::Error::source(error);
    let of_connector = source.and_then(|source| source.downcast_ref::<TransportError>());
    match of_connector {
        Some(cause) => *cause,
        None if error.is_connect() => TransportError::NotSent,
        None => TransportError::Interrupted,
    }
}

/// An encrypted connection to a server of the authority.
#[derive(Debug)]
struct Proven(Pin<Box<SslStream<TcpStream>>>);

impl Connection for Proven {
    fn connected(&self) -> Connected {
        self.0.get_ref().connected()
    }
}

impl AsyncRead for Proven {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.0.as_mut().poll_read(context, buffer)
    }
}

impl AsyncWrite for Proven {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.0.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.0.as_mut().poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.0.as_mut().poll_shutdown(context)
    }
}
