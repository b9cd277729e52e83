//! Connections from the network: taken, encrypted if there is a door, read in bounded time, and
//! finished when the server is told to stop.

mod room;

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use openssl::ssl::Ssl;
use qiantai_core::ids::DeviceId;
use qiantai_core::operation::Hash;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_openssl::SslStream;
use tower::ServiceExt;

use crate::api::OwnAuthority;
use crate::db::LedgerError;
use crate::embedded::Server;
use crate::limits::{Limiters, Limits};
use crate::tls::Door;
pub use room::Room;

/// Longest time for the secret handshake of a connection.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// Longest time until the head of a request has come, counted from the answer before it: whoever
/// asks nothing for so long is cut, as is who sends a byte now and then.
pub const HEAD_MAX: Duration = Duration::from_secs(30);

/// Largest head of a request that is read, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1_024;

/// Pause after the operating system had no connection to give.
const AFTER_FAULT: Duration = Duration::from_secs(1);

impl Server {
    /// The HTTP interface for the network, where each side has its measure. `authority` is the
    /// certificate of the own authority, as DER.
    pub fn network_router(&self, limits: Limits, authority: Option<Vec<u8>>) -> Router {
        let limiters = Limiters::new(limits, self.tokens_now());
        let router = self.router().layer(Extension(Arc::new(limiters)));
        match authority {
            Some(certificate) => router.layer(Extension(OwnAuthority(certificate.into()))),
            None => router,
        }
    }

    /// Every token that the books hold. Without them each terminal is a stranger once.
    fn tokens_now(&self) -> HashMap<Hash, DeviceId> {
        let read = || -> Result<_, LedgerError> {
            let mut tokens = HashMap::new();
            for tenant in self.tenants()? {
                let of_tenant = self.ledger().tokens(tenant.id)?.into_iter();
                tokens.extend(of_tenant.map(|token| (token.token_hash, token.device)));
            }
            Ok(tokens)
        };
        read().unwrap_or_else(|error| {
            tracing::warn!(%error, "tokens cannot be read yet");
            HashMap::new()
        })
    }
}

/// Takes connections until `stop` is done, then waits for those that are open to finish what they
/// were asked. Dropped, it leaves open connections to themselves.
pub async fn serve(
    listener: TcpListener,
    door: Option<Arc<Door>>,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    serve_in(Room::default(), listener, door, router, stop).await;
}

/// The same, with room for other numbers of connections.
pub async fn serve_in(
    room: Room,
    listener: TcpListener,
    door: Option<Arc<Door>>,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    let (stop_sender, stopping) = watch::channel(false);
    let (open, is_open) = watch::channel(());
    tokio::pin!(stop);
    loop {
        let (stream, from) = tokio::select! {
            taken = take(&listener) => taken,
            () = &mut stop => break,
        };
        let Some(place) = room.take(from.ip()) else {
            continue;
        };
        let connection = Connection {
            from,
            router: router.clone(),
            stopping: stopping.clone(),
        };
        let (door, is_open) = (door.clone(), is_open.clone());
        tokio::spawn(async move {
            connection.serve(stream, door).await;
            drop((place, is_open));
        });
    }
    drop((listener, is_open));
    stop_sender.send_replace(true);
    open.closed().await;
}

async fn take(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    loop {
        match listener.accept().await {
            Ok(taken) => return taken,
            // Gone before it was taken.
            Err(error)
                if matches!(
                    error.kind(),
                    ConnectionAborted | ConnectionRefused | ConnectionReset
                ) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                tokio::time::sleep(AFTER_FAULT).await;
            }
        }
    }
}

struct Connection {
    from: SocketAddr,
    router: Router,
    stopping: watch::Receiver<bool>,
}

impl Connection {
    async fn serve(mut self, stream: TcpStream, door: Option<Arc<Door>>) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "small answers may wait");
        }
        let Some(door) = door else {
            return self.answer(stream).await;
        };
        let shaken = tokio::select! {
            shaken = tokio::time::timeout(HANDSHAKE_MAX, handshake(&door, stream)) => shaken,
            () = told(&mut self.stopping) => return,
        };
        match shaken {
            Ok(Ok(stream)) => self.answer(stream).await,
            Ok(Err(error)) => tracing::debug!(from = %self.from, %error, "no encrypted connection"),
            Err(_) => tracing::debug!(from = %self.from, "the handshake took too long"),
        }
    }

    async fn answer(&mut self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let (router, from) = (self.router.clone(), self.from);
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(from));
            let answer = router.clone().oneshot(request);
            async move { answer.await.map_err(|never: Infallible| never) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(HEAD_MAX)
            .max_buf_size(HEAD_BYTES_MAX);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = told(&mut self.stopping) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%from, %error, "a connection ended");
        }
    }
}

async fn told(stopping: &mut watch::Receiver<bool>) {
    // Its sender lives until every connection has ended.
    drop(stopping.wait_for(|stop| *stop).await);
}

async fn handshake(
    door: &Door,
    stream: TcpStream,
) -> Result<SslStream<TcpStream>, Box<dyn std::error::Error + Send + Sync>> {
    let ssl = Ssl::new(door.acceptor().context())?;
    let mut stream = SslStream::new(ssl, stream)?;
    std::pin::Pin::new(&mut stream).accept().await?;
    Ok(stream)
}
