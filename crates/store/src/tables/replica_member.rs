//! Members as the server last told, with their search keys.

use qiantai_core::ids::MemberId;
use qiantai_core::member::{Member, MemberProfile};
use qiantai_wire::feed::MemberDto;
use rusqlite::{Connection, OptionalExtension, named_params, params};
use uuid::Uuid;

use super::member_key::{self, Key};
use super::row::{from_json, to_json};
use crate::error::StoreError;
use crate::store::Store;

const TABLE: &str = "replica_member";

/// Revision of a row that this terminal wrote itself; every word of a server is later.
const BEFORE_ANY_SERVER: i64 = -1;

/// A member as this terminal knows the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownMember {
    /// The ledger's view.
    pub member: Member,
    /// Personal data, where the server sent it.
    pub profile: Option<MemberProfile>,
}

impl From<MemberDto> for KnownMember {
    fn from(dto: MemberDto) -> KnownMember {
        let profile = dto.profile.clone().map(MemberProfile::from);
        KnownMember {
            member: dto.into(),
            profile,
        }
    }
}

impl Store {
    /// One member.
    pub fn member(&self, id: MemberId) -> Result<Option<KnownMember>, StoreError> {
        self.read(|connection| Ok(find(connection, id.0)?.map(|row| KnownMember::from(row.member))))
    }

    /// How many members this terminal knows.
    pub fn member_count(&self) -> Result<u64, StoreError> {
        self.read(|connection| {
            let count = connection
                .query_row("SELECT count(*) FROM replica_member", [], |row| row.get(0))?;
            super::row::seq(TABLE, count)
        })
    }
}

struct MemberRow {
    row_no: i64,
    revision: i64,
    active_ms: i64,
    member: MemberDto,
}

/// Takes over a row unless a newer one is here. A row without a profile leaves a known one.
pub fn upsert(
    connection: &Connection,
    member: &MemberDto,
    revision: i64,
    active_ms: i64,
) -> Result<(), StoreError> {
    let Some(old) = find(connection, member.id)? else {
        return insert(connection, member, revision, active_ms);
    };
    if old.revision > revision {
        return Ok(());
    }
    let profile = member
        .profile
        .clone()
        .or_else(|| old.member.profile.clone());
    let member = MemberDto {
        profile,
        ..member.clone()
    };
    let active_ms = active_ms.max(old.active_ms);
    connection
        .prepare_cached(
            "UPDATE replica_member
             SET revision = :revision, active_ms = :active, json = :json WHERE row_no = :row_no",
        )?
        .execute(named_params! {
            ":row_no": old.row_no,
            ":revision": revision,
            ":active": active_ms,
            ":json": to_json(TABLE, &member)?,
        })?;
    let before = (member_key::keys(&old.member), staleness(old.active_ms));
    let after = (member_key::keys(&member), staleness(active_ms));
    if before != after {
        move_keys(connection, old.row_no, &before, &after)?;
    }
    Ok(())
}

/// Notes that a member was active, so that searches show the person first.
pub fn touch(connection: &Connection, id: Uuid, active_ms: i64) -> Result<(), StoreError> {
    let Some(old) = find(connection, id)? else {
        return Ok(());
    };
    if active_ms <= old.active_ms {
        return Ok(());
    }
    connection
        .prepare_cached("UPDATE replica_member SET active_ms = ?2 WHERE row_no = ?1")?
        .execute([old.row_no, active_ms])?;
    let keys = member_key::keys(&old.member);
    let before = (keys.clone(), staleness(old.active_ms));
    let after = (keys, staleness(active_ms));
    move_keys(connection, old.row_no, &before, &after)
}

/// The member in row `row_no`, which a search key names.
pub fn by_row(connection: &Connection, row_no: i64) -> Result<Option<MemberDto>, StoreError> {
    let json: Option<String> = connection
        .prepare_cached("SELECT json FROM replica_member WHERE row_no = ?1")?
        .query_row([row_no], |row| row.get(0))
        .optional()?;
    json.map(|json| from_json(TABLE, &json)).transpose()
}

/// Shows a member created here before the server has said anything of it.
pub fn insert_own(
    connection: &Connection,
    member: &MemberDto,
    active_ms: i64,
) -> Result<(), StoreError> {
    insert(connection, member, BEFORE_ANY_SERVER, active_ms)
}

/// Removes members that only an earlier timeline knew. Those created here stay until the server
/// tells of them.
pub fn forget_older_than(connection: &Connection, revision: i64) -> Result<(), StoreError> {
    connection.execute(
        "DELETE FROM member_key WHERE member_row IN (
             SELECT row_no FROM replica_member WHERE revision < ?1 AND revision > ?2
         )",
        [revision, BEFORE_ANY_SERVER],
    )?;
    connection.execute(
        "DELETE FROM replica_member WHERE revision < ?1 AND revision > ?2",
        [revision, BEFORE_ANY_SERVER],
    )?;
    Ok(())
}

fn insert(
    connection: &Connection,
    member: &MemberDto,
    revision: i64,
    active_ms: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO replica_member (id, revision, active_ms, json) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            member.id.into_bytes(),
            revision,
            active_ms,
            to_json(TABLE, member)?
        ])?;
    let row_no = connection.last_insert_rowid();
    for key in member_key::keys(member) {
        member_key::insert(connection, &key, staleness(active_ms), row_no)?;
    }
    Ok(())
}

fn move_keys(
    connection: &Connection,
    row_no: i64,
    before: &(Vec<Key>, i64),
    after: &(Vec<Key>, i64),
) -> Result<(), StoreError> {
    for key in &before.0 {
        member_key::remove(connection, key, before.1, row_no)?;
    }
    for key in &after.0 {
        member_key::insert(connection, key, after.1, row_no)?;
    }
    Ok(())
}

fn find(connection: &Connection, id: Uuid) -> Result<Option<MemberRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT row_no, revision, active_ms, json FROM replica_member WHERE id = ?1",
    )?;
    let mut rows = statement.query([id.into_bytes()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let json: String = row.get(3)?;
    Ok(Some(MemberRow {
        row_no: row.get(0)?,
        revision: row.get(1)?,
        active_ms: row.get(2)?,
        member: from_json(TABLE, &json)?,
    }))
}

/// Seconds are fine enough to order people, and small numbers keep the index small.
fn staleness(active_ms: i64) -> i64 {
    -active_ms.div_euclid(1_000)
}
