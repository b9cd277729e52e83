//! Table `exception_case`.

use qiantai_core::ids::{AttemptId, CaseId, DeviceId, MemberId, OrderId, TenantId};
use qiantai_core::ledger::ExceptionCase;
use rusqlite::{Connection, Result, params};

use super::super::codes::Code;
use super::super::row::Columns;

pub(in super::super) fn save(
    db: &Connection,
    tenant: TenantId,
    case: &ExceptionCase,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO exception_case (tenant_id, case_id, kind, order_id, attempt_id, member_id,
             device_id, amount_fen, opened_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (tenant_id, case_id) DO UPDATE SET amount_fen = excluded.amount_fen",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        case.id.0.as_bytes(),
        case.kind.code(),
        case.order.map(|id| id.0.into_bytes()),
        case.attempt.map(|id| id.0.into_bytes()),
        case.member.map(|id| id.0.into_bytes()),
        case.device.map(|id| id.0.into_bytes()),
        case.amount.fen(),
        case.opened_at.ms(),
    ])?;
    Ok(())
}

/// Newest first.
pub(in super::super) fn newest(
    db: &Connection,
    tenant: TenantId,
    limit: u32,
) -> Result<Vec<ExceptionCase>> {
    db.prepare_cached(
        "SELECT * FROM exception_case WHERE tenant_id = ?1
         ORDER BY opened_ms DESC, case_id DESC LIMIT ?2",
    )?
    .query_map(params![tenant.0.as_bytes(), limit], |row| {
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
    })?
    .collect()
}
