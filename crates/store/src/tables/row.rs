//! Reading and writing what SQLite has no type for.

use qiantai_core::operation::Cursor;
use rusqlite::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::error::StoreError;

/// Timeline and sequence in one number that grows with both: 22 bits and 40 bits.
pub fn revision(cursor: Cursor) -> Result<i64, StoreError> {
    let seq = i64::try_from(cursor.server_seq)
        .ok()
        .filter(|seq| *seq < 1 << 40);
    match seq {
        Some(seq) if cursor.timeline < 1 << 22 => Ok(i64::from(cursor.timeline) << 40 | seq),
        _ => Err(unreadable("cursor", format!("{cursor:?} is out of range"))),
    }
}

/// The first revision of `timeline`: every row below it belongs to an earlier one.
pub fn first_revision(timeline: u32) -> Result<i64, StoreError> {
    revision(Cursor {
        timeline,
        server_seq: 0,
    })
}

pub fn to_json<T: Serialize>(table: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| unreadable(table, error.to_string()))
}

pub fn from_json<T: DeserializeOwned>(table: &'static str, json: &str) -> Result<T, StoreError> {
    // A syntax error of serde quotes no content, so no name or phone reaches a log.
    serde_json::from_str(json).map_err(|error| {
        let reason = format!("{:?} at column {}", error.classify(), error.column());
        unreadable(table, reason)
    })
}

/// A sequence, which is never negative here.
pub fn seq(table: &'static str, value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| unreadable(table, "a sequence is negative".to_owned()))
}

/// A sequence as SQLite holds it.
pub fn seq_to_sql(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| unreadable("cursor", "a sequence is too large".to_owned()))
}

pub fn uuid(row: &Row<'_>, column: usize) -> Result<Uuid, rusqlite::Error> {
    row.get::<_, [u8; 16]>(column).map(Uuid::from_bytes)
}

pub fn unreadable(table: &'static str, reason: String) -> StoreError {
    StoreError::UnreadableRow { table, reason }
}
