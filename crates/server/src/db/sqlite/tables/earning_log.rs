//! Table `earning_log`: growth and points.

use qiantai_core::ids::TenantId;
use qiantai_core::ledger::EarningEntry;
use rusqlite::{Connection, Result, params};

use super::super::codes::Code;

pub(in super::super) fn insert(
    db: &Connection,
    tenant: TenantId,
    entry: &EarningEntry,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO earning_log (tenant_id, entry_id, member_id, kind, delta, after, order_id,
             expires_ms, at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        entry.id.0.as_bytes(),
        entry.member.0.as_bytes(),
        entry.kind.code(),
        entry.delta,
        entry.after,
        entry.order.map(|id| id.0.into_bytes()),
        entry.expires_at.map(|at| at.ms()),
        entry.at.ms(),
    ])?;
    Ok(())
}
