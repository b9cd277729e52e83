//! Table `operation`: the log.

use qiantai_core::Timestamp;
use qiantai_core::ids::{ActionId, DeviceId, OpId, StoreId, TenantId};
use qiantai_core::operation::Hash;

use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, damaged, values};
use crate::db::table::{OnConflict, Question, Table};
use crate::db::{LedgerError, LogRow, Standing};

pub(in crate::db) static TABLE: Table = Table::new(
    "operation",
    &[
        ("server_seq", Int),
        ("op_id", Bytes),
        ("action_id", Bytes),
        ("store_id", Bytes),
        ("device_id", Bytes),
        ("epoch", Int),
        ("device_seq", Int),
        ("kind", Int),
        ("standing", Text),
        ("answer", Text),
        ("decided_ms", Int),
        ("hash", Bytes),
        ("chain_hash", Bytes),
        ("bytes", Bytes),
        ("other_history", Int),
    ],
    1,
    OnConflict::Fail,
);

/// A row of the log with the reason for which it waits.
macro_rules! log_rows {
    ($rest:literal) => {
        concat!(
            "SELECT operation.*, held_operation.reason FROM operation
             LEFT JOIN held_operation ON held_operation.tenant_id = operation.tenant_id
                 AND held_operation.server_seq = operation.server_seq ",
            $rest
        )
    };
}

pub(in crate::db) fn row(row: &LogRow) -> Vec<Value> {
    let standing = match row.standing {
        Standing::Decided => "decided",
        Standing::Held(_) => "held",
        Standing::Quarantined(_) => "quarantined",
    };
    values![
        row.server_seq,
        row.op_id.0,
        row.action_id.0,
        row.store.0,
        row.device.0,
        row.epoch,
        row.device_seq,
        row.kind,
        standing,
        &row.answer,
        row.decided_at,
        &row.hash,
        &row.chain_hash,
        row.bytes.as_slice(),
        row.other_history,
    ]
}

pub(in crate::db) fn at(tenant: TenantId, server_seq: u64) -> Question {
    Question::new(log_rows!(
        "WHERE operation.tenant_id = ?1 AND operation.server_seq = ?2"
    ))
    .with(tenant.0)
    .with(server_seq)
}

pub(in crate::db) fn after(tenant: TenantId, after: u64, limit: u32) -> Question {
    Question::new(log_rows!(
        "WHERE operation.tenant_id = ?1 AND operation.server_seq > ?2
         ORDER BY operation.server_seq LIMIT ?3"
    ))
    .with(tenant.0)
    .with(after)
    .with(limit)
}

/// Kept outside the chains of their devices, and neither taken nor refused since.
pub(in crate::db) fn kept_outside(tenant: TenantId) -> Question {
    Question::new(log_rows!(
        "WHERE operation.tenant_id = ?1 AND operation.standing = 'quarantined'
             AND NOT EXISTS (SELECT 1 FROM operation AS later
                 WHERE later.tenant_id = operation.tenant_id AND later.hash = operation.hash
                     AND later.standing <> 'quarantined')
         ORDER BY operation.device_id, operation.epoch, operation.device_seq, operation.server_seq"
    ))
    .with(tenant.0)
}

/// Placed in the chains of their devices, and not decided until now.
pub(in crate::db) fn held(tenant: TenantId) -> Question {
    Question::new(log_rows!(
        "WHERE operation.tenant_id = ?1 AND operation.standing = 'held'
             AND NOT EXISTS (SELECT 1 FROM operation AS later
                 WHERE later.tenant_id = operation.tenant_id AND later.hash = operation.hash
                     AND later.standing = 'decided')
         ORDER BY operation.server_seq"
    ))
    .with(tenant.0)
}

/// The last place taken; zero in an empty log.
pub(in crate::db) fn last(tenant: TenantId) -> Question {
    Question::new(
        "SELECT coalesce(max(server_seq), 0) AS last_seq FROM operation WHERE tenant_id = ?1",
    )
    .with(tenant.0)
}

/// When the last operation of each device was decided.
pub(in crate::db) fn last_of_devices(tenant: TenantId) -> Question {
    Question::new(
        "SELECT device_id, max(decided_ms) AS last_ms FROM operation WHERE tenant_id = ?1
         GROUP BY device_id",
    )
    .with(tenant.0)
}

/// The operations that hold these places in their devices' sequences.
pub(in crate::db) fn of_sequences<'a>(
    tenant: TenantId,
    places: impl IntoIterator<Item = &'a (DeviceId, u32, u64)> + Clone,
) -> Question {
    let of = |place: fn(&(DeviceId, u32, u64)) -> Value| places.clone().into_iter().map(place);
    Question::new(log_rows!(
        "WHERE operation.tenant_id = ?1 AND operation.device_id = ?2 AND operation.epoch = ?3
             AND operation.device_seq = ?4 AND operation.standing <> 'quarantined'
             AND operation.other_history = 0"
    ))
    .on_postgres(log_rows!(
        "JOIN unnest($2::bytea[], $3::bigint[], $4::bigint[])
             AS place (device_id, epoch, device_seq)
             ON operation.device_id = place.device_id AND operation.epoch = place.epoch
             AND operation.device_seq = place.device_seq
         WHERE operation.tenant_id = $1 AND operation.standing <> 'quarantined'
             AND operation.other_history = 0"
    ))
    .with(tenant.0)
    .each(Bytes, of(|place| place.0.0.into()))
    .each(Int, of(|place| place.1.into()))
    .each(Int, of(|place| place.2.into()))
}

pub(in crate::db) fn of_hashes<'a>(
    tenant: TenantId,
    hashes: impl IntoIterator<Item = &'a Hash>,
) -> Question {
    Question::new(log_rows!(
        "WHERE operation.tenant_id = ?1 AND operation.hash IN (?2)"
    ))
    .with(tenant.0)
    .each(Bytes, hashes)
}

/// Operations of these devices that stand beyond the end of their chains: they were brought back
/// from receipts, and those before them are missing.
pub(in crate::db) fn beyond_chains(
    tenant: TenantId,
    devices: impl IntoIterator<Item = DeviceId>,
) -> Question {
    Question::new(log_rows!(
        "JOIN device ON device.tenant_id = operation.tenant_id
             AND device.device_id = operation.device_id AND device.epoch = operation.epoch
         WHERE operation.tenant_id = ?1 AND operation.device_id IN (?2)
             AND operation.device_seq > device.last_seq AND operation.standing <> 'quarantined'
             AND operation.other_history = 0"
    ))
    .with(tenant.0)
    .each(Bytes, devices.into_iter().map(|id| id.0))
}

/// Payments without the server (kind 9) that these devices wrote, and that were decided since then.
pub(in crate::db) fn spent_since(
    tenant: TenantId,
    devices: impl IntoIterator<Item = DeviceId>,
    since: Timestamp,
) -> Question {
    Question::new(log_rows!(
        "WHERE operation.tenant_id = ?1 AND operation.kind = 9 AND operation.standing = 'decided'
             AND operation.decided_ms >= ?2 AND operation.device_id IN (?3)"
    ))
    .with(tenant.0)
    .with(since)
    .each(Bytes, devices.into_iter().map(|id| id.0))
}

pub(in crate::db) fn read(row: &Record) -> Result<LogRow, LedgerError> {
    let standing = match row.text("standing")? {
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
        epoch: row.count("epoch")?,
        device_seq: row.count("device_seq")?,
        kind: row.count("kind")?,
        standing,
        other_history: row.flag("other_history")?,
        answer: row.text("answer")?.to_owned(),
        decided_at: row.at("decided_ms")?,
        hash: row.array("hash")?,
        chain_hash: row.array("chain_hash")?,
        bytes: row.bytes("bytes")?.to_vec(),
    })
}
