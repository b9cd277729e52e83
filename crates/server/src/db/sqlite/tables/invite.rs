//! Table `invite`.

use qiantai_core::clock::Timestamp;
use qiantai_core::ids::{StoreId, TenantId};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::super::row::Columns;
use crate::db::Invite;

pub(in super::super) fn insert(db: &Connection, invite: &Invite) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO invite (tenant_id, code_hash, store_id, expires_ms, used_ms,
             used_by)
         VALUES (?1, ?2, ?3, ?4, NULL, NULL)",
    )?
    .execute(params![
        invite.tenant.0.as_bytes(),
        invite.code_hash,
        invite.store.0.as_bytes(),
        invite.expires_at.ms(),
    ])?;
    Ok(())
}

/// One statement, so that two terminals cannot both use it; the same one may ask again.
pub(in super::super) fn redeem(
    db: &Connection,
    code: &[u8; 32],
    public_key: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Invite>> {
    db.prepare_cached(
        "UPDATE invite SET used_ms = coalesce(used_ms, ?2), used_by = ?3
         WHERE code_hash = ?1 AND expires_ms >= ?2 AND (used_ms IS NULL OR used_by = ?3)
         RETURNING *",
    )?
    .query_row(params![code, now.ms(), public_key], |row| {
        Ok(Invite {
            tenant: TenantId(row.id("tenant_id")?),
            code_hash: row.get("code_hash")?,
            store: StoreId(row.id("store_id")?),
            expires_at: row.at("expires_ms")?,
        })
    })
    .optional()
}
