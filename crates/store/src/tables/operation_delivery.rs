//! What became of each own operation at the server. Kept apart from the operation, which never
//! changes.

use qiantai_core::Timestamp;
use qiantai_wire::feed::OutcomeDto;
use rusqlite::{Connection, named_params};

use super::row::{seq_to_sql, to_json};
use crate::error::StoreError;

const TABLE: &str = "operation_delivery";

pub fn insert(connection: &Connection, device_seq: u64) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO operation_delivery (device_seq) VALUES (?1)")?
        .execute([seq_to_sql(device_seq)?])?;
    Ok(())
}

/// Keeps an answer. Without a place in the server's log it says nothing about the replica, so a
/// cover stays.
pub fn answer(
    connection: &Connection,
    device_seq: u64,
    server_seq: Option<u64>,
    outcome: &OutcomeDto,
    covered: bool,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE operation_delivery
             SET server_seq = coalesce(:server_seq, server_seq),
                 outcome = :outcome,
                 covered = iif(:server_seq IS NULL, max(covered, :covered), :covered)
             WHERE device_seq = :device_seq",
        )?
        .execute(named_params! {
            ":device_seq": seq_to_sql(device_seq)?,
            ":server_seq": server_seq.map(seq_to_sql).transpose()?,
            ":outcome": to_json(TABLE, outcome)?,
            ":covered": covered,
        })?;
    Ok(())
}

/// The cursor has passed `server_seq`: operations up to there leave the overlay.
pub fn cover_up_to(connection: &Connection, server_seq: u64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE operation_delivery SET covered = 1 WHERE covered = 0 AND server_seq <= ?1",
        )?
        .execute([seq_to_sql(server_seq)?])?;
    Ok(())
}

/// Answers that came since the server last told its time are as old as `server_time`.
pub fn start_ages(connection: &Connection, server_time: Timestamp) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE operation_delivery INDEXED BY operation_delivery_ageless
             SET aged_from_ms = ?1 WHERE outcome IS NOT NULL AND aged_from_ms IS NULL",
        )?
        .execute([server_time.ms()])?;
    Ok(())
}

/// The server was restored from a backup and now stands at `at_seq` of a new timeline, where it has
/// the own operations up to `own_seq`. Each is asked for again. A place on the timeline before says
/// little: beyond `at_seq` it is lost for certain, but before it may be another terminal's by now. So
/// it counts only where the server does not say how far it has this chain.
pub fn start_timeline(
    connection: &Connection,
    at_seq: u64,
    own_seq: Option<u64>,
) -> Result<(), StoreError> {
    let held = to_json(TABLE, &OutcomeDto::Held)?;
    connection.execute(
        "UPDATE operation_delivery
         SET covered = CASE
                 WHEN :own_seq IS NULL THEN covered AND coalesce(server_seq <= :at_seq, 1)
                 ELSE device_seq <= :own_seq AND (covered OR outcome IS NOT :held)
             END,
             server_seq = NULL, outcome = NULL, aged_from_ms = NULL",
        named_params! {
            ":own_seq": own_seq.map(seq_to_sql).transpose()?,
            ":at_seq": seq_to_sql(at_seq)?,
            ":held": held,
        },
    )?;
    Ok(())
}
