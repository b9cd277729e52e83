//! Table `member`.

use qiantai_core::ids::{MemberId, StoreId, TenantId};
use qiantai_core::member::Member;

use crate::db::LedgerError;
use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};

pub(in crate::db) static TABLE: Table = Table::new(
    "member",
    &[
        ("member_id", Bytes),
        ("member_no", Text),
        ("home_store_id", Bytes),
        ("status", Text),
        ("registered_ms", Int),
    ],
    1,
    OnConflict::Replace(&["home_store_id", "status"], When::Always),
);

pub(in crate::db) fn row(member: &Member) -> Vec<Value> {
    values![
        member.id.0,
        &member.member_no,
        member.home_store.0,
        member.status.code(),
        member.registered_at,
    ]
}

pub(in crate::db) fn of_ids(tenant: TenantId, ids: &[MemberId]) -> Question {
    let sql = "SELECT * FROM member WHERE tenant_id = ?1 AND member_id IN (?2)";
    Question::of_members(sql, tenant, ids)
}

/// Identities of the members that hold these numbers.
pub(in crate::db) fn ids_of_numbers<'a>(
    tenant: TenantId,
    numbers: impl IntoIterator<Item = &'a String>,
) -> Question {
    Question::new("SELECT member_id FROM member WHERE tenant_id = ?1 AND member_no IN (?2)")
        .with(tenant.0)
        .each(Text, numbers)
}

pub(in crate::db) fn id(row: &Record) -> Result<MemberId, LedgerError> {
    Ok(MemberId(row.id("member_id")?))
}

/// By identity, after `after`.
pub(in crate::db) fn page(tenant: TenantId, after: Option<MemberId>, limit: u32) -> Question {
    let after = after.map_or([0_u8; 16], |id| id.0.into_bytes());
    Question::new(
        "SELECT * FROM member WHERE tenant_id = ?1 AND member_id > ?2
         ORDER BY member_id LIMIT ?3",
    )
    .with(tenant.0)
    .with(&after)
    .with(limit)
}

pub(in crate::db) fn count(tenant: TenantId) -> Question {
    Question::new("SELECT count(*) AS members FROM member WHERE tenant_id = ?1").with(tenant.0)
}

pub(in crate::db) fn read(row: &Record) -> Result<Member, LedgerError> {
    Ok(Member {
        id: MemberId(row.id("member_id")?),
        member_no: row.text("member_no")?.to_owned(),
        home_store: StoreId(row.id("home_store_id")?),
        status: row.code("status")?,
        registered_at: row.at("registered_ms")?,
    })
}
