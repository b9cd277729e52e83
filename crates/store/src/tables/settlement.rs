//! The server's signed settlements, for the codes on receipts.

use qiantai_core::ids::OrderId;
use qiantai_wire::SignedOperation;
use rusqlite::{OptionalExtension, params};

use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// Keeps the settlement of `order`; the first one stays.
    pub fn keep_settlement(
        &self,
        order: OrderId,
        signed: &SignedOperation,
    ) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO settlement (order_id, bytes) VALUES (?1, ?2)
                     ON CONFLICT DO NOTHING",
                )?
                .execute(params![order.0.into_bytes(), signed.bytes])?;
            Ok(())
        })
    }

    /// The settlement of `order`, once it was asked for.
    pub fn settlement(&self, order: OrderId) -> Result<Option<SignedOperation>, StoreError> {
        self.read(|connection| {
            let bytes: Option<Vec<u8>> = connection
                .prepare_cached("SELECT bytes FROM settlement WHERE order_id = ?1")?
                .query_row([order.0.into_bytes()], |row| row.get(0))
                .optional()?;
            Ok(bytes.map(SignedOperation::from))
        })
    }
}
