//! Table `earning_log`: growth and points.

use qiantai_core::ledger::EarningEntry;

use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Value, values};
use crate::db::table::{OnConflict, Table};

pub(in crate::db) static TABLE: Table = Table::new(
    "earning_log",
    &[
        ("entry_id", Bytes),
        ("member_id", Bytes),
        ("kind", Text),
        ("delta", Int),
        ("after", Int),
        ("order_id", Bytes),
        ("expires_ms", Int),
        ("at_ms", Int),
    ],
    1,
    OnConflict::Fail,
);

pub(in crate::db) fn row(entry: &EarningEntry) -> Vec<Value> {
    values![
        entry.id.0,
        entry.member.0,
        entry.kind.code(),
        entry.delta,
        entry.after,
        entry.order.map(|id| id.0),
        entry.expires_at,
        entry.at,
    ]
}
