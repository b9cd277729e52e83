//! Which tables there are, and reading out and writing back whole books.

use qiantai_core::ids::TenantId;
use qiantai_core::operation::Hash;
use sha2::{Digest, Sha256};

use super::LedgerError;
use super::database::{By, Database};
use super::digest::absorb;
use super::record::Value;
use super::table::{Question, Step, Table};
use super::tables::{
    account, action, attempt_code, audit_entry, audit_head, backup, care_plan, cash_movement,
    coupon, device, device_contact, device_revocation, device_token, earning_log, exception_case,
    feed, head, held_operation, journal, lease, lease_lot, lot, member, member_key, member_profile,
    operation, outbox, outbox_delivery, payment_attempt, payment_hint, payment_surplus, policy,
    posting, recharge_order, shift, tenant, tier_log, timeline,
};

/// Tables that the log determines, with an order of their rows, in numbers and bytes: databases
/// sort words each in their own way.
pub(super) const OF_LOG: &[(&Table, &str)] = &[
    (&head::TABLE, "timeline"),
    (&device::TABLE, "device_id"),
    (&policy::TABLE, "store_id, version"),
    (&member::TABLE, "member_id"),
    (&account::TABLE, "member_id"),
    (&lot::TABLE, "member_id, lot_id"),
    (&lease::TABLE, "lease_id"),
    (&lease_lot::TABLE, "lease_id, position"),
    (&recharge_order::TABLE, "order_id"),
    (&payment_attempt::TABLE, "attempt_id"),
    (&payment_surplus::TABLE, "attempt_id, position"),
    (&shift::TABLE, "shift_id"),
    (&cash_movement::TABLE, "movement_id"),
    (&journal::TABLE, "member_id, seq"),
    (&posting::TABLE, "server_seq, leg"),
    (&earning_log::TABLE, "entry_id"),
    (&tier_log::TABLE, "entry_id"),
    (&coupon::TABLE, "coupon_id"),
    (&care_plan::TABLE, "plan_id"),
    (&exception_case::TABLE, "case_id"),
    (&outbox::TABLE, "server_seq, event_id"),
    (&operation::TABLE, "server_seq"),
    (&held_operation::TABLE, "server_seq"),
    (&action::TABLE, "action_id"),
    (&feed::TABLE, "server_seq"),
];

/// What else belongs to the books. Absent: invitations, which live for minutes, and the right to
/// write. The tenant comes last: books without it are nobody's yet.
const BESIDE: &[(&Table, &str)] = &[
    (&device_token::TABLE, "token_hash"),
    (&device_contact::TABLE, "device_id"),
    (&device_revocation::TABLE, "device_id"),
    (&member_profile::TABLE, "member_id"),
    (&member_key::TABLE, "member_id"),
    (&outbox_delivery::TABLE, "event_id"),
    (&attempt_code::TABLE, "attempt_id"),
    (&payment_hint::TABLE, "hint_id"),
    (&audit_entry::TABLE, "seq"),
    (&audit_head::TABLE, "seq"),
    (&backup::TABLE, "made_ms"),
    (&timeline::TABLE, "timeline"),
    (&tenant::TABLE, "tenant_id"),
];

/// Rows written in one transaction.
const PARCEL: usize = 2_000;

/// Writes the books of these tenants, as of one moment, into an empty ledger, and returns a hash
/// over every row.
pub(super) fn copy(
    from: &impl Database,
    tenants: &[TenantId],
    to: &dyn RowSink,
) -> Result<Hash, LedgerError> {
    let mut hash = Sha256::new();
    let mut waiting: Vec<Step> = Vec::new();
    let mut of = None;
    let mut failed = Ok(());
    let mut put = |of: &mut Option<TenantId>, waiting: &mut Vec<Step>| match of {
        Some(tenant) if failed.is_ok() => failed = to.put(*tenant, std::mem::take(waiting)),
        _ => waiting.clear(),
    };
    read_out(from, tenants, &mut |tenant, table, row| {
        absorb_row(&mut hash, table, row);
        if of != Some(tenant) || waiting.len() >= PARCEL {
            put(&mut of, &mut waiting);
            of = Some(tenant);
        }
        waiting.push(Step::Put(table, row.to_vec()));
    })?;
    put(&mut of, &mut waiting);
    failed.map(|()| hash.finalize().into())
}

/// The hash that [`copy`] returns.
pub(super) fn contents(from: &impl Database, tenants: &[TenantId]) -> Result<Hash, LedgerError> {
    let mut hash = Sha256::new();
    read_out(from, tenants, &mut |_, table, row| {
        absorb_row(&mut hash, table, row)
    })?;
    Ok(hash.finalize().into())
}

/// Where rows are written.
pub trait RowSink {
    /// Writes rows of one tenant in one transaction.
    fn put(&self, tenant: TenantId, rows: Vec<Step>) -> Result<(), LedgerError>;
}

impl<D: Database> RowSink for D {
    fn put(&self, tenant: TenantId, rows: Vec<Step>) -> Result<(), LedgerError> {
        self.change(tenant, By::Anyone, rows)
    }
}

/// Notes about backups are of the one ledger or of the other.
fn absorb_row(hash: &mut Sha256, table: &'static Table, row: &[Value]) {
    if table.name != backup::TABLE.name {
        hash.update(table.name.as_bytes());
        row.iter().for_each(|value| absorb(hash, value));
    }
}

fn read_out(
    from: &impl Database,
    tenants: &[TenantId],
    visit: &mut dyn FnMut(TenantId, &'static Table, &[Value]),
) -> Result<(), LedgerError> {
    let tables: Vec<_> = OF_LOG.iter().chain(BESIDE).collect();
    let question = |tenant: TenantId, (table, order): &(&Table, &str)| {
        let columns: Vec<_> = table.columns.iter().map(|(name, _)| *name).collect();
        let (name, columns) = (table.name, columns.join(", "));
        Question::new(format!(
            "SELECT {columns} FROM {name} WHERE tenant_id = ?1 ORDER BY {order}"
        ))
        .with(tenant.0)
    };
    let mut questions = Vec::new();
    for tenant in tenants {
        questions.extend(tables.iter().map(|table| question(*tenant, table)));
    }
    from.scan(questions, &mut |index, row| {
        let tenant = tenants[index / tables.len()];
        visit(tenant, tables[index % tables.len()].0, row);
    })
}
