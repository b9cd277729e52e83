//! The ledger on any database: which questions each named read asks, and what its answer means.

use std::collections::HashMap;
use std::sync::Arc;

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

use qiantai_wire::text::Hex;
use uuid::Uuid;

use super::database::{By, Database};
use super::load::{accounts, ask_one, exactly, load, policies, with_surplus};
use super::record::Record;
use super::table::{Question, Step};
use super::tables::{
    account, attempt_code, coupon, device, device_contact, device_revocation, device_token,
    exception_case, feed, head, held_operation, invite, journal, lot, member, member_profile,
    operation, outbox, outbox_delivery, payment_attempt, payment_hint, payment_surplus, policy,
    recharge_order, shift, tenant, timeline,
};
use super::{
    Batch, Books, CodeCharge, Cursor, Delivery, DeviceToken, DueEvent, Head, Hint, Invite, Keys,
    Leasable, Ledger, LedgerError, LogRow, MemberRow, Restored, Revocation, SealedProfile, Seat,
    Tenant, audit, buckets, digest, leases, write,
};
use crate::audit::{AuditEntry, AuditStanding, Deed};

impl<D: Database> Ledger for D {
    fn load(&self, tenant: TenantId, keys: &Keys) -> Result<Books, LedgerError> {
        load(self, tenant, keys)
    }

    fn write(&self, tenant: TenantId, batch: &Batch) -> Result<(), LedgerError> {
        self.change(tenant, By::Writer, write::steps(batch)?)
    }

    fn is_shared(&self) -> bool {
        Database::is_shared(self)
    }

    fn hold(&self, tenant: TenantId) -> Result<(), LedgerError> {
        Database::hold(self, tenant)
    }

    fn may_write(&self, tenant: TenantId) -> Result<(), LedgerError> {
        Database::may_write(self, tenant)
    }

    fn let_go(&self) -> Result<(), LedgerError> {
        Database::let_go(self)
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
        let steps = vec![
            Step::Put(&tenant::TABLE, tenant::row(tenant, now)),
            Step::Put(&head::TABLE, head::row(&head)),
            Step::Put(&device::TABLE, device::row(None, &server)),
        ];
        self.change(tenant.id, By::Anyone, steps)
    }

    fn save_invite(&self, invite: &Invite) -> Result<(), LedgerError> {
        let row = invite::row(invite);
        self.change(
            invite.tenant,
            By::Anyone,
            vec![Step::Put(&invite::TABLE, row)],
        )
    }

    fn redeem_invite(
        &self,
        code: &Hash,
        public_key: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Invite>, LedgerError> {
        let rows = self.change_and_return(invite::redeem(code, public_key, now))?;
        rows.first().map(invite::read).transpose()
    }

    fn invite(&self, code: &Hash) -> Result<Option<Invite>, LedgerError> {
        first(self, invite::of_code(code), invite::read)
    }

    fn save_token(&self, token: &DeviceToken) -> Result<(), LedgerError> {
        let row = device_token::row(token);
        self.change(
            token.tenant,
            By::Anyone,
            vec![Step::Put(&device_token::TABLE, row)],
        )
    }

    fn save_revocation(
        &self,
        tenant: TenantId,
        revocation: &Revocation,
    ) -> Result<(), LedgerError> {
        let row = device_revocation::row(revocation);
        self.change(
            tenant,
            By::Anyone,
            vec![Step::Put(&device_revocation::TABLE, row)],
        )
    }

    fn save_contacts(
        &self,
        tenant: TenantId,
        contacts: &[(DeviceId, Timestamp)],
    ) -> Result<(), LedgerError> {
        let row = |(device, seen_at): &(DeviceId, Timestamp)| {
            let row = device_contact::row(*device, *seen_at);
            Step::Put(&device_contact::TABLE, row)
        };
        self.change(tenant, By::Anyone, contacts.iter().map(row).collect())
    }

    fn save_delivery(
        &self,
        tenant: TenantId,
        event: RowId,
        delivery: &Delivery,
    ) -> Result<(), LedgerError> {
        let row = outbox_delivery::row(event, delivery);
        self.change(
            tenant,
            By::Writer,
            vec![Step::Put(&outbox_delivery::TABLE, row)],
        )
    }

    fn save_deed(&self, tenant: TenantId, deed: &Deed) -> Result<(), LedgerError> {
        audit::append(self, tenant, deed)
    }

    fn copy_audit(&self, tenant: TenantId, entries: &[AuditEntry]) -> Result<(), LedgerError> {
        audit::put(self, tenant, entries)
    }

    fn save_code_charge(
        &self,
        tenant: TenantId,
        attempt: AttemptId,
        charge: &CodeCharge,
    ) -> Result<(), LedgerError> {
        let row = attempt_code::row(attempt, charge);
        self.change(
            tenant,
            By::Writer,
            vec![Step::Put(&attempt_code::TABLE, row)],
        )
    }

    fn save_hint(&self, tenant: TenantId, hint: &Hint) -> Result<(), LedgerError> {
        let row = payment_hint::row(hint);
        self.change(
            tenant,
            By::Writer,
            vec![Step::Put(&payment_hint::TABLE, row)],
        )
    }

    fn tenants(&self) -> Result<Vec<Tenant>, LedgerError> {
        all(self, tenant::all(), tenant::read)
    }

    fn restored(&self, tenant: TenantId) -> Result<Option<Restored>, LedgerError> {
        first(self, timeline::newest(tenant), timeline::read)
    }

    fn head(&self, tenant: TenantId) -> Result<Head, LedgerError> {
        first(self, head::of(tenant), head::read)?.ok_or(LedgerError::NoTenant(tenant))
    }

    fn seat_of_token(&self, token: &Hash) -> Result<Option<Seat>, LedgerError> {
        first(self, device::of_token(token), device::seat)
    }

    fn device(
        &self,
        tenant: TenantId,
        id: DeviceId,
    ) -> Result<Option<(Device, Cursor)>, LedgerError> {
        first(self, device::of_ids(tenant, [id]), device::read)
    }

    fn devices(&self, tenant: TenantId) -> Result<Vec<(Device, Cursor)>, LedgerError> {
        all(self, device::all(tenant), device::read)
    }

    fn store_of_code(&self, code: &str) -> Result<Option<(TenantId, StoreId)>, LedgerError> {
        first(self, policy::of_code(code), policy::store)
    }

    fn policies(&self, tenant: TenantId) -> Result<Vec<Arc<Policy>>, LedgerError> {
        policies(self, tenant, &ask_one(self, policy::count(tenant))?)
    }

    fn feed(
        &self,
        tenant: TenantId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, String)>, LedgerError> {
        all(self, feed::after(tenant, after, limit), feed::read)
    }

    fn log(&self, tenant: TenantId, after: u64, limit: u32) -> Result<Vec<LogRow>, LedgerError> {
        all(
            self,
            operation::after(tenant, after, limit),
            operation::read,
        )
    }

    fn log_row(&self, tenant: TenantId, server_seq: u64) -> Result<Option<LogRow>, LedgerError> {
        first(self, operation::at(tenant, server_seq), operation::read)
    }

    fn settlement_of(
        &self,
        tenant: TenantId,
        order: OrderId,
    ) -> Result<Option<LogRow>, LedgerError> {
        let question = journal::seq_of_recharge(tenant, order);
        match first(self, question, |row| row.count("server_seq"))? {
            Some(server_seq) => self.log_row(tenant, server_seq),
            None => Ok(None),
        }
    }

    fn policy_document(
        &self,
        tenant: TenantId,
        hash: &Hash,
    ) -> Result<Option<Vec<u8>>, LedgerError> {
        first(self, policy::of_hash(tenant, hash), policy::document)
    }

    fn member(&self, tenant: TenantId, id: MemberId) -> Result<Option<Member>, LedgerError> {
        first(self, member::of_ids(tenant, &[id]), member::read)
    }

    fn profile(
        &self,
        tenant: TenantId,
        id: MemberId,
    ) -> Result<Option<SealedProfile>, LedgerError> {
        let question = member_profile::of_members(tenant, &[id]);
        let found = first(self, question, member_profile::read)?;
        Ok(found.map(|(_, profile)| profile))
    }

    fn member_page(
        &self,
        tenant: TenantId,
        after: Option<MemberId>,
        limit: u32,
    ) -> Result<Vec<MemberRow>, LedgerError> {
        let members = all(self, member::page(tenant, after, limit), member::read)?;
        let ids: Vec<MemberId> = members.iter().map(|member| member.id).collect();
        let answers = self.ask(vec![
            account::of_members(tenant, &ids),
            lot::of_members(tenant, &ids),
            member_profile::of_members(tenant, &ids),
        ])?;
        let [rows, lots, profiles] = exactly(answers)?;
        let mut accounts = accounts(&rows, &lots)?;
        let mut profiles = profiles
            .iter()
            .map(member_profile::read)
            .collect::<Result<std::collections::HashMap<_, _>, _>>()?;
        let row = |member: Member| MemberRow {
            account: accounts.remove(&member.id),
            profile: profiles.remove(&member.id),
            member,
        };
        Ok(members.into_iter().map(row).collect())
    }

    fn member_count(&self, tenant: TenantId) -> Result<u64, LedgerError> {
        let counted = first(self, member::count(tenant), |row| row.count("members"))?;
        Ok(counted.unwrap_or_default())
    }

    fn account(&self, tenant: TenantId, id: MemberId) -> Result<Option<Account>, LedgerError> {
        let answers = self.ask(vec![
            account::of_members(tenant, &[id]),
            lot::of_members(tenant, &[id]),
        ])?;
        let [rows, lots] = exactly(answers)?;
        Ok(accounts(&rows, &lots)?.remove(&id))
    }

    fn leasable(
        &self,
        tenant: TenantId,
        members: &[MemberId],
    ) -> Result<Vec<Leasable>, LedgerError> {
        leases::leasable(self, tenant, members)
    }

    fn leases_of(&self, tenant: TenantId, members: &[MemberId]) -> Result<Vec<Lease>, LedgerError> {
        leases::open(self, tenant, members)
    }

    fn recent_orders(
        &self,
        tenant: TenantId,
        member: MemberId,
        since: Timestamp,
    ) -> Result<Vec<RecentOrder>, LedgerError> {
        let question = recharge_order::recent(tenant, &[member], since);
        all(self, question, recharge_order::read_recent)
    }

    fn order(&self, tenant: TenantId, id: OrderId) -> Result<Option<RechargeOrder>, LedgerError> {
        let question = recharge_order::of_ids(tenant, [id]);
        first(self, question, recharge_order::read)
    }

    fn orders_since(
        &self,
        tenant: TenantId,
        store: StoreId,
        since: Timestamp,
    ) -> Result<Vec<RechargeOrder>, LedgerError> {
        let question = recharge_order::since(tenant, store, since);
        all(self, question, recharge_order::read)
    }

    fn attempt(
        &self,
        tenant: TenantId,
        id: AttemptId,
    ) -> Result<Option<PaymentAttempt>, LedgerError> {
        let answers = self.ask(vec![
            payment_attempt::of_ids(tenant, [id]),
            payment_surplus::of_attempts(tenant, [id]),
        ])?;
        let [rows, surplus] = exactly(answers)?;
        let found = with_surplus(&rows, &surplus)?.pop();
        Ok(found.map(|(_, attempt)| attempt))
    }

    fn attempt_of_number(
        &self,
        attempt_no: &str,
    ) -> Result<Option<(TenantId, PaymentAttempt)>, LedgerError> {
        let rows = ask_one(self, payment_attempt::of_any_number(attempt_no))?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let (tenant, id) = payment_attempt::key(row)?;
        let surplus = ask_one(self, payment_surplus::of_attempts(tenant, [id]))?;
        Ok(with_surplus(&rows, &surplus)?.pop())
    }

    fn code_charge(
        &self,
        tenant: TenantId,
        attempt: AttemptId,
    ) -> Result<Option<CodeCharge>, LedgerError> {
        let question = attempt_code::of_attempt(tenant, attempt);
        Ok(first(self, question, attempt_code::read)?.map(|(_, charge)| charge))
    }

    fn attempt_of_code(
        &self,
        tenant: TenantId,
        code: &Hash,
    ) -> Result<Option<AttemptId>, LedgerError> {
        let question = attempt_code::of_code(tenant, code);
        Ok(first(self, question, attempt_code::read)?.map(|(attempt, _)| attempt))
    }

    fn code_charges(&self, tenant: TenantId) -> Result<Vec<(AttemptId, CodeCharge)>, LedgerError> {
        all(self, attempt_code::all(tenant), attempt_code::read)
    }

    fn open_hints(&self) -> Result<Vec<(TenantId, Hint)>, LedgerError> {
        all(self, payment_hint::open(), payment_hint::read)
    }

    fn hints(&self, tenant: TenantId) -> Result<Vec<Hint>, LedgerError> {
        let found = all(self, payment_hint::all(tenant), payment_hint::read)?;
        Ok(found.into_iter().map(|(_, hint)| hint).collect())
    }

    fn attempts_of_order(
        &self,
        tenant: TenantId,
        order: OrderId,
    ) -> Result<Vec<PaymentAttempt>, LedgerError> {
        let answers = self.ask(vec![
            payment_attempt::of_orders(tenant, [order]),
            payment_surplus::of_orders(tenant, [order]),
        ])?;
        let [rows, surplus] = exactly(answers)?;
        let attempts = with_surplus(&rows, &surplus)?;
        Ok(attempts.into_iter().map(|(_, attempt)| attempt).collect())
    }

    fn watched_attempts(
        &self,
        ended_since: Timestamp,
    ) -> Result<Vec<(TenantId, PaymentAttempt)>, LedgerError> {
        let answers = self.ask(vec![
            payment_attempt::watched(ended_since),
            payment_surplus::of_watched(ended_since),
        ])?;
        let [rows, surplus] = exactly(answers)?;
        with_surplus(&rows, &surplus)
    }

    fn overdue_orders(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(TenantId, RechargeOrder)>, LedgerError> {
        let question = recharge_order::overdue(now);
        all(self, question, recharge_order::read_of_tenant)
    }

    fn open_shifts(&self, tenant: TenantId) -> Result<Vec<Shift>, LedgerError> {
        all(self, shift::all_open(tenant), shift::read)
    }

    fn usable_coupons(
        &self,
        tenant: TenantId,
        members: &[MemberId],
    ) -> Result<Vec<Coupon>, LedgerError> {
        all(self, coupon::usable(tenant, members), coupon::read)
    }

    fn cases(&self, tenant: TenantId, limit: u32) -> Result<Vec<ExceptionCase>, LedgerError> {
        let question = exception_case::newest(tenant, limit);
        all(self, question, exception_case::read)
    }

    fn due_events(&self, topic: Topic, now: Timestamp) -> Result<Vec<DueEvent>, LedgerError> {
        all(self, outbox::due(topic, now), outbox::read)
    }

    fn unfinished_events(
        &self,
        tenant: TenantId,
        topic: Topic,
        subject: Uuid,
    ) -> Result<Vec<DueEvent>, LedgerError> {
        let question = outbox::unfinished(tenant, topic, subject);
        all(self, question, outbox::read)
    }

    fn tokens(&self, tenant: TenantId) -> Result<Vec<DeviceToken>, LedgerError> {
        all(self, device_token::all(tenant), device_token::read)
    }

    fn held(&self, tenant: TenantId) -> Result<Vec<LogRow>, LedgerError> {
        all(self, operation::held(tenant), operation::read)
    }

    fn revocations(&self, tenant: TenantId) -> Result<Vec<Revocation>, LedgerError> {
        all(
            self,
            device_revocation::all(tenant),
            device_revocation::read,
        )
    }

    fn last_taken(&self, tenant: TenantId) -> Result<HashMap<DeviceId, Timestamp>, LedgerError> {
        let rows = ask_one(self, operation::last_of_devices(tenant))?;
        let taken = rows
            .iter()
            .map(|row| Ok((DeviceId(row.id("device_id")?), row.at("last_ms")?)));
        taken.collect()
    }

    fn quarantined(&self, tenant: TenantId) -> Result<HashMap<DeviceId, u64>, LedgerError> {
        let rows = self.ask(vec![held_operation::quarantined(tenant)])?;
        let count = |row: &Record| Ok((DeviceId(row.id("device_id")?), row.count("operations")?));
        rows.iter().flatten().map(count).collect()
    }

    fn contacts(&self, tenant: TenantId) -> Result<HashMap<DeviceId, Timestamp>, LedgerError> {
        let rows = ask_one(self, device_contact::all(tenant))?;
        rows.iter().map(device_contact::read).collect()
    }

    fn deliveries(&self, tenant: TenantId) -> Result<Vec<(RowId, Delivery)>, LedgerError> {
        all(self, outbox_delivery::all(tenant), outbox_delivery::read)
    }

    fn bucket_digests(
        &self,
        tenant: TenantId,
        version: u32,
    ) -> Result<(Head, Vec<Hex<32>>), LedgerError> {
        buckets::digests(self, tenant, version)
    }

    fn bucket(&self, tenant: TenantId, bucket: u8) -> Result<(Head, Vec<Account>), LedgerError> {
        buckets::bucket(self, tenant, bucket)
    }

    fn audit_standing(&self, tenant: TenantId) -> Result<AuditStanding, LedgerError> {
        audit::standing(self, tenant)
    }

    fn audit_page(
        &self,
        tenant: TenantId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, LedgerError> {
        audit::page(self, tenant, after, limit)
    }

    fn held_count(&self) -> Result<u64, LedgerError> {
        let counted = first(self, held_operation::count(), |row| row.count("rows_held"))?;
        Ok(counted.unwrap_or_default())
    }

    fn digest(&self, tenant: TenantId) -> Result<Hash, LedgerError> {
        digest::digest(self, tenant)
    }
}

fn all<T>(
    db: &impl Database,
    question: Question,
    read: impl Fn(&Record) -> Result<T, LedgerError>,
) -> Result<Vec<T>, LedgerError> {
    ask_one(db, question)?.iter().map(read).collect()
}

fn first<T>(
    db: &impl Database,
    question: Question,
    read: impl Fn(&Record) -> Result<T, LedgerError>,
) -> Result<Option<T>, LedgerError> {
    ask_one(db, question)?.first().map(read).transpose()
}
