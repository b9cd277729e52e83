//! Table `device_token`.

use rusqlite::{Connection, Result, params};

use crate::db::DeviceToken;

pub(in super::super) fn insert(db: &Connection, token: &DeviceToken) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO device_token (tenant_id, token_hash, device_id, name, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        token.tenant.0.as_bytes(),
        token.token_hash,
        token.device.0.as_bytes(),
        token.name,
        token.created_at.ms(),
    ])?;
    Ok(())
}
