//! `GET /v1/events`: hints that something changed; the feed says what.

use std::collections::BTreeSet;
use std::convert::Infallible;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{self, KeepAlive};
use futures::stream::{self, Stream, StreamExt};
use qiantai_core::ids::{DeviceId, TenantId};
use qiantai_wire::ApiError;
use qiantai_wire::api::{EVENTS_BEAT, Event, FeedEvent, HelloEvent};
use qiantai_wire::feed::CursorDto;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use super::auth::Seated;
use super::failure::Failure;
use super::request::read;
use crate::embedded::Server;
use crate::engine::Watching;
use crate::writer::Committed;

/// Live events of the tenant. While it is open, the device's payments are asked about every two
/// seconds. A device has four streams at most: one more ends the oldest.
#[utoipa::path(
    get,
    path = "/v1/events",
    responses(
        (
            status = 200,
            description = "Events `hello`, `channels`, `feed` and `attempt`; each `data` is one \
                line of JSON",
            content_type = "text/event-stream",
            body = String
        ),
        (status = "default", description = "No events", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn stream(
    State(server): State<Server>,
    Seated(seat): Seated,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, Failure> {
    // Subscribed before the head is read, so that no commit falls between the two.
    let commits = server.0.events.subscribe();
    let watching = server.0.engine.watch(seat.device);
    let tenant = seat.tenant;
    let head = read(&server, move |ledger| ledger.head(tenant)).await?;
    let hello = Event::Hello(HelloEvent {
        cursor: CursorDto {
            timeline: head.timeline,
            server_seq: head.server_seq,
        },
        server_time_ms: server.now().ms(),
    });
    let ending = server.0.ending.subscribe();
    let mut health = server.0.engine.health_changes();
    health.mark_unchanged();
    let channels = Event::Channels(server.0.engine.standings());
    let mut revoked = server.0.revoked.subscribe();
    // Looked at once: it may have been taken out of service since it was let in.
    revoked.mark_changed();
    let listening = Listening {
        server,
        tenant,
        device: seat.device,
        revoked,
        commits,
        health,
        ending,
        watching,
    };
    let live = stream::unfold(listening, next_events).flat_map(stream::iter);
    let events = stream::iter([hello, channels])
        .chain(live)
        .map(|event| Ok(sse::Event::default().event(event.name()).data(event.body())));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(EVENTS_BEAT)))
}

/// An open stream.
struct Listening {
    server: Server,
    tenant: TenantId,
    device: DeviceId,
    revoked: watch::Receiver<BTreeSet<DeviceId>>,
    commits: Receiver<Committed>,
    health: watch::Receiver<u64>,
    ending: watch::Receiver<bool>,
    watching: Watching,
}

async fn next_events(mut listening: Listening) -> Option<(Vec<Event>, Listening)> {
    loop {
        let received = tokio::select! {
            received = listening.commits.recv() => Some(received),
            Ok(()) = listening.health.changed() => None,
            Ok(()) = listening.revoked.changed() => {
                if listening.revoked.borrow().contains(&listening.device) {
                    return None;
                }
                continue;
            }
            _ = listening.ending.wait_for(|ending| *ending) => return None,
            () = listening.watching.replaced() => {
                tracing::debug!(device = %listening.device, "a stream gave way to newer ones");
                return None;
            }
        };
        let Some(received) = received else {
            let channels = Event::Channels(listening.server.0.engine.standings());
            return Some((vec![channels], listening));
        };
        let events = match received {
            Ok(committed) if committed.tenant == listening.tenant => events_of(committed),
            Ok(_) => continue,
            // Too slow: the head stands for everything that was missed.
            Err(RecvError::Lagged(_)) => {
                let tenant = listening.tenant;
                let head = read(&listening.server, move |ledger| ledger.head(tenant)).await;
                vec![Event::Feed(FeedEvent {
                    head: head.ok()?.server_seq,
                })]
            }
            Err(RecvError::Closed) => return None,
        };
        return Some((events, listening));
    }
}

/// Attempts first: a payment screen reacts before it has the rows.
fn events_of(committed: Committed) -> Vec<Event> {
    let attempts = committed.attempts.into_iter().map(Event::Attempt);
    attempts
        .chain([Event::Feed(FeedEvent {
            head: committed.head,
        })])
        .collect()
}
