//! Table `payment_surplus`: payments of an attempt that nobody owes us.

use qiantai_core::attempt::Surplus;
use qiantai_core::ids::{AttemptId, TenantId};
use rusqlite::{Connection, Result, params};

use super::super::row::Columns;

pub(super) fn save_all(
    db: &Connection,
    tenant: TenantId,
    attempt: AttemptId,
    surplus: &[Surplus],
) -> Result<()> {
    if surplus.is_empty() {
        return Ok(());
    }
    let mut statement = db.prepare_cached(
        "INSERT INTO payment_surplus (tenant_id, attempt_id, channel_txn_no, position, amount_fen,
             refunded)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (tenant_id, attempt_id, channel_txn_no) DO UPDATE SET
             refunded = excluded.refunded",
    )?;
    for (position, payment) in (0_u32..).zip(surplus) {
        statement.execute(params![
            tenant.0.as_bytes(),
            attempt.0.as_bytes(),
            payment.channel_txn_no,
            position,
            payment.amount.fen(),
            payment.refunded,
        ])?;
    }
    Ok(())
}

/// In the order in which they were noticed.
pub(super) fn of_attempt(
    db: &Connection,
    tenant: TenantId,
    attempt: AttemptId,
) -> Result<Vec<Surplus>> {
    db.prepare_cached(
        "SELECT * FROM payment_surplus WHERE tenant_id = ?1 AND attempt_id = ?2
         ORDER BY position",
    )?
    .query_map(params![tenant.0.as_bytes(), attempt.0.as_bytes()], |row| {
        Ok(Surplus {
            channel_txn_no: row.get("channel_txn_no")?,
            amount: row.fen("amount_fen")?,
            refunded: row.get("refunded")?,
        })
    })?
    .collect()
}
