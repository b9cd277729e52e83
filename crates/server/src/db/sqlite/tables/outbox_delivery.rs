//! Table `outbox_delivery`: how far an event was carried.

use qiantai_core::ids::{RowId, TenantId};
use rusqlite::{Connection, Result, params};

use super::super::codes::Code;
use crate::db::Delivery;

pub(in super::super) fn save(
    db: &Connection,
    tenant: TenantId,
    event: RowId,
    delivery: &Delivery,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO outbox_delivery (tenant_id, event_id, state, tries, next_ms, last_error)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (tenant_id, event_id) DO UPDATE SET
             state = excluded.state, tries = excluded.tries, next_ms = excluded.next_ms,
             last_error = excluded.last_error",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        event.0.as_bytes(),
        delivery.state.code(),
        delivery.tries,
        delivery.next_at.ms(),
        delivery.last_error,
    ])?;
    Ok(())
}
