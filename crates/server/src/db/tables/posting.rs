//! Table `posting`: balanced legs.

use qiantai_core::ids::{LotId, MemberId, ShiftId, StoreId, TenantId};
use qiantai_core::ledger::{LedgerAccount, Posting};
use uuid::Uuid;

use crate::db::LedgerError;
use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, damaged, values};
use crate::db::table::{OnConflict, Question, Table};

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

/// The last place posted; zero before the first.
pub(in crate::db) fn last(tenant: TenantId) -> Question {
    Question::new(
        "SELECT coalesce(max(server_seq), 0) AS last_seq FROM posting WHERE tenant_id = ?1",
    )
    .with(tenant.0)
}

/// Of the places after `after` up to `end`.
pub(in crate::db) fn between(tenant: TenantId, after: u64, end: u64) -> Question {
    Question::new(
        "SELECT * FROM posting WHERE tenant_id = ?1 AND server_seq > ?2 AND server_seq <= ?3
         ORDER BY server_seq, leg",
    )
    .with(tenant.0)
    .with(after)
    .with(end)
}

/// A posting and its place.
pub(in crate::db) fn read(row: &Record) -> Result<(u64, Posting), LedgerError> {
    let posting = Posting {
        leg: row.count("leg")?,
        book: row.code("book")?,
        account: gathered(row)?,
        amount: row.fen("amount_fen")?,
    };
    Ok((row.count("server_seq")?, posting))
}

/// The account of which [`spread`] made these columns. A column that its kind of account does
/// not have must be empty: the chain would not notice.
fn gathered(row: &Record) -> Result<LedgerAccount, LedgerError> {
    let member = || row.id("member_id").map(MemberId);
    let lot = || row.id("lot_id").map(LotId);
    let store = || row.id("store_id").map(StoreId);
    let account = match row.text("account")? {
        "member_principal" => LedgerAccount::MemberPrincipal(member()?, lot()?),
        "member_debt" => LedgerAccount::MemberDebt(member()?),
        "drawer" => LedgerAccount::Drawer(ShiftId(row.id("shift_id")?)),
        "clearing" => LedgerAccount::Clearing(row.code("channel")?),
        "revenue" => LedgerAccount::Revenue(store()?),
        "suspense" => LedgerAccount::Suspense,
        "opening" => LedgerAccount::Opening,
        "member_bonus" => LedgerAccount::MemberBonus(member()?, lot()?),
        "bonus_granted" => LedgerAccount::BonusGranted(store()?),
        other => return Err(damaged(format!("there is no account {other:?}"))),
    };
    let (_, of) = spread(account);
    let is_as_spread = row.id_opt("member_id")? == of.member
        && row.id_opt("lot_id")? == of.lot
        && row.id_opt("shift_id")? == of.shift
        && row.id_opt("store_id")? == of.store
        && row.text_opt("channel")? == of.channel;
    match is_as_spread {
        true => Ok(account),
        false => Err(damaged("a posting has more dimensions than its account")),
    }
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
