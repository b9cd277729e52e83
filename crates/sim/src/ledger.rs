//! The real ledger behind a trap, with a tape of what was written; and the place where bugs of
//! the server are planted.

mod spoil;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use qiantai_core::account::Account;
use qiantai_core::attempt::PaymentAttempt;
use qiantai_core::clock::Timestamp;
use qiantai_core::decide::{Device, RecentOrder};
use qiantai_core::ids::{AttemptId, DeviceId, MemberId, OrderId, RowId, StoreId, TenantId};
use qiantai_core::lease::Lease;
use qiantai_core::ledger::{Coupon, ExceptionCase, Shift, Topic};
use qiantai_core::member::Member;
use qiantai_core::operation::Hash;
use qiantai_core::policy::Policy;
use qiantai_core::recharge::RechargeOrder;
use qiantai_server::audit::{AuditEntry, AuditStanding, Deed};
use qiantai_server::db::sqlite::{OpenLedgerError, SqliteLedger};
use qiantai_server::db::{
    Batch, Books, CodeCharge, Cursor, Delivery, DeviceToken, DueEvent, Head, Hint, Invite, Keys,
    Leasable, Ledger, LedgerError, LogRow, MemberRow, Restored, Revocation, SealedProfile, Seat,
    Tenant,
};
use qiantai_wire::text::Hex;
use uuid::Uuid;

use crate::bug::Bug;
use crate::payments::bugs;
use crate::trap::Trap;

/// One chance in so many that a bug shows where it could.
const BUG_SHOWS_EVERY: u32 = 3;

/// Pages of a file that is not bounded.
const PAGES_MAX: u32 = u32::MAX - 1;

/// The ledger of one start of the server.
pub struct SimLedger {
    /// What it keeps.
    pub inner: SqliteLedger,
    /// Kills the server at a write.
    pub trap: Trap,
    bug: Option<Bug>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tape: Vec<Batch>,
    could_show: u32,
    accounts_before: HashMap<MemberId, Account>,
}

impl SimLedger {
    /// Opens the ledger in `folder`.
    pub fn open(
        folder: &Path,
        key: Option<[u8; 32]>,
        bug: Option<Bug>,
    ) -> Result<Arc<SimLedger>, OpenLedgerError> {
        let inner = SqliteLedger::open(&folder.join(FILE), key)?;
        Ok(Arc::new(SimLedger {
            inner,
            trap: Trap::default(),
            bug,
            state: Mutex::default(),
        }))
    }

    /// Batches written since the last call.
    pub fn take_tape(&self) -> Vec<Batch> {
        std::mem::take(&mut self.state().tape)
    }

    /// Lets the disk be full from now on, or not.
    pub fn fill_disk(&self, full: bool) -> Result<(), LedgerError> {
        self.inner.limit_pages(if full { 1 } else { PAGES_MAX })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the planted bug is `bug`, and shows this time.
    fn shows(&self, bug: Bug) -> bool {
        if self.bug != Some(bug) {
            return false;
        }
        let mut state = self.state();
        state.could_show += 1;
        state.could_show.is_multiple_of(BUG_SHOWS_EVERY)
    }

    fn put(&self, tenant: TenantId, batch: &Batch) -> Result<(), LedgerError> {
        if !self.shows(Bug::AckBeforeCommit) {
            self.inner.write(tenant, batch)?;
        }
        self.state().tape.push(batch.clone());
        Ok(())
    }
}

/// Name of the ledger's file.
pub const FILE: &str = "ledger.db";

impl Ledger for SimLedger {
    fn load(&self, tenant: TenantId, keys: &Keys) -> Result<Books, LedgerError> {
        let mut books = self.inner.load(tenant, keys)?;
        if self.bug == Some(Bug::SkipDedupe) {
            books.seen.clear();
        }
        if let Some(bug) = self.bug {
            bugs::spoil_state(bug, &mut books.state);
        }
        if self.bug == Some(Bug::StaleAccount) {
            let mut state = self.state();
            for (member, account) in &mut books.state.accounts {
                let now = account.clone();
                if let Some(before) = state.accounts_before.insert(*member, now) {
                    *account = before;
                }
            }
        }
        Ok(books)
    }

    fn write(&self, tenant: TenantId, batch: &Batch) -> Result<(), LedgerError> {
        let mut batch = batch.clone();
        self.spoil(&mut batch);
        let written = self.trap.pass(|| self.put(tenant, &batch));
        written.unwrap_or_else(|| Err(died()))
    }

    fn feed(
        &self,
        tenant: TenantId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, String)>, LedgerError> {
        let mut rows = self.inner.feed(tenant, after, limit)?;
        let every = u64::from(BUG_SHOWS_EVERY);
        for (server_seq, json) in &mut rows {
            if self.bug == Some(Bug::FeedRowsLost) && server_seq.is_multiple_of(every) {
                drop_changes(json);
            }
        }
        Ok(rows)
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }
    fn hold(&self, tenant: TenantId) -> Result<(), LedgerError> {
        self.inner.hold(tenant)
    }
    fn may_write(&self, tenant: TenantId) -> Result<(), LedgerError> {
        self.inner.may_write(tenant)
    }
    fn let_go(&self) -> Result<(), LedgerError> {
        self.inner.let_go()
    }
    fn tokens(&self, tenant: TenantId) -> Result<Vec<DeviceToken>, LedgerError> {
        self.inner.tokens(tenant)
    }
    fn held(&self, tenant: TenantId) -> Result<Vec<LogRow>, LedgerError> {
        self.inner.held(tenant)
    }

    fn revocations(&self, tenant: TenantId) -> Result<Vec<Revocation>, LedgerError> {
        self.inner.revocations(tenant)
    }

    fn last_taken(&self, tenant: TenantId) -> Result<HashMap<DeviceId, Timestamp>, LedgerError> {
        self.inner.last_taken(tenant)
    }
    fn quarantined(&self, tenant: TenantId) -> Result<HashMap<DeviceId, u64>, LedgerError> {
        self.inner.quarantined(tenant)
    }
    fn contacts(&self, tenant: TenantId) -> Result<HashMap<DeviceId, Timestamp>, LedgerError> {
        self.inner.contacts(tenant)
    }
    fn deliveries(&self, tenant: TenantId) -> Result<Vec<(RowId, Delivery)>, LedgerError> {
        self.inner.deliveries(tenant)
    }
    fn create_tenant(&self, tenant: &Tenant, now: Timestamp) -> Result<(), LedgerError> {
        self.inner.create_tenant(tenant, now)
    }
    fn save_invite(&self, invite: &Invite) -> Result<(), LedgerError> {
        self.inner.save_invite(invite)
    }
    fn redeem_invite(
        &self,
        code: &Hash,
        public_key: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Invite>, LedgerError> {
        self.inner.redeem_invite(code, public_key, now)
    }
    fn invite(&self, code: &Hash) -> Result<Option<Invite>, LedgerError> {
        self.inner.invite(code)
    }

    fn save_token(&self, token: &DeviceToken) -> Result<(), LedgerError> {
        self.inner.save_token(token)
    }
    fn save_revocation(
        &self,
        tenant: TenantId,
        revocation: &Revocation,
    ) -> Result<(), LedgerError> {
        self.inner.save_revocation(tenant, revocation)
    }

    fn save_deed(&self, tenant: TenantId, deed: &Deed) -> Result<(), LedgerError> {
        self.inner.save_deed(tenant, deed)
    }
    fn copy_audit(&self, tenant: TenantId, entries: &[AuditEntry]) -> Result<(), LedgerError> {
        self.inner.copy_audit(tenant, entries)
    }
    fn bucket_digests(
        &self,
        tenant: TenantId,
        version: u32,
    ) -> Result<(Head, Vec<Hex<32>>), LedgerError> {
        self.inner.bucket_digests(tenant, version)
    }
    fn bucket(&self, tenant: TenantId, bucket: u8) -> Result<(Head, Vec<Account>), LedgerError> {
        self.inner.bucket(tenant, bucket)
    }
    fn audit_standing(&self, tenant: TenantId) -> Result<AuditStanding, LedgerError> {
        self.inner.audit_standing(tenant)
    }
    fn audit_page(
        &self,
        tenant: TenantId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, LedgerError> {
        self.inner.audit_page(tenant, after, limit)
    }

    fn save_contacts(
        &self,
        tenant: TenantId,
        contacts: &[(DeviceId, Timestamp)],
    ) -> Result<(), LedgerError> {
        self.inner.save_contacts(tenant, contacts)
    }
    fn restored(&self, tenant: TenantId) -> Result<Option<Restored>, LedgerError> {
        self.inner.restored(tenant)
    }
    fn save_delivery(
        &self,
        tenant: TenantId,
        event: RowId,
        delivery: &Delivery,
    ) -> Result<(), LedgerError> {
        self.inner.save_delivery(tenant, event, delivery)
    }
    fn save_code_charge(
        &self,
        tenant: TenantId,
        attempt: AttemptId,
        charge: &CodeCharge,
    ) -> Result<(), LedgerError> {
        self.inner.save_code_charge(tenant, attempt, charge)
    }
    fn save_hint(&self, tenant: TenantId, hint: &Hint) -> Result<(), LedgerError> {
        let saved = self.trap.pass(|| self.inner.save_hint(tenant, hint));
        saved.unwrap_or_else(|| Err(died()))
    }
    fn open_hints(&self) -> Result<Vec<(TenantId, Hint)>, LedgerError> {
        self.inner.open_hints()
    }
    fn hints(&self, tenant: TenantId) -> Result<Vec<Hint>, LedgerError> {
        self.inner.hints(tenant)
    }
    fn code_charges(&self, tenant: TenantId) -> Result<Vec<(AttemptId, CodeCharge)>, LedgerError> {
        self.inner.code_charges(tenant)
    }
    fn code_charge(
        &self,
        tenant: TenantId,
        attempt: AttemptId,
    ) -> Result<Option<CodeCharge>, LedgerError> {
        self.inner.code_charge(tenant, attempt)
    }
    fn attempt_of_code(
        &self,
        tenant: TenantId,
        code: &Hash,
    ) -> Result<Option<AttemptId>, LedgerError> {
        self.inner.attempt_of_code(tenant, code)
    }
    fn tenants(&self) -> Result<Vec<Tenant>, LedgerError> {
        self.inner.tenants()
    }
    fn head(&self, tenant: TenantId) -> Result<Head, LedgerError> {
        self.inner.head(tenant)
    }
    fn seat_of_token(&self, token: &Hash) -> Result<Option<Seat>, LedgerError> {
        self.inner.seat_of_token(token)
    }
    fn device(
        &self,
        tenant: TenantId,
        id: DeviceId,
    ) -> Result<Option<(Device, Cursor)>, LedgerError> {
        self.inner.device(tenant, id)
    }
    fn devices(&self, tenant: TenantId) -> Result<Vec<(Device, Cursor)>, LedgerError> {
        self.inner.devices(tenant)
    }
    fn store_of_code(&self, code: &str) -> Result<Option<(TenantId, StoreId)>, LedgerError> {
        self.inner.store_of_code(code)
    }
    fn policies(&self, tenant: TenantId) -> Result<Vec<Arc<Policy>>, LedgerError> {
        self.inner.policies(tenant)
    }
    fn log(&self, tenant: TenantId, after: u64, limit: u32) -> Result<Vec<LogRow>, LedgerError> {
        self.inner.log(tenant, after, limit)
    }
    fn log_row(&self, tenant: TenantId, server_seq: u64) -> Result<Option<LogRow>, LedgerError> {
        self.inner.log_row(tenant, server_seq)
    }
    fn settlement_of(
        &self,
        tenant: TenantId,
        order: OrderId,
    ) -> Result<Option<LogRow>, LedgerError> {
        self.inner.settlement_of(tenant, order)
    }
    fn policy_document(
        &self,
        tenant: TenantId,
        hash: &Hash,
    ) -> Result<Option<Vec<u8>>, LedgerError> {
        self.inner.policy_document(tenant, hash)
    }
    fn member(&self, tenant: TenantId, id: MemberId) -> Result<Option<Member>, LedgerError> {
        self.inner.member(tenant, id)
    }
    fn profile(
        &self,
        tenant: TenantId,
        id: MemberId,
    ) -> Result<Option<SealedProfile>, LedgerError> {
        self.inner.profile(tenant, id)
    }
    fn member_page(
        &self,
        tenant: TenantId,
        after: Option<MemberId>,
        limit: u32,
    ) -> Result<Vec<MemberRow>, LedgerError> {
        self.inner.member_page(tenant, after, limit)
    }
    fn member_count(&self, tenant: TenantId) -> Result<u64, LedgerError> {
        self.inner.member_count(tenant)
    }
    fn account(&self, tenant: TenantId, id: MemberId) -> Result<Option<Account>, LedgerError> {
        self.inner.account(tenant, id)
    }
    fn leasable(
        &self,
        tenant: TenantId,
        members: &[MemberId],
    ) -> Result<Vec<Leasable>, LedgerError> {
        self.inner.leasable(tenant, members)
    }
    fn leases_of(&self, tenant: TenantId, members: &[MemberId]) -> Result<Vec<Lease>, LedgerError> {
        self.inner.leases_of(tenant, members)
    }
    fn recent_orders(
        &self,
        tenant: TenantId,
        member: MemberId,
        since: Timestamp,
    ) -> Result<Vec<RecentOrder>, LedgerError> {
        self.inner.recent_orders(tenant, member, since)
    }
    fn order(&self, tenant: TenantId, id: OrderId) -> Result<Option<RechargeOrder>, LedgerError> {
        self.inner.order(tenant, id)
    }
    fn orders_since(
        &self,
        tenant: TenantId,
        store: StoreId,
        since: Timestamp,
    ) -> Result<Vec<RechargeOrder>, LedgerError> {
        self.inner.orders_since(tenant, store, since)
    }
    fn attempt(
        &self,
        tenant: TenantId,
        id: AttemptId,
    ) -> Result<Option<PaymentAttempt>, LedgerError> {
        self.inner.attempt(tenant, id)
    }
    fn attempt_of_number(
        &self,
        attempt_no: &str,
    ) -> Result<Option<(TenantId, PaymentAttempt)>, LedgerError> {
        let mut found = self.inner.attempt_of_number(attempt_no)?;
        if let (Some(bug), Some((_, attempt))) = (self.bug, &mut found) {
            bugs::spoil_found(bug, attempt);
        }
        Ok(found)
    }
    fn attempts_of_order(
        &self,
        tenant: TenantId,
        order: OrderId,
    ) -> Result<Vec<PaymentAttempt>, LedgerError> {
        self.inner.attempts_of_order(tenant, order)
    }
    fn watched_attempts(
        &self,
        ended_since: Timestamp,
    ) -> Result<Vec<(TenantId, PaymentAttempt)>, LedgerError> {
        self.inner.watched_attempts(ended_since)
    }
    fn overdue_orders(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(TenantId, RechargeOrder)>, LedgerError> {
        self.inner.overdue_orders(now)
    }
    fn open_shifts(&self, tenant: TenantId) -> Result<Vec<Shift>, LedgerError> {
        self.inner.open_shifts(tenant)
    }
    fn usable_coupons(
        &self,
        tenant: TenantId,
        members: &[MemberId],
    ) -> Result<Vec<Coupon>, LedgerError> {
        self.inner.usable_coupons(tenant, members)
    }
    fn cases(&self, tenant: TenantId, limit: u32) -> Result<Vec<ExceptionCase>, LedgerError> {
        self.inner.cases(tenant, limit)
    }
    fn due_events(&self, topic: Topic, now: Timestamp) -> Result<Vec<DueEvent>, LedgerError> {
        self.inner.due_events(topic, now)
    }
    fn unfinished_events(
        &self,
        tenant: TenantId,
        topic: Topic,
        subject: Uuid,
    ) -> Result<Vec<DueEvent>, LedgerError> {
        self.inner.unfinished_events(tenant, topic, subject)
    }
    fn held_count(&self) -> Result<u64, LedgerError> {
        self.inner.held_count()
    }
    fn digest(&self, tenant: TenantId) -> Result<Hash, LedgerError> {
        self.inner.digest(tenant)
    }
}

fn died() -> LedgerError {
    LedgerError::Failed("the machine died".to_owned())
}

fn drop_changes(json: &mut String) {
    if let Ok(mut entry) = serde_json::from_str::<serde_json::Value>(json) {
        entry["changes"] = serde_json::json!([]);
        *json = entry.to_string();
    }
}
