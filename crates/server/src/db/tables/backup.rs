//! Table `backup`: backups that were made and checked.

use qiantai_core::ids::TenantId;

use crate::db::record::Kind::{Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};
use crate::db::{BackupMade, LedgerError};

pub(in crate::db) static TABLE: Table = Table::new(
    "backup",
    &[("made_ms", Int), ("server_seq", Int), ("place", Text)],
    1,
    OnConflict::Replace(&["server_seq", "place"], When::Always),
);

pub(in crate::db) fn row(backup: &BackupMade) -> Vec<Value> {
    values![backup.made_at, backup.server_seq, &backup.place]
}

pub(in crate::db) fn newest(tenant: TenantId) -> Question {
    Question::new("SELECT * FROM backup WHERE tenant_id = ?1 ORDER BY made_ms DESC LIMIT 1")
        .with(tenant.0)
}

pub(in crate::db) fn read(row: &Record) -> Result<BackupMade, LedgerError> {
    Ok(BackupMade {
        made_at: row.at("made_ms")?,
        server_seq: row.count("server_seq")?,
        place: row.text("place")?.to_owned(),
    })
}
