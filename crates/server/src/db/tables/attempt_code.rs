//! Table `attempt_code`: payment codes that were handed to a gateway.

use qiantai_core::ids::{AttemptId, TenantId};
use qiantai_core::operation::Hash;

use crate::db::record::Kind::{Bytes, Int};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};
use crate::db::{CodeCharge, LedgerError};

pub(in crate::db) static TABLE: Table = Table::new(
    "attempt_code",
    &[
        ("attempt_id", Bytes),
        ("code_hash", Bytes),
        ("charged_ms", Int),
    ],
    1,
    OnConflict::Replace(&["code_hash", "charged_ms"], When::Always),
);

pub(in crate::db) fn row(attempt: AttemptId, charge: &CodeCharge) -> Vec<Value> {
    values![attempt.0, charge.code.as_ref(), charge.at]
}

pub(in crate::db) fn of_attempt(tenant: TenantId, attempt: AttemptId) -> Question {
    Question::new("SELECT * FROM attempt_code WHERE tenant_id = ?1 AND attempt_id = ?2")
        .with(tenant.0)
        .with(attempt.0)
}

pub(in crate::db) fn of_code(tenant: TenantId, code: &Hash) -> Question {
    Question::new("SELECT * FROM attempt_code WHERE tenant_id = ?1 AND code_hash = ?2")
        .with(tenant.0)
        .with(code)
}

pub(in crate::db) fn all(tenant: TenantId) -> Question {
    Question::new("SELECT * FROM attempt_code WHERE tenant_id = ?1 ORDER BY attempt_id")
        .with(tenant.0)
}

pub(in crate::db) fn read(row: &Record) -> Result<(AttemptId, CodeCharge), LedgerError> {
    let charge = CodeCharge {
        code: row.array_opt("code_hash")?,
        at: row.at("charged_ms")?,
    };
    Ok((AttemptId(row.id("attempt_id")?), charge))
}
