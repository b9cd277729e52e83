use qiantai_core::Millis;
use qiantai_store::SearchQuery;
use qiantai_wire::feed::FeedChange;

use crate::fixture::{NOW, Shelf, account, entry, member, page, snapshot};

/// Members 1… in this order; a later one was active later.
const PEOPLE: [(&str, &str); 9] = [
    ("单雨", "13812345678"),
    ("曾可", "13912345678"),
    ("解放", "15012340001"),
    ("尉迟敏", "15012340002"),
    ("龚䶮", "15012340003"),
    ("张伟", "18600000001"),
    ("张伟", "18600000002"),
    ("张伟东", "18600000003"),
    ("Ann Lee", "18600000004"),
];

fn shelf() -> Shelf {
    let shelf = Shelf::new();
    let mut rows = Vec::new();
    for (number, (name, phone)) in (1..).zip(PEOPLE) {
        let mut row = member(number, name, phone);
        row.registered_at_ms += i64::try_from(number).unwrap() * 60_000;
        if let Some(profile) = row.profile.as_mut().filter(|_| number == 3) {
            profile.card_no = Some("VIP-0088".to_owned());
        }
        rows.push(FeedChange::Member(row));
    }
    shelf
        .store
        .apply_snapshot(None, &snapshot(1, 0, rows, None))
        .unwrap();
    shelf
}

fn found(shelf: &Shelf, typed: &str, limit: usize) -> Vec<u128> {
    let query = SearchQuery::from_typed(typed);
    query.map_or_else(Vec::new, |query| answers(shelf, &query, limit))
}

fn scanned(shelf: &Shelf, text: &str) -> Vec<u128> {
    answers(shelf, &SearchQuery::from_scanned(text).unwrap(), 20)
}

fn answers(shelf: &Shelf, query: &SearchQuery, limit: usize) -> Vec<u128> {
    let hits = shelf.store.search_members(query, limit).unwrap();
    hits.iter()
        .map(|hit| hit.member.member.id.0.as_u128())
        .collect()
}

/// Gives member `number` a card.
fn give_card(shelf: &Shelf, number: u128, card_no: &str) {
    let place = usize::try_from(number).unwrap() - 1;
    let (name, phone) = PEOPLE[place];
    let mut row = member(number, name, phone);
    row.profile.as_mut().unwrap().card_no = Some(card_no.to_owned());
    let change = vec![FeedChange::Member(row)];
    let at_seq = u64::try_from(number).unwrap();
    let entries = vec![entry(at_seq, 0x50 + number, change)];
    shelf.store.apply_feed(&page(1, entries)).unwrap();
}

#[test]
fn a_scan_finds_a_whole_number_only() {
    let cases: [(&str, &[u128]); 11] = [
        ("VIP-0088", &[3]),
        ("vip0088", &[]),
        ("VIP-008", &[]),
        ("M000004", &[4]),
        ("M00000", &[]),
        ("13812345678", &[1]),
        ("1381234567", &[]),
        ("5678", &[]),
        ("zhangwei", &[]),
        ("Ann Lee", &[]),
        ("annlee", &[]),
    ];
    let shelf = shelf();
    for (text, expected) in cases {
        assert_eq!(scanned(&shelf, text), expected, "{text:?}");
    }
}

#[test]
fn eleven_digits_with_a_dash_are_a_card() {
    let shelf = shelf();
    give_card(&shelf, 1, "2024-0001234");
    give_card(&shelf, 2, "20240001235");
    for (text, expected) in [
        ("2024-0001234", 1),
        ("2024-00012", 1),
        ("2024-0001235", 2),
        ("20240001235", 2),
    ] {
        assert_eq!(found(&shelf, text, 20)[..1], [expected], "{text}");
    }
    assert_eq!(scanned(&shelf, "2024-0001234"), [1]);
    assert_eq!(scanned(&shelf, "2024-0001235"), [2]);
    assert_eq!(scanned(&shelf, "2024-000123"), [0_u128; 0]);
    let holders = |card: &str| answers(&shelf, &SearchQuery::of_card(card), 20);
    assert_eq!(holders("2024-0001234"), [1]);
    assert_eq!(holders("M000004"), [0_u128; 0]);
}

#[test]
fn members_are_found_as_the_counter_asks() {
    let cases: [(&str, &[u128]); 24] = [
        ("13812345678", &[1]),
        ("138 1234 5678", &[1]),
        ("+86 138-1234-5678", &[1]),
        ("1381", &[1]),
        ("5678", &[2, 1]),
        ("186", &[6, 7, 8, 9]),
        ("张伟", &[7, 6, 8]),
        ("伟", &[7, 6, 8]),
        ("东", &[8]),
        ("迟敏", &[4]),
        ("sy", &[1]),
        ("SY", &[1]),
        ("shanyu", &[1]),
        ("danyu", &[1]),
        ("zengke", &[2]),
        ("xief", &[3]),
        ("ycm", &[4]),
        ("gongyan", &[5]),
        ("zw", &[7, 6, 8]),
        ("ann lee", &[9]),
        ("vip-0088", &[3]),
        ("m000004", &[4]),
        ("王", &[]),
        ("%", &[]),
    ];
    let shelf = shelf();
    for (typed, expected) in cases {
        assert_eq!(found(&shelf, typed, 20), expected, "{typed:?}");
    }
}

#[test]
fn hits_are_limited_and_never_repeat() {
    let shelf = shelf();
    assert_eq!(found(&shelf, "张", 2), [7, 6]);
    assert_eq!(found(&shelf, "1", 4).len(), 4);
    let all = found(&shelf, "1", 50);
    assert_eq!(all.len(), 9, "{all:?}");
}

#[test]
fn the_member_active_last_comes_first() {
    let shelf = shelf();
    let later = NOW + Millis::days(1);
    let credit = vec![FeedChange::Account(account(6, 100, later))];
    shelf
        .store
        .apply_feed(&page(1, vec![entry(1, 0x51, credit)]))
        .unwrap();
    assert_eq!(found(&shelf, "张伟", 20), [6, 7, 8]);
    let query = SearchQuery::from_typed("18600000001").unwrap();
    let hits = shelf.store.search_members(&query, 5).unwrap();
    assert_eq!(hits[0].account.as_ref().unwrap().principal.fen(), 100);
}

#[test]
fn a_changed_name_or_phone_leaves_no_old_key() {
    let shelf = shelf();
    let row = FeedChange::Member(member(1, "善雨", "13800000009"));
    shelf
        .store
        .apply_feed(&page(1, vec![entry(1, 0x51, vec![row])]))
        .unwrap();
    let cases: [(&str, &[u128]); 4] = [
        ("单雨", &[]),
        ("13812345678", &[]),
        ("善雨", &[1]),
        ("0009", &[1]),
    ];
    for (typed, expected) in cases {
        assert_eq!(found(&shelf, typed, 20), expected, "{typed:?}");
    }
}
