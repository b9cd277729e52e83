//! Terminals of the tenant as the server last told.

use qiantai_core::decide::Device;
use qiantai_core::ids::DeviceId;
use qiantai_wire::feed::DeviceDto;
use rusqlite::{Connection, OptionalExtension, named_params};

use super::row::{from_json, to_json};
use crate::error::StoreError;
use crate::store::Store;

const TABLE: &str = "replica_device";

impl Store {
    /// One terminal, or the server as a device.
    pub fn device(&self, id: DeviceId) -> Result<Option<Device>, StoreError> {
        self.read(|connection| {
            let json: Option<String> = connection
                .prepare_cached("SELECT json FROM replica_device WHERE id = ?1")?
                .query_row([id.0.into_bytes()], |row| row.get(0))
                .optional()?;
            json.map(|json| from_json::<DeviceDto>(TABLE, &json).map(Device::from))
                .transpose()
        })
    }
}

pub fn upsert(
    connection: &Connection,
    device: &DeviceDto,
    revision: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO replica_device (id, revision, json) VALUES (:id, :revision, :json)
             ON CONFLICT (id) DO UPDATE
             SET revision = excluded.revision, json = excluded.json
             WHERE excluded.revision >= replica_device.revision",
        )?
        .execute(named_params! {
            ":id": device.id.into_bytes(),
            ":revision": revision,
            ":json": to_json(TABLE, device)?,
        })?;
    Ok(())
}
