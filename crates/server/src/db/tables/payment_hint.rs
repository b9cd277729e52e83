//! Table `payment_hint`: notices that name nobody, until our own query says what is true of them.

use qiantai_core::ids::{AttemptId, RowId, TenantId};

use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};
use crate::db::{Hint, LedgerError};

/// A repetition changes nothing, and what was settled stays so.
pub(in crate::db) static TABLE: Table = Table::new(
    "payment_hint",
    &[
        ("hint_id", Bytes),
        ("attempt_id", Bytes),
        ("gateway", Text),
        ("channel_txn_no", Text),
        ("amount_fen", Int),
        ("paid_ms", Int),
        ("heard_ms", Int),
        ("state", Text),
    ],
    1,
    OnConflict::Replace(&["state"], When::Holds("state", "open")),
);

pub(in crate::db) fn row(hint: &Hint) -> Vec<Value> {
    values![
        hint.id.0,
        hint.attempt.0,
        &hint.gateway,
        &hint.channel_txn_no,
        hint.amount,
        hint.paid_at,
        hint.heard_at,
        hint.state.code(),
    ]
}

/// Of all tenants.
pub(in crate::db) fn open() -> Question {
    Question::new(
        "SELECT * FROM payment_hint WHERE state = 'open' ORDER BY tenant_id, heard_ms, hint_id",
    )
}

pub(in crate::db) fn all(tenant: TenantId) -> Question {
    Question::new("SELECT * FROM payment_hint WHERE tenant_id = ?1 ORDER BY heard_ms, hint_id")
        .with(tenant.0)
}

pub(in crate::db) fn read(row: &Record) -> Result<(TenantId, Hint), LedgerError> {
    let hint = Hint {
        id: RowId(row.id("hint_id")?),
        attempt: AttemptId(row.id("attempt_id")?),
        gateway: row.text("gateway")?.to_owned(),
        channel_txn_no: row.text("channel_txn_no")?.to_owned(),
        amount: row.fen("amount_fen")?,
        paid_at: row.at("paid_ms")?,
        heard_at: row.at("heard_ms")?,
        state: row.code("state")?,
    };
    Ok((TenantId(row.id("tenant_id")?), hint))
}
