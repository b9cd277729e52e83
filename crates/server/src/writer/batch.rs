//! Deciding a batch in memory: the place of each operation in its device's chain, the decision,
//! and the rows to write. Pure: the books come in, the batch goes out.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use qiantai_core::account::Account;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::decide::{self, ActionRecord, Change, RefusalCode};
use qiantai_core::ids::{ActionId, DeviceId, MemberId, OpId, StoreId};
use qiantai_core::ledger::chain;
use qiantai_core::operation::{Operation, OperationBody};
use qiantai_wire::SignedOperation;
use qiantai_wire::api::OpResultDto;
use qiantai_wire::operation::Kind;

use super::chains::{Chains, Place};
use super::received::{Content, Received};
use super::record::{
    Mark, Written, case_of, feed_entry, hash_of, held, json, postings_of, published, refused,
};
use super::unit::{
    Arrival, Author, BroughtBack, Instead, Item, OwnOperation, Replayed, Taken, Unit,
};
use crate::db::{
    Attachment, Batch, Books, Cursor, DeviceStanding, Entry, Head, HeldReason, LogRow, Standing,
};

/// A decided batch and what became of each unit.
#[derive(Clone, Debug)]
pub struct Decided {
    /// What to write.
    pub batch: Batch,
    /// One for each unit, in order.
    pub taken: Vec<Taken>,
    /// Where everything stands once it is written.
    pub stand: Stand,
}

/// Where the log stands, and the devices that a batch touched.
#[derive(Clone, Debug)]
pub struct Stand {
    /// The log.
    pub head: Head,
    /// The devices.
    pub cursors: HashMap<DeviceId, Cursor>,
}

/// Decides the units in order.
///
/// Panics when a decision would break an invariant of money; the caller tries again one by one.
pub fn decide_batch(books: Books, author: &Author, units: &[Unit]) -> Decided {
    let mut desk = Desk::new(books, author);
    let taken = units.iter().map(|unit| desk.take(unit)).collect();
    let (batch, stand) = desk.into_batch();
    Decided {
        batch,
        taken,
        stand,
    }
}

/// The books while a batch is decided.
struct Desk<'a> {
    books: Books,
    /// As they were loaded.
    accounts: HashMap<MemberId, Account>,
    author: &'a Author,
    entries: Vec<Entry>,
    /// Devices whose place or standing changed.
    moved: BTreeSet<DeviceId>,
    chains: Chains,
}

/// Where a decided operation stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Path {
    /// In its device's chain.
    Chain,
    /// Beside it: it is of another history of the device.
    Beside,
}

/// A device before its first operation.
const NEW_DEVICE: Cursor = Cursor {
    store: None,
    epoch: 1,
    last_seq: 0,
    last_hash: [0; 32],
    standing: DeviceStanding::Active,
    revoked_at: None,
};

/// Whether this version can read it, and deciding it has not just failed.
fn can_be_decided(unit: &Unit, received: &Received) -> bool {
    matches!(received.content, Content::Known(_)) && unit.instead != Instead::Hold
}

/// How long after a restore gateways are waited for.
const ATTEMPTS_ASKED: Millis = Millis::minutes(30);

impl<'a> Desk<'a> {
    fn new(books: Books, author: &'a Author) -> Desk<'a> {
        Desk {
            chains: Chains::of(&books),
            accounts: books.state.accounts.clone(),
            books,
            author,
            entries: Vec::new(),
            moved: BTreeSet::new(),
        }
    }

    fn into_batch(self) -> (Batch, Stand) {
        let head = (!self.entries.is_empty()).then_some(self.books.head);
        let cursors = self
            .moved
            .iter()
            .filter_map(|device| Some((*device, *self.books.cursors.get(device)?)))
            .collect();
        let batch = Batch {
            entries: self.entries,
            accounts: self.accounts,
            cursors,
            head,
        };
        let stand = Stand {
            head: self.books.head,
            cursors: self.books.cursors,
        };
        (batch, stand)
    }

    fn take(&mut self, unit: &Unit) -> Taken {
        match &unit.item {
            Item::Own(own) => {
                let (signed, operation) = self.sign(own, unit.now);
                let attachment = own.attachment.clone();
                Taken::Answered(self.decide(unit, signed, &operation, attachment, Path::Chain))
            }
            Item::Pushed(received) => self.take_pushed(unit, received),
            Item::Imported(received) => Taken::Imported(self.take_imported(unit, received)),
            Item::Reviewed(received) => Taken::Imported(self.take_reviewed(unit, received)),
            Item::Replayed(replayed) => Taken::Answered(self.take_replayed(unit, replayed)),
        }
    }

    /// A person says what becomes of what was kept: it is written a second time, with an answer.
    fn take_reviewed(&mut self, unit: &Unit, received: &Received) -> BroughtBack {
        let header = &received.header;
        let cursor = self.books.cursors.get(&header.device);
        let missing_before = self.chains.missing_before(header, cursor);
        let has_room = cursor.is_some_and(|cursor| self.chains.has_room(header, cursor));
        let kept = self.chains.kept(&header.hash);
        let (arrival, result) = match (self.chains.held(&header.hash), kept, has_room) {
            // It has its place: only its answer is missing, and may be missing still.
            (Some(_), _, _) if can_be_decided(unit, received) => {
                (Arrival::New, self.post(unit, received))
            }
            (Some(held), _, _) => (Arrival::Known, held),
            (None, Some(_), true) => (Arrival::New, self.post(unit, received)),
            (None, Some(kept), false) => self.take_beside(unit, received, kept),
            (None, None, _) => (Arrival::NotWaiting, held(&header.into())),
        };
        BroughtBack {
            result,
            arrival,
            missing_before,
        }
    }

    /// Another history of the device has or may have its place: what holds by itself is decided beside
    /// the chain. What cannot be decided waits on; it has no place to be held at.
    fn take_beside(
        &mut self,
        unit: &Unit,
        received: &Received,
        kept: OpResultDto,
    ) -> (Arrival, OpResultDto) {
        match (&received.content, unit.instead) {
            (Content::Unread(_), _) | (_, Instead::Hold) => (Arrival::Known, kept),
            (_, Instead::Nothing) if !received.stands_alone() => (Arrival::Forked, kept),
            (Content::Known(operation), _) => {
                let (signed, attachment) = (received.signed.clone(), received.attachment.clone());
                let result = self.decide(unit, signed, operation, attachment, Path::Beside);
                (Arrival::New, result)
            }
        }
    }

    fn take_pushed(&mut self, unit: &Unit, received: &Received) -> Taken {
        let header = &received.header;
        match self.place(received) {
            Place::Resent(_, answer) => Taken::Answered(answer),
            Place::Gap(expected_seq) => Taken::Gap { expected_seq },
            Place::Fork => Taken::Forked(self.quarantine(unit, received, HeldReason::Fork)),
            Place::NotBelieved => {
                let reason = HeldReason::DeviceNotBelieved;
                Taken::Answered(self.quarantine(unit, received, reason))
            }
            Place::Next if self.must_wait(unit, received) => Taken::Gap {
                expected_seq: header.device_seq,
            },
            Place::Next => Taken::Answered(self.post(unit, received)),
        }
    }

    /// What was brought back need not be the next of its device: those before it may be lost.
    fn take_imported(&mut self, unit: &Unit, received: &Received) -> BroughtBack {
        let header = &received.header;
        let cursor = self.books.cursors.get(&header.device);
        let missing_before = self.chains.missing_before(header, cursor);
        let (arrival, result) = match self.place(received) {
            Place::Resent(Standing::Quarantined(_), answer) => (Arrival::Quarantined, answer),
            Place::Resent(_, answer) => (Arrival::Known, answer),
            Place::Fork => {
                let kept = self.quarantine(unit, received, HeldReason::Fork);
                (Arrival::Forked, kept)
            }
            Place::NotBelieved => {
                let kept = self.quarantine(unit, received, HeldReason::DeviceNotBelieved);
                (Arrival::Quarantined, kept)
            }
            Place::Next if self.must_wait(unit, received) => self.keep_beyond(unit, received),
            Place::Gap(_) if !received.stands_alone() => self.keep_beyond(unit, received),
            Place::Next | Place::Gap(_) => (Arrival::New, self.post(unit, received)),
        };
        BroughtBack {
            result,
            arrival,
            missing_before,
        }
    }

    /// Keeps what has no meaning yet without those before it. Given again when they are there, it is
    /// taken.
    fn keep_beyond(&mut self, unit: &Unit, received: &Received) -> (Arrival, OpResultDto) {
        let kept = self.quarantine(unit, received, HeldReason::BeyondGap);
        (Arrival::Quarantined, kept)
    }

    fn place(&self, received: &Received) -> Place {
        let header = &received.header;
        let cursor = self.books.cursors.get(&header.device);
        self.chains.place(header, cursor)
    }

    /// Keeps what a device wrote that is not believed, or not from here on.
    fn quarantine(&mut self, unit: &Unit, received: &Received, reason: HeldReason) -> OpResultDto {
        let header = &received.header;
        if reason == HeldReason::Fork {
            self.cursor_mut(header.device).standing = DeviceStanding::Quarantined;
        }
        if let Some(kept) = self.chains.kept(&header.hash) {
            return kept;
        }
        let standing = Standing::Quarantined(reason);
        let attachment = self.of_nobody_yet(received.attachment.clone());
        self.keep(
            unit.now,
            header.into(),
            received.signed.clone(),
            standing,
            attachment,
        )
    }

    /// Whom it registers is known by this profile alone. Who is known already keeps theirs, whatever is
    /// decided or kept: their identity on another's registration changes nothing.
    fn of_nobody_yet(&self, attachment: Option<Attachment>) -> Option<Attachment> {
        attachment.filter(|it| match it {
            Attachment::Profile { member, .. } => !self.books.state.members.contains_key(member),
            Attachment::Policy { .. } => true,
        })
    }

    /// Decides an operation that has its place, or keeps it where that cannot be done.
    fn post(&mut self, unit: &Unit, received: &Received) -> OpResultDto {
        let signed = received.signed.clone();
        let held = match (&received.content, unit.instead) {
            (Content::Known(operation), Instead::Nothing | Instead::Refuse | Instead::TurnDown) => {
                let attachment = received.attachment.clone();
                return self.decide(unit, signed, operation, attachment, Path::Chain);
            }
            (Content::Known(_), Instead::Hold) => HeldReason::Invariant,
            (Content::Unread(reason), _) => *reason,
        };
        let mark = (&received.header).into();
        self.keep(unit.now, mark, signed, Standing::Held(held), None)
    }

    fn take_replayed(&mut self, unit: &Unit, replayed: &Replayed) -> OpResultDto {
        let row = &replayed.row;
        let signed = SignedOperation::from(row.bytes.clone());
        match (row.standing, &replayed.operation) {
            (Standing::Decided, Some(operation)) => {
                let path = match row.other_history {
                    true => Path::Beside,
                    false => Path::Chain,
                };
                self.decide(unit, signed, operation, replayed.attachment.clone(), path)
            }
            (standing, _) => {
                if standing == Standing::Quarantined(HeldReason::Fork) {
                    self.cursor_mut(row.device).standing = DeviceStanding::Quarantined;
                }
                let attachment = self.of_nobody_yet(replayed.attachment.clone());
                self.keep(unit.now, row.into(), signed, standing, attachment)
            }
        }
    }

    /// Gives the server's own words their place, and signs them.
    fn sign(&self, own: &OwnOperation, now: Timestamp) -> (SignedOperation, Operation) {
        let device = self.author.tenant.server_device;
        let cursor = self.books.cursors.get(&device);
        let device_seq = cursor.map_or(0, |cursor| cursor.last_seq) + 1;
        let operation = Operation {
            op_id: self.op_id_of(own, device_seq),
            action_id: own.action_id,
            tenant: self.author.tenant.id,
            store: own.store,
            device,
            epoch: cursor.map_or(1, |cursor| cursor.epoch),
            device_seq,
            prev_hash: cursor.map_or([0; 32], |cursor| cursor.last_hash),
            staff: own.staff,
            shift: None,
            wall_time: now,
            boot_id: self.author.boot_id,
            monotonic_ms: u64::try_from((now - self.author.started_at).0).unwrap_or_default(),
            server_anchor: None,
            cursor: None,
            offline: false,
            attachment: own.attachment.as_ref().map(hash_of),
            body: own.body.clone(),
        };
        (
            SignedOperation::sign(&operation, &self.author.key),
            operation,
        )
    }

    /// What is said twice, as for a request that was carried twice, is two records of one intent.
    fn op_id_of(&self, own: &OwnOperation, device_seq: u64) -> OpId {
        match self.books.state.actions.get(&own.action_id) {
            Some(record) if record.op_id == own.op_id => {
                let purpose = format!("said again at {device_seq}");
                OpId(own.op_id.derive(&purpose, 0))
            }
            _ => own.op_id,
        }
    }

    fn decide(
        &mut self,
        unit: &Unit,
        signed: SignedOperation,
        operation: &Operation,
        attachment: Option<Attachment>,
        path: Path,
    ) -> OpResultDto {
        let now = self.decided_at(unit, operation);
        // Before the decision: afterwards everybody is known.
        let attachment = self.of_nobody_yet(attachment);
        let decision = match unit.instead {
            Instead::Refuse => refused(RefusalCode::NumberTaken),
            Instead::TurnDown => refused(RefusalCode::ReviewRefused),
            Instead::Nothing | Instead::Hold => {
                self.books.state.policies = self
                    .books
                    .policies
                    .get(&operation.store)
                    .cloned()
                    .unwrap_or_default();
                decide::decide(&self.books.state, operation, now)
            }
        };
        self.books.state.record(operation, &decision);
        let published = published(&decision, attachment.as_ref());
        if let Some(policy) = &published {
            let versions = self.books.policies.entry(policy.store.id).or_default();
            versions.push(Arc::clone(policy));
        }
        for change in &decision.changes {
            if let Change::Device(device) = change {
                self.introduce(device.id, operation.store);
            }
        }
        let mark = Mark {
            hash: signed.hash(),
            kind: Kind::of(&operation.body).number(),
            op_id: operation.op_id,
            action_id: operation.action_id,
            store: operation.store,
            device: operation.device,
            epoch: operation.epoch,
            device_seq: operation.device_seq,
            prev_hash: operation.prev_hash,
            other_history: path == Path::Beside,
        };
        let action = self.first_answer(operation);
        let written = Written {
            standing: Standing::Decided,
            outcome: Some(decision.outcome),
            changes: decision.changes,
            action,
            attachment,
            published,
        };
        self.enter(now, mark, signed, written)
    }

    /// Work of an earlier timeline was decided then, and that was lost here: it is decided again
    /// as of its own time, or a sale of yesterday would be refused as stale.
    fn decided_at(&self, unit: &Unit, operation: &Operation) -> Timestamp {
        match &unit.item {
            Item::Pushed(_) | Item::Imported(_) | Item::Reviewed(_)
                if self.is_of_earlier_timeline(operation) =>
            {
                let earliest = operation.server_anchor.unwrap_or(operation.wall_time);
                operation.wall_time.max(earliest).min(unit.now)
            }
            _ => unit.now,
        }
    }

    fn is_of_earlier_timeline(&self, operation: &Operation) -> bool {
        let timeline = self.books.head.timeline;
        operation
            .cursor
            .is_some_and(|cursor| cursor.timeline < timeline)
    }

    /// How the attempt before it ended was lost with the timeline, and its gateway is being asked:
    /// refusing the next attempt meanwhile would lose sight of its money. Not for ever, though: a
    /// gateway that stays away must not keep a till's cash from being posted.
    fn must_wait(&self, unit: &Unit, received: &Received) -> bool {
        let Content::Known(operation) = &received.content else {
            return false;
        };
        let OperationBody::AttemptStart(start) = &operation.body else {
            return false;
        };
        let is_young = self
            .author
            .restored_at
            .is_some_and(|began| unit.now - began < ATTEMPTS_ASKED);
        let attempts = self.books.state.attempts_of(start.order);
        is_young
            && self.is_of_earlier_timeline(operation)
            && attempts
                .iter()
                .any(|attempt| attempt.id != start.attempt && attempt.state.is_open())
    }

    /// The record of the action when this operation is its first.
    fn first_answer(&self, operation: &Operation) -> Option<(ActionId, ActionRecord)> {
        let record = self.books.state.actions.get(&operation.action_id)?;
        (record.op_id == operation.op_id).then(|| (operation.action_id, record.clone()))
    }

    /// A device that was just enrolled may write within the same batch.
    fn introduce(&mut self, device: DeviceId, store: StoreId) {
        let cursor = Cursor {
            store: Some(store),
            ..NEW_DEVICE
        };
        self.books.cursors.entry(device).or_insert(cursor);
    }

    /// Keeps what cannot be decided, with a case.
    fn keep(
        &mut self,
        now: Timestamp,
        mark: Mark,
        signed: SignedOperation,
        standing: Standing,
        attachment: Option<Attachment>,
    ) -> OpResultDto {
        let is_forked = self
            .books
            .cursors
            .get(&mark.device)
            .is_some_and(|cursor| cursor.standing == DeviceStanding::Quarantined);
        let changes = match standing {
            // The case of the fork covers what comes after it.
            Standing::Quarantined(HeldReason::DeviceNotBelieved) if is_forked => Vec::new(),
            _ => case_of(mark, standing, now),
        };
        let written = Written {
            standing,
            outcome: None,
            changes,
            action: None,
            attachment,
            published: None,
        };
        self.enter(now, mark, signed, written)
    }

    /// Gives an operation its place in the tenant's log.
    fn enter(
        &mut self,
        now: Timestamp,
        mark: Mark,
        signed: SignedOperation,
        written: Written,
    ) -> OpResultDto {
        let server_seq = self.books.head.server_seq + 1;
        let is_held = written.standing != Standing::Decided;
        let answer = OpResultDto {
            op_id: mark.op_id.0,
            device_seq: mark.device_seq,
            server_seq: (!is_held).then_some(server_seq),
            outcome: written.answer(),
        };
        let link = chain::Link {
            server_seq,
            operation: &mark.hash,
            outcome: written.outcome.as_ref(),
            postings: &postings_of(&written.changes),
        };
        let chain_hash = chain::next(&self.books.head.chain_hash, &link);
        let feed = feed_entry(mark, server_seq, now, &written);
        self.entries.push(Entry {
            row: LogRow {
                server_seq,
                op_id: mark.op_id,
                action_id: mark.action_id,
                store: mark.store,
                device: mark.device,
                epoch: mark.epoch,
                device_seq: mark.device_seq,
                kind: mark.kind,
                standing: written.standing,
                other_history: mark.other_history,
                answer: json(&answer),
                decided_at: now,
                hash: mark.hash,
                chain_hash,
                bytes: signed.bytes,
            },
            changes: written.changes,
            action: written.action,
            attachment: written.attachment,
            feed: json(&feed),
        });
        self.books.head.server_seq = server_seq;
        self.books.head.chain_hash = chain_hash;
        self.chains
            .remember(mark.hash, written.standing, answer.clone());
        if mark.other_history {
            // Whatever found it: from here on nobody takes what is behind a gap for the first history's.
            self.cursor_mut(mark.device).standing = DeviceStanding::Quarantined;
        } else if !matches!(written.standing, Standing::Quarantined(_)) {
            self.moved.insert(mark.device);
            let cursor = self.books.cursors.entry(mark.device).or_insert(NEW_DEVICE);
            self.chains.append(&mark, cursor);
        }
        answer
    }

    fn cursor_mut(&mut self, device: DeviceId) -> &mut Cursor {
        self.moved.insert(device);
        self.books.cursors.entry(device).or_insert(NEW_DEVICE)
    }
}
