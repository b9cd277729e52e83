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

/// What was typed or scanned, as the keys that it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchQuery {
    /// The likeliest first.
    keys: Vec<SearchKey>,
    /// Longer keys that begin so are found too.
    is_beginning: bool,
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
        let text = readable(typed)?;
        let keys = if !text.is_ascii() {
            keys_of(&text, &[Name])
        } else if let Some(digits) = phone_digits(&text) {
            let mut keys = keys_of(&digits, &[PhoneLast4, Phone, CardNo, MemberNo]);
            if digits != text {
                keys.extend(keys_of(&text, &[CardNo, MemberNo]));
            }
            keys
        } else {
            let mut keys = keys_of(&text, &[Initials, Pinyin, Name, CardNo, MemberNo]);
            keys.extend(undashed(&text));
            keys
        };
        Some(SearchQuery {
            keys,
            is_beginning: true,
        })
    }

    /// Reads what was scanned: the whole number of a card, a member or a phone, and nobody else's.
    pub fn from_scanned(scanned: &str) -> Option<SearchQuery> {
        let text = readable(scanned)?;
        let mut keys = keys_of(&text, &[KeyKind::CardNo, KeyKind::MemberNo]);
        keys.extend(undashed(&text));
        if let Some(digits) = phone_digits(&text) {
            keys.extend(keys_of(&digits, &[KeyKind::Phone]));
        }
        Some(SearchQuery {
            keys,
            is_beginning: false,
        })
    }

    /// Whoever has exactly this key.
    pub fn of_key(kind: KeyKind, text: &str) -> SearchQuery {
        SearchQuery {
            keys: keys_of(&fold(text), &[kind]),
            is_beginning: false,
        }
    }

    /// Whoever has this card, with dashes or without.
    pub fn of_card(card_no: &str) -> SearchQuery {
        let text = fold(card_no);
        let mut keys = keys_of(&text, &[KeyKind::CardNo]);
        keys.extend(undashed(&text).filter(|key| key.kind == KeyKind::CardNo));
        SearchQuery {
            keys,
            is_beginning: false,
        }
    }

    /// Names that sound like `name`, whatever their characters: one query for each way to read it.
    pub fn from_sound(name: &str) -> Vec<SearchQuery> {
        if name.chars().count() > QUERY_LEN_MAX {
            return Vec::new();
        }
        let queries = sounds(name).into_iter().map(|key| SearchQuery {
            keys: vec![key],
            is_beginning: true,
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
    for key in &query.keys {
        if member_key::equal_to(connection, key, &mut take)?.is_break() {
            return Ok(found);
        }
    }
    for key in query.keys.iter().filter(|_| query.is_beginning) {
        if member_key::beginning_with(connection, key, &mut take)?.is_break() {
            return Ok(found);
        }
    }
    Ok(found)
}

/// The text as keys hold it; `None` where it can be no key.
fn readable(text: &str) -> Option<String> {
    let text = fold(text);
    (!text.is_empty() && text.chars().count() <= QUERY_LEN_MAX).then_some(text)
}

fn keys_of(text: &str, kinds: &[KeyKind]) -> Vec<SearchKey> {
    let key = |kind: &KeyKind| SearchKey {
        kind: *kind,
        text: text.to_owned(),
    };
    kinds.iter().map(key).collect()
}

/// The number of a card or a member that is written with dashes and kept without.
fn undashed(text: &str) -> impl Iterator<Item = SearchKey> {
    let bare = text.replace('-', "");
    let is_other = bare != text && !bare.is_empty();
    let kinds: &[KeyKind] = match is_other {
        true => &[KeyKind::CardNo, KeyKind::MemberNo],
        false => &[],
    };
    keys_of(&bare, kinds).into_iter()
}

/// The digits of what may be a phone number, written with or without dashes and country code. No
/// mobile number begins with another digit than 1: a card number may, dashes and all.
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
    let is_mobile = digits.len() == 11 && digits.starts_with('1');
    let phone_like = is_mobile || country_code || digits.len() == bare.len();
    (all_digits && phone_like).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::SearchQuery;

    fn texts(query: Option<SearchQuery>) -> Vec<String> {
        let mut texts: Vec<String> = query
            .into_iter()
            .flat_map(|query| query.keys)
            .map(|key| key.text)
            .collect();
        texts.dedup();
        texts
    }

    #[test]
    fn input_is_read_as_what_it_may_be() {
        let cases: [(&str, &[&str]); 13] = [
            ("", &[]),
            ("   ", &[]),
            ("13812345678", &["13812345678"]),
            ("138-1234-5678", &["13812345678", "138-1234-5678"]),
            ("+86 138 1234 5678", &["13812345678", "+8613812345678"]),
            ("１３８", &["138"]),
            ("5678", &["5678"]),
            ("00-12", &["00-12", "0012"]),
            ("2024-0001234", &["2024-0001234", "20240001234"]),
            ("1024-0001234", &["10240001234", "1024-0001234"]),
            ("ZW", &["zw"]),
            ("张 伟", &["张伟"]),
            ("M%_'\"", &["m%_'\""]),
        ];
        for (typed, expected) in cases {
            let read = texts(SearchQuery::from_typed(typed));
            assert_eq!(read, expected, "{typed:?}");
        }
        assert_eq!(SearchQuery::from_typed(&"1".repeat(65)), None);
        assert_eq!(SearchQuery::from_scanned(&"1".repeat(65)), None);
    }
}
