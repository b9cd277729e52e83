//! Table `timeline`: timelines that began with a restored backup.

use qiantai_core::ids::TenantId;

use crate::db::record::Kind::Int;
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table};
use crate::db::{LedgerError, Restored};

pub(in crate::db) static TABLE: Table = Table::new(
    "timeline",
    &[
        ("timeline", Int),
        ("began_ms", Int),
        ("backup_ms", Int),
        ("from_seq", Int),
    ],
    1,
    OnConflict::Fail,
);

pub(in crate::db) fn row(restored: &Restored) -> Vec<Value> {
    values![
        restored.timeline,
        restored.began_at,
        restored.backup_made_at,
        restored.from_seq,
    ]
}

pub(in crate::db) fn newest(tenant: TenantId) -> Question {
    Question::new("SELECT * FROM timeline WHERE tenant_id = ?1 ORDER BY timeline DESC LIMIT 1")
        .with(tenant.0)
}

pub(in crate::db) fn read(row: &Record) -> Result<Restored, LedgerError> {
    Ok(Restored {
        timeline: row.count("timeline")?,
        began_at: row.at("began_ms")?,
        backup_made_at: row.at("backup_ms")?,
        from_seq: row.count("from_seq")?,
    })
}
