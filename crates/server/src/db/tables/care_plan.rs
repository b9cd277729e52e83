//! Table `care_plan`.

use qiantai_core::ledger::CarePlan;

use crate::db::record::Kind::{Bytes, Int};
use crate::db::record::{Value, values};
use crate::db::table::{OnConflict, Table, When};

/// A new recharge extends the running plan, so the row may move.
pub(in crate::db) static TABLE: Table = Table::new(
    "care_plan",
    &[
        ("plan_id", Bytes),
        ("member_id", Bytes),
        ("order_id", Bytes),
        ("starts_ms", Int),
    ],
    1,
    OnConflict::Replace(&["order_id", "starts_ms"], When::Always),
);

pub(in crate::db) fn row(plan: &CarePlan) -> Vec<Value> {
    values![plan.id.0, plan.member.0, plan.order.0, plan.starts_at]
}
