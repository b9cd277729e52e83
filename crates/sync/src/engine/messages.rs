//! What goes into the engine and what comes out of it.

use qiantai_core::Timestamp;
use qiantai_core::clock::Millis;
use qiantai_core::operation::Cursor;
use qiantai_wire::api::{Event, PushHalt};
use uuid::Uuid;

use super::{StopReason, SyncStatus};

/// How often to read the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollIntervals {
    /// While a payment screen is open and events do not come.
    pub paying: Millis,
    /// When events do not come.
    pub idle: Millis,
    /// Beside live events, in case one was lost.
    pub live: Millis,
}

impl Default for PollIntervals {
    fn default() -> PollIntervals {
        PollIntervals {
            paying: Millis::seconds(2),
            idle: Millis::seconds(15),
            live: Millis::seconds(60),
        }
    }
}

/// Where the terminal's own log and replica stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LocalPosition {
    /// Last operation written here; 0 for none.
    pub last_seq: u64,
    /// Last operation that the server acknowledged; 0 for none.
    pub acked_seq: u64,
    /// When the oldest one not acknowledged was written.
    pub oldest_pending: Option<Timestamp>,
    /// How far the server's log is taken over; `None` before the first snapshot is whole.
    pub cursor: Option<Cursor>,
    /// `after_member` of the next page of a snapshot under way.
    pub snapshot_next: Option<Uuid>,
}

impl LocalPosition {
    /// Operations that the server has not acknowledged.
    pub fn pending(&self) -> u64 {
        self.last_seq.saturating_sub(self.acked_seq)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Time passed.
    Tick,
    /// Something was written here.
    Nudged(LocalPosition),
    /// A person, or the machine's network, asks to try at once.
    Hurry,
    /// A payment screen opened or the last one closed.
    Paying(bool),
    /// The push ended.
    Pushed(Result<Pushed, Failure>),
    /// The page of the feed was taken over, or was not.
    Pulled(Result<Pulled, Failure>),
    /// The page of the snapshot was taken over, or was not.
    Snapshot(Result<SnapshotTaken, Failure>),
    /// The connection for live events stands.
    EventsOpened,
    /// An event came.
    Event(Event),
    /// The connection for live events broke, fell silent or could not be opened.
    EventsEnded,
}

/// A push that was answered and taken over here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Where the terminal stands now.
    pub local: LocalPosition,
    /// Last operation of this device that the server has.
    pub server_acked: u64,
    /// Why the server stopped, if it did.
    pub halt: Option<PushHalt>,
    /// Head of the server's log.
    pub head: Cursor,
}

/// A page of the feed that was taken over here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// Where the terminal stands now.
    pub local: LocalPosition,
    /// Head of the server's log.
    pub head: u64,
}

/// A page of the snapshot that was taken over here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotTaken {
    /// Where the terminal stands now.
    pub local: LocalPosition,
    /// Members on the page.
    pub members: u64,
    /// Members in the snapshot.
    pub member_total: u64,
    /// True for the last page.
    pub whole: bool,
}

/// Why a call came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer, or one that says to try later.
    Link,
    /// The server began a new timeline: take a new snapshot.
    TimelineChanged,
    /// The page does not continue where the terminal stands: take a new snapshot.
    OutOfStep,
    /// Trying the same again soon does not help.
    Stop(StopReason),
    /// The terminal is not believed. What was pushed is kept for a person, and what follows will be.
    Kept {
        /// Why it is not believed.
        reason: StopReason,
        /// Last operation that is kept.
        through: u64,
    },
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Push operations from `from_seq` on, at most `limit`; answer with [`Input::Pushed`].
    Push {
        /// First `device_seq`.
        from_seq: u64,
        /// Most operations.
        limit: usize,
    },
    /// Read the feed; answer with [`Input::Pulled`].
    Pull {
        /// Entries after this.
        after: Cursor,
    },
    /// Read a page of the snapshot; answer with [`Input::Snapshot`].
    Snapshot {
        /// `None` for the first page.
        after: Option<Uuid>,
    },
    /// Open the connection for live events; answer with [`Input::EventsOpened`] or
    /// [`Input::EventsEnded`].
    OpenEvents,
    /// Show this.
    Report(SyncStatus),
    /// Come back with [`Input::Tick`] at this time if nothing happens before. Replaces the time
    /// asked for before.
    WaitUntil(Timestamp),
}
