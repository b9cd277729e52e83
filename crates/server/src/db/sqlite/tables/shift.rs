//! Table `shift`.

use qiantai_core::ids::{DeviceId, ShiftId, StaffId, StoreId, TenantId};
use qiantai_core::ledger::Shift;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::super::codes::Code;
use super::super::row::Columns;

pub(in super::super) fn save(db: &Connection, tenant: TenantId, shift: &Shift) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO shift (tenant_id, shift_id, shift_no, store_id, device_id, cashier_id,
             opened_ms, opening_float_fen, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (tenant_id, shift_id) DO UPDATE SET state = excluded.state",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        shift.id.0.as_bytes(),
        shift.shift_no,
        shift.store.0.as_bytes(),
        shift.device.0.as_bytes(),
        shift.cashier.0.as_bytes(),
        shift.opened_at.ms(),
        shift.opening_float.fen(),
        shift.state.code(),
    ])?;
    Ok(())
}

pub(in super::super) fn find(
    db: &Connection,
    tenant: TenantId,
    id: ShiftId,
) -> Result<Option<Shift>> {
    db.prepare_cached("SELECT * FROM shift WHERE tenant_id = ?1 AND shift_id = ?2")?
        .query_row(params![tenant.0.as_bytes(), id.0.as_bytes()], read)
        .optional()
}

pub(in super::super) fn open_on(
    db: &Connection,
    tenant: TenantId,
    device: DeviceId,
) -> Result<Vec<Shift>> {
    db.prepare_cached(
        "SELECT * FROM shift WHERE tenant_id = ?1 AND device_id = ?2
             AND state IN ('opening', 'open', 'counting')
         ORDER BY opened_ms, shift_id",
    )?
    .query_map(params![tenant.0.as_bytes(), device.0.as_bytes()], read)?
    .collect()
}

pub(in super::super) fn all_open(db: &Connection, tenant: TenantId) -> Result<Vec<Shift>> {
    db.prepare_cached(
        "SELECT * FROM shift WHERE tenant_id = ?1 AND state IN ('opening', 'open', 'counting')
         ORDER BY opened_ms, shift_id",
    )?
    .query_map(params![tenant.0.as_bytes()], read)?
    .collect()
}

fn read(row: &Row<'_>) -> Result<Shift> {
    Ok(Shift {
        id: ShiftId(row.id("shift_id")?),
        shift_no: row.get("shift_no")?,
        store: StoreId(row.id("store_id")?),
        device: DeviceId(row.id("device_id")?),
        cashier: StaffId(row.id("cashier_id")?),
        opened_at: row.at("opened_ms")?,
        opening_float: row.fen("opening_float_fen")?,
        state: row.code("state")?,
    })
}
