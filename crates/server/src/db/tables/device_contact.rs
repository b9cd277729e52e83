//! Table `device_contact`: when each device last asked for anything.

use qiantai_core::clock::Timestamp;
use qiantai_core::ids::{DeviceId, TenantId};

use crate::db::LedgerError;
use crate::db::record::Kind::{Bytes, Int};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};

pub(in crate::db) static TABLE: Table = Table::new(
    "device_contact",
    &[("device_id", Bytes), ("seen_ms", Int)],
    1,
    OnConflict::Replace(&["seen_ms"], When::Always),
);

pub(in crate::db) fn row(device: DeviceId, seen_at: Timestamp) -> Vec<Value> {
    values![device.0, seen_at]
}

pub(in crate::db) fn all(tenant: TenantId) -> Question {
    Question::new("SELECT * FROM device_contact WHERE tenant_id = ?1 ORDER BY device_id")
        .with(tenant.0)
}

pub(in crate::db) fn read(row: &Record) -> Result<(DeviceId, Timestamp), LedgerError> {
    Ok((DeviceId(row.id("device_id")?), row.at("seen_ms")?))
}
