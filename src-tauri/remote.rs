//! The ways to a server: in this process, or elsewhere.

use std::sync::Arc;

use axum::Router;
use qiantai_counter::boot::Link;
use qiantai_counter::view::boot::TroubleCause;
use qiantai_sync::transport::{HttpTransport, InProcessTransport};
use qiantai_sync::{CallFailed, Client, Transport};
use qiantai_wire::api::{JoinAnswer, JoinRequest};
use qiantai_wire::text::Hex;

/// The way to a server in this process, without a socket.
pub fn in_process(router: Router) -> Arc<dyn Transport> {
    Arc::new(InProcessTransport::<Router, axum::body::Body>::new(router))
}

/// The way to the server at `url`, and joining it with `invite` if this terminal has not joined.
///
/// # Errors
/// What the window says in place of the counter.
pub async fn join(
    url: &str,
    invite: Option<&str>,
    joined: Option<JoinAnswer>,
    public_key: [u8; 32],
) -> Result<Link, TroubleCause> {
    let transport: Arc<dyn Transport> = Arc::new(HttpTransport::new(url).map_err(|error| {
        tracing::error!(%error, "address of the server");
        TroubleCause::ServerUnreachable
    })?);
    let joined = match joined {
        Some(joined) => joined,
        None => ask_to_join(Arc::clone(&transport), invite, public_key).await?,
    };
    Ok(Link {
        transport,
        joined,
        training: None,
    })
}

async fn ask_to_join(
    transport: Arc<dyn Transport>,
    invite: Option<&str>,
    public_key: [u8; 32],
) -> Result<JoinAnswer, TroubleCause> {
    let invite = invite.ok_or(TroubleCause::NotJoined)?.to_owned();
    let name = std::env::var("HOSTNAME").unwrap_or_else(|_| std::env::consts::OS.to_owned());
    let request = JoinRequest {
        invite,
        public_key: Hex(public_key),
        name,
    };
    Client::new(transport)
        .join(&request)
        .await
        .map_err(|error| {
            tracing::error!(%error, "joining the shop");
            match error {
                CallFailed::Refused(_) => TroubleCause::NotJoined,
                CallFailed::Transport(_) | CallFailed::Unreadable { .. } => {
                    TroubleCause::ServerUnreachable
                }
            }
        })
}
