//! Recharge orders as the server last told.

use qiantai_core::Timestamp;
use qiantai_core::ids::{MemberId, OrderId};
use qiantai_core::recharge::RechargeOrder;
use qiantai_wire::feed::OrderDto;
use rusqlite::{Connection, named_params};

use super::row::{from_json, to_json};
use crate::error::StoreError;
use crate::store::Store;

const TABLE: &str = "replica_order";

impl Store {
    /// One order.
    pub fn order(&self, id: OrderId) -> Result<Option<RechargeOrder>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT json FROM replica_order WHERE id = :id";
            let found = select(connection, sql, named_params! {":id": id.0.into_bytes()})?;
            Ok(found.into_iter().next())
        })
    }

    /// The order with that number, as scanned or typed.
    pub fn order_by_number(&self, order_no: &str) -> Result<Option<RechargeOrder>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT json FROM replica_order WHERE order_no = :order_no LIMIT 1";
            let found = select(connection, sql, named_params! {":order_no": order_no})?;
            Ok(found.into_iter().next())
        })
    }

    /// Orders whose payment was recorded with that reference.
    pub fn orders_of_reference(&self, reference: &str) -> Result<Vec<RechargeOrder>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT json FROM replica_order
                 WHERE json_extract(json, '$.paid.channel_txn_no') = :reference
                     AND json_extract(json, '$.paid.channel') IN ('card', 'transfer', 'shop_code')
                 ORDER BY opened_ms";
            select(connection, sql, named_params! {":reference": reference})
        })
    }

    /// Orders of a member, newest first, at most `limit`.
    pub fn orders_of(
        &self,
        member: MemberId,
        limit: u32,
    ) -> Result<Vec<RechargeOrder>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT json FROM replica_order WHERE member = :member
                 ORDER BY opened_ms DESC LIMIT :limit";
            let member = member.0.into_bytes();
            select(
                connection,
                sql,
                named_params! {":member": member, ":limit": limit},
            )
        })
    }

    /// Orders opened from `since` until before `until`, newest first, at most `limit`.
    pub fn orders_between(
        &self,
        since: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<RechargeOrder>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT json FROM replica_order
                 WHERE opened_ms >= :since AND opened_ms < :until
                 ORDER BY opened_ms DESC LIMIT :limit";
            select(
                connection,
                sql,
                named_params! {":since": since.ms(), ":until": until.ms(), ":limit": limit},
            )
        })
    }

    /// Orders of all members, newest first, at most `limit`.
    pub fn latest_orders(&self, limit: u32) -> Result<Vec<RechargeOrder>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT json FROM replica_order ORDER BY opened_ms DESC LIMIT :limit";
            select(connection, sql, named_params! {":limit": limit})
        })
    }
}

pub fn upsert(connection: &Connection, order: &OrderDto, revision: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO replica_order (id, revision, member, order_no, opened_ms, json)
             VALUES (:id, :revision, :member, :order_no, :opened, :json)
             ON CONFLICT (id) DO UPDATE
             SET revision = excluded.revision, member = excluded.member,
                 order_no = excluded.order_no, opened_ms = excluded.opened_ms,
                 json = excluded.json
             WHERE excluded.revision >= replica_order.revision",
        )?
        .execute(named_params! {
            ":id": order.id.into_bytes(),
            ":revision": revision,
            ":member": order.member.into_bytes(),
            ":order_no": order.order_no,
            ":opened": order.opened_at_ms,
            ":json": to_json(TABLE, order)?,
        })?;
    Ok(())
}

fn select(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<RechargeOrder>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut orders = Vec::new();
    while let Some(row) = rows.next()? {
        let json: String = row.get(0)?;
        orders.push(from_json::<OrderDto>(TABLE, &json)?.into());
    }
    Ok(orders)
}
