//! Where the chain of own operations starts: after those that were old enough to be removed.

use qiantai_core::operation::Hash;
use rusqlite::{Connection, params};

use super::row::{seq, seq_to_sql};
use crate::error::StoreError;

const TABLE: &str = "chain_start";

/// The last operation that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainStart {
    /// Its place; 0 when none was removed.
    pub device_seq: u64,
    /// Its hash; zeros when none was removed.
    pub hash: Hash,
}

pub fn find(connection: &Connection) -> Result<ChainStart, StoreError> {
    let (device_seq, hash) = connection
        .prepare_cached("SELECT device_seq, hash FROM chain_start WHERE id = 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(ChainStart {
        device_seq: seq(TABLE, device_seq)?,
        hash,
    })
}

pub fn set(connection: &Connection, start: ChainStart) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE chain_start SET device_seq = ?1, hash = ?2 WHERE id = 1")?
        .execute(params![seq_to_sql(start.device_seq)?, start.hash])?;
    Ok(())
}
