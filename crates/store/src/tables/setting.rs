//! Settings of this terminal: JSON documents under a name.

use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::row::{from_json, to_json};
use crate::error::StoreError;
use crate::store::Store;

const TABLE: &str = "setting";

impl Store {
    /// The setting under `key`, or `None` when it was never made.
    pub fn setting<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        self.read(|connection| find(connection, key))
    }

    /// Keeps `value` under `key`, in place of an earlier one.
    pub fn set_setting<T: Serialize>(&self, key: &str, value: &T) -> Result<(), StoreError> {
        self.write(|transaction| put(transaction, key, value))
    }

    /// Forgets the setting under `key`.
    pub fn remove_setting(&self, key: &str) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM setting WHERE key = ?1", [key])?;
            Ok(())
        })
    }
}

pub fn find<T: DeserializeOwned>(
    connection: &Connection,
    key: &str,
) -> Result<Option<T>, StoreError> {
    let json: Option<String> = connection
        .prepare_cached("SELECT json FROM setting WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    json.map(|json| from_json(TABLE, &json)).transpose()
}

pub fn put<T: Serialize>(connection: &Connection, key: &str, value: &T) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO setting (key, json) VALUES (?1, ?2)
             ON CONFLICT (key) DO UPDATE SET json = excluded.json",
        )?
        .execute((key, to_json(TABLE, value)?))?;
    Ok(())
}
