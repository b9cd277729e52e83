//! What to do next, and nothing else: no clock, no randomness, no input or output of its own.
//!
//! One call is under way at a time; beside it stands the connection for live events. Pushing
//! goes before reading, so that what happened here is safe first. The engine forgets nothing
//! that matters: what is pending is in the terminal's log, and a lost answer only means that the
//! same operations are pushed again.
//!
//! An operation of this terminal is covered, and leaves the overlay, in the transaction that
//! takes over the feed entry with its `op_id`. That is the store's part; see
//! [`LocalLog`](crate::LocalLog).

mod messages;
mod retry;
mod status;

pub use messages::{
    Action, Failure, Input, LocalPosition, PollIntervals, Pulled, Pushed, SnapshotTaken,
};
pub use status::{StopReason, SyncStatus};

use qiantai_core::Timestamp;
use qiantai_core::clock::Millis;
use qiantai_core::operation::Cursor;
use qiantai_wire::api::{Event, PUSH_LIMIT, PushHalt};
use uuid::Uuid;

use retry::due;
pub use retry::{LONGEST, Retry};

/// How long an answer may take after the live events ended before the server counts as lost.
/// With [`EVENTS_SILENCE_MAX`](qiantai_wire::api::EVENTS_SILENCE_MAX) before it, a cut that
/// nobody announced is told after four seconds.
const DOUBT_MAX: Millis = Millis(1_500);

/// Live events that ended sooner than this were not worth opening, and are opened ever more
/// seldom: the server's beat is too slow, or something between holds it back.
const EVENTS_PROVEN: Millis = Millis::seconds(30);

/// What is kept at a server that does not believe this terminal is handed over anew so often.
const HAND_OVER_AGAIN: Millis = Millis::hours(1);

/// The state machine. Feed it with [`SyncEngine::handle`] and carry out what it answers.
#[derive(Clone, Debug)]
pub struct SyncEngine {
    intervals: PollIntervals,
    local: LocalPosition,
    call: Option<Call>,
    link: Retry,
    events: EventsLink,
    /// Everything stands still, except one try from time to time.
    stop: Option<Stop>,
    /// Pushing stands still; reading goes on.
    push_stop: Option<Stop>,
    /// The server asked for operations from here on.
    push_from: Option<u64>,
    /// Since when everything is kept at a server that does not believe this terminal.
    handed_over_at: Option<Timestamp>,
    /// A new snapshot is needed although there is a cursor.
    relearn: bool,
    /// The snapshot under way here cannot be continued.
    restart_snapshot: bool,
    head: u64,
    last_read: Option<Timestamp>,
    paying: bool,
    contact: bool,
    /// The live events ended; unless the server answers something by then, it is lost.
    doubt_until: Option<Timestamp>,
    offline_since: Timestamp,
    /// Most operations that were pending at once since none was.
    backlog: u64,
    members: Progress,
    reported: Option<SyncStatus>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Push { from_seq: u64 },
    Pull,
    Snapshot { after: Option<Uuid> },
}

#[derive(Clone, Debug)]
enum EventsLink {
    Closed(Retry),
    Opening(Retry),
    Open { since: Timestamp, before: Retry },
}

impl EventsLink {
    /// The tries that failed in a row up to now.
    fn failures(&self, now: Timestamp) -> Retry {
        match self {
            EventsLink::Open { since, .. } if now - *since > EVENTS_PROVEN => Retry::default(),
            EventsLink::Closed(retry)
            | EventsLink::Opening(retry)
            | EventsLink::Open { before: retry, .. } => retry.clone(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Stop {
    reason: StopReason,
    retry_at: Timestamp,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    done: u64,
    total: u64,
}

impl SyncEngine {
    /// An engine that has not heard from the server. Its first [`SyncEngine::handle`] begins.
    pub fn new(local: LocalPosition, intervals: PollIntervals, now: Timestamp) -> SyncEngine {
        SyncEngine {
            intervals,
            local,
            call: None,
            link: Retry::default(),
            events: EventsLink::Closed(Retry::default()),
            stop: None,
            push_stop: None,
            push_from: None,
            handed_over_at: None,
            relearn: false,
            restart_snapshot: false,
            head: 0,
            last_read: None,
            paying: false,
            contact: false,
            doubt_until: None,
            offline_since: now,
            backlog: 0,
            members: Progress::default(),
            reported: None,
        }
    }

    /// Takes in what happened and says what to do, in order. `random` spreads retries of many
    /// terminals; any number will do.
    pub fn handle(&mut self, input: Input, now: Timestamp, random: u64) -> Vec<Action> {
        match input {
            Input::Tick => {}
            Input::Nudged(local) => {
                self.local = local;
                self.link.hurry(now);
            }
            Input::Hurry => self.hurry(now),
            Input::Paying(paying) => self.paying = paying,
            Input::Pushed(answer) => self.pushed(answer, now, random),
            Input::Pulled(answer) => self.pulled(answer, now, random),
            Input::Snapshot(answer) => self.snapshot_taken(answer, now, random),
            Input::EventsOpened => {
                let before = self.events.failures(now);
                self.events = EventsLink::Open { since: now, before };
                self.last_read = None;
            }
            Input::Event(event) => self.event(event, now),
            Input::EventsEnded => self.events_ended(now, random),
        }
        if self.doubt_until.is_some_and(|at| due(at, now)) {
            self.lose_contact(now);
        }
        self.plan(now)
    }

    fn plan(&mut self, now: Timestamp) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.call.is_none() && self.may_call(now) {
            actions.extend(self.next_call(now));
        }
        if let EventsLink::Closed(retry) = &self.events
            && self.contact
            && self.stop.is_none()
            && self.local.cursor.is_some()
            && retry.is_due(now)
        {
            self.events = EventsLink::Opening(retry.clone());
            actions.push(Action::OpenEvents);
        }
        let status = self.status();
        if self.reported != Some(status) {
            self.reported = Some(status);
            actions.push(Action::Report(status));
        }
        actions.push(Action::WaitUntil(self.wake_at(now)));
        actions
    }

    fn may_call(&self, now: Timestamp) -> bool {
        self.link.is_due(now) && self.stop.is_none_or(|stop| due(stop.retry_at, now))
    }

    fn next_call(&mut self, now: Timestamp) -> Option<Action> {
        let push_due = self.push_stop.is_none_or(|stop| due(stop.retry_at, now));
        if self
            .handed_over_at
            .is_some_and(|at| (now - at).0.abs() > HAND_OVER_AGAIN.0)
        {
            (self.handed_over_at, self.push_from) = (None, None);
        }
        let from_seq = self.push_from.unwrap_or(self.local.acked_seq + 1);
        if push_due && from_seq <= self.local.last_seq {
            self.call = Some(Call::Push { from_seq });
            return Some(Action::Push {
                from_seq,
                limit: PUSH_LIMIT,
            });
        }
        match self.local.cursor {
            Some(after) if !self.relearn => {
                if self.head <= after.server_seq && !self.is_read_due(now) {
                    return None;
                }
                self.call = Some(Call::Pull);
                Some(Action::Pull { after })
            }
            _ => {
                let after = self.local.snapshot_next.filter(|_| !self.restart_snapshot);
                if after.is_none() {
                    self.members = Progress::default();
                }
                self.call = Some(Call::Snapshot { after });
                Some(Action::Snapshot { after })
            }
        }
    }

    fn pushed(&mut self, answer: Result<Pushed, Failure>, now: Timestamp, random: u64) {
        let Some(Call::Push { from_seq }) = self.call.take() else {
            return;
        };
        let pushed = match answer {
            Ok(pushed) => pushed,
            Err(Failure::Kept { reason, through }) if through >= from_seq => {
                return self.handed_over(reason, through, now);
            }
            Err(Failure::Stop(reason)) if reason.concerns_pushing() => {
                self.reached();
                self.push_stop = Some(Stop {
                    reason,
                    retry_at: now + LONGEST,
                });
                return;
            }
            Err(failure) => return self.failed(failure, now, random),
        };
        self.learn(pushed.local);
        self.hear_of(pushed.head);
        let last_seq = self.local.last_seq;
        let fork = match pushed.halt {
            Some(PushHalt::Fork { .. }) => true,
            Some(PushHalt::Gap { expected_seq }) => expected_seq > last_seq + 1,
            None => pushed.server_acked > last_seq,
        };
        if fork {
            self.reached();
            self.push_stop = Some(Stop {
                reason: StopReason::Forked,
                retry_at: now + LONGEST,
            });
            return;
        }
        let next = match pushed.halt {
            Some(PushHalt::Gap { expected_seq }) => expected_seq,
            _ => pushed.server_acked + 1,
        };
        self.handed_over_at = None;
        self.push_from = (next <= self.local.acked_seq).then_some(next);
        let moved = match pushed.halt {
            Some(_) => next != from_seq,
            None => next > from_seq,
        };
        if moved {
            self.push_stop = None;
            self.reached();
        } else {
            self.failed(Failure::Link, now, random);
        }
    }

    /// Somebody will look at what is kept, so everything goes there, and then what is new. Every hour
    /// it begins again from the first: a server that was restored since may lack it.
    fn handed_over(&mut self, reason: StopReason, through: u64, now: Timestamp) {
        self.reached();
        self.push_from = Some(through + 1);
        let is_all = through >= self.local.last_seq;
        if is_all {
            self.handed_over_at.get_or_insert(now);
        }
        let wait = if is_all { LONGEST } else { Millis(0) };
        self.push_stop = Some(Stop {
            reason,
            retry_at: now + wait,
        });
    }

    fn pulled(&mut self, answer: Result<Pulled, Failure>, now: Timestamp, random: u64) {
        self.call = None;
        let pulled = match answer {
            Ok(pulled) => pulled,
            Err(failure) => return self.failed(failure, now, random),
        };
        let moved = pulled.local.cursor > self.local.cursor;
        self.learn(pulled.local);
        // An event may have told of more while the page was on its way.
        self.head = self.head.max(pulled.head);
        self.last_read = Some(now);
        let behind = self
            .local
            .cursor
            .is_some_and(|cursor| cursor.server_seq < pulled.head);
        if behind && !moved {
            self.failed(Failure::Link, now, random);
        } else {
            self.reached();
        }
    }

    fn snapshot_taken(
        &mut self,
        answer: Result<SnapshotTaken, Failure>,
        now: Timestamp,
        random: u64,
    ) {
        let Some(Call::Snapshot { after }) = self.call.take() else {
            return;
        };
        let taken = match answer {
            Ok(taken) => taken,
            Err(failure) => return self.failed(failure, now, random),
        };
        self.learn(taken.local);
        self.restart_snapshot = false;
        self.members.done += taken.members;
        self.members.total = taken.member_total.max(self.members.done);
        if taken.whole {
            self.relearn = false;
            (self.handed_over_at, self.push_from) = (None, None);
            self.head = 0;
            self.last_read = None;
        } else if self.local.snapshot_next == after {
            return self.failed(Failure::Link, now, random);
        }
        self.reached();
    }

    /// Takes over where the log stood when an answer was written to it. What was written since,
    /// and told by a nudge while the answer was on its way, is not forgotten.
    fn learn(&mut self, local: LocalPosition) {
        let known = std::mem::replace(&mut self.local, local);
        if known.last_seq > self.local.last_seq {
            self.local.last_seq = known.last_seq;
            self.local.oldest_pending = self.local.oldest_pending.or(known.oldest_pending);
        }
    }

    fn event(&mut self, event: Event, now: Timestamp) {
        // Whoever sends events can be called.
        self.link.hurry(now);
        match event {
            Event::Hello(hello) => self.hear_of(hello.cursor.into()),
            Event::Feed(feed) => self.head = self.head.max(feed.head),
            Event::Attempt(attempt) => self.head = self.head.max(attempt.head),
            // Not of the log: whoever shows the channels listens for it.
            Event::Channels(_) => {}
        }
    }

    /// Whoever waits for an answer learns of a cut from the answer; while nothing is asked, the
    /// end of the live events is the first sign of one. It is no more than a sign: the server is
    /// asked at once, and only what comes of that tells.
    fn events_ended(&mut self, now: Timestamp, random: u64) {
        if matches!(self.events, EventsLink::Open { .. }) {
            self.last_read = None;
            if self.contact {
                self.doubt(now);
            }
        }
        let mut retry = self.events.failures(now);
        retry.fail(now, random);
        self.events = EventsLink::Closed(retry);
    }

    fn doubt(&mut self, now: Timestamp) {
        self.doubt_until = self.doubt_until.or(Some(now + DOUBT_MAX));
        self.link.hurry(now);
        if let Some(stop) = &mut self.stop {
            stop.retry_at = now;
        }
    }

    fn hear_of(&mut self, head: Cursor) {
        match self.local.cursor {
            Some(here) if here.timeline != head.timeline => self.relearn = true,
            _ => self.head = self.head.max(head.server_seq),
        }
    }

    fn hurry(&mut self, now: Timestamp) {
        self.link.hurry(now);
        for stop in [&mut self.stop, &mut self.push_stop].into_iter().flatten() {
            stop.retry_at = now;
        }
        if let EventsLink::Closed(retry) = &mut self.events {
            retry.hurry(now);
        }
        self.last_read = None;
    }

    fn reached(&mut self) {
        self.link = Retry::default();
        self.stop = None;
        self.contact = true;
        self.doubt_until = None;
    }

    fn lose_contact(&mut self, now: Timestamp) {
        if self.contact {
            self.offline_since = now;
        }
        self.contact = false;
        self.doubt_until = None;
    }

    fn failed(&mut self, failure: Failure, now: Timestamp, random: u64) {
        self.doubt_until = None;
        match failure {
            Failure::Link => self.lose_contact(now),
            Failure::TimelineChanged => {
                self.contact = true;
                self.relearn = true;
            }
            Failure::OutOfStep => {
                self.contact = true;
                self.relearn = true;
                self.restart_snapshot = true;
            }
            Failure::Stop(reason) | Failure::Kept { reason, .. } => {
                self.contact = true;
                self.stop = Some(Stop {
                    reason,
                    retry_at: now + LONGEST,
                });
                return;
            }
        }
        self.stop = None;
        self.link.fail(now, random);
    }

    fn is_read_due(&self, now: Timestamp) -> bool {
        self.last_read
            .is_none_or(|at| at > now || due(at + self.read_interval(), now))
    }

    fn read_interval(&self) -> Millis {
        match (&self.events, self.paying) {
            (EventsLink::Open { .. }, _) => self.intervals.live,
            (_, true) => self.intervals.paying,
            (_, false) => self.intervals.idle,
        }
    }

    fn wake_at(&self, now: Timestamp) -> Timestamp {
        let mut wake = now + LONGEST;
        let mut consider = |at: Timestamp| {
            if at > now {
                wake = wake.min(at);
            }
        };
        if self.call.is_none() {
            self.link.retry_at().into_iter().for_each(&mut consider);
            [self.stop, self.push_stop]
                .into_iter()
                .flatten()
                .for_each(|s| consider(s.retry_at));
            self.last_read
                .into_iter()
                .for_each(|at| consider(at + self.read_interval()));
        }
        self.doubt_until.into_iter().for_each(&mut consider);
        if let EventsLink::Closed(retry) = &self.events {
            retry.retry_at().into_iter().for_each(&mut consider);
        }
        wake
    }
}
