//! Table `feed`: what terminals replicate, in commit order, without personal data.

use qiantai_core::ids::TenantId;

use crate::db::LedgerError;
use crate::db::record::Kind::{Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table};

pub(in crate::db) static TABLE: Table = Table::new(
    "feed",
    &[("server_seq", Int), ("json", Text)],
    1,
    OnConflict::Fail,
);

pub(in crate::db) fn row(server_seq: u64, json: &str) -> Vec<Value> {
    values![server_seq, json]
}

pub(in crate::db) fn after(tenant: TenantId, after: u64, limit: u32) -> Question {
    Question::new(
        "SELECT server_seq, json FROM feed WHERE tenant_id = ?1 AND server_seq > ?2
         ORDER BY server_seq LIMIT ?3",
    )
    .with(tenant.0)
    .with(after)
    .with(limit)
}

/// The last place told; zero in an empty log.
pub(in crate::db) fn last(tenant: TenantId) -> Question {
    Question::new("SELECT coalesce(max(server_seq), 0) AS last_seq FROM feed WHERE tenant_id = ?1")
        .with(tenant.0)
}

pub(in crate::db) fn read(row: &Record) -> Result<(u64, String), LedgerError> {
    Ok((row.count("server_seq")?, row.text("json")?.to_owned()))
}
