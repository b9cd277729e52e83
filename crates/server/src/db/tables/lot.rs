//! Table `lot`.

use qiantai_core::account::Lot;
use qiantai_core::ids::{LotId, MemberId, OrderId, TenantId};

use crate::db::LedgerError;
use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};

pub(in crate::db) static TABLE: Table = Table::new(
    "lot",
    &[
        ("member_id", Bytes),
        ("lot_id", Bytes),
        ("order_id", Bytes),
        ("principal_init_fen", Int),
        ("principal_left_fen", Int),
        ("bonus_init_fen", Int),
        ("bonus_left_fen", Int),
        ("bonus_expires_ms", Int),
        ("spend_order", Text),
        ("credited_ms", Int),
    ],
    2,
    OnConflict::Replace(&["principal_left_fen", "bonus_left_fen"], When::Changed),
);

pub(in crate::db) fn row(member: MemberId, lot: &Lot) -> Vec<Value> {
    values![
        member.0,
        lot.id.0,
        lot.order.map(|id| id.0),
        lot.principal_init,
        lot.principal_left,
        lot.bonus_init,
        lot.bonus_left,
        lot.bonus_expires_at,
        lot.spend_order.code(),
        lot.credited_at,
    ]
}

/// With anything left, oldest first.
pub(in crate::db) fn of_members(tenant: TenantId, members: &[MemberId]) -> Question {
    Question::of_members(
        "SELECT * FROM lot
         WHERE tenant_id = ?1 AND member_id IN (?2)
             AND (principal_left_fen > 0 OR bonus_left_fen > 0)
         ORDER BY credited_ms, lot_id",
        tenant,
        members,
    )
}

/// Those of a bucket with anything left, oldest first.
pub(in crate::db) fn of_bucket(tenant: TenantId, bucket: u8) -> Question {
    Question::new(
        "SELECT * FROM lot
         WHERE tenant_id = ?1 AND substr(member_id, 16, 1) = ?2
             AND (principal_left_fen > 0 OR bonus_left_fen > 0)
         ORDER BY credited_ms, lot_id",
    )
    .with(tenant.0)
    .with(&[bucket])
}

/// Used up or not, oldest first.
pub(in crate::db) fn all_of_members(tenant: TenantId, members: &[MemberId]) -> Question {
    Question::of_members(
        "SELECT * FROM lot WHERE tenant_id = ?1 AND member_id IN (?2)
         ORDER BY credited_ms, lot_id",
        tenant,
        members,
    )
}

pub(in crate::db) fn read(row: &Record) -> Result<(MemberId, Lot), LedgerError> {
    let lot = Lot {
        id: LotId(row.id("lot_id")?),
        order: row.id_opt("order_id")?.map(OrderId),
        principal_init: row.fen("principal_init_fen")?,
        principal_left: row.fen("principal_left_fen")?,
        bonus_init: row.fen("bonus_init_fen")?,
        bonus_left: row.fen("bonus_left_fen")?,
        bonus_expires_at: row.at_opt("bonus_expires_ms")?,
        spend_order: row.code("spend_order")?,
        credited_at: row.at("credited_ms")?,
    };
    Ok((MemberId(row.id("member_id")?), lot))
}
