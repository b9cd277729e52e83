//! The ledger in one SQLite file, with SQLCipher when a key is given.
//!
//! One connection writes; a few read beside it. Every call blocks: callers on an async runtime
//! use its blocking threads.

mod codes;
mod digest;
mod load;
mod row;
mod tables;
mod write;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use qiantai_core::account::Account;
use qiantai_core::attempt::PaymentAttempt;
use qiantai_core::clock::Timestamp;
use qiantai_core::decide::{Device, RecentOrder};
use qiantai_core::ids::{AttemptId, DeviceId, MemberId, OrderId, RowId, StoreId, TenantId};
use qiantai_core::ledger::{Coupon, ExceptionCase, Shift, Topic};
use qiantai_core::member::Member;
use qiantai_core::operation::Hash;
use qiantai_core::policy::Policy;
use qiantai_core::recharge::RechargeOrder;
use qiantai_sqlite::{Fault, Migration, OpenError, OpenOptions, classify, migrations};
use qiantai_wire::profile::decode_policy;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use zeroize::Zeroizing;

use super::{
    Attachment, Batch, Books, Cursor, Delivery, DeviceToken, DueEvent, Head, Invite, Keys, Ledger,
    LedgerError, LogRow, MemberRow, SealedProfile, Seat, Tenant,
};
use tables::{
    account, coupon, device, device_token, exception_case, feed, head, held_operation, invite,
    journal, member, member_key, member_profile, operation, outbox, outbox_delivery,
    payment_attempt, policy, recharge_order, shift, tenant,
};

/// The schema's history.
pub const MIGRATIONS: &[Migration] = migrations!(
    "../../migrations/server-sqlite": 1 "0001_ledger", 2 "0002_invite_used_by"
);

/// Idle connections kept for reading.
const READERS_KEPT: usize = 4;

/// A ledger in one file.
pub struct SqliteLedger {
    path: PathBuf,
    key: Option<Zeroizing<[u8; 32]>>,
    /// Closed before the writer: the last connection to go folds the log file in, and one that
    /// only reads cannot.
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Connection>,
    /// Policies as read, by tenant: documents never change, and a batch needs them all.
    policies: Mutex<HashMap<TenantId, Vec<Arc<Policy>>>>,
}

/// Why a ledger file did not open. Nothing was overwritten.
#[derive(Debug, thiserror::Error)]
pub enum OpenLedgerError {
    /// The file.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its schema.
    #[error(transparent)]
    Migrate(#[from] qiantai_sqlite::MigrateError),
}

impl SqliteLedger {
    /// Opens the ledger at `path`, making an empty one when there is no file.
    ///
    /// # Errors
    /// See [`OpenLedgerError`].
    pub fn open(path: &Path, key: Option<[u8; 32]>) -> Result<SqliteLedger, OpenLedgerError> {
        let options = OpenOptions {
            key,
            create: true,
            read_only: false,
        };
        let mut writer = qiantai_sqlite::open(path, options)?;
        writer.set_prepared_statement_cache_capacity(128);
        qiantai_sqlite::migrate(&mut writer, MIGRATIONS)?;
        Ok(SqliteLedger {
            path: path.to_owned(),
            key: key.map(Zeroizing::new),
            writer: Mutex::new(writer),
            readers: Mutex::new(Vec::new()),
            policies: Mutex::new(HashMap::new()),
        })
    }

    /// Bounds the file; beyond it writing fails as on a full disk.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn limit_pages(&self, pages_max: u32) -> Result<(), LedgerError> {
        lock(&self.writer)
            .pragma_update(None, "max_page_count", pages_max)
            .map_err(|error| failed(&error))
    }

    /// Runs `query` on a connection that only reads.
    fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        let idle = lock(&self.readers).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => {
                let key = self.key.as_deref().copied();
                let options = OpenOptions {
                    key,
                    create: false,
                    read_only: true,
                };
                qiantai_sqlite::open(&self.path, options).map_err(|error| opening(&error))?
            }
        };
        let answer = query(&reader).map_err(|error| failed(&error));
        let mut readers = lock(&self.readers);
        if readers.len() < READERS_KEPT {
            readers.push(reader);
        }
        answer
    }

    /// Runs `change` in one transaction: all of it or nothing.
    fn change<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        let mut writer = lock(&self.writer);
        let run = |writer: &mut Connection| {
            let tx = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let answer = change(&tx)?;
            tx.commit()?;
            Ok(answer)
        };
        run(&mut writer).map_err(|error: rusqlite::Error| failed(&error))
    }

    fn policies_of(&self, tenant: TenantId) -> Result<Vec<Arc<Policy>>, LedgerError> {
        if let Some(known) = lock(&self.policies).get(&tenant) {
            return Ok(known.clone());
        }
        let documents = self.read(|db| policy::documents(db, tenant))?;
        let policies = documents
            .iter()
            .map(|document| decode_policy(document).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| LedgerError::Corrupt(error.to_string()))?;
        lock(&self.policies).insert(tenant, policies.clone());
        Ok(policies)
    }
}

/// A panic while the lock was held left no half-done work behind: transactions roll back on
/// drop, and the other guarded values change in single steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(error: &rusqlite::Error) -> LedgerError {
    match classify(error) {
        Fault::DiskFull => LedgerError::DiskFull,
        Fault::Busy => LedgerError::Busy,
        Fault::Corrupt | Fault::NotADatabase => LedgerError::Corrupt(error.to_string()),
        Fault::Constraint => LedgerError::Taken(error.to_string()),
        Fault::ReadOnly | Fault::Io | Fault::Query => LedgerError::Failed(error.to_string()),
    }
}

fn opening(error: &OpenError) -> LedgerError {
    match error {
        OpenError::DiskFull => LedgerError::DiskFull,
        OpenError::Corrupt | OpenError::NotADatabase => LedgerError::Corrupt(error.to_string()),
        other => LedgerError::Failed(other.to_string()),
    }
}

impl Ledger for SqliteLedger {
    fn load(&self, tenant: TenantId, keys: &Keys) -> Result<Books, LedgerError> {
        let policies = self.policies_of(tenant)?;
        load::load(&lock(&self.writer), tenant, &policies, keys)
            .map_err(|error| failed(&error))?
            .ok_or(LedgerError::NoTenant(tenant))
    }

    fn write(&self, tenant: TenantId, batch: &Batch) -> Result<(), LedgerError> {
        self.change(|tx| write::batch(tx, tenant, batch))?;
        let publishes =
            |entry: &super::Entry| matches!(entry.attachment, Some(Attachment::Policy { .. }));
        if batch.entries.iter().any(publishes) {
            lock(&self.policies).remove(&tenant);
        }
        Ok(())
    }

    fn create_tenant(&self, tenant: &Tenant, now: Timestamp) -> Result<(), LedgerError> {
        let server = Device {
            id: tenant.server_device,
            terminal_code: "00".to_owned(),
            public_key: tenant.public_key(),
            is_server: true,
        };
        let head = Head {
            timeline: tenant.timeline,
            server_seq: 0,
            chain_hash: [0; 32],
        };
        self.change(|tx| {
            tenant::insert(tx, tenant, now)?;
            head::save(tx, tenant.id, &head)?;
            device::save(tx, tenant.id, None, &server)
        })
    }

    fn save_invite(&self, invite: &Invite) -> Result<(), LedgerError> {
        self.change(|tx| invite::insert(tx, invite))
    }

    fn redeem_invite(
        &self,
        code: &Hash,
        public_key: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Invite>, LedgerError> {
        self.change(|tx| invite::redeem(tx, code, public_key, now))
    }

    fn save_token(&self, token: &DeviceToken) -> Result<(), LedgerError> {
        self.change(|tx| device_token::insert(tx, token))
    }

    fn save_delivery(
        &self,
        tenant: TenantId,
        event: RowId,
        delivery: &Delivery,
    ) -> Result<(), LedgerError> {
        self.change(|tx| outbox_delivery::save(tx, tenant, event, delivery))
    }

    fn tenants(&self) -> Result<Vec<Tenant>, LedgerError> {
        self.read(tenant::all)
    }

    fn head(&self, tenant: TenantId) -> Result<Head, LedgerError> {
        self.read(|db| head::find(db, tenant))?
            .ok_or(LedgerError::NoTenant(tenant))
    }

    fn seat_of_token(&self, token: &Hash) -> Result<Option<Seat>, LedgerError> {
        self.read(|db| device::seat_of_token(db, token))
    }

    fn device(
        &self,
        tenant: TenantId,
        id: DeviceId,
    ) -> Result<Option<(Device, Cursor)>, LedgerError> {
        self.read(|db| device::find(db, tenant, id))
    }

    fn devices(&self, tenant: TenantId) -> Result<Vec<(Device, Cursor)>, LedgerError> {
        self.read(|db| device::all(db, tenant))
    }

    fn store_of_code(&self, code: &str) -> Result<Option<(TenantId, StoreId)>, LedgerError> {
        self.read(|db| policy::store_of_code(db, code))
    }

    fn policies(&self, tenant: TenantId) -> Result<Vec<Arc<Policy>>, LedgerError> {
        self.policies_of(tenant)
    }

    fn feed(
        &self,
        tenant: TenantId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, String)>, LedgerError> {
        self.read(|db| feed::after(db, tenant, after, limit))
    }

    fn log(&self, tenant: TenantId, after: u64, limit: u32) -> Result<Vec<LogRow>, LedgerError> {
        self.read(|db| operation::after(db, tenant, after, limit))
    }

    fn log_row(&self, tenant: TenantId, server_seq: u64) -> Result<Option<LogRow>, LedgerError> {
        self.read(|db| operation::find(db, tenant, server_seq))
    }

    fn settlement_of(
        &self,
        tenant: TenantId,
        order: OrderId,
    ) -> Result<Option<LogRow>, LedgerError> {
        self.read(|db| match journal::seq_of_recharge(db, tenant, order)? {
            Some(server_seq) => operation::find(db, tenant, server_seq),
            None => Ok(None),
        })
    }

    fn policy_document(
        &self,
        tenant: TenantId,
        hash: &Hash,
    ) -> Result<Option<Vec<u8>>, LedgerError> {
        self.read(|db| policy::of_hash(db, tenant, hash))
    }

    fn member(&self, tenant: TenantId, id: MemberId) -> Result<Option<Member>, LedgerError> {
        self.read(|db| member::find(db, tenant, id))
    }

    fn profile(
        &self,
        tenant: TenantId,
        id: MemberId,
    ) -> Result<Option<SealedProfile>, LedgerError> {
        self.read(|db| profile(db, tenant, id))
    }

    fn member_page(
        &self,
        tenant: TenantId,
        after: Option<MemberId>,
        limit: u32,
    ) -> Result<Vec<MemberRow>, LedgerError> {
        self.read(|db| {
            member::page(db, tenant, after, limit)?
                .into_iter()
                .map(|member| {
                    let account = account::find(db, tenant, member.id)?;
                    let profile = profile(db, tenant, member.id)?;
                    Ok(MemberRow {
                        member,
                        account,
                        profile,
                    })
                })
                .collect()
        })
    }

    fn member_count(&self, tenant: TenantId) -> Result<u64, LedgerError> {
        self.read(|db| member::count(db, tenant))
    }

    fn account(&self, tenant: TenantId, id: MemberId) -> Result<Option<Account>, LedgerError> {
        self.read(|db| account::find(db, tenant, id))
    }

    fn recent_orders(
        &self,
        tenant: TenantId,
        member: MemberId,
        since: Timestamp,
    ) -> Result<Vec<RecentOrder>, LedgerError> {
        self.read(|db| recharge_order::recent(db, tenant, member, since))
    }

    fn order(&self, tenant: TenantId, id: OrderId) -> Result<Option<RechargeOrder>, LedgerError> {
        self.read(|db| recharge_order::find(db, tenant, id))
    }

    fn orders_since(
        &self,
        tenant: TenantId,
        since: Timestamp,
    ) -> Result<Vec<RechargeOrder>, LedgerError> {
        self.read(|db| recharge_order::since(db, tenant, since))
    }

    fn attempt(
        &self,
        tenant: TenantId,
        id: AttemptId,
    ) -> Result<Option<PaymentAttempt>, LedgerError> {
        self.read(|db| payment_attempt::find(db, tenant, id))
    }

    fn attempt_of_number(
        &self,
        attempt_no: &str,
    ) -> Result<Option<(TenantId, PaymentAttempt)>, LedgerError> {
        self.read(|db| payment_attempt::of_any_number(db, attempt_no))
    }

    fn attempts_of_order(
        &self,
        tenant: TenantId,
        order: OrderId,
    ) -> Result<Vec<PaymentAttempt>, LedgerError> {
        self.read(|db| payment_attempt::of_order(db, tenant, order))
    }

    fn watched_attempts(
        &self,
        ended_since: Timestamp,
    ) -> Result<Vec<(TenantId, PaymentAttempt)>, LedgerError> {
        self.read(|db| payment_attempt::watched(db, ended_since))
    }

    fn overdue_orders(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(TenantId, RechargeOrder)>, LedgerError> {
        self.read(|db| recharge_order::overdue(db, now))
    }

    fn open_shifts(&self, tenant: TenantId) -> Result<Vec<Shift>, LedgerError> {
        self.read(|db| shift::all_open(db, tenant))
    }

    fn usable_coupons(&self, tenant: TenantId) -> Result<Vec<Coupon>, LedgerError> {
        self.read(|db| coupon::usable(db, tenant))
    }

    fn cases(&self, tenant: TenantId, limit: u32) -> Result<Vec<ExceptionCase>, LedgerError> {
        self.read(|db| exception_case::newest(db, tenant, limit))
    }

    fn due_events(&self, topic: Topic, now: Timestamp) -> Result<Vec<DueEvent>, LedgerError> {
        self.read(|db| outbox::due(db, topic, now))
    }

    fn held_count(&self) -> Result<u64, LedgerError> {
        self.read(held_operation::count)
    }

    fn digest(&self, tenant: TenantId) -> Result<Hash, LedgerError> {
        self.read(|db| {
            // One snapshot for all tables.
            let tx = db.unchecked_transaction()?;
            digest::digest(&tx, tenant)
        })
    }
}

fn profile(
    db: &Connection,
    tenant: TenantId,
    id: MemberId,
) -> rusqlite::Result<Option<SealedProfile>> {
    let Some(sealed) = member_profile::find(db, tenant, id)? else {
        return Ok(None);
    };
    Ok(Some(SealedProfile {
        sealed,
        key: member_key::find(db, tenant, id)?,
    }))
}
