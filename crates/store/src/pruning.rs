//! Removing what nobody asks for any more. Operations go from the start of the chain, so that
//! what is left still proves itself; prints go one by one.
//!
//! Ages are the server's time since the server's answer (see `start_ages` of the two tables). The
//! terminal's clock has no say: one that stood at 2020 for a morning would make its sales old.
//!
//! The bytes that credited a cash order stay beside the server's settlements, because its receipt
//! carries them; orders, balances and shifts stand in the replica, which is not pruned.

use qiantai_core::Timestamp;
use qiantai_core::operation::Hash;
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::operation::Kind;
use rusqlite::{Connection, params};

use crate::error::StoreError;
use crate::store::Store;
use crate::tables::chain_start::{self, ChainStart};
use crate::tables::row::{from_json, seq, seq_to_sql};
use crate::tables::{cursor, operation, print_job};

/// Operations looked at in one transaction: a sale waits for no longer than that.
const BATCH: u32 = 1_000;

/// What may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Old {
    /// Operations that the server answered before this, in its own time, once it has acknowledged
    /// them and the replica shows what they did.
    pub operations: Timestamp,
    /// Operations that the server took before this, in its own time, and holds for a person. They
    /// keep those after them too.
    pub held: Timestamp,
    /// Prints that came out before this, in the server's time.
    pub prints: Timestamp,
}

/// What went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Operations.
    pub operations: u64,
    /// Prints.
    pub prints: u64,
}

impl Store {
    /// Removes what is older than `old`. Whatever the server has not acknowledged stays at any
    /// age, and so do prints that did not come out and the last operation.
    pub fn prune(&self, old: Old) -> Result<Pruned, StoreError> {
        let prints =
            self.write(|transaction| print_job::forget_printed(transaction, old.prints))?;
        let mut pruned = Pruned {
            operations: 0,
            prints,
        };
        loop {
            let removed = self.write(|transaction| remove_batch(transaction, old))?;
            pruned.operations += removed;
            if removed < u64::from(BATCH) {
                return Ok(pruned);
            }
        }
    }
}

fn remove_batch(connection: &Connection, old: Old) -> Result<u64, StoreError> {
    let start = chain_start::find(connection)?;
    let Some(new_start) = old_enough(connection, old)? else {
        return Ok(0);
    };
    chain_start::set(connection, new_start)?;
    let through = seq_to_sql(new_start.device_seq)?;
    connection.execute(
        "INSERT INTO settlement (order_id, bytes)
         SELECT order_id, bytes FROM operation
         WHERE device_seq <= ?1 AND kind IN (?2, ?3) AND order_id IS NOT NULL
         ON CONFLICT DO NOTHING",
        params![
            through,
            Kind::RechargeCash.number(),
            Kind::RechargeRecorded.number()
        ],
    )?;
    for table in ["new_member", "operation_delivery", "operation"] {
        connection.execute(
            &format!("DELETE FROM {table} WHERE device_seq <= ?1"),
            [through],
        )?;
    }
    Ok(new_start.device_seq - start.device_seq)
}

/// The last of the oldest operations, all of which may go.
fn old_enough(connection: &Connection, old: Old) -> Result<Option<ChainStart>, StoreError> {
    let acked_seq = cursor::find(connection)?.acked_seq;
    let last = operation::head(connection)?.device_seq;
    let mut statement = connection.prepare_cached(
        "SELECT o.device_seq, o.hash, d.aged_from_ms, d.covered, d.outcome
         FROM operation o JOIN operation_delivery d USING (device_seq)
         ORDER BY o.device_seq LIMIT ?1",
    )?;
    let mut rows = statement.query([BATCH])?;
    let mut through = None;
    while let Some(row) = rows.next()? {
        let device_seq = seq("operation", row.get(0)?)?;
        let hash: Hash = row.get(1)?;
        let aged_from: Option<i64> = row.get(2)?;
        let covered: bool = row.get(3)?;
        let outcome: Option<String> = row.get(4)?;
        let outcome: Option<OutcomeDto> = outcome
            .map(|json| from_json("operation_delivery", &json))
            .transpose()?;
        let (before, is_shown) = match outcome {
            None => break,
            // Never part of what is shown: a person at the server decides about them.
            Some(OutcomeDto::Held | OutcomeDto::ExistsWithDifferent { .. }) => (old.held, true),
            Some(OutcomeDto::Applied | OutcomeDto::Exists | OutcomeDto::Refused(_)) => {
                (old.operations, covered)
            }
        };
        // Answered since the server last told its time: as young as can be.
        let is_old = aged_from.is_some_and(|from| Timestamp::from_ms(from) < before);
        if device_seq > acked_seq || device_seq >= last || !is_shown || !is_old {
            break;
        }
        through = Some(ChainStart { device_seq, hash });
    }
    Ok(through)
}
