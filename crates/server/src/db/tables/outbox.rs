//! Table `outbox`: messages for other systems, written with the change they speak of.

use qiantai_core::clock::Timestamp;
use qiantai_core::ids::{RowId, TenantId};
use qiantai_core::ledger::{OutboxEvent, Topic};
use uuid::Uuid;

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

/// Events with how often they were tried, where `$condition` holds.
macro_rules! tried {
    ($condition:literal) => {
        concat!(
            "SELECT outbox.*, coalesce(outbox_delivery.tries, 0) AS tries
             FROM outbox LEFT JOIN outbox_delivery
                 ON outbox_delivery.tenant_id = outbox.tenant_id
                 AND outbox_delivery.event_id = outbox.event_id
             WHERE ",
            $condition
        )
    };
}

/// Events of a topic that were not carried yet and whose next try has come.
pub(in crate::db) fn due(topic: Topic, now: Timestamp) -> Question {
    Question::new(tried!(
        "outbox.topic = ?1
             AND (outbox_delivery.state IS NULL
                 OR (outbox_delivery.state = 'pending' AND outbox_delivery.next_ms <= ?2))
         ORDER BY outbox.tenant_id, outbox.server_seq, outbox.event_id"
    ))
    .with(topic.code())
    .with(now)
}

/// Events of a subject that were not carried to their end: those that wait, and those given up.
pub(in crate::db) fn unfinished(tenant: TenantId, topic: Topic, subject: Uuid) -> Question {
    Question::new(tried!(
        "outbox.tenant_id = ?1 AND outbox.topic = ?2 AND outbox.subject_id = ?3
             AND (outbox_delivery.state IS NULL OR outbox_delivery.state <> 'acked')
         ORDER BY outbox.server_seq, outbox.event_id"
    ))
    .with(tenant.0)
    .with(topic.code())
    .with(subject)
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
