//! Table `payment_surplus`: payments of an attempt that nobody owes us.

use qiantai_core::attempt::Surplus;
use qiantai_core::clock::Timestamp;
use qiantai_core::ids::{AttemptId, OrderId, TenantId};

use crate::db::LedgerError;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};

pub(in crate::db) static TABLE: Table = Table::new(
    "payment_surplus",
    &[
        ("attempt_id", Bytes),
        ("channel_txn_no", Text),
        ("position", Int),
        ("amount_fen", Int),
        ("refunded", Int),
    ],
    2,
    OnConflict::Replace(&["refunded"], When::Always),
);

pub(in crate::db) fn row(attempt: AttemptId, position: u32, payment: &Surplus) -> Vec<Value> {
    values![
        attempt.0,
        &payment.channel_txn_no,
        position,
        payment.amount,
        payment.refunded,
    ]
}

/// In the order in which they were noticed.
pub(in crate::db) fn of_attempts(
    tenant: TenantId,
    attempts: impl IntoIterator<Item = AttemptId>,
) -> Question {
    Question::new(
        "SELECT * FROM payment_surplus WHERE tenant_id = ?1 AND attempt_id IN (?2)
         ORDER BY position",
    )
    .with(tenant.0)
    .each(Bytes, attempts.into_iter().map(|id| id.0))
}

/// Of all attempts of these orders.
pub(in crate::db) fn of_orders(
    tenant: TenantId,
    orders: impl IntoIterator<Item = OrderId>,
) -> Question {
    Question::new(
        "SELECT payment_surplus.* FROM payment_surplus
         JOIN payment_attempt ON payment_attempt.tenant_id = payment_surplus.tenant_id
             AND payment_attempt.attempt_id = payment_surplus.attempt_id
         WHERE payment_attempt.tenant_id = ?1 AND payment_attempt.order_id IN (?2)
         ORDER BY payment_surplus.position",
    )
    .with(tenant.0)
    .each(Bytes, orders.into_iter().map(|id| id.0))
}

/// Of all attempts that are not final, or ended unpaid at or after `ended_since`.
pub(in crate::db) fn of_watched(ended_since: Timestamp) -> Question {
    Question::new(
        "SELECT payment_surplus.* FROM payment_surplus
         JOIN payment_attempt ON payment_attempt.tenant_id = payment_surplus.tenant_id
             AND payment_attempt.attempt_id = payment_surplus.attempt_id
         WHERE payment_attempt.state
                 IN ('init', 'submitted', 'user_paying', 'unknown', 'reversing')
             OR (payment_attempt.state IN ('closed', 'failed', 'reversed')
                 AND payment_attempt.changed_ms >= ?1)
         ORDER BY payment_surplus.position",
    )
    .with(ended_since)
}

pub(in crate::db) fn read(row: &Record) -> Result<((TenantId, AttemptId), Surplus), LedgerError> {
    let surplus = Surplus {
        channel_txn_no: row.text("channel_txn_no")?.to_owned(),
        amount: row.fen("amount_fen")?,
        refunded: row.flag("refunded")?,
    };
    let attempt = AttemptId(row.id("attempt_id")?);
    Ok(((TenantId(row.id("tenant_id")?), attempt), surplus))
}
