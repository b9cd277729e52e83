//! Table `member`.

use qiantai_core::ids::{MemberId, StoreId, TenantId};
use qiantai_core::member::Member;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::super::codes::Code;
use super::super::row::Columns;

pub(in super::super) fn save(db: &Connection, tenant: TenantId, member: &Member) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO member (tenant_id, member_id, member_no, home_store_id, status,
             registered_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (tenant_id, member_id) DO UPDATE SET
             home_store_id = excluded.home_store_id, status = excluded.status",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        member.id.0.as_bytes(),
        member.member_no,
        member.home_store.0.as_bytes(),
        member.status.code(),
        member.registered_at.ms(),
    ])?;
    Ok(())
}

pub(in super::super) fn find(
    db: &Connection,
    tenant: TenantId,
    id: MemberId,
) -> Result<Option<Member>> {
    db.prepare_cached("SELECT * FROM member WHERE tenant_id = ?1 AND member_id = ?2")?
        .query_row(params![tenant.0.as_bytes(), id.0.as_bytes()], read)
        .optional()
}

/// By identity, after `after`.
pub(in super::super) fn page(
    db: &Connection,
    tenant: TenantId,
    after: Option<MemberId>,
    limit: u32,
) -> Result<Vec<Member>> {
    let after = after.map_or([0_u8; 16], |id| id.0.into_bytes());
    db.prepare_cached(
        "SELECT * FROM member WHERE tenant_id = ?1 AND member_id > ?2
         ORDER BY member_id LIMIT ?3",
    )?
    .query_map(params![tenant.0.as_bytes(), after, limit], read)?
    .collect()
}

pub(in super::super) fn count(db: &Connection, tenant: TenantId) -> Result<u64> {
    db.prepare_cached("SELECT count(*) AS members FROM member WHERE tenant_id = ?1")?
        .query_row(params![tenant.0.as_bytes()], |row| row.count("members"))
}

fn read(row: &Row<'_>) -> Result<Member> {
    Ok(Member {
        id: MemberId(row.id("member_id")?),
        member_no: row.get("member_no")?,
        home_store: StoreId(row.id("home_store_id")?),
        status: row.code("status")?,
        registered_at: row.at("registered_ms")?,
    })
}
