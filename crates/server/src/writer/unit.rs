//! One operation on its way into the log, and what became of it.

use ed25519_dalek::SigningKey;
use qiantai_core::clock::Timestamp;
use qiantai_core::ids::{ActionId, OpId, StoreId};
use qiantai_core::operation::{Operation, OperationBody, StaffProof};
use qiantai_wire::api::OpResultDto;
use qiantai_wire::codes::RefusalCodeDto;
use qiantai_wire::feed::OutcomeDto;
use uuid::Uuid;

use super::received::Received;
use crate::db::{Attachment, LogRow, Tenant};

/// One operation on its way into the log.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Server time of its decision.
    pub now: Timestamp,
    /// The operation.
    pub item: Item,
    /// What to do instead of deciding, after deciding or writing it had failed.
    pub instead: Instead,
}

impl Unit {
    /// It is decided no earlier than `now`. What another ledger decided keeps its time.
    pub(super) fn delay(&mut self, now: Timestamp) {
        if !matches!(self.item, Item::Replayed(_)) {
            self.now = self.now.max(now);
        }
    }
}

/// Where an operation comes from.
#[derive(Clone, Debug)]
pub enum Item {
    /// A terminal sent it.
    Pushed(Box<Received>),
    /// Somebody brought it back from a receipt.
    Imported(Box<Received>),
    /// It was kept, and a person has looked.
    Reviewed(Box<Received>),
    /// The server writes it; sequence and signature follow here.
    Own(Box<OwnOperation>),
    /// Another ledger had it; standing and bytes are taken over.
    Replayed(Box<Replayed>),
}

/// What to do instead of deciding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// Decide.
    Nothing,
    /// Refuse: another row holds a number or name that it wants.
    Refuse,
    /// Refuse: a person has looked and said so.
    TurnDown,
    /// Hold: deciding it broke an invariant.
    Hold,
}

/// What a person said of an operation that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It happened: it is decided now, as if its terminal were believed.
    Admit,
    /// It is no word of the shop: it is refused for good.
    Refuse,
}

/// Something that the server itself has to say.
#[derive(Clone, Debug)]
pub struct OwnOperation {
    /// Names the record; a UUIDv7 of about now.
    pub op_id: OpId,
    /// Names the intent.
    pub action_id: ActionId,
    /// Which store it concerns.
    pub store: StoreId,
    /// In whose name, where a person let the server do it.
    pub staff: Option<StaffProof>,
    /// What.
    pub body: OperationBody,
    /// What travels beside it.
    pub attachment: Option<Attachment>,
}

/// A row of another ledger's log.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// As it stands there.
    pub row: LogRow,
    /// Its content, when it was decided.
    pub operation: Option<Operation>,
    /// What travelled beside it.
    pub attachment: Option<Attachment>,
}

impl Replayed {
    /// True when it was refused there for that reason, which no decision finds.
    pub(super) fn was_refused_as(&self, reason: RefusalCodeDto) -> bool {
        let answer: Result<OpResultDto, _> = serde_json::from_str(&self.row.answer);
        answer.is_ok_and(|answer| match answer.outcome {
            OutcomeDto::Refused(refusal) => refusal.reason == reason,
            _ => false,
        })
    }
}

/// The server as the author of operations.
#[derive(Clone, Debug)]
pub struct Author {
    /// Whose books.
    pub tenant: Tenant,
    /// The tenant's key, ready for use: deriving it costs as much as signing.
    pub key: SigningKey,
    /// Which start of the server.
    pub boot_id: Uuid,
    /// When it started.
    pub started_at: Timestamp,
    /// When the present timeline began, if it began with a restored backup.
    pub restored_at: Option<Timestamp>,
}

/// What became of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is in the log, now or since earlier.
    Answered(OpResultDto),
    /// It is kept, and its device is not believed any more from this place on.
    Forked(OpResultDto),
    /// It was brought back from a receipt or a copy, or a person has looked at it.
    Imported(BroughtBack),
    /// Operations before it are missing; it was not taken.
    Gap {
        /// The sequence that comes next.
        expected_seq: u64,
    },
}

/// What became of an operation that was brought back from a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroughtBack {
    /// Its answer, now or since earlier.
    pub result: OpResultDto,
    /// What was found.
    pub arrival: Arrival,
    /// Empty places before it in its device's chain.
    pub missing_before: u64,
}

/// What was found of an operation that was brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It was not in the log, and is now.
    New,
    /// It was in the log.
    Known,
    /// Its device is not believed: it is kept for review.
    Quarantined,
    /// Its device wrote something else at this place: it is kept for review. To a person's word: it
    /// means something in its own history only.
    Forked,
    /// It is not in the log, or nobody waits for a word about it.
    NotWaiting,
}
