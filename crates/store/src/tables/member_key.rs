//! Search keys of members.

use qiantai_core::pinyin_key::{KeyKind, SearchKey, fold, search_keys};
use qiantai_wire::feed::MemberDto;
use rusqlite::{Connection, named_params};

use crate::error::StoreError;

/// Above every text that continues a prefix.
const LAST_CHARACTER: char = '\u{10FFFF}';

pub type Key = SearchKey;

/// Every key of a member. Without a profile only the member's number is known.
pub fn keys(member: &MemberDto) -> Vec<Key> {
    let mut keys = match &member.profile {
        Some(profile) => search_keys(&profile.name, &profile.phone, profile.card_no.as_deref()),
        None => Vec::new(),
    };
    let text = fold(&member.member_no);
    keys.push(SearchKey {
        kind: KeyKind::MemberNo,
        text,
    });
    keys
}

pub fn insert(
    connection: &Connection,
    key: &Key,
    staleness: i64,
    row_no: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO member_key (kind, key, staleness, member_row)
             VALUES (:kind, :key, :staleness, :row_no)",
        )?
        .execute(named_params! {
            ":kind": key.kind as u8,
            ":key": key.text,
            ":staleness": staleness,
            ":row_no": row_no,
        })?;
    Ok(())
}

pub fn remove(
    connection: &Connection,
    key: &Key,
    staleness: i64,
    row_no: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "DELETE FROM member_key
             WHERE kind = :kind AND key = :key AND staleness = :staleness
                 AND member_row = :row_no",
        )?
        .execute(named_params! {
            ":kind": key.kind as u8,
            ":key": key.text,
            ":staleness": staleness,
            ":row_no": row_no,
        })?;
    Ok(())
}

/// Rows of members with exactly that key, the one active last first.
pub fn equal_to(connection: &Connection, key: &Key, limit: usize) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT member_row FROM member_key WHERE kind = :kind AND key = :key
         ORDER BY staleness, member_row LIMIT :limit",
    )?;
    let rows = statement.query_map(
        named_params! {":kind": key.kind as u8, ":key": key.text, ":limit": sql_limit(limit)},
        |row| row.get(0),
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Rows of members with a longer key that begins so, in order of the keys.
pub fn beginning_with(
    connection: &Connection,
    key: &Key,
    limit: usize,
) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT member_row FROM member_key WHERE kind = :kind AND key > :first AND key < :last
         ORDER BY key, staleness, member_row LIMIT :limit",
    )?;
    let last = format!("{}{LAST_CHARACTER}", key.text);
    let rows = statement.query_map(
        named_params! {
            ":kind": key.kind as u8,
            ":first": key.text,
            ":last": last,
            ":limit": sql_limit(limit),
        },
        |row| row.get(0),
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
