//! The gateway and the phone page on HTTP.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use bytes::Bytes;
use qiantai_core::clock::{Millis, Timestamp};
use tokio::net::TcpListener;

use crate::gateway::{Gateway, Operation};
use crate::phone;
use crate::protocols::training::{self, ROUTES};
use crate::protocols::{Reply, Timing, alipay, shouqianba, unionpay, wechat};
use crate::simulator::Simulator;
use crate::tls::{Front, ShownCertificate, TlsListener};

const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// A connection that is never answered is dropped after this long.
const HOLD_MAX: Duration = Duration::from_secs(60);

/// The paths of every protocol and the phone page of one simulator.
pub fn router(simulator: Simulator) -> Router {
    training_router(simulator.clone())
        .merge(official(&simulator, &wechat::PATHS, wechat::answer))
        .merge(official(&simulator, &alipay::PATHS, alipay::answer))
        .merge(official(&simulator, &unionpay::PATHS, unionpay::answer))
        .merge(official(&simulator, &shouqianba::PATHS, shouqianba::answer))
        .merge(phone::router(simulator))
}

fn training_router(simulator: Simulator) -> Router {
    let mut router = Router::new();
    for (path, operation) in ROUTES {
        let answer = move |State(simulator): State<Simulator>, headers: HeaderMap, body: Bytes| {
            practice(simulator, path, operation, headers, body)
        };
        router = router.route(path, post(answer));
    }
    router
        .layer(DefaultBodyLimit::max(MESSAGE_BYTES_MAX))
        .with_state(simulator)
}

async fn practice(
    simulator: Simulator,
    path: &'static str,
    operation: Operation,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answer = move |gateway: &mut Gateway, now: Timestamp| {
        training::answer(gateway, path, operation, &headers, &body, now)
    };
    given(heard(&simulator, answer)).await
}

/// Answers a whole request: its signature covers method, path and query as they came.
type Answer = fn(&mut Gateway, &http::Request<Bytes>, Timestamp) -> Reply;

fn official(simulator: &Simulator, paths: &[&str], answer: Answer) -> Router {
    let handler = move |State(simulator): State<Simulator>, request: Request| async move {
        let (head, body) = request.into_parts();
        let Ok(body) = to_bytes(body, MESSAGE_BYTES_MAX).await else {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        };
        let request = http::Request::from_parts(head, body);
        let answer = move |gateway: &mut Gateway, now: Timestamp| answer(gateway, &request, now);
        given(heard(&simulator, answer)).await
    };
    let mut router = Router::new();
    for path in paths {
        router = router.route(path, any(handler));
    }
    router.with_state(simulator.clone())
}

/// Lets the gateway answer a request, now or when it arrives.
fn heard(
    simulator: &Simulator,
    answer: impl Fn(&mut Gateway, Timestamp) -> Reply + Send + Sync + 'static,
) -> Reply {
    simulator.with(|gateway, now| {
        let reply = answer(gateway, now);
        if let Timing::NotArrived(delay_ms) = reply.timing {
            let delay = Millis(i64::try_from(delay_ms).unwrap_or(i64::MAX));
            gateway.hold_back(now + delay, move |gateway, at| drop(answer(gateway, at)));
        }
        reply
    })
}

async fn given(reply: Reply) -> Response {
    let Reply { response, timing } = reply;
    match timing {
        Timing::AtOnce => {}
        Timing::AfterMs(delay_ms) => tokio::time::sleep(Duration::from_millis(delay_ms)).await,
        Timing::Never | Timing::NotArrived(_) => tokio::time::sleep(HOLD_MAX).await,
        Timing::Cut => return cut(),
    }
    response.map(Body::from)
}

/// An answer that breaks off before its first byte of content.
fn cut() -> Response {
    let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let body = futures::stream::iter([Err::<Bytes, _>(broken)]);
    Response::new(Body::from_stream(body))
}

/// A listener, and the address it got. Refuses addresses that other machines can reach, unless
/// `remote_allowed`: whoever reaches the gateway can play with it.
pub async fn listen(
    address: SocketAddr,
    remote_allowed: bool,
) -> Result<(TcpListener, SocketAddr), ListenError> {
    if !address.ip().is_loopback() && !remote_allowed {
        return Err(ListenError::NotLoopback(address));
    }
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

/// Why the gateway cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Other machines could reach it.
    #[error("{0} can be reached by other machines; allow that explicitly or use 127.0.0.1")]
    NotLoopback(SocketAddr),
    /// The system refuses.
    #[error("cannot listen: {0}")]
    Socket(#[from] std::io::Error),
}

/// Serves until `stop` is done, then finishes the answers under way.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router)
        .with_graceful_shutdown(stop)
        .await
}

/// The same behind TLS. Clients may show a certificate; who must is a protocol's matter.
pub async fn serve_tls(
    listener: TcpListener,
    router: Router,
    front: Front,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let listener = TlsListener::over(listener, front)?;
    let service = router.into_make_service_with_connect_info::<ShownCertificate>();
    axum::serve(listener, service)
        .with_graceful_shutdown(stop)
        .await
}
