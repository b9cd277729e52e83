//! Own operations: bytes made once, gapless, chained by hash. The schema refuses gaps, changes
//! and removals too, except of the oldest (see [`crate::pruning`]).

use qiantai_core::Timestamp;
use qiantai_core::ids::{ActionId, MemberId, OpId, OrderId};
use qiantai_core::operation::Hash;
use qiantai_wire::SignedOperation;
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::operation::Kind;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::chain_start;
use super::row::{from_json, seq, seq_to_sql, unreadable, uuid};
use crate::error::StoreError;
use crate::store::Store;

const TABLE: &str = "operation";

const COLUMNS: &str = "o.device_seq, o.op_id, o.action_id, o.kind, o.bytes, o.member, o.order_id,
    o.created_ms, d.server_seq, d.outcome, d.covered";

const JOINED: &str = "operation o JOIN operation_delivery d USING (device_seq)";

/// The end of the log; the next operation continues from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogHead {
    /// Sequence of the last operation; 0 for an empty log.
    pub device_seq: u64,
    /// Its hash; zeros for an empty log.
    pub hash: Hash,
}

/// An operation of this terminal and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnOperation {
    /// Place in the chain.
    pub device_seq: u64,
    /// Names the record.
    pub op_id: OpId,
    /// Names the intent.
    pub action_id: ActionId,
    /// Number of its kind.
    pub kind: u16,
    /// The signed bytes.
    pub signed: SignedOperation,
    /// The member concerned, if any.
    pub member: Option<MemberId>,
    /// The order concerned, if any.
    pub order: Option<OrderId>,
    /// The terminal's clock when it was written.
    pub created_at: Timestamp,
    /// Its place in the server's log, once known.
    pub server_seq: Option<u64>,
    /// The server's answer, once known.
    pub outcome: Option<OutcomeDto>,
    /// True once the replica shows its effect, or it will never have one.
    pub covered: bool,
}

/// What the server has not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unacknowledged {
    /// How many operations.
    pub count: u64,
    /// When the oldest was written.
    pub oldest: Option<Timestamp>,
}

/// One row to write.
pub struct NewRow {
    pub device_seq: u64,
    pub op_id: Uuid,
    pub action_id: Uuid,
    pub kind: u16,
    pub prev_hash: Hash,
    pub hash: Hash,
    pub bytes: Vec<u8>,
    pub member: Option<Uuid>,
    pub order: Option<Uuid>,
    pub created_ms: i64,
}

impl Store {
    /// The end of the log.
    pub fn log_head(&self) -> Result<LogHead, StoreError> {
        self.read(head)
    }

    /// The overlay: operations whose effect the replica does not show yet, oldest first; only
    /// those of `member` when given. What the terminal shows is the replica with these applied.
    pub fn open_operations(
        &self,
        member: Option<MemberId>,
    ) -> Result<Vec<OwnOperation>, StoreError> {
        self.read(|connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM operation_delivery d JOIN operation o USING (device_seq)
                 WHERE d.covered = 0 AND (:member IS NULL OR o.member = :member)
                 ORDER BY d.device_seq"
            );
            let member = member.map(|member| member.0.into_bytes());
            select(connection, &sql, named_params! {":member": member})
        })
    }

    /// Signed bytes after `device_seq`, oldest first, at most `limit`: what a push carries.
    pub fn operations_after(
        &self,
        device_seq: u64,
        limit: u32,
    ) -> Result<Vec<OwnOperation>, StoreError> {
        self.read(|connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM {JOINED} WHERE o.device_seq > :after
                 ORDER BY o.device_seq LIMIT :limit"
            );
            let after = seq_to_sql(device_seq)?;
            select(
                connection,
                &sql,
                named_params! {":after": after, ":limit": limit},
            )
        })
    }

    /// The latest operations, newest first.
    pub fn latest_operations(&self, limit: u32) -> Result<Vec<OwnOperation>, StoreError> {
        self.read(|connection| {
            let sql =
                format!("SELECT {COLUMNS} FROM {JOINED} ORDER BY o.device_seq DESC LIMIT :limit");
            select(connection, &sql, named_params! {":limit": limit})
        })
    }

    /// Operations of one intent, oldest first: after a crash they say how far it had come.
    pub fn operations_of_action(&self, action: ActionId) -> Result<Vec<OwnOperation>, StoreError> {
        self.read(|connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM {JOINED} WHERE o.action_id = :action ORDER BY o.device_seq"
            );
            select(
                connection,
                &sql,
                named_params! {":action": action.0.into_bytes()},
            )
        })
    }

    /// Operations about one order, oldest first.
    pub fn operations_of_order(&self, order: OrderId) -> Result<Vec<OwnOperation>, StoreError> {
        self.read(|connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM {JOINED} WHERE o.order_id = :order ORDER BY o.device_seq"
            );
            select(
                connection,
                &sql,
                named_params! {":order": order.0.into_bytes()},
            )
        })
    }

    /// One operation.
    pub fn operation(&self, op_id: OpId) -> Result<Option<OwnOperation>, StoreError> {
        self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM {JOINED} WHERE o.op_id = :op_id");
            let found = select(
                connection,
                &sql,
                named_params! {":op_id": op_id.0.into_bytes()},
            )?;
            Ok(found.into_iter().next())
        })
    }

    /// How much the server has not acknowledged: `device_seq > acked_seq`, no second list.
    pub fn unacknowledged(&self) -> Result<Unacknowledged, StoreError> {
        self.read(|connection| {
            let (count, oldest): (i64, Option<i64>) = connection
                .prepare_cached(
                    "SELECT count(*), min(created_ms) FROM operation
                     WHERE device_seq > (SELECT acked_seq FROM cursor)",
                )?
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(Unacknowledged {
                count: seq(TABLE, count)?,
                oldest: oldest.map(Timestamp::from_ms),
            })
        })
    }

    /// Proves the whole chain of own operations: hashes, order, no gap.
    pub fn verify_chain(&self) -> Result<(), StoreError> {
        self.read(|connection| prove_chain(connection, 0))
    }
}

/// Whether an intent was written down as that kind of operation before.
pub fn is_recorded(connection: &Connection, action: Uuid, kind: Kind) -> Result<bool, StoreError> {
    let found = connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM operation WHERE action_id = ?1 AND kind = ?2)",
        )?
        .query_row(params![action.into_bytes(), kind.number()], |row| {
            row.get(0)
        })?;
    Ok(found)
}

pub fn head(connection: &Connection) -> Result<LogHead, StoreError> {
    let last: Option<(i64, Hash)> = connection
        .prepare_cached("SELECT device_seq, hash FROM operation ORDER BY device_seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match last {
        None => Ok(LogHead {
            device_seq: 0,
            hash: [0; 32],
        }),
        Some((device_seq, hash)) => Ok(LogHead {
            device_seq: seq(TABLE, device_seq)?,
            hash,
        }),
    }
}

/// Hash of an operation, or of the last one that was removed.
pub fn hash_of(connection: &Connection, device_seq: u64) -> Result<Option<Hash>, StoreError> {
    let hash = connection
        .prepare_cached(
            "SELECT hash FROM operation WHERE device_seq = ?1
             UNION ALL SELECT hash FROM chain_start WHERE device_seq = ?1",
        )?
        .query_row([seq_to_sql(device_seq)?], |row| row.get(0))
        .optional()?;
    Ok(hash)
}

/// Payments without the server whose effect the replica does not show yet, or written since then.
pub fn payments_since(
    connection: &Connection,
    since: Timestamp,
) -> Result<Vec<OwnOperation>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {JOINED}
         WHERE o.kind = :kind AND (d.covered = 0 OR o.created_ms >= :since)
         ORDER BY o.device_seq"
    );
    let kind = Kind::SpendOffline.number();
    select(
        connection,
        &sql,
        named_params! {":kind": kind, ":since": since.ms()},
    )
}

pub fn seq_of(connection: &Connection, op_id: Uuid) -> Result<Option<u64>, StoreError> {
    let device_seq: Option<i64> = connection
        .prepare_cached("SELECT device_seq FROM operation WHERE op_id = ?1")?
        .query_row([op_id.into_bytes()], |row| row.get(0))
        .optional()?;
    device_seq.map(|value| seq(TABLE, value)).transpose()
}

pub fn insert(connection: &Connection, row: &NewRow) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO operation (
                 device_seq, op_id, action_id, kind, prev_hash, hash, bytes, member, order_id,
                 created_ms
             ) VALUES (
                 :device_seq, :op_id, :action_id, :kind, :prev_hash, :hash, :bytes, :member,
                 :order, :created
             )",
        )?
        .execute(named_params! {
            ":device_seq": seq_to_sql(row.device_seq)?,
            ":op_id": row.op_id.into_bytes(),
            ":action_id": row.action_id.into_bytes(),
            ":kind": row.kind,
            ":prev_hash": row.prev_hash,
            ":hash": row.hash,
            ":bytes": row.bytes,
            ":member": row.member.map(Uuid::into_bytes),
            ":order": row.order.map(Uuid::into_bytes),
            ":created": row.created_ms,
        })?;
    Ok(())
}

/// Proves the operations after `after` against the one at `after`; those that were removed are
/// passed over.
pub fn prove_chain(connection: &Connection, after: u64) -> Result<(), StoreError> {
    let after = after.max(chain_start::find(connection)?.device_seq);
    let mut statement = connection.prepare(
        "SELECT device_seq, prev_hash, hash, bytes FROM operation
         WHERE device_seq > ?1 ORDER BY device_seq",
    )?;
    let mut expected_hash =
        hash_of(connection, after)?.ok_or(StoreError::ChainBroken { device_seq: after })?;
    let mut rows = statement.query([seq_to_sql(after)?])?;
    let mut expected_seq = after + 1;
    while let Some(row) = rows.next()? {
        let device_seq = seq(TABLE, row.get(0)?)?;
        let prev_hash: Hash = row.get(1)?;
        let hash: Hash = row.get(2)?;
        let computed: Hash = Sha256::digest(row.get_ref(3)?.as_bytes().unwrap_or(&[])).into();
        if device_seq != expected_seq || prev_hash != expected_hash || hash != computed {
            return Err(StoreError::ChainBroken {
                device_seq: expected_seq,
            });
        }
        expected_seq += 1;
        expected_hash = hash;
    }
    Ok(())
}

fn select(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<OwnOperation>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut operations = Vec::new();
    while let Some(row) = rows.next()? {
        operations.push(own_operation(row)?);
    }
    Ok(operations)
}

fn own_operation(row: &Row<'_>) -> Result<OwnOperation, StoreError> {
    let kind: i64 = row.get(3)?;
    let member: Option<[u8; 16]> = row.get(5)?;
    let order: Option<[u8; 16]> = row.get(6)?;
    let server_seq: Option<i64> = row.get(8)?;
    let outcome: Option<String> = row.get(9)?;
    Ok(OwnOperation {
        device_seq: seq(TABLE, row.get(0)?)?,
        op_id: OpId(uuid(row, 1)?),
        action_id: ActionId(uuid(row, 2)?),
        kind: u16::try_from(kind).map_err(|_| unreadable(TABLE, format!("kind {kind}")))?,
        signed: SignedOperation { bytes: row.get(4)? },
        member: member.map(|bytes| MemberId(Uuid::from_bytes(bytes))),
        order: order.map(|bytes| OrderId(Uuid::from_bytes(bytes))),
        created_at: Timestamp::from_ms(row.get(7)?),
        server_seq: server_seq
            .map(|value| seq("operation_delivery", value))
            .transpose()?,
        outcome: outcome
            .map(|json| from_json("operation_delivery", &json))
            .transpose()?,
        covered: row.get(10)?,
    })
}
