//! The rows and keys in which the ledger speaks.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use qiantai_core::Money;
use qiantai_core::account::Account;
use qiantai_core::clock::Timestamp;
use qiantai_core::decide::{ActionRecord, Change, State};
use qiantai_core::ids::{
    ActionId, AttemptId, DeviceId, MemberId, OpId, OrderId, RowId, ShiftId, StoreId, TenantId,
};
use qiantai_core::ledger::OutboxEvent;
use qiantai_core::member::Member;
use qiantai_core::operation::Hash;
use qiantai_core::policy::Policy;
use zeroize::Zeroizing;

/// A merchant with books here.
#[derive(Clone)]
pub struct Tenant {
    /// Identity.
    pub id: TenantId,
    /// Name for people who run the server.
    pub name: String,
    /// The server as a device of this tenant.
    pub server_device: DeviceId,
    /// Ed25519 seed with which the server signs its own operations.
    pub signing_seed: Zeroizing<[u8; 32]>,
    /// Changes when the ledger is restored from a backup; from 1.
    pub timeline: u32,
}

impl Tenant {
    /// The key with which the server signs for this tenant.
    pub fn signing_key(&self) -> SigningKey {
        SigningKey::from_bytes(&self.signing_seed)
    }

    /// Its public half.
    pub fn public_key(&self) -> [u8; 32] {
        self.signing_key().verifying_key().to_bytes()
    }
}

impl std::fmt::Debug for Tenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tenant")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish()
    }
}

/// Where the log of a tenant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which history.
    pub timeline: u32,
    /// Last sequence committed.
    pub server_seq: u64,
    /// Chain hash after it.
    pub chain_hash: Hash,
}

/// Where the log of a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Store it stands in; `None` for the server.
    pub store: Option<StoreId>,
    /// Counts key changes.
    pub epoch: u32,
    /// Last sequence taken.
    pub last_seq: u64,
    /// Hash of that operation; zeros before the first.
    pub last_hash: Hash,
    /// Whether it is believed, as far as the log determines it.
    pub standing: DeviceStanding,
    /// When it was taken out of service.
    pub revoked_at: Option<Timestamp>,
}

impl Cursor {
    /// Whether it is believed.
    pub fn believed(&self) -> DeviceStanding {
        match self.revoked_at {
            Some(_) => DeviceStanding::Revoked,
            None => self.standing,
        }
    }
}

/// An administrator's word that a device is out of service. It is never taken back: what stands
/// there again is enrolled as a new device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Which device.
    pub device: DeviceId,
    /// Since when.
    pub revoked_at: Timestamp,
    /// Why, as people said it.
    pub reason: String,
}

/// Whether a device is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceStanding {
    /// Normal.
    Active,
    /// It sent two different histories; what it sends is kept for review.
    Quarantined,
    /// Taken out of service; what it sends is kept for review.
    Revoked,
}

/// Names of the rows that a batch touches.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// Earliest time by which an operation of the batch is decided or was priced; orders from
    /// [`RECENT_ORDERS`](super::RECENT_ORDERS) before it on are loaded.
    pub now: Timestamp,
    /// Devices that wrote or that are enrolled.
    pub devices: BTreeSet<DeviceId>,
    /// Members.
    pub members: BTreeSet<MemberId>,
    /// Numbers that a new member wants.
    pub member_numbers: BTreeSet<String>,
    /// Members whose leases are needed too.
    pub leases_of: BTreeSet<MemberId>,
    /// Devices that took something beyond their leases, and since when what they took counts.
    pub spent_beyond: BTreeMap<DeviceId, Timestamp>,
    /// Orders; loading follows them to members and attempts.
    pub orders: BTreeSet<OrderId>,
    /// Numbers that a new order wants.
    pub order_numbers: BTreeSet<String>,
    /// References of recorded payments.
    pub references: BTreeSet<String>,
    /// Attempts; loading follows them to orders.
    pub attempts: BTreeSet<AttemptId>,
    /// Numbers that a new attempt wants.
    pub attempt_numbers: BTreeSet<String>,
    /// Shifts.
    pub shifts: BTreeSet<ShiftId>,
    /// Actions.
    pub actions: BTreeSet<ActionId>,
    /// Operations that may have been seen before: device, epoch, sequence.
    pub sequences: BTreeSet<(DeviceId, u32, u64)>,
    /// Hashes of operations that may have been seen before.
    pub hashes: BTreeSet<Hash>,
}

/// What a batch may look at.
#[derive(Clone, Debug)]
pub struct Books {
    /// Where the log stands.
    pub head: Head,
    /// The domain's view, without policies: those are per store.
    pub state: State,
    /// Every policy version by store, oldest first.
    pub policies: HashMap<StoreId, Vec<Arc<Policy>>>,
    /// Where the devices of the batch stand.
    pub cursors: HashMap<DeviceId, Cursor>,
    /// Rows of the log found for [`Keys::sequences`] and [`Keys::hashes`], and those of
    /// [`Keys::devices`] that stand beyond the ends of their chains.
    pub seen: Vec<LogRow>,
}

/// One row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Commit order of the tenant, from 1.
    pub server_seq: u64,
    /// The record.
    pub op_id: OpId,
    /// The intent.
    pub action_id: ActionId,
    /// Which store.
    pub store: StoreId,
    /// Who wrote it.
    pub device: DeviceId,
    /// Key change count of the device.
    pub epoch: u32,
    /// Sequence of the device.
    pub device_seq: u64,
    /// Kind number of the body.
    pub kind: u16,
    /// What became of it.
    pub standing: Standing,
    /// It is of another history of its device than the chain, and decided beside it.
    pub other_history: bool,
    /// The answer given, as JSON of the wire's result.
    pub answer: String,
    /// Server time of the decision.
    pub decided_at: Timestamp,
    /// SHA-256 of the bytes.
    pub hash: Hash,
    /// Chain hash after this row.
    pub chain_hash: Hash,
    /// The signed bytes as they arrived.
    pub bytes: Vec<u8>,
}

/// What became of an operation that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Decided.
    Decided,
    /// Cannot be read or decided here yet; takes its place in the device's sequence.
    Held(HeldReason),
    /// From a device that is not believed, or out of its sequence; does not count in it. When it is
    /// taken after all, the log has it a second time.
    Quarantined(HeldReason),
}

/// Why an operation waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldReason {
    /// Nobody here knows this kind.
    UnknownKind,
    /// A newer version of a known kind.
    NewerVersion,
    /// Signed, and not readable.
    Malformed,
    /// Deciding it broke an invariant of money.
    Invariant,
    /// The device sent another operation under the same sequence before.
    Fork,
    /// The device was quarantined or revoked before it arrived.
    DeviceNotBelieved,
    /// Operations before it are missing, and what it says holds only after them.
    BeyondGap,
}

/// A decided batch.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Operations in commit order.
    pub entries: Vec<Entry>,
    /// The accounts before the batch, as far as they were there: what stays as it was is not written
    /// again.
    pub accounts: HashMap<MemberId, Account>,
    /// Devices whose place moved.
    pub cursors: Vec<(DeviceId, Cursor)>,
    /// The head after the batch; `None` when nothing is to be written.
    pub head: Option<Head>,
}

/// One operation to write.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its row in the log.
    pub row: LogRow,
    /// Rows it changes.
    pub changes: Vec<Change>,
    /// The first answer to its action, when this is the first.
    pub action: Option<(ActionId, ActionRecord)>,
    /// What travelled beside it.
    pub attachment: Option<Attachment>,
    /// The feed entry as JSON.
    pub feed: String,
}

/// What travels beside an operation; its hash is in the signed part.
#[derive(Clone, Debug)]
pub enum Attachment {
    /// A policy document.
    Policy {
        /// As it travelled.
        bytes: Vec<u8>,
        /// SHA-256 of the bytes.
        hash: Hash,
        /// Read.
        policy: Arc<Policy>,
    },
    /// A member's profile.
    Profile {
        /// Whose.
        member: MemberId,
        /// The profile.
        profile: SealedProfile,
    },
}

/// A profile and, unless the person was erased, its key.
#[derive(Clone)]
pub struct SealedProfile {
    /// As it travelled.
    pub sealed: Vec<u8>,
    /// Opens it.
    pub key: Option<Zeroizing<[u8; 32]>>,
}

impl std::fmt::Debug for SealedProfile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedProfile({} bytes)", self.sealed.len())
    }
}

/// A member with what belongs to it.
#[derive(Clone, Debug)]
pub struct MemberRow {
    /// The member.
    pub member: Member,
    /// Its account, once anything was posted.
    pub account: Option<Account>,
    /// Its profile.
    pub profile: Option<SealedProfile>,
}

/// A device with a place in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Whose books.
    pub tenant: TenantId,
    /// Which device.
    pub device: DeviceId,
    /// Where.
    pub store: StoreId,
    /// Ed25519 key with which it signs.
    pub public_key: [u8; 32],
    /// Whether it is believed.
    pub standing: DeviceStanding,
}

/// The hash of a bearer token.
#[derive(Clone, Debug)]
pub struct DeviceToken {
    /// Whose books.
    pub tenant: TenantId,
    /// SHA-256 of the token.
    pub token_hash: Hash,
    /// Which device.
    pub device: DeviceId,
    /// Name given by people.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A one-time invitation for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// Whose books.
    pub tenant: TenantId,
    /// SHA-256 of the code.
    pub code_hash: Hash,
    /// Which store.
    pub store: StoreId,
    /// Last instant of validity.
    pub expires_at: Timestamp,
    /// Key of the terminal that used it.
    pub used_by: Option<[u8; 32]>,
}

/// A payment code (付款码) that was handed to a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeCharge {
    /// Keyed hash of the code; `None` when it turned out that nothing was sent.
    pub code: Option<Hash>,
    /// When.
    pub at: Timestamp,
}

/// A notice that names nobody: kept until our own query says what is true of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Follows from attempt and payment, so a repetition is the same hint.
    pub id: RowId,
    /// The attempt whose number it has.
    pub attempt: AttemptId,
    /// Name of the gateway that sent it.
    pub gateway: String,
    /// The gateway's number of the payment that it tells of.
    pub channel_txn_no: String,
    /// Amount that it says was paid.
    pub amount: Money,
    /// When, by its word.
    pub paid_at: Timestamp,
    /// When it first came.
    pub heard_at: Timestamp,
    /// What became of it.
    pub state: HintState,
}

/// What became of a notice that names nobody. Once it is not open it stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HintState {
    /// The gateway is still asked.
    Open,
    /// The books hold the payment.
    Confirmed,
    /// The gateway has no such payment of ours.
    Denied,
    /// The gateway did not say in time; a case is open for a person.
    Unclear,
}

/// How far an event was carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where it stands.
    pub state: DeliveryState,
    /// Tries so far.
    pub tries: u32,
    /// Next try.
    pub next_at: Timestamp,
    /// What stopped the last try.
    pub last_error: Option<String>,
}

/// States of domain §2.2, Outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// To be carried.
    Pending,
    /// Done.
    Acked,
    /// Given up; a person must act.
    Dead,
}

/// An event that is due.
#[derive(Clone, Debug)]
pub struct DueEvent {
    /// Whose.
    pub tenant: TenantId,
    /// The operation that wrote it.
    pub server_seq: u64,
    /// The event.
    pub event: OutboxEvent,
    /// Tries so far.
    pub tries: u32,
}

/// A backup that was made and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupMade {
    /// The moment that it shows.
    pub made_at: Timestamp,
    /// End of the log in it.
    pub server_seq: u64,
    /// Where it was written.
    pub place: String,
}

/// A timeline that began with a restored backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The timeline.
    pub timeline: u32,
    /// When it began.
    pub began_at: Timestamp,
    /// The moment that the backup shows; what came after it was lost here.
    pub backup_made_at: Timestamp,
    /// End of the log in the backup.
    pub from_seq: u64,
}
