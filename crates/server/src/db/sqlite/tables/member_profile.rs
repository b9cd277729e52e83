//! Table `member_profile`: personal data, sealed.

use qiantai_core::ids::{MemberId, TenantId};
use rusqlite::{Connection, OptionalExtension, Result, params};

pub(in super::super) fn save(
    db: &Connection,
    tenant: TenantId,
    member: MemberId,
    sealed: &[u8],
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO member_profile (tenant_id, member_id, sealed) VALUES (?1, ?2, ?3)
         ON CONFLICT (tenant_id, member_id) DO UPDATE SET sealed = excluded.sealed",
    )?
    .execute(params![tenant.0.as_bytes(), member.0.as_bytes(), sealed])?;
    Ok(())
}

pub(in super::super) fn find(
    db: &Connection,
    tenant: TenantId,
    member: MemberId,
) -> Result<Option<Vec<u8>>> {
    db.prepare_cached("SELECT sealed FROM member_profile WHERE tenant_id = ?1 AND member_id = ?2")?
        .query_row(params![tenant.0.as_bytes(), member.0.as_bytes()], |row| {
            row.get(0)
        })
        .optional()
}
