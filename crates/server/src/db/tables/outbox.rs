//! Table `outbox`: messages for other systems, written with the change they speak of.

use qiantai_core::clock::Timestamp;
use qiantai_core::ids::{RowId, TenantId};
use qiantai_core::ledger::{OutboxEvent, Topic};

use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table};
use crate::db::{DueEvent, LedgerError};

pub(in crate::db) static TABLE: Table = Table::new(
    "outbox",
    &[
        ("server_seq", Int),
        ("event_id", Bytes),
        ("topic", Text),
        ("subject_id", Bytes),
        ("at_ms", Int),
    ],
    2,
    OnConflict::Fail,
);

pub(in crate::db) fn row(server_seq: u64, event: &OutboxEvent) -> Vec<Value> {
    values![
        server_seq,
        event.id.0,
        event.topic.code(),
        event.subject,
        event.at,
    ]
}

/// Events of a topic that were not carried yet and whose next try has come.
pub(in crate::db) fn due(topic: Topic, now: Timestamp) -> Question {
    Question::new(
        "SELECT outbox.*, coalesce(outbox_delivery.tries, 0) AS tries
         FROM outbox LEFT JOIN outbox_delivery
             ON outbox_delivery.tenant_id = outbox.tenant_id
             AND outbox_delivery.event_id = outbox.event_id
         WHERE outbox.topic = ?1
             AND (outbox_delivery.state IS NULL
                 OR (outbox_delivery.state = 'pending' AND outbox_delivery.next_ms <= ?2))
         ORDER BY outbox.tenant_id, outbox.server_seq, outbox.event_id",
    )
    .with(topic.code())
    .with(now)
}

pub(in crate::db) fn read(row: &Record) -> Result<DueEvent, LedgerError> {
    Ok(DueEvent {
        tenant: TenantId(row.id("tenant_id")?),
        server_seq: row.count("server_seq")?,
        event: OutboxEvent {
            id: RowId(row.id("event_id")?),
            topic: row.code("topic")?,
            subject: row.id("subject_id")?,
            at: row.at("at_ms")?,
        },
        tries: row.count("tries")?,
    })
}
