//! Table `head`: where the log of a tenant stands.

use qiantai_core::ids::TenantId;
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::super::row::{Columns, int};
use crate::db::Head;

pub(in super::super) fn save(db: &Connection, tenant: TenantId, head: &Head) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO head (tenant_id, timeline, server_seq, chain_hash) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (tenant_id) DO UPDATE SET
             timeline = excluded.timeline, server_seq = excluded.server_seq,
             chain_hash = excluded.chain_hash",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        head.timeline,
        int(head.server_seq),
        head.chain_hash,
    ])?;
    Ok(())
}

pub(in super::super) fn find(db: &Connection, tenant: TenantId) -> Result<Option<Head>> {
    db.prepare_cached("SELECT * FROM head WHERE tenant_id = ?1")?
        .query_row(params![tenant.0.as_bytes()], |row| {
            Ok(Head {
                timeline: row.get("timeline")?,
                server_seq: row.count("server_seq")?,
                chain_hash: row.get("chain_hash")?,
            })
        })
        .optional()
}
