//! Table `journal`: 流水.

use qiantai_core::ids::{OrderId, TenantId};
use qiantai_core::ledger::{BizType, JournalEntry};

use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Value, values};
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
