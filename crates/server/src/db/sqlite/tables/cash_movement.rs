//! Table `cash_movement`.

use qiantai_core::ids::TenantId;
use qiantai_core::ledger::CashMovement;
use rusqlite::{Connection, Result, params};

use super::super::codes::Code;

pub(in super::super) fn insert(
    db: &Connection,
    tenant: TenantId,
    movement: &CashMovement,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO cash_movement (tenant_id, movement_id, shift_id, kind, amount_fen, order_id,
             at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        movement.id.0.as_bytes(),
        movement.shift.0.as_bytes(),
        movement.kind.code(),
        movement.amount.fen(),
        movement.order.map(|id| id.0.into_bytes()),
        movement.at.ms(),
    ])?;
    Ok(())
}
