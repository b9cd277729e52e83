//! Search keys of members.

use std::ops::ControlFlow;

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

/// Shows `take` the rows of members with exactly that key, the one active last first, until it
/// has enough.
pub fn equal_to(
    connection: &Connection,
    key: &Key,
    take: &mut dyn FnMut(i64) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT member_row FROM member_key WHERE kind = :kind AND key = :key
         ORDER BY staleness, member_row",
    )?;
    let mut rows = statement.query(named_params! {":kind": key.kind as u8, ":key": key.text})?;
    while let Some(row) = rows.next()? {
        if take(row.get(0)?).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Shows `take` the rows of members with a longer key that begins so, in order of the keys, until
/// it has enough.
pub fn beginning_with(
    connection: &Connection,
    key: &Key,
    take: &mut dyn FnMut(i64) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT member_row FROM member_key WHERE kind = :kind AND key > :first AND key < :last
         ORDER BY key, staleness, member_row",
    )?;
    let last = format!("{}{LAST_CHARACTER}", key.text);
    let mut rows = statement.query(named_params! {
        ":kind": key.kind as u8,
        ":first": key.text,
        ":last": last,
    })?;
    while let Some(row) = rows.next()? {
        if take(row.get(0)?).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
