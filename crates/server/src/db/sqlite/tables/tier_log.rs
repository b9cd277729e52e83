//! Table `tier_log`.

use qiantai_core::ids::TenantId;
use qiantai_core::ledger::TierEntry;
use rusqlite::{Connection, Result, params};

pub(in super::super) fn insert(db: &Connection, tenant: TenantId, entry: &TierEntry) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO tier_log (tenant_id, entry_id, member_id, from_tier_id, to_tier_id, order_id,
             basis_fen, valid_until_ms, policy_version, at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        entry.id.0.as_bytes(),
        entry.member.0.as_bytes(),
        entry.from.0.as_bytes(),
        entry.to.0.as_bytes(),
        entry.order.map(|id| id.0.into_bytes()),
        entry.basis.fen(),
        entry.valid_until.ms(),
        entry.policy_version,
        entry.at.ms(),
    ])?;
    Ok(())
}
