//! PIN verifiers: what is left of the policy's PIN hashes once they are bound to the pepper of
//! the key vault.

use qiantai_core::ids::StaffId;
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::error::StoreError;

/// What a typed PIN is checked against.
pub struct StaffPin {
    pub salt: [u8; 16],
    pub verifier: [u8; 32],
}

pub fn find(connection: &Connection, staff: StaffId) -> Result<Option<StaffPin>, StoreError> {
    let found = connection
        .prepare_cached("SELECT salt, verifier FROM staff_pin WHERE staff = ?1")?
        .query_row([staff.0.into_bytes()], |row| {
            Ok(StaffPin {
                salt: row.get(0)?,
                verifier: row.get(1)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// Puts the verifiers of `policy_version` in place of all others, unless newer ones are here.
pub fn replace_all(
    connection: &Connection,
    policy_version: u32,
    pins: impl Iterator<Item = (StaffId, StaffPin)>,
) -> Result<(), StoreError> {
    let newest: Option<u32> = connection
        .prepare_cached("SELECT max(policy_version) FROM staff_pin")?
        .query_row([], |row| row.get(0))?;
    if newest.is_some_and(|newest| newest > policy_version) {
        return Ok(());
    }
    connection.execute("DELETE FROM staff_pin", [])?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO staff_pin (staff, policy_version, salt, verifier)
         VALUES (:staff, :version, :salt, :verifier)",
    )?;
    for (staff, pin) in pins {
        statement.execute(named_params! {
            ":staff": staff.0.into_bytes(),
            ":version": policy_version,
            ":salt": pin.salt,
            ":verifier": pin.verifier,
        })?;
    }
    Ok(())
}
