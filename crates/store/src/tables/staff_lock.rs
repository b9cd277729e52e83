//! Wrong PINs counted, and until when a person is locked out.

use qiantai_core::Timestamp;
use qiantai_core::ids::StaffId;
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::error::StoreError;

/// Where a person stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StaffLock {
    pub wrong_tries: u32,
    pub locked_until: Option<Timestamp>,
}

pub fn find(connection: &Connection, staff: StaffId) -> Result<StaffLock, StoreError> {
    let found = connection
        .prepare_cached("SELECT wrong_tries, locked_until_ms FROM staff_lock WHERE staff = ?1")?
        .query_row([staff.0.into_bytes()], |row| {
            let until: Option<i64> = row.get(1)?;
            Ok(StaffLock {
                wrong_tries: row.get(0)?,
                locked_until: until.map(Timestamp::from_ms),
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

pub fn put(connection: &Connection, staff: StaffId, lock: StaffLock) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO staff_lock (staff, wrong_tries, locked_until_ms)
             VALUES (:staff, :tries, :until)
             ON CONFLICT (staff) DO UPDATE
             SET wrong_tries = excluded.wrong_tries, locked_until_ms = excluded.locked_until_ms",
        )?
        .execute(named_params! {
            ":staff": staff.0.into_bytes(),
            ":tries": lock.wrong_tries,
            ":until": lock.locked_until.map(Timestamp::ms),
        })?;
    Ok(())
}

pub fn clear(connection: &Connection, staff: StaffId) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM staff_lock WHERE staff = ?1")?
        .execute([staff.0.into_bytes()])?;
    Ok(())
}
