//! The ways to a server: in this process, or elsewhere.

use std::sync::Arc;

use axum::Router;
use qiantai_core::{Millis, Timestamp};
use qiantai_counter::boot::{Known, Link};
use qiantai_counter::view::boot::TroubleCause;
use qiantai_sync::transport::{HttpTransport, InProcessTransport, Trust, introduce};
use qiantai_sync::{CallFailed, Client, Transport, TransportError};
use qiantai_wire::ErrorCode;
use qiantai_wire::api::{JoinAnswer, JoinRequest};
use qiantai_wire::enrol::{EnrolCode, ServerPlace};
use qiantai_wire::text::{Base64, Hex};

/// A code that this machine's clock calls older than this is not sent: below it the server's clock
/// decides, which is the better one.
const CLOCK_OFF_MAX: Millis = Millis::days(1);

/// Longest name of a terminal, in characters.
const NAME_LENGTH_MAX: usize = 40;

/// What the program was started with.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// Where the server is now.
    pub server: Option<&'a str>,
    /// The enrolment code.
    pub code: Option<&'a str>,
}

/// The way to a server in this process, without a socket.
pub fn in_process(router: Router) -> Arc<dyn Transport> {
    Arc::new(InProcessTransport::<Router, axum::body::Body>::new(router))
}

/// The way to the shop's server, joining it if this terminal has not joined.
///
/// # Errors
/// What the window says in place of the counter.
pub async fn link(
    told: Told<'_>,
    known: Known,
    public_key: [u8; 32],
    now: Timestamp,
) -> Result<Link, TroubleCause> {
    let (joined, mut place) = match (known.joined, told.code) {
        (Some(joined), _) => (Some(joined), known.server),
        (None, None) => return Err(TroubleCause::NotJoined),
        (None, Some(code)) => return enrol(told.server, code, public_key, now).await,
    };
    if let Some(url) = told.server {
        place = Some(moved(place, url));
    }
    let (Some(joined), Some(place)) = (joined, place) else {
        tracing::error!("this terminal joined before servers were remembered; give --server");
        return Err(TroubleCause::ServerUnreachable);
    };
    Ok(Link {
        transport: to(&place)?,
        joined,
        server: Some(place),
        training: None,
        books_here: false,
    })
}

/// Joins the shop of the code. Nothing that is secret is sent before the server has proved itself.
async fn enrol(
    server: Option<&str>,
    code: &str,
    public_key: [u8; 32],
    now: Timestamp,
) -> Result<Link, TroubleCause> {
    let code: EnrolCode = code.parse().map_err(|error| {
        tracing::error!(%error, "the enrolment code");
        TroubleCause::CodeUnreadable
    })?;
    if now - code.expires_at > CLOCK_OFF_MAX {
        return Err(TroubleCause::CodeExpired);
    }
    let url = server.unwrap_or(&code.server).to_owned();
    let authority = match &code.authority {
        None => None,
        Some(fingerprint) => {
            let met = introduce(&url, fingerprint).await;
            Some(Base64(met.map_err(|error| not_met(&error))?))
        }
    };
    let place = ServerPlace { url, authority };
    let transport = to(&place)?;
    let joined = ask_to_join(Arc::clone(&transport), code.invite(), public_key).await?;
    Ok(Link {
        transport,
        joined,
        server: Some(place),
        training: None,
        books_here: false,
    })
}

/// The server at another address. One that proved itself does so there too.
fn moved(place: Option<ServerPlace>, url: &str) -> ServerPlace {
    ServerPlace {
        url: url.to_owned(),
        authority: place.and_then(|place| place.authority),
    }
}

fn to(place: &ServerPlace) -> Result<Arc<dyn Transport>, TroubleCause> {
    let trust = match &place.authority {
        None => Trust::Machine,
        Some(authority) => Trust::Authority(authority.0.clone()),
    };
    let transport = HttpTransport::new(&place.url, &trust).map_err(|error| {
        tracing::error!(%error, url = place.url, "address of the server");
        match error {
            TransportError::Untrusted => TroubleCause::ServerUntrusted,
            _ => TroubleCause::ServerUnreachable,
        }
    })?;
    Ok(Arc::new(transport))
}

async fn ask_to_join(
    transport: Arc<dyn Transport>,
    invite: String,
    public_key: [u8; 32],
) -> Result<JoinAnswer, TroubleCause> {
    let name = std::env::var("HOSTNAME").unwrap_or_else(|_| std::env::consts::OS.to_owned());
    let request = JoinRequest {
        invite,
        public_key: Hex(public_key),
        name: name.chars().take(NAME_LENGTH_MAX).collect(),
    };
    let joined = Client::new(transport).join(&request).await;
    joined.map_err(|error| {
        tracing::error!(%error, "joining the shop");
        match &error {
            CallFailed::Refused(refusal) => match refusal.error_code() {
                Some(ErrorCode::InviteUsed) => TroubleCause::CodeUsed,
                Some(ErrorCode::InviteExpired) => TroubleCause::CodeExpired,
                Some(ErrorCode::InviteInvalid) => TroubleCause::CodeForeign,
                _ => TroubleCause::ServerUnreachable,
            },
            CallFailed::Transport(TransportError::Untrusted) => TroubleCause::ServerUntrusted,
            CallFailed::Transport(_) | CallFailed::Unreadable { .. } => {
                TroubleCause::ServerUnreachable
            }
        }
    })
}

/// Why the server of the code was not met. A server that names no authority is not that of a code
/// which names one.
fn not_met(error: &CallFailed) -> TroubleCause {
    tracing::error!(%error, "meeting the server of the enrolment code");
    match error {
        CallFailed::Transport(TransportError::Untrusted) => TroubleCause::ServerUntrusted,
        CallFailed::Refused(refusal) if refusal.error_code() == Some(ErrorCode::NotFound) => {
            TroubleCause::ServerUntrusted
        }
        CallFailed::Refused(_) | CallFailed::Transport(_) | CallFailed::Unreadable { .. } => {
            TroubleCause::ServerUnreachable
        }
    }
}
