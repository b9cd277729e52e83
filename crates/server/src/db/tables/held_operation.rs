//! Table `held_operation`: rows of the log that wait for a person or an upgrade.

use crate::db::HeldReason;
use crate::db::codes::Code;
use crate::db::record::Kind::{Int, Text};
use crate::db::record::{Value, values};
use crate::db::table::{OnConflict, Question, Table};

pub(in crate::db) static TABLE: Table = Table::new(
    "held_operation",
    &[("server_seq", Int), ("reason", Text)],
    1,
    OnConflict::Fail,
);

pub(in crate::db) fn row(server_seq: u64, reason: HeldReason) -> Vec<Value> {
    values![server_seq, reason.code()]
}

pub(in crate::db) fn count() -> Question {
    Question::new("SELECT count(*) AS rows_held FROM held_operation")
}
