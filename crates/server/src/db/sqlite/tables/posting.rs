//! Table `posting`: balanced legs.

use qiantai_core::ids::TenantId;
use qiantai_core::ledger::{LedgerAccount, Posting};
use rusqlite::{Connection, Result, params};
use uuid::Uuid;

use super::super::codes::Code;
use super::super::row::int;

/// A ledger account spread over columns, so that books can be summed by any of them.
#[derive(Default)]
struct Dimensions {
    member: Option<Uuid>,
    lot: Option<Uuid>,
    shift: Option<Uuid>,
    store: Option<Uuid>,
    channel: Option<&'static str>,
}

pub(in super::super) fn insert(
    db: &Connection,
    tenant: TenantId,
    server_seq: u64,
    posting: &Posting,
) -> Result<()> {
    let (account, of) = spread(posting.account);
    db.prepare_cached(
        "INSERT INTO posting (tenant_id, server_seq, leg, book, account, member_id, lot_id,
             shift_id, store_id, channel, amount_fen)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        int(server_seq),
        posting.leg,
        posting.book.code(),
        account,
        of.member.map(Uuid::into_bytes),
        of.lot.map(Uuid::into_bytes),
        of.shift.map(Uuid::into_bytes),
        of.store.map(Uuid::into_bytes),
        of.channel,
        posting.amount.fen(),
    ])?;
    Ok(())
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
