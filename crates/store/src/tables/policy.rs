//! Rules, every version ever seen: an offline order is settled by the rules of its own time.

use std::sync::Arc;

use qiantai_core::Timestamp;
use qiantai_core::policy::Policy;
use qiantai_wire::feed::PolicyDto;
use qiantai_wire::text::Hex;
use rusqlite::{Connection, OptionalExtension, named_params};

use super::row::{from_json, to_json};
use crate::error::StoreError;
use crate::store::Store;

const TABLE: &str = "policy";

impl Store {
    /// Every version at hand, oldest first. PIN hashes are blank: PINs are checked by
    /// [`Store::check_pin`] alone.
    pub fn policies(&self) -> Result<Vec<Arc<Policy>>, StoreError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT json FROM policy ORDER BY version")?;
            let mut rows = statement.query([])?;
            let mut policies = Vec::new();
            while let Some(row) = rows.next()? {
                let json: String = row.get(0)?;
                policies.push(Arc::new(parse(&json)?));
            }
            Ok(policies)
        })
    }

    /// The rules in force at `at`: the newest version that was effective by then. `None` on a
    /// terminal that has none yet.
    pub fn policy_at(&self, at: Timestamp) -> Result<Option<Arc<Policy>>, StoreError> {
        self.read(|connection| {
            let json: Option<String> = connection
                .prepare_cached(
                    "SELECT json FROM policy WHERE effective_from_ms <= ?1
                     ORDER BY version DESC LIMIT 1",
                )?
                .query_row([at.ms()], |row| row.get(0))
                .optional()?;
            json.map(|json| parse(&json).map(Arc::new)).transpose()
        })
    }
}

/// Keeps the rules without their PIN hashes, which become verifiers in `staff_pin`.
pub fn upsert(
    connection: &Connection,
    policy: &PolicyDto,
    revision: i64,
) -> Result<(), StoreError> {
    let mut blank = policy.clone();
    for staff in &mut blank.staff {
        staff.pin_hash.0 = Hex([0; 32]);
    }
    connection
        .prepare_cached(
            "INSERT INTO policy (version, revision, effective_from_ms, json)
             VALUES (:version, :revision, :effective, :json)
             ON CONFLICT (version) DO UPDATE
             SET revision = excluded.revision, effective_from_ms = excluded.effective_from_ms,
                 json = excluded.json
             WHERE excluded.revision >= policy.revision",
        )?
        .execute(named_params! {
            ":version": policy.version,
            ":revision": revision,
            ":effective": policy.effective_from_ms,
            ":json": to_json(TABLE, &blank)?,
        })?;
    Ok(())
}

fn parse(json: &str) -> Result<Policy, StoreError> {
    from_json::<PolicyDto>(TABLE, json).map(Policy::from)
}
