//! Table `head`: where the log of a tenant stands.

use qiantai_core::ids::TenantId;

use crate::db::record::Kind::{Bytes, Int};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table};
use crate::db::{Head, LedgerError};

pub(in crate::db) static TABLE: Table = Table::new(
    "head",
    &[
        ("timeline", Int),
        ("server_seq", Int),
        ("chain_hash", Bytes),
    ],
    0,
    OnConflict::Fail,
);

pub(in crate::db) fn row(head: &Head) -> Vec<Value> {
    values![head.timeline, head.server_seq, &head.chain_hash]
}

pub(in crate::db) fn of(tenant: TenantId) -> Question {
    Question::new("SELECT * FROM head WHERE tenant_id = ?1").with(tenant.0)
}

pub(in crate::db) fn read(row: &Record) -> Result<Head, LedgerError> {
    Ok(Head {
        timeline: row.count("timeline")?,
        server_seq: row.count("server_seq")?,
        chain_hash: row.array("chain_hash")?,
    })
}
