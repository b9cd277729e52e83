//! Profiles of members created here: sealed, each with its key, beside their operations.

use qiantai_wire::api::PushedProfile;
use qiantai_wire::text::{Base64, Hex};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::row::seq_to_sql;
use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// Profiles that belong to the operations from `from_seq` on, at most `limit` of which are
    /// sent.
    pub fn new_member_profiles(
        &self,
        from_seq: u64,
        limit: u32,
    ) -> Result<Vec<PushedProfile>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT member, sealed, key FROM new_member
                 WHERE device_seq >= ?1 AND device_seq < ?2 ORDER BY device_seq",
            )?;
            let until = from_seq.saturating_add(u64::from(limit));
            let range = [seq_to_sql(from_seq)?, seq_to_sql(until)?];
            let rows = statement.query_map(range, |row| {
                let member: [u8; 16] = row.get(0)?;
                Ok(PushedProfile {
                    member: Uuid::from_bytes(member),
                    sealed: Base64(row.get(1)?),
                    key: Hex(row.get(2)?),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

pub fn insert(
    connection: &Connection,
    device_seq: u64,
    profile: &PushedProfile,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO new_member (device_seq, member, sealed, key) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            seq_to_sql(device_seq)?,
            profile.member.into_bytes(),
            profile.sealed.0,
            profile.key.0,
        ])?;
    Ok(())
}
