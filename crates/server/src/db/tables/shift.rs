//! Table `shift`.

use qiantai_core::ids::{DeviceId, ShiftId, StaffId, StoreId, TenantId};
use qiantai_core::ledger::Shift;

use crate::db::LedgerError;
use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};

pub(in crate::db) static TABLE: Table = Table::new(
    "shift",
    &[
        ("shift_id", Bytes),
        ("shift_no", Text),
        ("store_id", Bytes),
        ("device_id", Bytes),
        ("cashier_id", Bytes),
        ("opened_ms", Int),
        ("opening_float_fen", Int),
        ("state", Text),
    ],
    1,
    OnConflict::Replace(&["state"], When::Always),
);

pub(in crate::db) fn row(shift: &Shift) -> Vec<Value> {
    values![
        shift.id.0,
        &shift.shift_no,
        shift.store.0,
        shift.device.0,
        shift.cashier.0,
        shift.opened_at,
        shift.opening_float,
        shift.state.code(),
    ]
}

pub(in crate::db) fn of_ids(tenant: TenantId, ids: impl IntoIterator<Item = ShiftId>) -> Question {
    Question::new("SELECT * FROM shift WHERE tenant_id = ?1 AND shift_id IN (?2)")
        .with(tenant.0)
        .each(Bytes, ids.into_iter().map(|id| id.0))
}

/// Not closed, on these devices.
pub(in crate::db) fn open_on(
    tenant: TenantId,
    devices: impl IntoIterator<Item = DeviceId>,
) -> Question {
    Question::new(
        "SELECT * FROM shift WHERE tenant_id = ?1 AND device_id IN (?2)
             AND state IN ('opening', 'open', 'counting')
         ORDER BY opened_ms, shift_id",
    )
    .with(tenant.0)
    .each(Bytes, devices.into_iter().map(|id| id.0))
}

pub(in crate::db) fn all_open(tenant: TenantId) -> Question {
    Question::new(
        "SELECT * FROM shift WHERE tenant_id = ?1 AND state IN ('opening', 'open', 'counting')
         ORDER BY opened_ms, shift_id",
    )
    .with(tenant.0)
}

pub(in crate::db) fn read(row: &Record) -> Result<Shift, LedgerError> {
    Ok(Shift {
        id: ShiftId(row.id("shift_id")?),
        shift_no: row.text("shift_no")?.to_owned(),
        store: StoreId(row.id("store_id")?),
        device: DeviceId(row.id("device_id")?),
        cashier: StaffId(row.id("cashier_id")?),
        opened_at: row.at("opened_ms")?,
        opening_float: row.fen("opening_float_fen")?,
        state: row.code("state")?,
    })
}
