//! How far this terminal and the server have heard of each other.

use qiantai_core::Timestamp;
use qiantai_core::operation::Cursor;
use rusqlite::{Connection, named_params};
use uuid::Uuid;

use super::row::{seq, seq_to_sql};
use crate::error::StoreError;
use crate::store::Store;

const TABLE: &str = "cursor";

/// The state of the exchange with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncMark {
    /// How far the server's log is taken over; `None` before the first snapshot is whole.
    pub cursor: Option<Cursor>,
    /// The last own operation that the server acknowledged; 0 for none.
    pub acked_seq: u64,
    /// The server's clock at its last answer: balances are shown "as of" this.
    pub server_time: Option<Timestamp>,
    /// A snapshot of which pages are still missing.
    pub snapshot: Option<SnapshotMark>,
}

/// A snapshot under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotMark {
    /// Where the feed is followed once the snapshot is whole.
    pub at: Cursor,
    /// Pass as `after_member` for the next page.
    pub next: Uuid,
    /// The last own operation that the log has up to there, as far as the server said it.
    pub own_seq: Option<u64>,
}

impl Store {
    /// The state of the exchange with the server.
    pub fn sync_mark(&self) -> Result<SyncMark, StoreError> {
        self.read(find)
    }
}

pub fn find(connection: &Connection) -> Result<SyncMark, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT timeline, server_seq, acked_seq, server_time_ms, snapshot_timeline,
             snapshot_at_seq, snapshot_next, snapshot_own_seq
         FROM cursor WHERE id = 1",
    )?;
    let mut rows = statement.query([])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let timeline: u32 = row.get(0)?;
    let server_seq = seq(TABLE, row.get(1)?)?;
    let server_time: Option<i64> = row.get(3)?;
    let snapshot: (Option<u32>, Option<i64>, Option<[u8; 16]>) =
        (row.get(4)?, row.get(5)?, row.get(6)?);
    let own_seq: Option<i64> = row.get(7)?;
    let snapshot = match snapshot {
        (Some(timeline), Some(at_seq), Some(next)) => Some(SnapshotMark {
            at: Cursor {
                timeline,
                server_seq: seq(TABLE, at_seq)?,
            },
            next: Uuid::from_bytes(next),
            own_seq: own_seq.map(|own_seq| seq(TABLE, own_seq)).transpose()?,
        }),
        _ => None,
    };
    Ok(SyncMark {
        cursor: (timeline > 0).then_some(Cursor {
            timeline,
            server_seq,
        }),
        acked_seq: seq(TABLE, row.get(2)?)?,
        server_time: server_time.map(Timestamp::from_ms),
        snapshot,
    })
}

/// Moves the cursor; ends a snapshot under way.
pub fn set_cursor(connection: &Connection, cursor: Cursor) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE cursor SET timeline = :timeline, server_seq = :server_seq,
                 snapshot_timeline = NULL, snapshot_at_seq = NULL, snapshot_next = NULL,
                 snapshot_own_seq = NULL",
        )?
        .execute(named_params! {
            ":timeline": cursor.timeline,
            ":server_seq": seq_to_sql(cursor.server_seq)?,
        })?;
    Ok(())
}

pub fn set_snapshot(connection: &Connection, mark: SnapshotMark) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE cursor SET snapshot_timeline = :timeline, snapshot_at_seq = :at_seq,
                 snapshot_next = :next, snapshot_own_seq = :own_seq",
        )?
        .execute(named_params! {
            ":timeline": mark.at.timeline,
            ":at_seq": seq_to_sql(mark.at.server_seq)?,
            ":next": mark.next.into_bytes(),
            ":own_seq": mark.own_seq.map(seq_to_sql).transpose()?,
        })?;
    Ok(())
}

pub fn set_acked(connection: &Connection, acked_seq: u64) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE cursor SET acked_seq = ?1")?
        .execute([seq_to_sql(acked_seq)?])?;
    Ok(())
}

pub fn set_server_time(connection: &Connection, time: Timestamp) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE cursor SET server_time_ms = ?1")?
        .execute([time.ms()])?;
    Ok(())
}
