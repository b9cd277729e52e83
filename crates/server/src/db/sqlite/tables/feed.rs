//! Table `feed`: what terminals replicate, in commit order, without personal data.

use qiantai_core::ids::TenantId;
use rusqlite::{Connection, Result, params};

use super::super::row::{Columns, int};

pub(in super::super) fn insert(
    db: &Connection,
    tenant: TenantId,
    server_seq: u64,
    json: &str,
) -> Result<()> {
    db.prepare_cached("INSERT INTO feed (tenant_id, server_seq, json) VALUES (?1, ?2, ?3)")?
        .execute(params![tenant.0.as_bytes(), int(server_seq), json])?;
    Ok(())
}

pub(in super::super) fn after(
    db: &Connection,
    tenant: TenantId,
    after: u64,
    limit: u32,
) -> Result<Vec<(u64, String)>> {
    db.prepare_cached(
        "SELECT server_seq, json FROM feed WHERE tenant_id = ?1 AND server_seq > ?2
         ORDER BY server_seq LIMIT ?3",
    )?
    .query_map(params![tenant.0.as_bytes(), int(after), limit], |row| {
        Ok((row.count("server_seq")?, row.get("json")?))
    })?
    .collect()
}
