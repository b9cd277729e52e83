//! The ways to a server: in this process, or elsewhere.

use std::sync::Arc;

use axum::Router;
use qiantai_core::{Millis, Timestamp};
use qiantai_counter::boot::{Known, Link};
use qiantai_counter::view::boot::TroubleCause;
use qiantai_sync::transport::{
    FollowingTransport, HttpTransport, InProcessTransport, Trust, introduce,
};
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
    let Some(joined) = known.joined else {
        let code = told.code.ok_or(TroubleCause::NotJoined)?;
        return enrol(told.server, &read(code, now)?, (public_key, None)).await;
    };
    let mut place = known.server;
    if let Some(url) = told.server {
        place = Some(moved(place, url));
    }
    let Some(place) = place else {
        tracing::error!("this terminal joined before servers were remembered; give --server");
        return Err(TroubleCause::ServerUnreachable);
    };
    let transport = to(&place)?;
    // A code of another day stands in many a starter, and is no reason not to open the counter.
    if let Some(code) = told.code.and_then(|code| read(code, now).ok())
        && is_forgotten(&transport, &joined).await
    {
        return join_again(told.server, &code, public_key, &joined).await;
    }
    Ok(Link {
        transport,
        joined,
        server: Some(place),
        training: None,
        books_here: false,
    })
}

/// The code, unless it is of another day.
fn read(code: &str, now: Timestamp) -> Result<EnrolCode, TroubleCause> {
    let code: EnrolCode = code.parse().map_err(|error| {
        tracing::error!(%error, "the enrolment code");
        TroubleCause::CodeUnreadable
    })?;
    match now - code.expires_at > CLOCK_OFF_MAX {
        true => Err(TroubleCause::CodeExpired),
        false => Ok(code),
    }
}

/// Whether the server is there and does not know this terminal: its books were restored from before
/// the terminal joined.
async fn is_forgotten(transport: &Arc<dyn Transport>, joined: &JoinAnswer) -> bool {
    let client = Client::new(Arc::clone(transport)).with_token(&joined.token);
    match client.terminals().await {
        Err(CallFailed::Refused(refusal)) => refusal.error_code() == Some(ErrorCode::Unauthorised),
        Ok(_) | Err(CallFailed::Transport(_) | CallFailed::Unreadable { .. }) => false,
    }
}

/// Joins a shop whose books have forgotten this terminal. It must be the same device again, or what
/// it has written would be another's.
async fn join_again(
    server: Option<&str>,
    code: &EnrolCode,
    public_key: [u8; 32],
    before: &JoinAnswer,
) -> Result<Link, TroubleCause> {
    let had = Some(before.terminal_code.clone());
    let link = enrol(server, code, (public_key, had)).await?;
    let who = |answer: &JoinAnswer| (answer.tenant, answer.store, answer.device);
    if who(&link.joined) != who(before) {
        tracing::error!(was = %before.device, is = %link.joined.device, "the code is of another store");
        return Err(TroubleCause::CodeForeign);
    }
    tracing::info!(device = %before.device, "joined again; everything is sent again");
    Ok(link)
}

/// Joins the shop of the code, with key and the terminal code that it had there before. Nothing that is
/// secret is sent before the server has proved itself.
async fn enrol(
    server: Option<&str>,
    code: &EnrolCode,
    (public_key, had): ([u8; 32], Option<String>),
) -> Result<Link, TroubleCause> {
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
    let joined = ask_to_join(Arc::clone(&transport), code.invite(), public_key, had).await?;
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
    Ok(Arc::new(FollowingTransport::new(transport)))
}

async fn ask_to_join(
    transport: Arc<dyn Transport>,
    invite: String,
    public_key: [u8; 32],
    terminal_code: Option<String>,
) -> Result<JoinAnswer, TroubleCause> {
    let name = std::env::var("HOSTNAME").unwrap_or_else(|_| std::env::consts::OS.to_owned());
    let request = JoinRequest {
        invite,
        public_key: Hex(public_key),
        name: name.chars().take(NAME_LENGTH_MAX).collect(),
        terminal_code,
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

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::path::Path;

    use qiantai_server::sample::{self, ShopKind};
    use qiantai_server::{Channels, Clock, Server, ServerOptions};
    use tokio::net::TcpListener;

    use super::*;

    /// A point of the curve, as every public key is: its base.
    const KEY: [u8; 32] = {
        let mut key = [0x66; 32];
        key[0] = 0x58;
        key
    };

    /// Sample shops made at one time are the same.
    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_ms(1_795_240_800_000)
        }
    }

    /// The same two shops each time, at a server that no terminal has joined.
    async fn served(ledger: &Path) -> (Server, String) {
        let server = Server::open(ServerOptions {
            path: ledger.to_owned(),
            key: None,
            clock: Arc::new(Noon),
            channels: Channels::default(),
        });
        let server = server.expect("books open");
        for kind in [ShopKind::Salon, ShopKind::Gym] {
            let seeded = sample::seed(&server, kind, 1, 1).await;
            seeded.expect("a shop is made");
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let router = server.router();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        (server, url)
    }

    fn code(server: &Server, url: &str, store: &str) -> EnrolCode {
        let invitation = server.invite(store).expect("the store is there");
        EnrolCode {
            server: url.to_owned(),
            authority: None,
            secret: invitation.secret,
            expires_at: invitation.expires_at,
        }
    }

    /// A start of the terminal with this code.
    async fn start(known: &Known, url: &str, code: &EnrolCode) -> Result<JoinAnswer, TroubleCause> {
        let code = code.to_string();
        let told = Told {
            server: Some(url),
            code: Some(&code),
        };
        let link = link(told, known.clone(), KEY, Noon.now()).await?;
        Ok(link.joined)
    }

    #[tokio::test]
    async fn a_terminal_that_was_forgotten_joins_again_as_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let (server, url) = served(&folder.path().join("now.db")).await;
        let other = server.invite("00201").expect("an invitation").text();
        let other = server.join(&other, [9; 32], "other").await;
        assert_eq!(other.expect("it joins").terminal_code, "01");
        let first = start(&Known::default(), &url, &code(&server, &url, "00201")).await;
        let first = first.expect("it joins");
        assert_eq!(first.terminal_code, "02");
        let known = Known {
            joined: Some(first.clone()),
            ..Known::default()
        };
        // A server that knows it is asked nothing more.
        let needless = code(&server, &url, "00201");
        let same = start(&known, &url, &needless).await;
        assert_eq!(same.expect("it goes on").token, first.token);
        let unused = server.join(&needless.invite(), [8; 32], "new").await;
        assert_eq!(unused.expect("nobody used it").terminal_code, "03");
        server.stop().await;

        let (server, url) = served(&folder.path().join("then.db")).await;
        let fresh = code(&server, &url, "00201");
        let mut stale = fresh.clone();
        stale.expires_at = stale.expires_at - Millis::days(2);
        let same = start(&known, &url, &stale).await;
        assert_eq!(same.expect("it goes on without").token, first.token);
        let elsewhere = start(&known, &url, &code(&server, &url, "00101")).await;
        assert!(
            matches!(elsewhere, Err(TroubleCause::CodeForeign)),
            "{elsewhere:?}"
        );
        let again = start(&known, &url, &fresh).await.expect("it joins again");
        assert_eq!(
            (again.device, &again.terminal_code[..]),
            (first.device, "02")
        );
        assert_ne!(again.token, first.token);
    }
}
