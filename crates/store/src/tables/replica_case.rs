//! Exception cases as the server last told.

use qiantai_core::ids::{DeviceId, OrderId};
use qiantai_core::ledger::ExceptionCase;
use qiantai_wire::feed::CaseDto;
use rusqlite::{Connection, Rows, named_params};

use super::row::{from_json, to_json};
use crate::error::StoreError;
use crate::store::Store;

const TABLE: &str = "replica_case";

impl Store {
    /// Exception cases, newest first, at most `limit`.
    pub fn cases(&self, limit: u32) -> Result<Vec<ExceptionCase>, StoreError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT json FROM replica_case ORDER BY opened_ms DESC LIMIT ?1")?;
            read(statement.query([limit])?)
        })
    }

    /// Exception cases of one order, newest first.
    pub fn cases_of(&self, order: OrderId) -> Result<Vec<ExceptionCase>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT json FROM replica_case WHERE json_extract(json, '$.order') = ?1
                 ORDER BY opened_ms DESC",
            )?;
            read(statement.query([order.to_string()])?)
        })
    }
}

/// The newest case of a payment of `device` that overdrew a member.
pub fn overdrawn(
    connection: &Connection,
    device: DeviceId,
) -> Result<Option<ExceptionCase>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT json FROM replica_case
         WHERE json_extract(json, '$.kind') = 'overdrawn' AND json_extract(json, '$.device') = ?1
         ORDER BY opened_ms DESC LIMIT 1",
    )?;
    Ok(read(statement.query([device.to_string()])?)?.pop())
}

fn read(mut rows: Rows<'_>) -> Result<Vec<ExceptionCase>, StoreError> {
    let mut cases = Vec::new();
    while let Some(row) = rows.next()? {
        let json: String = row.get(0)?;
        cases.push(from_json::<CaseDto>(TABLE, &json)?.into());
    }
    Ok(cases)
}

pub fn upsert(connection: &Connection, case: &CaseDto, revision: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO replica_case (id, revision, opened_ms, json)
             VALUES (:id, :revision, :opened, :json)
             ON CONFLICT (id) DO UPDATE
             SET revision = excluded.revision, opened_ms = excluded.opened_ms,
                 json = excluded.json
             WHERE excluded.revision >= replica_case.revision",
        )?
        .execute(named_params! {
            ":id": case.id.into_bytes(),
            ":revision": revision,
            ":opened": case.opened_at_ms,
            ":json": to_json(TABLE, case)?,
        })?;
    Ok(())
}
