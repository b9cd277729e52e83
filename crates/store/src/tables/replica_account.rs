//! Accounts as the server last told.

use qiantai_core::account::Account;
use qiantai_core::ids::MemberId;
use qiantai_wire::feed::AccountDto;
use rusqlite::{Connection, OptionalExtension, named_params};

use super::row::{from_json, to_json};
use crate::error::StoreError;
use crate::store::Store;

const TABLE: &str = "replica_account";

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
