//! The ledger as the server sees it: load what a batch touches, write what was decided, and
//! named reads. Nothing here decides anything.

mod archive;
mod audit;
mod buckets;
pub(crate) mod codes;
mod copied;
mod database;
mod digest;
mod leases;
mod ledger;
mod load;
pub mod postgres;
mod record;
mod rows;
pub mod sqlite;
mod table;
mod tables;
mod write;

use std::collections::HashMap;
use std::sync::Arc;

use qiantai_core::account::Account;
use qiantai_core::attempt::PaymentAttempt;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::decide::{Device, RecentOrder};
use qiantai_core::ids::{AttemptId, DeviceId, MemberId, OrderId, RowId, StoreId, TenantId};
use qiantai_core::lease::Lease;
use qiantai_core::ledger::{Coupon, ExceptionCase, Shift, Topic};
use qiantai_core::member::Member;
use qiantai_core::operation::Hash;
use qiantai_core::policy::Policy;
use qiantai_core::recharge::RechargeOrder;

use qiantai_wire::text::Hex;
use uuid::Uuid;

use crate::audit::{AuditEntry, AuditStanding, Deed};

pub use archive::{
    Archive, DatabaseReport, Drawers, Link, LogPage, LogStanding, MemberBook, MemberBooks,
};
pub use leases::Leasable;
pub use rows::{
    Attachment, BackupMade, Batch, Books, CodeCharge, Cursor, Delivery, DeliveryState,
    DeviceStanding, DeviceToken, DueEvent, Entry, Head, HeldReason, Hint, HintState, Invite, Keys,
    LogRow, MemberRow, Restored, Revocation, SealedProfile, Seat, Standing, Tenant,
};

/// How far back a decision looks at the orders of a member (docs: domain §3.8, the 24 h sum).
pub const RECENT_ORDERS: Millis = Millis::days(1);

/// The authority's books. Implementations are equal in behaviour; the writer of a tenant is the
/// only caller of [`Ledger::load`] and [`Ledger::write`] for it.
pub trait Ledger: Send + Sync {
    // ---- load ----

    /// Everything that deciding a batch with these keys may look at, as committed.
    fn load(&self, tenant: TenantId, keys: &Keys) -> Result<Books, LedgerError>;

    // ---- write ----

    /// Writes a decided batch in one transaction: all of it or nothing.
    fn write(&self, tenant: TenantId, batch: &Batch) -> Result<(), LedgerError>;

    // ---- the right to write ----

    /// True when several processes may open these books at one time.
    fn is_shared(&self) -> bool;

    /// Takes or keeps the right to write the books of a tenant for the next few seconds.
    ///
    /// # Errors
    /// [`LedgerError::WrittenElsewhere`] when another process has it.
    fn hold(&self, tenant: TenantId) -> Result<(), LedgerError>;

    /// Whether this process has that right, as far as it knows.
    ///
    /// # Errors
    /// [`LedgerError::WrittenElsewhere`] when another process has it.
    fn may_write(&self, tenant: TenantId) -> Result<(), LedgerError>;

    /// Gives every right back, so that another process can take it at once.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn let_go(&self) -> Result<(), LedgerError>;

    // ---- beside the log ----

    /// Makes an empty ledger for a tenant.
    fn create_tenant(&self, tenant: &Tenant, now: Timestamp) -> Result<(), LedgerError>;

    /// Stores a one-time invitation.
    fn save_invite(&self, invite: &Invite) -> Result<(), LedgerError>;

    /// Marks an invitation used by a key and returns it; `None` when it is unknown, expired or
    /// used by another key.
    fn redeem_invite(
        &self,
        code: &Hash,
        public_key: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Invite>, LedgerError>;

    /// An invitation, whatever became of it.
    fn invite(&self, code: &Hash) -> Result<Option<Invite>, LedgerError>;

    /// Stores the hash of a device's bearer token.
    fn save_token(&self, token: &DeviceToken) -> Result<(), LedgerError>;

    /// Takes a device out of service. What it sends from now on is kept for review.
    ///
    /// # Errors
    /// [`LedgerError::Taken`] when it is out of service already.
    fn save_revocation(&self, tenant: TenantId, revocation: &Revocation)
    -> Result<(), LedgerError>;

    /// Records when devices last asked for anything.
    fn save_contacts(
        &self,
        tenant: TenantId,
        contacts: &[(DeviceId, Timestamp)],
    ) -> Result<(), LedgerError>;

    /// Records how far an event of the outbox was carried.
    fn save_delivery(
        &self,
        tenant: TenantId,
        event: RowId,
        delivery: &Delivery,
    ) -> Result<(), LedgerError>;

    /// Enters a deed at the end of the audit log.
    fn save_deed(&self, tenant: TenantId, deed: &Deed) -> Result<(), LedgerError>;

    /// Writes entries of an audit log that is moved here, in order, after the last that is here.
    ///
    /// # Errors
    /// [`LedgerError::Taken`] when one of their places is taken; then none was written.
    fn copy_audit(&self, tenant: TenantId, entries: &[AuditEntry]) -> Result<(), LedgerError>;

    /// Records that a payment code goes to the gateway, before it goes, or that it did not.
    ///
    /// # Errors
    /// [`LedgerError::Taken`] when the code was charged for another attempt.
    fn save_code_charge(
        &self,
        tenant: TenantId,
        attempt: AttemptId,
        charge: &CodeCharge,
    ) -> Result<(), LedgerError>;

    /// Keeps a notice that names nobody, or says what became of it. One that is kept keeps the time
    /// at which it first came, and one that is settled stays as it is.
    fn save_hint(&self, tenant: TenantId, hint: &Hint) -> Result<(), LedgerError>;

    // ---- named reads ----

    /// Every tenant.
    fn tenants(&self) -> Result<Vec<Tenant>, LedgerError>;
    /// How the present timeline began, when it began with a restored backup.
    fn restored(&self, tenant: TenantId) -> Result<Option<Restored>, LedgerError>;
    /// Where the log of a tenant stands.
    fn head(&self, tenant: TenantId) -> Result<Head, LedgerError>;
    /// The device behind a bearer token.
    fn seat_of_token(&self, token: &Hash) -> Result<Option<Seat>, LedgerError>;
    /// A device and how far it has written.
    fn device(
        &self,
        tenant: TenantId,
        id: DeviceId,
    ) -> Result<Option<(Device, Cursor)>, LedgerError>;
    /// Devices of a tenant.
    fn devices(&self, tenant: TenantId) -> Result<Vec<(Device, Cursor)>, LedgerError>;
    /// The store with that five-digit code.
    fn store_of_code(&self, code: &str) -> Result<Option<(TenantId, StoreId)>, LedgerError>;
    /// Every policy of a tenant, oldest first.
    fn policies(&self, tenant: TenantId) -> Result<Vec<Arc<Policy>>, LedgerError>;
    /// Feed entries after `after`, oldest first, as JSON.
    fn feed(
        &self,
        tenant: TenantId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, String)>, LedgerError>;
    /// Rows of the log after `after`, oldest first, with what travelled beside them.
    fn log(&self, tenant: TenantId, after: u64, limit: u32) -> Result<Vec<LogRow>, LedgerError>;
    /// One row of the log.
    fn log_row(&self, tenant: TenantId, server_seq: u64) -> Result<Option<LogRow>, LedgerError>;
    /// The operation that credited an order.
    fn settlement_of(
        &self,
        tenant: TenantId,
        order: OrderId,
    ) -> Result<Option<LogRow>, LedgerError>;
    /// The policy document published under this hash, as it travelled.
    fn policy_document(
        &self,
        tenant: TenantId,
        hash: &Hash,
    ) -> Result<Option<Vec<u8>>, LedgerError>;
    /// A member.
    fn member(&self, tenant: TenantId, id: MemberId) -> Result<Option<Member>, LedgerError>;
    /// The sealed profile of a member.
    fn profile(&self, tenant: TenantId, id: MemberId)
    -> Result<Option<SealedProfile>, LedgerError>;
    /// Members after `after` by identity, with accounts and sealed profiles.
    fn member_page(
        &self,
        tenant: TenantId,
        after: Option<MemberId>,
        limit: u32,
    ) -> Result<Vec<MemberRow>, LedgerError>;
    /// How many members there are.
    fn member_count(&self, tenant: TenantId) -> Result<u64, LedgerError>;
    /// An account with its lots.
    fn account(&self, tenant: TenantId, id: MemberId) -> Result<Option<Account>, LedgerError>;
    /// Those of these members that have an account, with everything that a lease depends on.
    fn leasable(
        &self,
        tenant: TenantId,
        members: &[MemberId],
    ) -> Result<Vec<Leasable>, LedgerError>;
    /// The leases of these members that are not over.
    fn leases_of(&self, tenant: TenantId, members: &[MemberId]) -> Result<Vec<Lease>, LedgerError>;
    /// Orders of a member opened at or after `since`.
    fn recent_orders(
        &self,
        tenant: TenantId,
        member: MemberId,
        since: Timestamp,
    ) -> Result<Vec<RecentOrder>, LedgerError>;
    /// An order.
    fn order(&self, tenant: TenantId, id: OrderId) -> Result<Option<RechargeOrder>, LedgerError>;
    /// Orders of a store that were opened at or after `since` or wait for a person, and those of every
    /// store that are under way: their members may come to any.
    fn orders_since(
        &self,
        tenant: TenantId,
        store: StoreId,
        since: Timestamp,
    ) -> Result<Vec<RechargeOrder>, LedgerError>;
    /// An attempt.
    fn attempt(
        &self,
        tenant: TenantId,
        id: AttemptId,
    ) -> Result<Option<PaymentAttempt>, LedgerError>;
    /// The attempt with that number, in whichever tenant.
    fn attempt_of_number(
        &self,
        attempt_no: &str,
    ) -> Result<Option<(TenantId, PaymentAttempt)>, LedgerError>;
    /// The payment code that was charged for an attempt.
    fn code_charge(
        &self,
        tenant: TenantId,
        attempt: AttemptId,
    ) -> Result<Option<CodeCharge>, LedgerError>;
    /// The attempt for which a payment code was charged.
    fn attempt_of_code(
        &self,
        tenant: TenantId,
        code: &Hash,
    ) -> Result<Option<AttemptId>, LedgerError>;
    /// Every payment code of a tenant that was handed to a gateway, by attempt.
    fn code_charges(&self, tenant: TenantId) -> Result<Vec<(AttemptId, CodeCharge)>, LedgerError>;
    /// Notices that name nobody and are not settled, of every tenant, oldest first.
    fn open_hints(&self) -> Result<Vec<(TenantId, Hint)>, LedgerError>;
    /// Every notice of a tenant that named nobody, oldest first.
    fn hints(&self, tenant: TenantId) -> Result<Vec<Hint>, LedgerError>;
    /// Attempts of an order.
    fn attempts_of_order(
        &self,
        tenant: TenantId,
        order: OrderId,
    ) -> Result<Vec<PaymentAttempt>, LedgerError>;
    /// Attempts that are not final, and those that ended unpaid at or after `ended_since`.
    fn watched_attempts(
        &self,
        ended_since: Timestamp,
    ) -> Result<Vec<(TenantId, PaymentAttempt)>, LedgerError>;
    /// Orders that wait for payment or review past their time.
    fn overdue_orders(&self, now: Timestamp)
    -> Result<Vec<(TenantId, RechargeOrder)>, LedgerError>;
    /// Shifts that are not closed.
    fn open_shifts(&self, tenant: TenantId) -> Result<Vec<Shift>, LedgerError>;
    /// Coupons of members that can still be used.
    fn usable_coupons(
        &self,
        tenant: TenantId,
        members: &[MemberId],
    ) -> Result<Vec<Coupon>, LedgerError>;
    /// Exception cases, newest first.
    fn cases(&self, tenant: TenantId, limit: u32) -> Result<Vec<ExceptionCase>, LedgerError>;
    /// Events of a topic that are due to be carried.
    fn due_events(&self, topic: Topic, now: Timestamp) -> Result<Vec<DueEvent>, LedgerError>;
    /// Events of a topic about `subject` that were not carried to their end, those given up among
    /// them.
    fn unfinished_events(
        &self,
        tenant: TenantId,
        topic: Topic,
        subject: Uuid,
    ) -> Result<Vec<DueEvent>, LedgerError>;
    /// Tokens of a tenant's devices, as hashes.
    fn tokens(&self, tenant: TenantId) -> Result<Vec<DeviceToken>, LedgerError>;
    /// Devices of a tenant that are out of service.
    fn revocations(&self, tenant: TenantId) -> Result<Vec<Revocation>, LedgerError>;
    /// What has its place in the chain of its device and was not decided, in the order of the log.
    fn held(&self, tenant: TenantId) -> Result<Vec<LogRow>, LedgerError>;
    /// When an operation of each device was last taken, for devices that have sent any.
    fn last_taken(&self, tenant: TenantId) -> Result<HashMap<DeviceId, Timestamp>, LedgerError>;
    /// How many operations of each device wait because it was not believed.
    fn quarantined(&self, tenant: TenantId) -> Result<HashMap<DeviceId, u64>, LedgerError>;
    /// When devices last asked for anything, as far as it was recorded.
    fn contacts(&self, tenant: TenantId) -> Result<HashMap<DeviceId, Timestamp>, LedgerError>;
    /// How far the events of a tenant were carried.
    fn deliveries(&self, tenant: TenantId) -> Result<Vec<(RowId, Delivery)>, LedgerError>;
    /// Digests of all accounts by bucket, of that version or the newest, as of one moment.
    fn bucket_digests(
        &self,
        tenant: TenantId,
        version: u32,
    ) -> Result<(Head, Vec<Hex<32>>), LedgerError>;
    /// Every account of a bucket, as of one moment.
    fn bucket(&self, tenant: TenantId, bucket: u8) -> Result<(Head, Vec<Account>), LedgerError>;
    /// Where the audit log of a tenant ends.
    fn audit_standing(&self, tenant: TenantId) -> Result<AuditStanding, LedgerError>;
    /// Entries of the audit log after `after`, oldest first.
    fn audit_page(
        &self,
        tenant: TenantId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, LedgerError>;
    /// How many operations are held or quarantined.
    fn held_count(&self) -> Result<u64, LedgerError>;
    /// SHA-256 over every row that the log determines, tables and keys in order. Equal logs give
    /// equal digests.
    fn digest(&self, tenant: TenantId) -> Result<Hash, LedgerError>;
}

/// Why the ledger could not answer.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// No room left; nothing was written.
    #[error("the disk of the ledger is full")]
    DiskFull,
    /// Another process holds the file, or the connection is lost; try again.
    #[error("the ledger is busy")]
    Busy,
    /// Another process has the right to write these books; nothing was written.
    #[error("these books are written at {address}")]
    WrittenElsewhere {
        /// Where it is reached.
        address: String,
    },
    /// Another writer has written meanwhile; nothing was written.
    #[error("another writer has written these books meanwhile")]
    Overtaken,
    /// A page or a row is damaged.
    #[error("the ledger is damaged: {0}")]
    Corrupt(String),
    /// A unique number or name is taken; nothing was written.
    #[error("the row exists already: {0}")]
    Taken(String),
    /// No such tenant.
    #[error("there is no tenant {0}")]
    NoTenant(TenantId),
    /// Anything else.
    #[error("the ledger failed: {0}")]
    Failed(String),
}
