//! Table `payment_attempt`: 支付单.

use qiantai_core::attempt::{PaymentAttempt, Surplus};
use qiantai_core::clock::Timestamp;
use qiantai_core::ids::{AttemptId, OrderId, TenantId};

use crate::db::LedgerError;
use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};

pub(in crate::db) static TABLE: Table = Table::new(
    "payment_attempt",
    &[
        ("attempt_id", Bytes),
        ("attempt_no", Text),
        ("order_id", Bytes),
        ("channel", Text),
        ("method", Text),
        ("amount_fen", Int),
        ("state", Text),
        ("qr_payload", Text),
        ("expires_ms", Int),
        ("channel_txn_no", Text),
        ("paid_ms", Int),
        ("decline", Text),
        ("config_fault", Text),
        ("money_returned", Int),
        ("cancel_requested", Int),
        ("started_ms", Int),
        ("changed_ms", Int),
    ],
    1,
    OnConflict::Replace(
        &[
            "state",
            "qr_payload",
            "expires_ms",
            "channel_txn_no",
            "paid_ms",
            "decline",
            "config_fault",
            "money_returned",
            "cancel_requested",
            "changed_ms",
        ],
        When::Always,
    ),
);

pub(in crate::db) fn row(attempt: &PaymentAttempt) -> Vec<Value> {
    values![
        attempt.id.0,
        &attempt.attempt_no,
        attempt.order.0,
        attempt.channel.code(),
        attempt.method.code(),
        attempt.amount,
        attempt.state.code(),
        attempt.qr_payload.as_deref(),
        attempt.expires_at,
        attempt.channel_txn_no.as_deref(),
        attempt.paid_at,
        attempt.decline.map(Code::code),
        attempt.config_fault.map(Code::code),
        attempt.money_returned.map(i64::from),
        attempt.cancel_requested,
        attempt.started_at,
        attempt.changed_at,
    ]
}

pub(in crate::db) fn of_ids(
    tenant: TenantId,
    ids: impl IntoIterator<Item = AttemptId>,
) -> Question {
    Question::new("SELECT * FROM payment_attempt WHERE tenant_id = ?1 AND attempt_id IN (?2)")
        .with(tenant.0)
        .each(Bytes, ids.into_iter().map(|id| id.0))
}

pub(in crate::db) fn of_numbers<'a>(
    tenant: TenantId,
    numbers: impl IntoIterator<Item = &'a String>,
) -> Question {
    Question::new("SELECT * FROM payment_attempt WHERE tenant_id = ?1 AND attempt_no IN (?2)")
        .with(tenant.0)
        .each(Text, numbers)
}

/// In whichever tenant.
pub(in crate::db) fn of_any_number(attempt_no: &str) -> Question {
    Question::new("SELECT * FROM payment_attempt WHERE attempt_no = ?1 ORDER BY tenant_id LIMIT 1")
        .with(attempt_no)
}

pub(in crate::db) fn of_orders(
    tenant: TenantId,
    orders: impl IntoIterator<Item = OrderId>,
) -> Question {
    Question::new(
        "SELECT * FROM payment_attempt WHERE tenant_id = ?1 AND order_id IN (?2)
         ORDER BY started_ms, attempt_id",
    )
    .with(tenant.0)
    .each(Bytes, orders.into_iter().map(|id| id.0))
}

/// Not final, or ended unpaid at or after `ended_since`.
pub(in crate::db) fn watched(ended_since: Timestamp) -> Question {
    Question::new(
        "SELECT * FROM payment_attempt
         WHERE state IN ('init', 'submitted', 'user_paying', 'unknown', 'reversing')
         UNION ALL
         SELECT * FROM payment_attempt
         WHERE state IN ('closed', 'failed', 'reversed') AND changed_ms >= ?1
         ORDER BY tenant_id, started_ms, attempt_id",
    )
    .with(ended_since)
}

pub(in crate::db) fn key(row: &Record) -> Result<(TenantId, AttemptId), LedgerError> {
    let attempt = AttemptId(row.id("attempt_id")?);
    Ok((TenantId(row.id("tenant_id")?), attempt))
}

pub(in crate::db) fn order(row: &Record) -> Result<OrderId, LedgerError> {
    Ok(OrderId(row.id("order_id")?))
}

/// The surplus is that of this attempt, in the order in which it was noticed.
pub(in crate::db) fn read(
    row: &Record,
    surplus: Vec<Surplus>,
) -> Result<PaymentAttempt, LedgerError> {
    Ok(PaymentAttempt {
        id: AttemptId(row.id("attempt_id")?),
        attempt_no: row.text("attempt_no")?.to_owned(),
        order: order(row)?,
        channel: row.code("channel")?,
        method: row.code("method")?,
        amount: row.fen("amount_fen")?,
        state: row.code("state")?,
        qr_payload: row.text_opt("qr_payload")?.map(str::to_owned),
        expires_at: row.at("expires_ms")?,
        channel_txn_no: row.text_opt("channel_txn_no")?.map(str::to_owned),
        paid_at: row.at_opt("paid_ms")?,
        decline: row.code_opt("decline")?,
        config_fault: row.code_opt("config_fault")?,
        money_returned: row.flag_opt("money_returned")?,
        cancel_requested: row.flag("cancel_requested")?,
        surplus,
        started_at: row.at("started_ms")?,
        changed_at: row.at("changed_ms")?,
    })
}
