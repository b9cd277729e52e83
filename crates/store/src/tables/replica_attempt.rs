//! Payment attempts as the server last told.

use qiantai_core::attempt::PaymentAttempt;
use qiantai_core::ids::{AttemptId, OrderId};
use qiantai_wire::feed::AttemptDto;
use rusqlite::{Connection, OptionalExtension, named_params};

use super::row::{from_json, to_json};
use crate::error::StoreError;
use crate::store::Store;

const TABLE: &str = "replica_attempt";

impl Store {
    /// One attempt.
    pub fn attempt(&self, id: AttemptId) -> Result<Option<PaymentAttempt>, StoreError> {
        self.read(|connection| {
            let json: Option<String> = connection
                .prepare_cached("SELECT json FROM replica_attempt WHERE id = ?1")?
                .query_row([id.0.into_bytes()], |row| row.get(0))
                .optional()?;
            json.map(|json| from_json::<AttemptDto>(TABLE, &json).map(PaymentAttempt::from))
                .transpose()
        })
    }

    /// Attempts of an order, oldest first.
    pub fn attempts_of(&self, order: OrderId) -> Result<Vec<PaymentAttempt>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT json FROM replica_attempt WHERE order_id = ?1 ORDER BY started_ms",
            )?;
            let mut rows = statement.query([order.0.into_bytes()])?;
            let mut attempts = Vec::new();
            while let Some(row) = rows.next()? {
                let json: String = row.get(0)?;
                attempts.push(from_json::<AttemptDto>(TABLE, &json)?.into());
            }
            Ok(attempts)
        })
    }
}

pub fn upsert(
    connection: &Connection,
    attempt: &AttemptDto,
    revision: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO replica_attempt (id, revision, order_id, started_ms, json)
             VALUES (:id, :revision, :order, :started, :json)
             ON CONFLICT (id) DO UPDATE
             SET revision = excluded.revision, order_id = excluded.order_id,
                 started_ms = excluded.started_ms, json = excluded.json
             WHERE excluded.revision >= replica_attempt.revision",
        )?
        .execute(named_params! {
            ":id": attempt.id.into_bytes(),
            ":revision": revision,
            ":order": attempt.order.into_bytes(),
            ":started": attempt.started_at_ms,
            ":json": to_json(TABLE, attempt)?,
        })?;
    Ok(())
}
