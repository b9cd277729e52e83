//! Table `outbox`: messages for other systems, written with the change they speak of.

use qiantai_core::clock::Timestamp;
use qiantai_core::ids::{RowId, TenantId};
use qiantai_core::ledger::{OutboxEvent, Topic};
use rusqlite::{Connection, Result, params};

use super::super::codes::Code;
use super::super::row::{Columns, int};
use crate::db::DueEvent;

pub(in super::super) fn insert(
    db: &Connection,
    tenant: TenantId,
    server_seq: u64,
    event: &OutboxEvent,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO outbox (tenant_id, server_seq, event_id, topic, subject_id, at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        int(server_seq),
        event.id.0.as_bytes(),
        event.topic.code(),
        event.subject.as_bytes(),
        event.at.ms(),
    ])?;
    Ok(())
}

/// Events of a topic that were not carried yet and whose next try has come.
pub(in super::super) fn due(
    db: &Connection,
    topic: Topic,
    now: Timestamp,
) -> Result<Vec<DueEvent>> {
    db.prepare_cached(
        "SELECT outbox.*, coalesce(outbox_delivery.tries, 0) AS tries
         FROM outbox LEFT JOIN outbox_delivery
             ON outbox_delivery.tenant_id = outbox.tenant_id
             AND outbox_delivery.event_id = outbox.event_id
         WHERE outbox.topic = ?1
             AND (outbox_delivery.state IS NULL
                 OR (outbox_delivery.state = 'pending' AND outbox_delivery.next_ms <= ?2))
         ORDER BY outbox.tenant_id, outbox.server_seq",
    )?
    .query_map(params![topic.code(), now.ms()], |row| {
        Ok(DueEvent {
            tenant: TenantId(row.id("tenant_id")?),
            server_seq: row.count("server_seq")?,
            event: OutboxEvent {
                id: RowId(row.id("event_id")?),
                topic,
                subject: row.id("subject_id")?,
                at: row.at("at_ms")?,
            },
            tries: row.get("tries")?,
        })
    })?
    .collect()
}
