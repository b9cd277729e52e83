//! This terminal's own leases: the server's signed word for each, and what was drawn on it here.

use qiantai_core::Money;
use qiantai_core::ids::{LeaseId, MemberId};
use qiantai_core::operation::LeaseDraw;
use qiantai_wire::api::GrantedLease;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use uuid::Uuid;

use super::row::uuid;
use crate::error::StoreError;

/// An own lease and what payments written here have left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnLease {
    /// Identity.
    pub id: LeaseId,
    /// Whose stored value.
    pub member: MemberId,
    /// What is left.
    pub left: Money,
}

/// Keeps a lease. One that is known keeps what was drawn on it, and what was drawn on it from a
/// later copy of this disk counts too.
pub fn keep(connection: &Connection, lease: &GrantedLease) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO lease (id, member, granted_fen, drawn_fen, state, bytes)
             VALUES (:id, :member, :granted, :drawn, 'open', :bytes)
             ON CONFLICT (id) DO UPDATE
             SET drawn_fen = min(max(drawn_fen, excluded.drawn_fen), granted_fen)",
        )?
        .execute(named_params! {
            ":id": lease.id.0.into_bytes(),
            ":member": lease.member.0.into_bytes(),
            ":granted": lease.granted.fen(),
            ":drawn": (lease.granted - lease.left).fen(),
            ":bytes": lease.bytes,
        })?;
    Ok(())
}

/// Nothing is drawn on the lease any more. One of which nothing is left is over.
pub fn end(connection: &Connection, lease: LeaseId) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE lease SET state = iif(drawn_fen = granted_fen, 'over', 'ended')
             WHERE id = ?1 AND state = 'open'",
        )?
        .execute([lease.0.into_bytes()])?;
    Ok(())
}

/// It was given back.
pub fn give_back(connection: &Connection, lease: LeaseId) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE lease SET state = 'over' WHERE id = ?1")?
        .execute([lease.0.into_bytes()])?;
    Ok(())
}

/// Counts a draw. False when the lease is not open here or has less left; then nothing changed.
pub fn draw(connection: &Connection, draw: &LeaseDraw) -> Result<bool, StoreError> {
    let changed = connection
        .prepare_cached(
            "UPDATE lease SET drawn_fen = drawn_fen + :fen
             WHERE id = :id AND state = 'open' AND drawn_fen + :fen <= granted_fen AND :fen > 0",
        )?
        .execute(named_params! {
            ":id": draw.lease.0.into_bytes(),
            ":fen": draw.amount.fen(),
        })?;
    Ok(changed == 1)
}

/// Of a member, those that may be drawn on, the oldest first. One that the replica does not show
/// yet is left out until it does: what is shown after a payment is then what the server will say.
pub fn spendable(connection: &Connection, member: MemberId) -> Result<Vec<OwnLease>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT l.id, l.member, l.granted_fen - l.drawn_fen
         FROM lease l JOIN replica_lease r ON r.id = l.id
         WHERE l.member = ?1 AND l.state = 'open' AND l.drawn_fen < l.granted_fen
             AND json_extract(r.json, '$.state') = 'held'
         ORDER BY json_extract(r.json, '$.granted_at_ms'), l.id",
    )?;
    let rows = statement.query_map([member.0.into_bytes()], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Those that are open here.
pub fn open_of(connection: &Connection, member: MemberId) -> Result<Vec<LeaseId>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT id FROM lease WHERE member = ?1 AND state = 'open' ORDER BY id")?;
    let rows = statement.query_map([member.0.into_bytes()], |row| uuid(row, 0).map(LeaseId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Those whose release is due.
pub fn ended(connection: &Connection) -> Result<Vec<OwnLease>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, member, granted_fen - drawn_fen FROM lease
         WHERE state = 'ended' ORDER BY id",
    )?;
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The server's signed word for a lease.
pub fn word(connection: &Connection, lease: LeaseId) -> Result<Option<Vec<u8>>, StoreError> {
    let found = connection
        .prepare_cached("SELECT bytes FROM lease WHERE id = ?1")?
        .query_row([lease.0.into_bytes()], |row| row.get(0))
        .optional()?;
    Ok(found)
}

/// Members of a store for whom leases may be due, the most recently active first: active since
/// then, and with an account that changed since leases were last asked for.
pub fn due(
    connection: &Connection,
    store: Uuid,
    since_ms: i64,
    limit: u32,
) -> Result<Vec<(MemberId, i64)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT m.id, a.revision
         FROM replica_member m JOIN replica_account a ON a.member = m.id
         LEFT JOIN lease_ask k ON k.member = m.id
         WHERE m.active_ms >= ?1 AND json_extract(m.json, '$.home_store') = ?2
             AND (k.revision IS NULL OR k.revision < a.revision)
         ORDER BY m.active_ms DESC LIMIT ?3",
    )?;
    let rows = statement.query_map(params![since_ms, store.to_string(), limit], |row| {
        Ok((MemberId(uuid(row, 0)?), row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Leases of this member were asked for when the account was that new.
pub fn asked(connection: &Connection, member: MemberId, revision: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO lease_ask (member, revision) VALUES (?1, ?2)
             ON CONFLICT (member) DO UPDATE SET revision = excluded.revision",
        )?
        .execute(params![member.0.into_bytes(), revision])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<OwnLease, rusqlite::Error> {
    Ok(OwnLease {
        id: LeaseId(uuid(row, 0)?),
        member: MemberId(uuid(row, 1)?),
        left: Money::from_fen(row.get(2)?),
    })
}
