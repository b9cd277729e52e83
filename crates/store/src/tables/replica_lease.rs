//! Leases of every terminal as the server last told: they explain what accounts have frozen.

use qiantai_core::ids::MemberId;
use qiantai_core::lease::Lease;
use qiantai_wire::codes::LeaseStateDto;
use qiantai_wire::feed::LeaseRowDto;
use rusqlite::{Connection, named_params};

use super::row::{from_json, to_json};
use crate::error::StoreError;
use crate::store::Store;

const TABLE: &str = "replica_lease";

impl Store {
    /// The member's leases that are not over, of whichever terminal, as the server last told:
    /// without the terminal's own operations that are still open.
    pub fn leases_of(&self, member: MemberId) -> Result<Vec<Lease>, StoreError> {
        self.read(|connection| of_member(connection, member))
    }
}

pub fn of_member(connection: &Connection, member: MemberId) -> Result<Vec<Lease>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT json FROM replica_lease WHERE member = ?1 ORDER BY id")?;
    let mut rows = statement.query([member.0.into_bytes()])?;
    let mut leases = Vec::new();
    while let Some(row) = rows.next()? {
        let json: String = row.get(0)?;
        leases.push(from_json::<LeaseRowDto>(TABLE, &json)?.into());
    }
    Ok(leases)
}

pub fn upsert(
    connection: &Connection,
    lease: &LeaseRowDto,
    revision: i64,
) -> Result<(), StoreError> {
    if matches!(lease.state, LeaseStateDto::Spent | LeaseStateDto::Released) {
        connection
            .prepare_cached("DELETE FROM replica_lease WHERE id = ?1 AND revision <= ?2")?
            .execute((lease.id.into_bytes(), revision))?;
        return Ok(());
    }
    connection
        .prepare_cached(
            "INSERT INTO replica_lease (id, revision, member, json)
             VALUES (:id, :revision, :member, :json)
             ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, json = excluded.json
             WHERE excluded.revision >= replica_lease.revision",
        )?
        .execute(named_params! {
            ":id": lease.id.into_bytes(),
            ":revision": revision,
            ":member": lease.member.into_bytes(),
            ":json": to_json(TABLE, lease)?,
        })?;
    Ok(())
}

/// Removes those of which a whole snapshot says nothing: they are over.
pub fn forget_older_than(connection: &Connection, revision: i64) -> Result<(), StoreError> {
    connection.execute("DELETE FROM replica_lease WHERE revision < ?1", [revision])?;
    Ok(())
}
