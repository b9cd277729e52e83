//! Table `device`: who may write, and how far each has written.

use qiantai_core::decide::Device;
use qiantai_core::ids::{DeviceId, StoreId, TenantId};
use qiantai_core::operation::Hash;

use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};
use crate::db::{Cursor, DeviceStanding, LedgerError, Seat};

pub(in crate::db) static TABLE: Table = Table::new(
    "device",
    &[
        ("device_id", Bytes),
        ("store_id", Bytes),
        ("terminal_code", Text),
        ("public_key", Bytes),
        ("is_server", Int),
        ("epoch", Int),
        ("last_seq", Int),
        ("last_hash", Bytes),
        ("standing", Text),
    ],
    1,
    OnConflict::Replace(&["terminal_code", "public_key"], When::Always),
);

/// Identity and key; a device that is new starts before its first operation.
pub(in crate::db) fn row(store: Option<StoreId>, device: &Device) -> Vec<Value> {
    values![
        device.id.0,
        store.map(|id| id.0),
        &device.terminal_code,
        &device.public_key,
        device.is_server,
        1,
        0,
        &[0_u8; 32],
        DeviceStanding::Active.code(),
    ]
}

pub(in crate::db) fn of_ids(tenant: TenantId, ids: impl IntoIterator<Item = DeviceId>) -> Question {
    select("WHERE device.tenant_id = ?1 AND device.device_id IN (?2)")
        .with(tenant.0)
        .each(Bytes, ids.into_iter().map(|id| id.0))
}

pub(in crate::db) fn all(tenant: TenantId) -> Question {
    select("WHERE device.tenant_id = ?1 ORDER BY device.device_id").with(tenant.0)
}

pub(in crate::db) fn of_token(token: &Hash) -> Question {
    select(
        "JOIN device_token ON device_token.tenant_id = device.tenant_id
             AND device_token.device_id = device.device_id
         WHERE device_token.token_hash = ?1 AND device.store_id IS NOT NULL",
    )
    .with(token)
}

/// Devices, each with when it was taken out of service.
fn select(which: &str) -> Question {
    Question::new(format!(
        "SELECT device.*, device_revocation.revoked_ms FROM device
         LEFT JOIN device_revocation ON device_revocation.tenant_id = device.tenant_id
             AND device_revocation.device_id = device.device_id
         {which}"
    ))
}

pub(in crate::db) fn seat(row: &Record) -> Result<Seat, LedgerError> {
    let (_, cursor) = read(row)?;
    Ok(Seat {
        tenant: TenantId(row.id("tenant_id")?),
        device: DeviceId(row.id("device_id")?),
        store: StoreId(row.id("store_id")?),
        public_key: row.array("public_key")?,
        standing: cursor.believed(),
    })
}

pub(in crate::db) fn read(row: &Record) -> Result<(Device, Cursor), LedgerError> {
    let device = Device {
        id: DeviceId(row.id("device_id")?),
        terminal_code: row.text("terminal_code")?.to_owned(),
        public_key: row.array("public_key")?,
        is_server: row.flag("is_server")?,
    };
    let cursor = Cursor {
        store: row.id_opt("store_id")?.map(StoreId),
        epoch: row.count("epoch")?,
        last_seq: row.count("last_seq")?,
        last_hash: row.array("last_hash")?,
        standing: row.code("standing")?,
        revoked_at: row.at_opt("revoked_ms")?,
    };
    Ok((device, cursor))
}
