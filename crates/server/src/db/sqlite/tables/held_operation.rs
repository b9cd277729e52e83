//! Table `held_operation`: rows of the log that wait for a person or an upgrade.

use qiantai_core::ids::TenantId;
use rusqlite::{Connection, Result, params};

use super::super::codes::Code;
use super::super::row::{Columns, int};
use crate::db::HeldReason;

pub(in super::super) fn insert(
    db: &Connection,
    tenant: TenantId,
    server_seq: u64,
    reason: HeldReason,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO held_operation (tenant_id, server_seq, reason) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![tenant.0.as_bytes(), int(server_seq), reason.code()])?;
    Ok(())
}

pub(in super::super) fn count(db: &Connection) -> Result<u64> {
    db.prepare_cached("SELECT count(*) AS held FROM held_operation")?
        .query_row([], |row| row.count("held"))
}
