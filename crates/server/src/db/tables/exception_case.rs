//! Table `exception_case`.

use qiantai_core::ids::{AttemptId, CaseId, DeviceId, MemberId, OrderId, TenantId};
use qiantai_core::ledger::ExceptionCase;

use crate::db::LedgerError;
use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};

pub(in crate::db) static TABLE: Table = Table::new(
    "exception_case",
    &[
        ("case_id", Bytes),
        ("kind", Text),
        ("order_id", Bytes),
        ("attempt_id", Bytes),
        ("member_id", Bytes),
        ("device_id", Bytes),
        ("amount_fen", Int),
        ("opened_ms", Int),
    ],
    1,
    OnConflict::Replace(&["amount_fen"], When::Always),
);

pub(in crate::db) fn row(case: &ExceptionCase) -> Vec<Value> {
    values![
        case.id.0,
        case.kind.code(),
        case.order.map(|id| id.0),
        case.attempt.map(|id| id.0),
        case.member.map(|id| id.0),
        case.device.map(|id| id.0),
        case.amount,
        case.opened_at,
    ]
}

/// Newest first.
pub(in crate::db) fn newest(tenant: TenantId, limit: u32) -> Question {
    Question::new(
        "SELECT * FROM exception_case WHERE tenant_id = ?1
         ORDER BY opened_ms DESC, case_id DESC LIMIT ?2",
    )
    .with(tenant.0)
    .with(limit)
}

pub(in crate::db) fn read(row: &Record) -> Result<ExceptionCase, LedgerError> {
    Ok(ExceptionCase {
        id: CaseId(row.id("case_id")?),
        kind: row.code("kind")?,
        order: row.id_opt("order_id")?.map(OrderId),
        attempt: row.id_opt("attempt_id")?.map(AttemptId),
        member: row.id_opt("member_id")?.map(MemberId),
        device: row.id_opt("device_id")?.map(DeviceId),
        amount: row.fen("amount_fen")?,
        opened_at: row.at("opened_ms")?,
    })
}
