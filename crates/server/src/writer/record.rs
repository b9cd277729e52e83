//! What the log keeps of an operation, and the rows that follow from its standing alone.

use std::sync::Arc;

use qiantai_core::clock::Timestamp;
use qiantai_core::decide::{ActionRecord, Change, Decision, Outcome, Refusal, RefusalCode};
use qiantai_core::ids::{ActionId, CaseId, DeviceId, OpId, RowId, StoreId};
use qiantai_core::ledger::{CaseKind, ExceptionCase, OutboxEvent, Posting, Topic};
use qiantai_core::money::Money;
use qiantai_core::operation::Hash;
use qiantai_core::policy::Policy;
use qiantai_wire::Header;
use qiantai_wire::api::OpResultDto;
use qiantai_wire::feed::{FeedChange, FeedEntry, OutcomeDto};
use qiantai_wire::profile::attachment_hash;

use super::chains::prev_hash_of;
use crate::db::{Attachment, HeldReason, LogRow, Standing};

/// What the log keeps of an operation besides its bytes.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    pub(super) hash: Hash,
    pub(super) kind: u16,
    pub(super) op_id: OpId,
    pub(super) action_id: ActionId,
    pub(super) store: StoreId,
    pub(super) device: DeviceId,
    pub(super) epoch: u32,
    pub(super) device_seq: u64,
    pub(super) prev_hash: Hash,
    /// It is decided beside its device's chain.
    pub(super) other_history: bool,
}

/// What an operation writes besides its place in the log.
pub(super) struct Written {
    pub(super) standing: Standing,
    /// `None` while it is held.
    pub(super) outcome: Option<Outcome>,
    pub(super) changes: Vec<Change>,
    pub(super) action: Option<(ActionId, ActionRecord)>,
    pub(super) attachment: Option<Attachment>,
    pub(super) published: Option<Arc<Policy>>,
}

impl Written {
    pub(super) fn answer(&self) -> OutcomeDto {
        self.outcome
            .as_ref()
            .map_or(OutcomeDto::Held, OutcomeDto::from)
    }
}

pub(super) fn postings_of(changes: &[Change]) -> Vec<Posting> {
    let posting = |change: &Change| match change {
        Change::Posting(posting) => Some(posting.clone()),
        _ => None,
    };
    changes.iter().filter_map(posting).collect()
}

pub(super) fn refused(code: RefusalCode) -> Decision {
    Decision {
        outcome: Outcome::Refused(Refusal { code, quote: None }),
        changes: Vec::new(),
    }
}

pub(super) fn published(
    decision: &Decision,
    attachment: Option<&Attachment>,
) -> Option<Arc<Policy>> {
    let Some(Attachment::Policy { policy, .. }) = attachment else {
        return None;
    };
    let is_published = |change: &Change| matches!(change, Change::PolicyPublished(version) if *version == policy.version);
    decision
        .changes
        .iter()
        .any(is_published)
        .then(|| Arc::clone(policy))
}

pub(super) fn hash_of(attachment: &Attachment) -> Hash {
    match attachment {
        Attachment::Policy { hash, .. } => *hash,
        Attachment::Profile { profile, .. } => attachment_hash(&profile.sealed),
    }
}

/// One case per operation that is held or forked; one per device for everything that comes
/// after it was revoked, and one for what came without those before it.
pub(super) fn case_of(mark: Mark, standing: Standing, now: Timestamp) -> Vec<Change> {
    let (kind, id) = match standing {
        Standing::Decided => return Vec::new(),
        Standing::Quarantined(HeldReason::Fork) => (CaseKind::Fork, mark.op_id.derive("fork", 0)),
        Standing::Quarantined(HeldReason::BeyondGap) => {
            (CaseKind::Held, OpId(mark.device.0).derive("beyond gap", 0))
        }
        Standing::Quarantined(_) => (CaseKind::Held, OpId(mark.device.0).derive("revoked", 0)),
        Standing::Held(_) => (CaseKind::Held, mark.op_id.derive("held", 0)),
    };
    let case = ExceptionCase {
        id: CaseId(id),
        kind,
        order: None,
        attempt: None,
        member: None,
        device: Some(mark.device),
        amount: Money::ZERO,
        opened_at: now,
    };
    let event = OutboxEvent {
        id: RowId(mark.op_id.derive("held event", 0)),
        topic: Topic::CaseOpened,
        subject: id,
        at: now,
    };
    vec![Change::Case(case), Change::Outbox(event)]
}

pub(super) fn feed_entry(
    mark: Mark,
    server_seq: u64,
    now: Timestamp,
    written: &Written,
) -> FeedEntry {
    let policy = written
        .published
        .as_deref()
        .map(|policy| FeedChange::Policy(Box::new(policy.into())));
    let rows = written.changes.iter().filter_map(FeedChange::from_change);
    FeedEntry {
        server_seq,
        at_ms: now.ms(),
        op_id: mark.op_id.0,
        device: mark.device.0,
        device_seq: mark.device_seq,
        action_id: mark.action_id.0,
        kind: mark.kind,
        outcome: written.answer(),
        changes: policy.into_iter().chain(rows).collect(),
    }
}

impl From<&Header> for Mark {
    fn from(header: &Header) -> Mark {
        Mark {
            hash: header.hash,
            kind: header.kind,
            op_id: header.op_id,
            action_id: header.action_id,
            store: header.store,
            device: header.device,
            epoch: header.epoch,
            device_seq: header.device_seq,
            prev_hash: header.prev_hash,
            other_history: false,
        }
    }
}

impl From<&LogRow> for Mark {
    fn from(row: &LogRow) -> Mark {
        Mark {
            hash: row.hash,
            kind: row.kind,
            op_id: row.op_id,
            action_id: row.action_id,
            store: row.store,
            device: row.device,
            epoch: row.epoch,
            device_seq: row.device_seq,
            prev_hash: prev_hash_of(&row.bytes),
            other_history: row.other_history,
        }
    }
}

pub(super) fn held_answer(row: &LogRow) -> OpResultDto {
    held(&row.into())
}

pub(super) fn held(mark: &Mark) -> OpResultDto {
    OpResultDto {
        op_id: mark.op_id.0,
        device_seq: mark.device_seq,
        server_seq: None,
        outcome: OutcomeDto::Held,
    }
}

pub(super) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("plain structs of numbers, ids and words serialise")
}
