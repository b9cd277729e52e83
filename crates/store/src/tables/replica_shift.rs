//! Shifts as the server last told.

use qiantai_core::ids::{DeviceId, ShiftId};
use qiantai_core::ledger::Shift;
use qiantai_wire::feed::ShiftDto;
use rusqlite::{Connection, OptionalExtension, named_params};

use super::row::{from_json, to_json};
use crate::error::StoreError;
use crate::store::Store;

const TABLE: &str = "replica_shift";

impl Store {
    /// One shift.
    pub fn shift(&self, id: ShiftId) -> Result<Option<Shift>, StoreError> {
        self.read(|connection| {
            let json: Option<String> = connection
                .prepare_cached("SELECT json FROM replica_shift WHERE id = ?1")?
                .query_row([id.0.into_bytes()], |row| row.get(0))
                .optional()?;
            json.map(|json| from_json::<ShiftDto>(TABLE, &json).map(Shift::from))
                .transpose()
        })
    }

    /// The shift that was opened last on `device`, whatever its state. A shift opened here and
    /// not yet confirmed is in [`Store::open_operations`].
    pub fn latest_shift(&self, device: DeviceId) -> Result<Option<Shift>, StoreError> {
        self.read(|connection| {
            let json: Option<String> = connection
                .prepare_cached(
                    "SELECT json FROM replica_shift WHERE device = ?1
                     ORDER BY opened_ms DESC LIMIT 1",
                )?
                .query_row([device.0.into_bytes()], |row| row.get(0))
                .optional()?;
            json.map(|json| from_json::<ShiftDto>(TABLE, &json).map(Shift::from))
                .transpose()
        })
    }
}

pub fn upsert(connection: &Connection, shift: &ShiftDto, revision: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO replica_shift (id, revision, device, opened_ms, json)
             VALUES (:id, :revision, :device, :opened, :json)
             ON CONFLICT (id) DO UPDATE
             SET revision = excluded.revision, device = excluded.device,
                 opened_ms = excluded.opened_ms, json = excluded.json
             WHERE excluded.revision >= replica_shift.revision",
        )?
        .execute(named_params! {
            ":id": shift.id.into_bytes(),
            ":revision": revision,
            ":device": shift.device.into_bytes(),
            ":opened": shift.opened_at_ms,
            ":json": to_json(TABLE, shift)?,
        })?;
    Ok(())
}
