//! Table `cash_movement`.

use qiantai_core::ids::TenantId;
use qiantai_core::ledger::CashMovement;

use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Value, values};
use crate::db::table::{OnConflict, Question, Table};

pub(in crate::db) static TABLE: Table = Table::new(
    "cash_movement",
    &[
        ("movement_id", Bytes),
        ("shift_id", Bytes),
        ("kind", Text),
        ("amount_fen", Int),
        ("order_id", Bytes),
        ("at_ms", Int),
    ],
    1,
    OnConflict::Fail,
);

pub(in crate::db) fn row(movement: &CashMovement) -> Vec<Value> {
    values![
        movement.id.0,
        movement.shift.0,
        movement.kind.code(),
        movement.amount,
        movement.order.map(|id| id.0),
        movement.at,
    ]
}

/// What moved in each shift.
pub(in crate::db) fn sums(tenant: TenantId) -> Question {
    Question::new(
        "SELECT shift_id, CAST(sum(amount_fen) AS BIGINT) AS moved_fen FROM cash_movement
         WHERE tenant_id = ?1 GROUP BY shift_id",
    )
    .with(tenant.0)
}
