//! Table `payment_attempt`: 支付单.

use qiantai_core::attempt::PaymentAttempt;
use qiantai_core::clock::Timestamp;
use qiantai_core::ids::{AttemptId, OrderId, TenantId};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::super::codes::Code;
use super::super::row::Columns;
use super::payment_surplus;

pub(in super::super) fn save(
    db: &Connection,
    tenant: TenantId,
    attempt: &PaymentAttempt,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO payment_attempt (tenant_id, attempt_id, attempt_no, order_id, channel,
             method, amount_fen, state, qr_payload, expires_ms, channel_txn_no, paid_ms, decline,
             cancel_requested, started_ms, changed_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
         ON CONFLICT (tenant_id, attempt_id) DO UPDATE SET
             state = excluded.state, qr_payload = excluded.qr_payload,
             expires_ms = excluded.expires_ms, channel_txn_no = excluded.channel_txn_no,
             paid_ms = excluded.paid_ms, decline = excluded.decline,
             cancel_requested = excluded.cancel_requested, changed_ms = excluded.changed_ms",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        attempt.id.0.as_bytes(),
        attempt.attempt_no,
        attempt.order.0.as_bytes(),
        attempt.channel.code(),
        attempt.method.code(),
        attempt.amount.fen(),
        attempt.state.code(),
        attempt.qr_payload,
        attempt.expires_at.ms(),
        attempt.channel_txn_no,
        attempt.paid_at.map(|at| at.ms()),
        attempt.decline.map(Code::code),
        attempt.cancel_requested,
        attempt.started_at.ms(),
        attempt.changed_at.ms(),
    ])?;
    payment_surplus::save_all(db, tenant, attempt.id, &attempt.surplus)
}

pub(in super::super) fn find(
    db: &Connection,
    tenant: TenantId,
    id: AttemptId,
) -> Result<Option<PaymentAttempt>> {
    db.prepare_cached("SELECT * FROM payment_attempt WHERE tenant_id = ?1 AND attempt_id = ?2")?
        .query_row(params![tenant.0.as_bytes(), id.0.as_bytes()], read)
        .optional()?
        .map(|attempt| with_surplus(db, tenant, attempt))
        .transpose()
}

pub(in super::super) fn of_number(
    db: &Connection,
    tenant: TenantId,
    attempt_no: &str,
) -> Result<Option<PaymentAttempt>> {
    db.prepare_cached("SELECT * FROM payment_attempt WHERE tenant_id = ?1 AND attempt_no = ?2")?
        .query_row(params![tenant.0.as_bytes(), attempt_no], read)
        .optional()?
        .map(|attempt| with_surplus(db, tenant, attempt))
        .transpose()
}

/// In whichever tenant.
pub(in super::super) fn of_any_number(
    db: &Connection,
    attempt_no: &str,
) -> Result<Option<(TenantId, PaymentAttempt)>> {
    db.prepare_cached("SELECT * FROM payment_attempt WHERE attempt_no = ?1")?
        .query_row(params![attempt_no], |row| {
            Ok((TenantId(row.id("tenant_id")?), read(row)?))
        })
        .optional()?
        .map(|(tenant, attempt)| Ok((tenant, with_surplus(db, tenant, attempt)?)))
        .transpose()
}

pub(in super::super) fn of_order(
    db: &Connection,
    tenant: TenantId,
    order: OrderId,
) -> Result<Vec<PaymentAttempt>> {
    db.prepare_cached(
        "SELECT * FROM payment_attempt WHERE tenant_id = ?1 AND order_id = ?2
         ORDER BY started_ms, attempt_id",
    )?
    .query_map(params![tenant.0.as_bytes(), order.0.as_bytes()], read)?
    .map(|attempt| with_surplus(db, tenant, attempt?))
    .collect()
}

/// Not final, or ended unpaid at or after `ended_since`.
pub(in super::super) fn watched(
    db: &Connection,
    ended_since: Timestamp,
) -> Result<Vec<(TenantId, PaymentAttempt)>> {
    db.prepare_cached(
        "SELECT * FROM payment_attempt
         WHERE state IN ('init', 'submitted', 'user_paying', 'unknown', 'reversing')
         UNION ALL
         SELECT * FROM payment_attempt
         WHERE state IN ('closed', 'failed', 'reversed') AND changed_ms >= ?1",
    )?
    .query_map(params![ended_since.ms()], |row| {
        Ok((TenantId(row.id("tenant_id")?), read(row)?))
    })?
    .map(|row| {
        let (tenant, attempt) = row?;
        Ok((tenant, with_surplus(db, tenant, attempt)?))
    })
    .collect()
}

fn with_surplus(
    db: &Connection,
    tenant: TenantId,
    attempt: PaymentAttempt,
) -> Result<PaymentAttempt> {
    let surplus = payment_surplus::of_attempt(db, tenant, attempt.id)?;
    Ok(PaymentAttempt { surplus, ..attempt })
}

fn read(row: &Row<'_>) -> Result<PaymentAttempt> {
    Ok(PaymentAttempt {
        id: AttemptId(row.id("attempt_id")?),
        attempt_no: row.get("attempt_no")?,
        order: OrderId(row.id("order_id")?),
        channel: row.code("channel")?,
        method: row.code("method")?,
        amount: row.fen("amount_fen")?,
        state: row.code("state")?,
        qr_payload: row.get("qr_payload")?,
        expires_at: row.at("expires_ms")?,
        channel_txn_no: row.get("channel_txn_no")?,
        paid_at: row.at_opt("paid_ms")?,
        decline: row.code_opt("decline")?,
        cancel_requested: row.get("cancel_requested")?,
        surplus: Vec::new(),
        started_at: row.at("started_ms")?,
        changed_at: row.at("changed_ms")?,
    })
}
