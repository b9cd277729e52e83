//! Table `device`: who may write, and how far each has written.

use qiantai_core::decide::Device;
use qiantai_core::ids::{DeviceId, StoreId, TenantId};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::super::codes::Code;
use super::super::row::{Columns, int};
use crate::db::{Cursor, Seat};

/// Writes identity and key; a device that is new starts before its first operation.
pub(in super::super) fn save(
    db: &Connection,
    tenant: TenantId,
    store: Option<StoreId>,
    device: &Device,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO device (tenant_id, device_id, store_id, terminal_code, public_key, is_server,
             epoch, last_seq, last_hash, standing)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, 0, zeroblob(32), 'active')
         ON CONFLICT (tenant_id, device_id) DO UPDATE SET
             terminal_code = excluded.terminal_code, public_key = excluded.public_key",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        device.id.0.as_bytes(),
        store.map(|id| id.0.into_bytes()),
        device.terminal_code,
        device.public_key,
        device.is_server,
    ])?;
    Ok(())
}

pub(in super::super) fn move_cursor(
    db: &Connection,
    tenant: TenantId,
    device: DeviceId,
    cursor: &Cursor,
) -> Result<()> {
    db.prepare_cached(
        "UPDATE device SET epoch = ?3, last_seq = ?4, last_hash = ?5, standing = ?6
         WHERE tenant_id = ?1 AND device_id = ?2",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        device.0.as_bytes(),
        cursor.epoch,
        int(cursor.last_seq),
        cursor.last_hash,
        cursor.standing.code(),
    ])?;
    Ok(())
}

pub(in super::super) fn find(
    db: &Connection,
    tenant: TenantId,
    device: DeviceId,
) -> Result<Option<(Device, Cursor)>> {
    db.prepare_cached("SELECT * FROM device WHERE tenant_id = ?1 AND device_id = ?2")?
        .query_row(params![tenant.0.as_bytes(), device.0.as_bytes()], read)
        .optional()
}

pub(in super::super) fn all(db: &Connection, tenant: TenantId) -> Result<Vec<(Device, Cursor)>> {
    db.prepare_cached("SELECT * FROM device WHERE tenant_id = ?1 ORDER BY device_id")?
        .query_map(params![tenant.0.as_bytes()], read)?
        .collect()
}

pub(in super::super) fn seat_of_token(db: &Connection, token: &[u8; 32]) -> Result<Option<Seat>> {
    db.prepare_cached(
        "SELECT device.* FROM device_token
         JOIN device ON device.tenant_id = device_token.tenant_id
             AND device.device_id = device_token.device_id
         WHERE device_token.token_hash = ?1 AND device.store_id IS NOT NULL",
    )?
    .query_row(params![token], |row| {
        Ok(Seat {
            tenant: TenantId(row.id("tenant_id")?),
            device: DeviceId(row.id("device_id")?),
            store: StoreId(row.id("store_id")?),
            public_key: row.get("public_key")?,
            standing: row.code("standing")?,
        })
    })
    .optional()
}

fn read(row: &Row<'_>) -> Result<(Device, Cursor)> {
    let device = Device {
        id: DeviceId(row.id("device_id")?),
        terminal_code: row.get("terminal_code")?,
        public_key: row.get("public_key")?,
        is_server: row.get("is_server")?,
    };
    let cursor = Cursor {
        store: row.id_opt("store_id")?.map(StoreId),
        epoch: row.get("epoch")?,
        last_seq: row.count("last_seq")?,
        last_hash: row.get("last_hash")?,
        standing: row.code("standing")?,
    };
    Ok((device, cursor))
}
