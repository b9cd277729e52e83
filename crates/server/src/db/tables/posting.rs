//! Table `posting`: balanced legs.

use qiantai_core::ledger::{LedgerAccount, Posting};
use uuid::Uuid;

use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Value, values};
use crate::db::table::{OnConflict, Table};

pub(in crate::db) static TABLE: Table = Table::new(
    "posting",
    &[
        ("server_seq", Int),
        ("leg", Int),
        ("book", Text),
        ("account", Text),
        ("member_id", Bytes),
        ("lot_id", Bytes),
        ("shift_id", Bytes),
        ("store_id", Bytes),
        ("channel", Text),
        ("amount_fen", Int),
    ],
    2,
    OnConflict::Fail,
);

/// A ledger account spread over columns, so that books can be summed by any of them.
#[derive(Default)]
struct Dimensions {
    member: Option<Uuid>,
    lot: Option<Uuid>,
    shift: Option<Uuid>,
    store: Option<Uuid>,
    channel: Option<&'static str>,
}

pub(in crate::db) fn row(server_seq: u64, posting: &Posting) -> Vec<Value> {
    let (account, of) = spread(posting.account);
    values![
        server_seq,
        posting.leg,
        posting.book.code(),
        account,
        of.member,
        of.lot,
        of.shift,
        of.store,
        of.channel,
        posting.amount,
    ]
}

fn spread(account: LedgerAccount) -> (&'static str, Dimensions) {
    let none = Dimensions::default();
    match account {
        LedgerAccount::MemberPrincipal(member, lot) => (
            "member_principal",
            Dimensions {
                member: Some(member.0),
                lot: Some(lot.0),
                ..none
            },
        ),
        LedgerAccount::MemberDebt(member) => (
            "member_debt",
            Dimensions {
                member: Some(member.0),
                ..none
            },
        ),
        LedgerAccount::Drawer(shift) => (
            "drawer",
            Dimensions {
                shift: Some(shift.0),
                ..none
            },
        ),
        LedgerAccount::Clearing(channel) => (
            "clearing",
            Dimensions {
                channel: Some(channel.code()),
                ..none
            },
        ),
        LedgerAccount::Revenue(store) => (
            "revenue",
            Dimensions {
                store: Some(store.0),
                ..none
            },
        ),
        LedgerAccount::Suspense => ("suspense", none),
        LedgerAccount::Opening => ("opening", none),
        LedgerAccount::MemberBonus(member, lot) => (
            "member_bonus",
            Dimensions {
                member: Some(member.0),
                lot: Some(lot.0),
                ..none
            },
        ),
        LedgerAccount::BonusGranted(store) => (
            "bonus_granted",
            Dimensions {
                store: Some(store.0),
                ..none
            },
        ),
    }
}
