//! Table `outbox_delivery`: how far an event was carried.

use qiantai_core::ids::{RowId, TenantId};

use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};
use crate::db::{Delivery, LedgerError};

pub(in crate::db) static TABLE: Table = Table::new(
    "outbox_delivery",
    &[
        ("event_id", Bytes),
        ("state", Text),
        ("tries", Int),
        ("next_ms", Int),
        ("last_error", Text),
    ],
    1,
    OnConflict::Replace(&["state", "tries", "next_ms", "last_error"], When::Always),
);

pub(in crate::db) fn row(event: RowId, delivery: &Delivery) -> Vec<Value> {
    values![
        event.0,
        delivery.state.code(),
        delivery.tries,
        delivery.next_at,
        delivery.last_error.as_deref(),
    ]
}

pub(in crate::db) fn all(tenant: TenantId) -> Question {
    Question::new("SELECT * FROM outbox_delivery WHERE tenant_id = ?1 ORDER BY event_id")
        .with(tenant.0)
}

pub(in crate::db) fn read(row: &Record) -> Result<(RowId, Delivery), LedgerError> {
    let delivery = Delivery {
        state: row.code("state")?,
        tries: row.count("tries")?,
        next_at: row.at("next_ms")?,
        last_error: row.text_opt("last_error")?.map(str::to_owned),
    };
    Ok((RowId(row.id("event_id")?), delivery))
}
