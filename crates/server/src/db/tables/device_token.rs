//! Table `device_token`.

use qiantai_core::ids::{DeviceId, TenantId};

use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table};
use crate::db::{DeviceToken, LedgerError};

pub(in crate::db) static TABLE: Table = Table::new(
    "device_token",
    &[
        ("token_hash", Bytes),
        ("device_id", Bytes),
        ("name", Text),
        ("created_ms", Int),
    ],
    1,
    OnConflict::Fail,
);

pub(in crate::db) fn row(token: &DeviceToken) -> Vec<Value> {
    values![
        &token.token_hash,
        token.device.0,
        &token.name,
        token.created_at,
    ]
}

pub(in crate::db) fn all(tenant: TenantId) -> Question {
    Question::new("SELECT * FROM device_token WHERE tenant_id = ?1 ORDER BY token_hash")
        .with(tenant.0)
}

pub(in crate::db) fn read(row: &Record) -> Result<DeviceToken, LedgerError> {
    Ok(DeviceToken {
        tenant: TenantId(row.id("tenant_id")?),
        token_hash: row.array("token_hash")?,
        device: DeviceId(row.id("device_id")?),
        name: row.text("name")?.to_owned(),
        created_at: row.at("created_ms")?,
    })
}
