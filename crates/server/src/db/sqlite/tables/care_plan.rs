//! Table `care_plan`.

use qiantai_core::ids::TenantId;
use qiantai_core::ledger::CarePlan;
use rusqlite::{Connection, Result, params};

/// A new recharge extends the running plan, so the row may move.
pub(in super::super) fn save(db: &Connection, tenant: TenantId, plan: &CarePlan) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO care_plan (tenant_id, plan_id, member_id, order_id, starts_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (tenant_id, plan_id) DO UPDATE SET
             order_id = excluded.order_id, starts_ms = excluded.starts_ms",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        plan.id.0.as_bytes(),
        plan.member.0.as_bytes(),
        plan.order.0.as_bytes(),
        plan.starts_at.ms(),
    ])?;
    Ok(())
}
