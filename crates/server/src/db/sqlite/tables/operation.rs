//! Table `operation`: the log.

use qiantai_core::ids::{ActionId, DeviceId, OpId, StoreId, TenantId};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::super::row::{Columns, damaged, int};
use crate::db::{LogRow, Standing};

const COLUMNS: &str = "operation.*, held_operation.reason";
const FROM: &str = "operation LEFT JOIN held_operation
     ON held_operation.tenant_id = operation.tenant_id
     AND held_operation.server_seq = operation.server_seq";

pub(in super::super) fn insert(db: &Connection, tenant: TenantId, row: &LogRow) -> Result<()> {
    let standing = match row.standing {
        Standing::Decided => "decided",
        Standing::Held(_) => "held",
        Standing::Quarantined(_) => "quarantined",
    };
    db.prepare_cached(
        "INSERT INTO operation (tenant_id, server_seq, op_id, action_id, store_id, device_id,
             epoch, device_seq, kind, standing, answer, decided_ms, hash, chain_hash, bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        int(row.server_seq),
        row.op_id.0.as_bytes(),
        row.action_id.0.as_bytes(),
        row.store.0.as_bytes(),
        row.device.0.as_bytes(),
        row.epoch,
        int(row.device_seq),
        row.kind,
        standing,
        row.answer,
        row.decided_at.ms(),
        row.hash,
        row.chain_hash,
        row.bytes,
    ])?;
    Ok(())
}

pub(in super::super) fn find(
    db: &Connection,
    tenant: TenantId,
    server_seq: u64,
) -> Result<Option<LogRow>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM {FROM}
         WHERE operation.tenant_id = ?1 AND operation.server_seq = ?2"
    ))?
    .query_row(params![tenant.0.as_bytes(), int(server_seq)], read)
    .optional()
}

pub(in super::super) fn after(
    db: &Connection,
    tenant: TenantId,
    after: u64,
    limit: u32,
) -> Result<Vec<LogRow>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM {FROM}
         WHERE operation.tenant_id = ?1 AND operation.server_seq > ?2
         ORDER BY operation.server_seq LIMIT ?3"
    ))?
    .query_map(params![tenant.0.as_bytes(), int(after), limit], read)?
    .collect()
}

/// The operation that holds this place in a device's sequence.
pub(in super::super) fn of_sequence(
    db: &Connection,
    tenant: TenantId,
    (device, epoch, device_seq): (DeviceId, u32, u64),
) -> Result<Option<LogRow>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM {FROM}
         WHERE operation.tenant_id = ?1 AND operation.device_id = ?2 AND operation.epoch = ?3
             AND operation.device_seq = ?4 AND operation.standing <> 'quarantined'"
    ))?
    .query_row(
        params![
            tenant.0.as_bytes(),
            device.0.as_bytes(),
            epoch,
            int(device_seq)
        ],
        read,
    )
    .optional()
}

pub(in super::super) fn of_hash(
    db: &Connection,
    tenant: TenantId,
    hash: &[u8; 32],
) -> Result<Option<LogRow>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM {FROM} WHERE operation.tenant_id = ?1 AND operation.hash = ?2"
    ))?
    .query_row(params![tenant.0.as_bytes(), hash], read)
    .optional()
}

fn read(row: &Row<'_>) -> Result<LogRow> {
    let standing = match row.get::<_, String>("standing")?.as_str() {
        "decided" => Standing::Decided,
        "held" => Standing::Held(row.code("reason")?),
        "quarantined" => Standing::Quarantined(row.code("reason")?),
        other => return Err(damaged(format!("there is no standing {other:?}"))),
    };
    Ok(LogRow {
        server_seq: row.count("server_seq")?,
        op_id: OpId(row.id("op_id")?),
        action_id: ActionId(row.id("action_id")?),
        store: StoreId(row.id("store_id")?),
        device: DeviceId(row.id("device_id")?),
        epoch: row.get("epoch")?,
        device_seq: row.count("device_seq")?,
        kind: row.get("kind")?,
        standing,
        answer: row.get("answer")?,
        decided_at: row.at("decided_ms")?,
        hash: row.get("hash")?,
        chain_hash: row.get("chain_hash")?,
        bytes: row.get("bytes")?,
    })
}
