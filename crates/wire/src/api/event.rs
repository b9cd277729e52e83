//! Server-sent events of `GET /v1/events`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ChannelsAnswer;
use crate::codes::AttemptStateDto;
use crate::feed::CursorDto;

/// Longest time without a byte on an open connection: a server without news sends a comment.
pub const EVENTS_BEAT: Duration = Duration::from_secs(1);

/// After this long without a byte a terminal gives the connection up, and asks the server whether
/// it is still there. One late beat is no silence.
pub const EVENTS_SILENCE_MAX: Duration = Duration::from_millis(2_500);

/// Something happened; a hint to read the feed, never the only copy of anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The connection stands.
    Hello(HelloEvent),
    /// The log has grown.
    Feed(FeedEvent),
    /// A payment attempt changed; sent beside [`Event::Feed`] so that a payment screen can
    /// react before the rows are there.
    Attempt(AttemptEvent),
    /// How the payment channels stand: after [`Event::Hello`], and at each change.
    Channels(ChannelsAnswer),
}

/// First event of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HelloEvent {
    /// Head of the log.
    pub cursor: CursorDto,
    /// The server's clock.
    pub server_time_ms: i64,
}

/// The log has grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeedEvent {
    /// Head of the log.
    pub head: u64,
}

/// A payment attempt changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttemptEvent {
    /// The attempt.
    pub attempt: Uuid,
    /// Where it stands now.
    pub state: AttemptStateDto,
    /// Place in the log of that change.
    pub head: u64,
}

/// An event that cannot be read: unknown name, or a body that does not fit the name.
#[derive(Debug, Error)]
pub enum EventUnreadable {
    /// The name is of a newer server.
    #[error("unknown event {0}")]
    Name(String),
    /// The body does not fit.
    #[error("event body: {0}")]
    Body(#[from] serde_json::Error),
}

impl Event {
    /// The `event:` field.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Hello(_) => "hello",
            Event::Feed(_) => "feed",
            Event::Attempt(_) => "attempt",
            Event::Channels(_) => "channels",
        }
    }

    /// The `data:` field: JSON on one line.
    pub fn body(&self) -> String {
        let json = match self {
            Event::Hello(body) => serde_json::to_string(body),
            Event::Feed(body) => serde_json::to_string(body),
            Event::Attempt(body) => serde_json::to_string(body),
            Event::Channels(body) => serde_json::to_string(body),
        };
        json.expect("plain structs of numbers and ids always serialise")
    }

    /// Reads an event by its two fields.
    ///
    /// # Errors
    /// See [`EventUnreadable`]; a reader skips such events.
    pub fn parse(name: &str, body: &str) -> Result<Event, EventUnreadable> {
        match name {
            "hello" => Ok(Event::Hello(serde_json::from_str(body)?)),
            "feed" => Ok(Event::Feed(serde_json::from_str(body)?)),
            "attempt" => Ok(Event::Attempt(serde_json::from_str(body)?)),
            "channels" => Ok(Event::Channels(serde_json::from_str(body)?)),
            other => Err(EventUnreadable::Name(other.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ChannelStandingDto, StandingDto};
    use super::*;
    use crate::codes::ChannelDto;

    #[test]
    fn one_lost_beat_is_no_silence() {
        assert!(EVENTS_BEAT * 2 < EVENTS_SILENCE_MAX);
    }

    #[test]
    fn each_event_reads_what_it_wrote() {
        let cursor = CursorDto {
            timeline: 1,
            server_seq: 9,
        };
        let events = [
            Event::Hello(HelloEvent {
                cursor,
                server_time_ms: 5,
            }),
            Event::Feed(FeedEvent { head: 10 }),
            Event::Attempt(AttemptEvent {
                attempt: Uuid::from_u128(7),
                state: AttemptStateDto::Succeeded,
                head: 11,
            }),
            Event::Channels(ChannelsAnswer {
                channels: vec![ChannelStandingDto {
                    channel: ChannelDto::Wechat,
                    standing: StandingDto::Down,
                    since_ms: Some(12),
                }],
            }),
        ];
        for event in events {
            let body = event.body();
            assert!(!body.contains('\n'));
            assert_eq!(Event::parse(event.name(), &body).unwrap(), event);
        }
        assert!(matches!(
            Event::parse("later", "{}"),
            Err(EventUnreadable::Name(_))
        ));
        assert!(matches!(
            Event::parse("feed", "{}"),
            Err(EventUnreadable::Body(_))
        ));
    }
}
