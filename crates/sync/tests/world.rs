//! A terminal's log, a server and the time between them, for the engine alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use qiantai_core::Timestamp;
use qiantai_core::clock::Millis;
use qiantai_core::operation::Cursor;
use qiantai_sync::engine::{
    Action, Failure, Input, LocalPosition, PollIntervals, Pulled, Pushed, SnapshotTaken,
    StopReason, SyncEngine, SyncStatus,
};
use qiantai_wire::api::{Event, FeedEvent, HelloEvent, PushHalt};
use uuid::Uuid;

pub const START: Timestamp = Timestamp::from_ms(1_795_240_992_480);

/// What the server does with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Answers,
    /// Does it, and the answer is lost.
    LosesAnswers,
    Down,
    Refuses(Failure),
    Forked,
    /// Believes the terminal no more, and keeps what it pushes.
    Keeps,
    /// Answers pages of the feed without entries although there are some.
    Stuck,
}

pub struct Server {
    pub mood: Mood,
    pub events: bool,
    /// How long live events come; they go on for ever without it.
    pub events_last: Option<Millis>,
    pub timeline: u32,
    /// Operations of the terminal that it has: a prefix of the chain.
    pub has: u64,
    /// Operations kept for a person.
    pub kept: BTreeSet<u64>,
    /// Times each operation was posted.
    pub posted: BTreeMap<u64, u32>,
    pub head: u64,
}

pub struct World {
    pub now: Timestamp,
    pub engine: SyncEngine,
    pub local: LocalPosition,
    pub server: Server,
    pub calls: Vec<(Timestamp, Action)>,
    pub statuses: Vec<SyncStatus>,
    /// Calls go out and nothing comes back, not even a failure.
    pub mute: bool,
    inputs: VecDeque<Input>,
    wake: Timestamp,
    connected: bool,
    events_end: Option<Timestamp>,
    random: u64,
}

impl World {
    /// A terminal that was here before: its cursor is at the server's head.
    pub fn known() -> World {
        let cursor = Some(Cursor {
            timeline: 1,
            server_seq: 10,
        });
        World::with(LocalPosition {
            cursor,
            ..LocalPosition::default()
        })
    }

    pub fn with(local: LocalPosition) -> World {
        let server = Server {
            mood: Mood::Answers,
            events: true,
            events_last: None,
            timeline: 1,
            has: local.acked_seq,
            posted: (1..=local.acked_seq).map(|seq| (seq, 1)).collect(),
            kept: BTreeSet::new(),
            head: 10,
        };
        World {
            now: START,
            engine: SyncEngine::new(local, PollIntervals::default(), START),
            local,
            server,
            calls: Vec::new(),
            statuses: Vec::new(),
            mute: false,
            inputs: VecDeque::from([Input::Tick]),
            wake: START,
            connected: false,
            events_end: None,
            random: 1,
        }
    }

    /// The cashier writes `count` operations.
    pub fn write(&mut self, count: u64) {
        self.local.last_seq += count;
        self.local.oldest_pending = self.local.oldest_pending.or(Some(self.now));
        self.inputs.push_back(Input::Nudged(self.local));
    }

    pub fn tell(&mut self, input: Input) {
        self.inputs.push_back(input);
    }

    /// Something else happens at the server.
    pub fn elsewhere(&mut self, entries: u64) {
        self.server.head += entries;
        if self.connected {
            let head = self.server.head;
            self.inputs
                .push_back(Input::Event(Event::Feed(FeedEvent { head })));
        }
    }

    pub fn break_events(&mut self) {
        self.server.events = false;
        self.events_end = None;
        if std::mem::take(&mut self.connected) {
            self.inputs.push_back(Input::EventsEnded);
        }
    }

    pub fn status(&self) -> SyncStatus {
        *self.statuses.last().unwrap()
    }

    /// Lets `span` pass.
    pub fn run(&mut self, span: Millis) {
        let end = self.now + span;
        loop {
            while let Some(input) = self.inputs.pop_front() {
                self.random = self
                    .random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let actions = self.engine.handle(input, self.now, self.random);
                for action in actions {
                    self.carry_out(action);
                }
            }
            assert!(
                self.wake > self.now,
                "the engine wants to be woken in the past"
            );
            let ending = self.events_end.filter(|&at| at <= self.wake);
            let next = ending.unwrap_or(self.wake);
            if next > end {
                break;
            }
            self.now = next;
            if ending.is_some() {
                self.events_end = None;
                self.connected = false;
                self.inputs.push_back(Input::EventsEnded);
            } else {
                self.inputs.push_back(Input::Tick);
            }
        }
        self.now = end;
    }

    fn carry_out(&mut self, action: Action) {
        match action.clone() {
            Action::WaitUntil(at) => {
                self.wake = at;
                return;
            }
            Action::Report(status) => {
                self.statuses.push(status);
                return;
            }
            Action::Push { .. }
            | Action::Pull { .. }
            | Action::Snapshot { .. }
            | Action::OpenEvents
                if self.mute => {}
            Action::Push { from_seq, limit } => {
                let answer = self.push(from_seq, limit as u64);
                self.inputs.push_back(Input::Pushed(answer));
            }
            Action::Pull { after } => {
                let answer = self.pull(after);
                self.inputs.push_back(Input::Pulled(answer));
            }
            Action::Snapshot { after } => {
                let answer = self.snapshot(after);
                self.inputs.push_back(Input::Snapshot(answer));
            }
            Action::OpenEvents => {
                self.connected = self.server.events && self.server.mood != Mood::Down;
                if self.connected {
                    self.events_end = self.server.events_last.map(|span| self.now + span);
                    self.inputs.push_back(Input::EventsOpened);
                    let hello = HelloEvent {
                        cursor: self.head().into(),
                        server_time_ms: self.now.ms(),
                    };
                    self.inputs.push_back(Input::Event(Event::Hello(hello)));
                } else {
                    self.inputs.push_back(Input::EventsEnded);
                }
            }
        }
        self.calls.push((self.now, action));
    }

    fn mood(&self) -> Result<(), Failure> {
        match self.server.mood {
            Mood::Down => Err(Failure::Link),
            Mood::Refuses(failure) => Err(failure),
            Mood::Answers | Mood::LosesAnswers | Mood::Forked | Mood::Keeps | Mood::Stuck => Ok(()),
        }
    }

    fn lost(&self) -> Result<(), Failure> {
        if self.server.mood == Mood::LosesAnswers {
            Err(Failure::Link)
        } else {
            Ok(())
        }
    }

    fn head(&self) -> Cursor {
        Cursor {
            timeline: self.server.timeline,
            server_seq: self.server.head,
        }
    }

    fn push(&mut self, from_seq: u64, limit: u64) -> Result<Pushed, Failure> {
        self.mood()?;
        assert!(
            from_seq >= 1 && from_seq <= self.local.last_seq,
            "push from {from_seq}"
        );
        let mut halt = None;
        if self.server.mood == Mood::Keeps {
            let through = self.local.last_seq.min(from_seq + limit - 1);
            self.server.kept.extend(from_seq..=through);
            let reason = StopReason::Forked;
            return Err(Failure::Kept { reason, through });
        }
        if self.server.mood == Mood::Forked {
            halt = Some(PushHalt::Fork {
                device_seq: from_seq,
            });
        } else if from_seq > self.server.has + 1 {
            halt = Some(PushHalt::Gap {
                expected_seq: self.server.has + 1,
            });
        } else {
            let to = self.local.last_seq.min(from_seq + limit - 1);
            for seq in self.server.has + 1..=to {
                *self.server.posted.entry(seq).or_default() += 1;
                self.server.head += 1;
            }
            self.server.has = self.server.has.max(to);
        }
        self.lost()?;
        self.local.acked_seq = self
            .local
            .acked_seq
            .max(self.server.has.min(self.local.last_seq));
        if self.local.pending() == 0 {
            self.local.oldest_pending = None;
        }
        let server_acked = self.server.has;
        Ok(Pushed {
            local: self.local,
            server_acked,
            halt,
            head: self.head(),
        })
    }

    fn pull(&mut self, after: Cursor) -> Result<Pulled, Failure> {
        self.mood()?;
        assert_eq!(Some(after), self.local.cursor);
        if after.timeline != self.server.timeline {
            return Err(Failure::TimelineChanged);
        }
        self.lost()?;
        if self.server.mood != Mood::Stuck {
            let server_seq = self.server.head.min(after.server_seq + 500);
            self.local.cursor = Some(Cursor {
                server_seq,
                ..after
            });
        }
        Ok(Pulled {
            local: self.local,
            head: self.server.head,
        })
    }

    /// Three pages of a thousand members.
    fn snapshot(&mut self, after: Option<Uuid>) -> Result<SnapshotTaken, Failure> {
        self.mood()?;
        self.lost()?;
        assert!(after.is_none() || after == self.local.snapshot_next);
        let page = after.map_or(1, |after| after.as_u128() + 1);
        let whole = page == 3;
        self.local.snapshot_next = (!whole).then(|| Uuid::from_u128(page));
        if whole {
            // A new timeline asks again about every operation.
            if self
                .local
                .cursor
                .is_some_and(|cursor| cursor.timeline != self.server.timeline)
            {
                self.local.acked_seq = 0;
            }
            self.local.cursor = Some(self.head());
        }
        Ok(SnapshotTaken {
            local: self.local,
            members: 1_000,
            member_total: 3_000,
            whole,
        })
    }

    /// Every operation written here was posted there once, and the terminal knows it.
    pub fn assert_all_posted_once(&self) {
        assert_eq!(self.server.has, self.local.last_seq);
        assert_eq!(self.server.posted.len() as u64, self.local.last_seq);
        assert!(
            self.server.posted.values().all(|&times| times == 1),
            "{:?}",
            self.server.posted
        );
        assert_eq!(self.local.acked_seq, self.local.last_seq);
        assert_eq!(self.local.cursor, Some(self.head()));
        assert_eq!(self.status(), SyncStatus::Synced);
    }

    pub fn calls_since(&self, since: Timestamp) -> Vec<Action> {
        self.calls
            .iter()
            .filter(|(at, _)| *at >= since)
            .map(|(_, call)| call.clone())
            .collect()
    }
}
