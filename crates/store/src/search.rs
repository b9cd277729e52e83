//! Finding a member (docs: domain §5.3): 13812345678, 5678, 张伟, 伟, zw, zhangwei, a card.

use std::ops::ControlFlow;

use qiantai_core::account::Account;
use qiantai_core::ids::MemberId;
use qiantai_core::pinyin_key::{KeyKind, SearchKey, fold, sounds};
use rusqlite::Connection;

use crate::error::StoreError;
use crate::store::Store;
use crate::tables::replica_member::KnownMember;
use crate::tables::{member_key, replica_account, replica_member};

/// Longer input is no name, number or card.
const QUERY_LEN_MAX: usize = 64;

/// What was typed or scanned, and which keys it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchQuery {
    text: String,
    kinds: &'static [KeyKind],
}

/// A member found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberHit {
    /// The person.
    pub member: KnownMember,
    /// The account as the server last told, without open operations of this terminal.
    pub account: Option<Account>,
}

impl SearchQuery {
    /// Reads what was typed. `None` when there is nothing to search for.
    pub fn from_typed(typed: &str) -> Option<SearchQuery> {
        use KeyKind::{CardNo, Initials, MemberNo, Name, Phone, PhoneLast4, Pinyin};
        let mut text = fold(typed);
        if text.is_empty() || text.chars().count() > QUERY_LEN_MAX {
            return None;
        }
        if !text.is_ascii() {
            return Some(SearchQuery {
                text,
                kinds: &[Name],
            });
        }
        if let Some(digits) = phone_digits(&text) {
            text = digits;
            return Some(SearchQuery {
                text,
                kinds: &[PhoneLast4, Phone, CardNo, MemberNo],
            });
        }
        Some(SearchQuery {
            text,
            kinds: &[Initials, Pinyin, Name, CardNo, MemberNo],
        })
    }

    /// Names that sound like `name`, whatever their characters: one query for each way to read it.
    pub fn from_sound(name: &str) -> Vec<SearchQuery> {
        if name.chars().count() > QUERY_LEN_MAX {
            return Vec::new();
        }
        let queries = sounds(name).into_iter().map(|key| SearchQuery {
            text: key.text,
            kinds: &[KeyKind::Pinyin],
        });
        queries.collect()
    }
}

impl Store {
    /// Members that fit the query, at most `limit`: first those with exactly such a key, the one
    /// active last first, then those with a key that begins so.
    pub fn search_members(
        &self,
        query: &SearchQuery,
        limit: usize,
    ) -> Result<Vec<MemberHit>, StoreError> {
        self.read(|connection| {
            let rows = matching_rows(connection, query, limit)?;
            let mut hits = Vec::with_capacity(rows.len());
            for row_no in rows {
                if let Some(dto) = replica_member::by_row(connection, row_no)? {
                    let account = replica_account::find(connection, MemberId(dto.id))?;
                    hits.push(MemberHit {
                        member: dto.into(),
                        account,
                    });
                }
            }
            Ok(hits)
        })
    }
}

fn matching_rows(
    connection: &Connection,
    query: &SearchQuery,
    limit: usize,
) -> Result<Vec<i64>, StoreError> {
    let mut found = Vec::new();
    let mut take = |row_no: i64| {
        if !found.contains(&row_no) {
            found.push(row_no);
        }
        if found.len() < limit {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    let keys = || {
        query.kinds.iter().map(|kind| SearchKey {
            kind: *kind,
            text: query.text.clone(),
        })
    };
    for key in keys() {
        if member_key::equal_to(connection, &key, &mut take)?.is_break() {
            return Ok(found);
        }
    }
    for key in keys() {
        if member_key::beginning_with(connection, &key, &mut take)?.is_break() {
            return Ok(found);
        }
    }
    Ok(found)
}

/// The digits of what may be a phone number, written with or without dashes and country code.
fn phone_digits(text: &str) -> Option<String> {
    let (bare, country_code) = match text.strip_prefix("+86") {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let digits: String = bare
        .chars()
        .filter(|c| !matches!(c, '-' | '(' | ')'))
        .collect();
    let all_digits = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
    // `00-12` may be a card number with its dash; only phone-like input loses its dashes.
    let phone_like = digits.len() == 11 || country_code || digits.len() == bare.len();
    (all_digits && phone_like).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::SearchQuery;

    #[test]
    fn input_is_read_as_what_it_may_be() {
        let cases = [
            ("", None),
            ("   ", None),
            ("13812345678", Some(("13812345678", 4))),
            ("138-1234-5678", Some(("13812345678", 4))),
            ("+86 138 1234 5678", Some(("13812345678", 4))),
            ("１３８", Some(("138", 4))),
            ("5678", Some(("5678", 4))),
            ("00-12", Some(("00-12", 5))),
            ("ZW", Some(("zw", 5))),
            ("张 伟", Some(("张伟", 1))),
            ("M%_'\"", Some(("m%_'\"", 5))),
        ];
        for (typed, expected) in cases {
            let query = SearchQuery::from_typed(typed);
            let found = query
                .as_ref()
                .map(|query| (query.text.as_str(), query.kinds.len()));
            assert_eq!(found, expected, "{typed:?}");
        }
        assert_eq!(SearchQuery::from_typed(&"1".repeat(65)), None);
    }
}
