//! Table `member_key`: opens a profile. Without its row the person is forgotten.

use qiantai_core::ids::{MemberId, TenantId};
use rusqlite::{Connection, OptionalExtension, Result, params};
use zeroize::Zeroizing;

pub(in super::super) fn save(
    db: &Connection,
    tenant: TenantId,
    member: MemberId,
    key: &[u8; 32],
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO member_key (tenant_id, member_id, key) VALUES (?1, ?2, ?3)
         ON CONFLICT (tenant_id, member_id) DO UPDATE SET key = excluded.key",
    )?
    .execute(params![tenant.0.as_bytes(), member.0.as_bytes(), key])?;
    Ok(())
}

pub(in super::super) fn find(
    db: &Connection,
    tenant: TenantId,
    member: MemberId,
) -> Result<Option<Zeroizing<[u8; 32]>>> {
    db.prepare_cached("SELECT key FROM member_key WHERE tenant_id = ?1 AND member_id = ?2")?
        .query_row(params![tenant.0.as_bytes(), member.0.as_bytes()], |row| {
            Ok(Zeroizing::new(row.get(0)?))
        })
        .optional()
}
