//! Table `journal`: 流水.

use qiantai_core::ids::{OrderId, TenantId};
use qiantai_core::ledger::{BizType, JournalEntry};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::super::codes::Code;
use super::super::row::{Columns, int};

pub(in super::super) fn insert(
    db: &Connection,
    tenant: TenantId,
    server_seq: u64,
    entry: &JournalEntry,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO journal (tenant_id, member_id, seq, entry_id, server_seq, biz_type, biz_id,
             leg, lot_id, d_principal_fen, d_bonus_fen, principal_after_fen, bonus_after_fen,
             store_id, shift_id, operator_id, at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        entry.member.0.as_bytes(),
        int(entry.seq),
        entry.id.0.as_bytes(),
        int(server_seq),
        entry.biz.code(),
        entry.biz_id.as_bytes(),
        entry.leg,
        entry.lot.0.as_bytes(),
        entry.d_principal.fen(),
        entry.d_bonus.fen(),
        entry.principal_after.fen(),
        entry.bonus_after.fen(),
        entry.store.0.as_bytes(),
        entry.shift.map(|id| id.0.into_bytes()),
        entry.operator.map(|id| id.0.into_bytes()),
        entry.at.ms(),
    ])?;
    Ok(())
}

/// The place in the log of the operation that credited a recharge order.
pub(in super::super) fn seq_of_recharge(
    db: &Connection,
    tenant: TenantId,
    order: OrderId,
) -> Result<Option<u64>> {
    db.prepare_cached(
        "SELECT server_seq FROM journal
         WHERE tenant_id = ?1 AND biz_type = ?2 AND biz_id = ?3 LIMIT 1",
    )?
    .query_row(
        params![
            tenant.0.as_bytes(),
            BizType::Recharge.code(),
            order.0.as_bytes()
        ],
        |row| row.count("server_seq"),
    )
    .optional()
}
