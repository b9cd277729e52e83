//! Accounts as the server last told.

use std::collections::HashMap;

use qiantai_core::account::Account;
use qiantai_core::ids::MemberId;
use qiantai_wire::feed::AccountDto;
use rusqlite::{Connection, OptionalExtension, named_params};
use uuid::Uuid;

use super::row::{from_json, to_json, uuid};
use crate::error::StoreError;
use crate::store::Store;

pub const TABLE: &str = "replica_account";

impl Store {
    /// The member's account as the server last told: without the terminal's own operations that
    /// are still open (see [`Store::open_operations`]).
    pub fn account(&self, member: MemberId) -> Result<Option<Account>, StoreError> {
        self.read(|connection| find(connection, member))
    }
}

pub fn find(connection: &Connection, member: MemberId) -> Result<Option<Account>, StoreError> {
    let json: Option<String> = connection
        .prepare_cached("SELECT json FROM replica_account WHERE member = ?1")?
        .query_row([member.0.into_bytes()], |row| row.get(0))
        .optional()?;
    json.map(|json| from_json::<AccountDto>(TABLE, &json).map(Account::from))
        .transpose()
}

/// Shows every account by rising member, as it stands in its row.
pub fn each(connection: &Connection, mut show: impl FnMut(Uuid, &str)) -> Result<(), StoreError> {
    let sql = "SELECT member, json FROM replica_account ORDER BY member";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let json: String = row.get(1)?;
        show(uuid(row, 0)?, &json);
    }
    Ok(())
}

/// The rows of a bucket, which is the last byte of the member's identity.
pub fn of_bucket(connection: &Connection, bucket: u8) -> Result<HashMap<Uuid, String>, StoreError> {
    let sql = "SELECT member, json FROM replica_account WHERE substr(member, 16, 1) = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([[bucket]], |row| Ok((uuid(row, 0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn remove(connection: &Connection, member: Uuid) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM replica_account WHERE member = ?1")?
        .execute([member.into_bytes()])?;
    Ok(())
}

pub fn upsert(
    connection: &Connection,
    account: &AccountDto,
    revision: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO replica_account (member, revision, json)
             VALUES (:member, :revision, :json)
             ON CONFLICT (member) DO UPDATE
             SET revision = excluded.revision, json = excluded.json
             WHERE excluded.revision >= replica_account.revision",
        )?
        .execute(named_params! {
            ":member": account.member.into_bytes(),
            ":revision": revision,
            ":json": to_json(TABLE, account)?,
        })?;
    Ok(())
}
