//! Table `tier_log`.

use qiantai_core::ledger::TierEntry;

use crate::db::record::Kind::{Bytes, Int};
use crate::db::record::{Value, values};
use crate::db::table::{OnConflict, Table};

pub(in crate::db) static TABLE: Table = Table::new(
    "tier_log",
    &[
        ("entry_id", Bytes),
        ("member_id", Bytes),
        ("from_tier_id", Bytes),
        ("to_tier_id", Bytes),
        ("order_id", Bytes),
        ("basis_fen", Int),
        ("valid_until_ms", Int),
        ("policy_version", Int),
        ("at_ms", Int),
    ],
    1,
    OnConflict::Fail,
);

pub(in crate::db) fn row(entry: &TierEntry) -> Vec<Value> {
    values![
        entry.id.0,
        entry.member.0,
        entry.from.0,
        entry.to.0,
        entry.order.map(|id| id.0),
        entry.basis,
        entry.valid_until,
        entry.policy_version,
        entry.at,
    ]
}
