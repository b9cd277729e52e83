//! Table `device_revocation`: which devices an administrator took out of service.

use qiantai_core::ids::{DeviceId, TenantId};

use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table};
use crate::db::{LedgerError, Revocation};

pub(in crate::db) static TABLE: Table = Table::new(
    "device_revocation",
    &[("device_id", Bytes), ("revoked_ms", Int), ("reason", Text)],
    1,
    OnConflict::Fail,
);

pub(in crate::db) fn row(revocation: &Revocation) -> Vec<Value> {
    values![
        revocation.device.0,
        revocation.revoked_at,
        &revocation.reason
    ]
}

pub(in crate::db) fn all(tenant: TenantId) -> Question {
    Question::new("SELECT * FROM device_revocation WHERE tenant_id = ?1 ORDER BY device_id")
        .with(tenant.0)
}

pub(in crate::db) fn read(row: &Record) -> Result<Revocation, LedgerError> {
    Ok(Revocation {
        device: DeviceId(row.id("device_id")?),
        revoked_at: row.at("revoked_ms")?,
        reason: row.text("reason")?.to_owned(),
    })
}
