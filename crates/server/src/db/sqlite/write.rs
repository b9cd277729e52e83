//! Writing a decided batch.

use qiantai_core::decide::Change;
use qiantai_core::ids::TenantId;
use rusqlite::{Connection, Result};

use super::row::damaged;
use super::tables::{
    account, action, care_plan, cash_movement, coupon, device, earning_log, exception_case, feed,
    head, held_operation, journal, member, member_key, member_profile, operation, outbox,
    payment_attempt, policy, posting, recharge_order, shift, tier_log,
};
use crate::db::{Attachment, Batch, Entry, Standing};

/// Writes every row of the batch. The caller holds the transaction.
pub(super) fn batch(db: &Connection, tenant: TenantId, batch: &Batch) -> Result<()> {
    for entry in &batch.entries {
        self::entry(db, tenant, entry)?;
    }
    for (id, cursor) in &batch.cursors {
        device::move_cursor(db, tenant, *id, cursor)?;
    }
    match &batch.head {
        Some(row) => head::save(db, tenant, row),
        None => Ok(()),
    }
}

fn entry(db: &Connection, tenant: TenantId, entry: &Entry) -> Result<()> {
    operation::insert(db, tenant, &entry.row)?;
    match entry.row.standing {
        Standing::Decided => {}
        Standing::Held(reason) | Standing::Quarantined(reason) => {
            held_operation::insert(db, tenant, entry.row.server_seq, reason)?;
        }
    }
    for change in &entry.changes {
        self::change(db, tenant, entry, change)?;
    }
    if let Some(Attachment::Profile { member, profile }) = &entry.attachment {
        member_profile::save(db, tenant, *member, &profile.sealed)?;
        if let Some(key) = &profile.key {
            member_key::save(db, tenant, *member, key)?;
        }
    }
    if let Some((id, record)) = &entry.action {
        action::save(db, tenant, *id, record)?;
    }
    feed::insert(db, tenant, entry.row.server_seq, &entry.feed)
}

fn change(db: &Connection, tenant: TenantId, entry: &Entry, change: &Change) -> Result<()> {
    let server_seq = entry.row.server_seq;
    match change {
        Change::Device(row) => device::save(db, tenant, Some(entry.row.store), row),
        Change::PolicyPublished(version) => match &entry.attachment {
            Some(Attachment::Policy {
                bytes,
                hash,
                policy,
            }) if policy.version == *version => policy::insert(db, tenant, policy, bytes, hash),
            _ => Err(damaged(format!(
                "policy {version} was published without its document"
            ))),
        },
        Change::Member(row) => member::save(db, tenant, row),
        Change::Account(row) => account::save(db, tenant, row),
        Change::Order(row) => recharge_order::save(db, tenant, row),
        Change::Attempt(row) => payment_attempt::save(db, tenant, row),
        Change::Shift(row) => shift::save(db, tenant, row),
        Change::Journal(row) => journal::insert(db, tenant, server_seq, row),
        Change::Posting(row) => posting::insert(db, tenant, server_seq, row),
        Change::Earning(row) => earning_log::insert(db, tenant, row),
        Change::Tier(row) => tier_log::insert(db, tenant, row),
        Change::Coupon(row) => coupon::save(db, tenant, row),
        Change::CarePlan(row) => care_plan::save(db, tenant, row),
        Change::Cash(row) => cash_movement::insert(db, tenant, row),
        Change::Case(row) => exception_case::save(db, tenant, row),
        Change::Outbox(row) => outbox::insert(db, tenant, server_seq, row),
    }
}
