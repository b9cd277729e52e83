//! The gateway and the phone page on HTTP.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;
use tokio::net::TcpListener;

use crate::gateway::Operation;
use crate::phone;
use crate::protocol::{self, ROUTES, Reply, Timing};
use crate::simulator::Simulator;

const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// A connection that is never answered is dropped after this long.
const HOLD_MAX: Duration = Duration::from_secs(60);

/// The protocol's paths and the phone page of one simulator.
pub fn router(simulator: Simulator) -> Router {
    gateway_router(simulator.clone()).merge(phone::router(simulator))
}

fn gateway_router(simulator: Simulator) -> Router {
    let mut router = Router::new();
    for (path, operation) in ROUTES {
        let answer = move |State(simulator): State<Simulator>, headers: HeaderMap, body: Bytes| {
            answer(simulator, path, operation, headers, body)
        };
        router = router.route(path, post(answer));
    }
    router
        .layer(DefaultBodyLimit::max(MESSAGE_BYTES_MAX))
        .with_state(simulator)
}

async fn answer(
    simulator: Simulator,
    path: &'static str,
    operation: Operation,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Reply { response, timing } = simulator
        .with(|gateway, now| protocol::answer(gateway, path, operation, &headers, &body, now));
    match timing {
        Timing::AtOnce => {}
        Timing::AfterMs(delay_ms) => tokio::time::sleep(Duration::from_millis(delay_ms)).await,
        Timing::Never => tokio::time::sleep(HOLD_MAX).await,
    }
    response.map(Body::from)
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
