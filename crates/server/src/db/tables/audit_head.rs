//! Table `audit_head`: where the audit log of a tenant ends.

use qiantai_core::ids::TenantId;

use crate::audit::AuditHead;
use crate::db::LedgerError;
use crate::db::record::Kind::{Bytes, Int};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};

pub(in crate::db) static TABLE: Table = Table::new(
    "audit_head",
    &[("seq", Int), ("hash", Bytes)],
    0,
    OnConflict::Replace(&["seq", "hash"], When::Always),
);

pub(in crate::db) fn row(head: &AuditHead) -> Vec<Value> {
    values![head.seq, &head.hash]
}

pub(in crate::db) fn of(tenant: TenantId) -> Question {
    Question::new("SELECT * FROM audit_head WHERE tenant_id = ?1").with(tenant.0)
}

pub(in crate::db) fn read(row: &Record) -> Result<AuditHead, LedgerError> {
    Ok(AuditHead {
        seq: row.count("seq")?,
        hash: row.array("hash")?,
    })
}
