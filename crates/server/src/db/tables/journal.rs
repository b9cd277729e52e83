//! Table `journal`: 流水.

use qiantai_core::clock::Timestamp;
use qiantai_core::ids::{LotId, MemberId, OrderId, RowId, ShiftId, StaffId, StoreId, TenantId};
use qiantai_core::ledger::{BizType, JournalEntry};

use crate::db::LedgerError;
use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table};

pub(in crate::db) static TABLE: Table = Table::new(
    "journal",
    &[
        ("member_id", Bytes),
        ("seq", Int),
        ("entry_id", Bytes),
        ("server_seq", Int),
        ("biz_type", Text),
        ("biz_id", Bytes),
        ("leg", Int),
        ("lot_id", Bytes),
        ("d_principal_fen", Int),
        ("d_bonus_fen", Int),
        ("principal_after_fen", Int),
        ("bonus_after_fen", Int),
        ("store_id", Bytes),
        ("shift_id", Bytes),
        ("operator_id", Bytes),
        ("at_ms", Int),
    ],
    2,
    OnConflict::Fail,
);

pub(in crate::db) fn row(server_seq: u64, entry: &JournalEntry) -> Vec<Value> {
    values![
        entry.member.0,
        entry.seq,
        entry.id.0,
        server_seq,
        entry.biz.code(),
        entry.biz_id,
        entry.leg,
        entry.lot.0,
        entry.d_principal,
        entry.d_bonus,
        entry.principal_after,
        entry.bonus_after,
        entry.store.0,
        entry.shift.map(|id| id.0),
        entry.operator.map(|id| id.0),
        entry.at,
    ]
}

/// The place in the log of the operation that credited a recharge order.
pub(in crate::db) fn seq_of_recharge(tenant: TenantId, order: OrderId) -> Question {
    Question::new(
        "SELECT server_seq FROM journal
         WHERE tenant_id = ?1 AND biz_type = ?2 AND biz_id = ?3 ORDER BY server_seq LIMIT 1",
    )
    .with(tenant.0)
    .with(BizType::Recharge.code())
    .with(order.0)
}

pub(in crate::db) fn of_members(tenant: TenantId, members: &[MemberId]) -> Question {
    let sql = "SELECT * FROM journal WHERE tenant_id = ?1 AND member_id IN (?2)";
    Question::of_members(sql, tenant, members)
}

/// When the newest entry of each of these members was written.
pub(in crate::db) fn newest_of(tenant: TenantId, members: &[MemberId]) -> Question {
    Question::of_members(
        "SELECT member_id, max(at_ms) AS newest_ms FROM journal
         WHERE tenant_id = ?1 AND member_id IN (?2) GROUP BY member_id",
        tenant,
        members,
    )
}

pub(in crate::db) fn read_newest(row: &Record) -> Result<(MemberId, Timestamp), LedgerError> {
    Ok((MemberId(row.id("member_id")?), row.at("newest_ms")?))
}

pub(in crate::db) fn read(row: &Record) -> Result<JournalEntry, LedgerError> {
    Ok(JournalEntry {
        id: RowId(row.id("entry_id")?),
        member: MemberId(row.id("member_id")?),
        seq: row.count("seq")?,
        biz: row.code("biz_type")?,
        biz_id: row.id("biz_id")?,
        leg: row.count("leg")?,
        lot: LotId(row.id("lot_id")?),
        d_principal: row.fen("d_principal_fen")?,
        d_bonus: row.fen("d_bonus_fen")?,
        principal_after: row.fen("principal_after_fen")?,
        bonus_after: row.fen("bonus_after_fen")?,
        store: StoreId(row.id("store_id")?),
        shift: row.id_opt("shift_id")?.map(ShiftId),
        operator: row.id_opt("operator_id")?.map(StaffId),
        at: row.at("at_ms")?,
    })
}
