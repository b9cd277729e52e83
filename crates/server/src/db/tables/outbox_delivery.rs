//! Table `outbox_delivery`: how far an event was carried.

use qiantai_core::ids::RowId;

use crate::db::Delivery;
use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Value, values};
use crate::db::table::{OnConflict, Table, When};

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
