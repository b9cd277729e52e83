//! Balances and what explains them: lots, 流水, postings, credited orders, and the cash in drawers.

use std::collections::{HashMap, HashSet};

use qiantai_core::account::Account;
use qiantai_core::ids::{LotId, MemberId, TenantId};
use qiantai_core::lease::Lease;
use qiantai_core::ledger::{BizType, Book};
use qiantai_core::money::Money;

use super::chain::{Posted, Walk};
use super::{BadRow, PAGE, PageError, VerifyError, page_of};
use crate::db::{Archive, MemberBook};

/// Verifies every member as of the moment in which its page was read; how many there are.
pub(super) fn verify(
    ledger: &dyn Archive,
    tenant: TenantId,
    walk: &mut Walk,
) -> Result<u64, VerifyError> {
    let (mut after, mut members, mut limit) = (None::<MemberId>, 0_u64, PAGE);
    loop {
        let first = || match after {
            None => "the first member".to_owned(),
            Some(member) => format!("the member after {member}"),
        };
        let page = match page_of(
            limit,
            |limit| ledger.member_books(tenant, after, limit),
            first,
        ) {
            Ok(page) => page,
            Err(PageError::Bad(bad)) => return Err(bad.into()),
            Err(PageError::ReadOneByOne) => {
                limit = 1;
                continue;
            }
            Err(PageError::Ledger(error)) => return Err(error.into()),
        };
        // Postings are compared as of the same moment.
        walk.forward(ledger, page.head)?;
        let Some(last) = page.members.last() else {
            return Ok(members);
        };
        after = Some(last.member);
        members += page.members.len() as u64;
        for book in &page.members {
            member(book, &walk.posted).map_err(|(row, what)| BadRow::new(row, what))?;
        }
    }
}

/// Cash that moved in each drawer is cash that was posted to it.
pub(super) fn verify_drawers(
    ledger: &dyn Archive,
    tenant: TenantId,
    walk: &mut Walk,
) -> Result<(), VerifyError> {
    let drawers = ledger.drawers(tenant)?;
    walk.forward(ledger, drawers.head)?;
    let posted = &walk.posted.drawers;
    let mut shifts: Vec<_> = posted.keys().chain(drawers.moved.keys()).collect();
    shifts.sort_unstable();
    shifts.dedup();
    for shift in shifts {
        let moved = drawers.moved.get(shift).copied().unwrap_or_default();
        let posted = posted.get(shift).copied().unwrap_or_default();
        if moved != posted {
            let what = format!("{posted} fen were posted to its drawer and {moved} fen moved");
            return Err(BadRow::new(format!("shift {shift}"), what).into());
        }
    }
    Ok(())
}

/// Which row, and what is wrong with it.
type Wrong = (String, String);

fn member(book: &MemberBook, posted: &Posted) -> Result<(), Wrong> {
    let member = book.member;
    let account_row = || format!("account {member}");
    let Some(account) = &book.account else {
        return match (book.lots.first(), book.journal.first()) {
            (None, None) => Ok(()),
            _ => Err((account_row(), "is missing".into())),
        };
    };
    let owed = |book: Book, lot: LotId| {
        let posted = posted.lots.get(&(book, member, lot));
        -posted.copied().unwrap_or_default()
    };
    for lot in &book.lots {
        for (of, left) in [
            (Book::Money, lot.principal_left),
            (Book::Bonus, lot.bonus_left),
        ] {
            let owed = owed(of, lot.id);
            if owed != fen(left) {
                let what = format!("has {} fen left in {of:?}, posted were {owed}", left.fen());
                return Err((format!("lot {} of member {member}", lot.id), what));
            }
        }
    }
    let principal: i128 = book.lots.iter().map(|lot| fen(lot.principal_left)).sum();
    let bonus: i128 = book.lots.iter().map(|lot| fen(lot.bonus_left)).sum();
    let held = book.leases.iter().map(Lease::held);
    let held = held.fold((0, 0), |sums: (i128, i128), held| {
        (sums.0 + fen(held.0), sums.1 + fen(held.1))
    });
    let debt = posted.debts.get(&member).copied().unwrap_or_default();
    let sums = [
        ("principal", account.principal, principal),
        ("bonus", account.bonus, bonus),
        ("debt", account.debt, debt),
        ("frozen principal", account.frozen_principal, held.0),
        ("frozen bonus", account.frozen_bonus, held.1),
    ];
    for (name, stands, sum) in sums {
        if fen(stands) != sum {
            let what = format!("its {name} is {} fen, explained are {sum}", stands.fen());
            return Err((account_row(), what));
        }
    }
    journal(book, account)?;
    credited(book)
}

/// Gapless, each balance following from the one before, and ending at the account's.
fn journal(book: &MemberBook, account: &Account) -> Result<(), Wrong> {
    let member = book.member;
    let (mut principal, mut bonus, mut seq) = (0_i128, 0_i128, 0_u64);
    let mut of_lots: HashMap<LotId, (i128, i128)> = HashMap::new();
    for entry in &book.journal {
        let row = || format!("journal {} of member {member}", entry.seq);
        if entry.seq != seq + 1 {
            let row = format!("journal {} of member {member}", seq + 1);
            return Err((row, "is missing".into()));
        }
        seq = entry.seq;
        principal += fen(entry.d_principal);
        bonus += fen(entry.d_bonus);
        if (fen(entry.principal_after), fen(entry.bonus_after)) != (principal, bonus) {
            let what = format!("the balance after it is {principal} + {bonus} fen");
            return Err((row(), what));
        }
        let of_lot = of_lots.entry(entry.lot).or_default();
        of_lot.0 += fen(entry.d_principal);
        of_lot.1 += fen(entry.d_bonus);
    }
    let ends = (seq, principal, bonus);
    if ends != (account.last_seq, fen(account.principal), fen(account.bonus)) {
        let what = format!("its journal ends at {seq} with {principal} + {bonus} fen");
        return Err((format!("account {member}"), what));
    }
    for lot in &book.lots {
        let written = of_lots.remove(&lot.id).unwrap_or_default();
        if written != (fen(lot.principal_left), fen(lot.bonus_left)) {
            let (principal, bonus) = written;
            let what = format!("its journal comes to {principal} + {bonus} fen");
            return Err((format!("lot {} of member {member}", lot.id), what));
        }
    }
    match of_lots.keys().min() {
        None => Ok(()),
        Some(lot) => Err((format!("lot {lot} of member {member}"), "is missing".into())),
    }
}

/// Each credited order has its row of the journal, and each such row its order.
fn credited(book: &MemberBook) -> Result<(), Wrong> {
    let mut written: HashMap<uuid::Uuid, Money> = HashMap::new();
    for entry in &book.journal {
        if entry.biz == BizType::Recharge {
            *written.entry(entry.biz_id).or_default() += entry.d_principal;
        }
    }
    let mut known = HashSet::new();
    for (order, paid) in &book.credited {
        known.insert(order.0);
        if written.get(&order.0) != Some(paid) {
            let what = format!("was credited with {} fen, its journal differs", paid.fen());
            return Err((format!("order {order}"), what));
        }
    }
    match written.keys().filter(|order| !known.contains(order)).min() {
        None => Ok(()),
        Some(order) => Err((
            format!("order {order}"),
            "is in the journal, and was not credited".into(),
        )),
    }
}

fn fen(amount: Money) -> i128 {
    i128::from(amount.fen())
}
