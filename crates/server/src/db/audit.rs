//! Appending to the audit log, from whichever process: the place after the last entry is taken by
//! whoever writes it first, and the others look again.

use qiantai_core::ids::TenantId;

use super::LedgerError;
use super::database::{By, Database};
use super::load::{ask_one, exactly};
use super::record::Record;
use super::table::Step;
use super::tables::{audit_entry, audit_head, head};
use crate::audit::{AuditEntry, AuditHead, AuditStanding, Deed};

/// How often a place that another took is given up for the next.
const TRIES: usize = 64;

pub(super) fn append(db: &impl Database, tenant: TenantId, deed: &Deed) -> Result<(), LedgerError> {
    for _ in 0..TRIES {
        let answers = db.ask(vec![audit_head::of(tenant), head::of(tenant)])?;
        let [ends, heads] = exactly(answers)?;
        let log = heads.first().ok_or(LedgerError::NoTenant(tenant))?;
        let log = head::read(log)?;
        let place = (log.server_seq, log.chain_hash);
        let entry = AuditEntry::after(&end_of(&ends)?, tenant, deed.clone(), place);
        match put(db, tenant, &[entry]) {
            Err(LedgerError::Taken(_)) => {}
            done => return done,
        }
    }
    Err(LedgerError::Busy)
}

/// Writes entries that have their places already.
pub(super) fn put(
    db: &impl Database,
    tenant: TenantId,
    entries: &[AuditEntry],
) -> Result<(), LedgerError> {
    let Some(last) = entries.last() else {
        return Ok(());
    };
    let rows = entries.iter().map(audit_entry::row);
    let mut steps: Vec<_> = rows
        .map(|row| Step::Put(&audit_entry::TABLE, row))
        .collect();
    steps.push(Step::Put(&audit_head::TABLE, audit_head::row(&last.head())));
    db.change(tenant, By::Anyone, steps)
}

pub(super) fn standing(db: &impl Database, tenant: TenantId) -> Result<AuditStanding, LedgerError> {
    let answers = db.ask(vec![audit_head::of(tenant), audit_entry::last(tenant)])?;
    let [ends, rows] = exactly(answers)?;
    let last = match rows.first() {
        Some(row) => row.count("last_seq")?,
        None => 0,
    };
    Ok(AuditStanding {
        head: end_of(&ends)?,
        last,
    })
}

pub(super) fn page(
    db: &impl Database,
    tenant: TenantId,
    after: u64,
    limit: u32,
) -> Result<Vec<AuditEntry>, LedgerError> {
    let rows = ask_one(db, audit_entry::after(tenant, after, limit))?;
    rows.iter().map(audit_entry::read).collect()
}

fn end_of(rows: &[Record]) -> Result<AuditHead, LedgerError> {
    let end = rows.first().map(audit_head::read).transpose()?;
    Ok(end.unwrap_or_default())
}
