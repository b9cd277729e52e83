//! Table `member_profile`: personal data, sealed.

use qiantai_core::ids::{MemberId, TenantId};
use zeroize::Zeroizing;

use crate::db::record::Kind::Bytes;
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};
use crate::db::{LedgerError, SealedProfile};

pub(in crate::db) static TABLE: Table = Table::new(
    "member_profile",
    &[("member_id", Bytes), ("sealed", Bytes)],
    1,
    OnConflict::Replace(&["sealed"], When::Always),
);

pub(in crate::db) fn row(member: MemberId, sealed: &[u8]) -> Vec<Value> {
    values![member.0, sealed]
}

/// With their keys, where the persons were not erased.
pub(in crate::db) fn of_members(tenant: TenantId, members: &[MemberId]) -> Question {
    Question::of_members(
        "SELECT member_profile.member_id, member_profile.sealed, member_key.key AS opens
         FROM member_profile LEFT JOIN member_key
             ON member_key.tenant_id = member_profile.tenant_id
             AND member_key.member_id = member_profile.member_id
         WHERE member_profile.tenant_id = ?1 AND member_profile.member_id IN (?2)",
        tenant,
        members,
    )
}

pub(in crate::db) fn read(row: &Record) -> Result<(MemberId, SealedProfile), LedgerError> {
    let key = match row.bytes_opt("opens")? {
        None => None,
        Some(_) => Some(Zeroizing::new(row.array("opens")?)),
    };
    let profile = SealedProfile {
        sealed: row.bytes("sealed")?.to_vec(),
        key,
    };
    Ok((MemberId(row.id("member_id")?), profile))
}
