//! The invariants of money (docs: domain §2.3), held in every build: a wrong row is worse than no
//! row. One decision can only break them for the rows that it writes.

use std::collections::BTreeMap;

use crate::account::{Account, Lot};
use crate::attempt::{AttemptState, PaymentAttempt};
use crate::decide::{Change, State};
use crate::ids::{LeaseId, LotId, MemberId};
use crate::lease::{Lease, LeaseState, free_lots};
use crate::ledger::{Book, JournalEntry, LedgerAccount, Posting};
use crate::money::Money;
use crate::recharge::{OrderState, RechargeOrder};

/// Panics when `changes` break an invariant of the books in `state`.
pub(super) fn assert_hold(state: &State, changes: &[Change]) {
    let mut journal = Vec::new();
    let mut postings = Vec::new();
    for change in changes {
        match change {
            Change::Journal(row) => journal.push(row),
            Change::Posting(row) => postings.push(row),
            _ => {}
        }
    }
    assert_postings_balance(&postings);
    assert_journal_posts(&journal, &postings);
    for change in changes {
        match change {
            Change::Account(row) => {
                assert_account_is_whole(row);
                assert_journal_explains(state.accounts.get(&row.member), row, &journal);
                assert_leases_explain(state, row, changes);
            }
            Change::Order(row) => assert_order_may_follow(state, row, changes),
            Change::Attempt(row) => assert_attempt_may_follow(state, row),
            _ => {}
        }
    }
}

fn assert_postings_balance(postings: &[&Posting]) {
    for book in [Book::Money, Book::Bonus] {
        let legs = postings.iter().filter(|posting| posting.book == book);
        let sum: i128 = legs.map(|posting| i128::from(posting.amount.fen())).sum();
        assert_eq!(sum, 0, "postings of {book:?} do not balance");
    }
}

/// What the journal says about a lot is what was posted to it.
fn assert_journal_posts(journal: &[&JournalEntry], postings: &[&Posting]) {
    type PerLot = BTreeMap<(Book, MemberId, LotId), Money>;
    let mut written = PerLot::new();
    for row in journal {
        *written
            .entry((Book::Money, row.member, row.lot))
            .or_default() += row.d_principal;
        *written
            .entry((Book::Bonus, row.member, row.lot))
            .or_default() += row.d_bonus;
    }
    let mut posted = PerLot::new();
    for posting in postings {
        match posting.account {
            LedgerAccount::MemberPrincipal(member, lot)
            | LedgerAccount::MemberBonus(member, lot) => {
                *posted.entry((posting.book, member, lot)).or_default() -= posting.amount;
            }
            _ => {}
        }
    }
    written.retain(|_, amount| !amount.is_zero());
    posted.retain(|_, amount| !amount.is_zero());
    assert_eq!(written, posted, "journal and postings differ");
}

fn assert_account_is_whole(account: &Account) {
    let member = account.member;
    let principal: Money = account.lots.iter().map(|lot| lot.principal_left).sum();
    let bonus: Money = account.lots.iter().map(|lot| lot.bonus_left).sum();
    assert_eq!(
        account.principal, principal,
        "principal of {member} is not that of its lots"
    );
    assert_eq!(
        account.bonus, bonus,
        "bonus of {member} is not that of its lots"
    );
    for lot in &account.lots {
        let is_within = |left: Money, init: Money| Money::ZERO <= left && left <= init;
        assert!(
            is_within(lot.principal_left, lot.principal_init),
            "principal of lot {}",
            lot.id
        );
        assert!(
            is_within(lot.bonus_left, lot.bonus_init),
            "bonus of lot {}",
            lot.id
        );
    }
    let is_held = |frozen: Money, balance: Money| Money::ZERO <= frozen && frozen <= balance;
    assert!(
        is_held(account.frozen_principal, account.principal),
        "held principal of {member}"
    );
    assert!(
        is_held(account.frozen_bonus, account.bonus),
        "held bonus of {member}"
    );
    let sums = [
        account.debt,
        account.recharged,
        account.refunded,
        account.bonus_granted,
    ];
    assert!(
        sums.iter().all(|sum| !sum.is_negative()),
        "a sum of {member} is negative"
    );
    let counts = [account.growth, account.points, account.points_debt];
    assert!(
        counts.iter().all(|count| *count >= 0),
        "a count of {member} is negative"
    );
}

/// The journal leads from the account as it was to the account as it is, without a gap.
fn assert_journal_explains(before: Option<&Account>, after: &Account, journal: &[&JournalEntry]) {
    let member = after.member;
    let start = before.map_or((0, Money::ZERO, Money::ZERO), |account| {
        (account.last_seq, account.principal, account.bonus)
    });
    let rows = journal.iter().filter(|row| row.member == member);
    let end = rows.fold(start, |(seq, principal, bonus), row| {
        let next = (seq + 1, principal + row.d_principal, bonus + row.d_bonus);
        let written = (row.seq, row.principal_after, row.bonus_after);
        assert_eq!(written, next, "journal of {member} has a gap");
        next
    });
    let reached = (after.last_seq, after.principal, after.bonus);
    assert_eq!(
        reached, end,
        "journal does not explain the account of {member}"
    );
}

/// Leases and available sum to the balance: what is frozen changed by what leases hold, and of no
/// lot more is held than is left. Only operations that touch leases know all of a member's.
fn assert_leases_explain(state: &State, after: &Account, changes: &[Change]) {
    let member = after.member;
    let mut leases: BTreeMap<LeaseId, &Lease> = state
        .leases_of(member)
        .map(|lease| (lease.id, lease))
        .collect();
    let held = |leases: &BTreeMap<LeaseId, &Lease>| {
        let held = leases.values().map(|lease| lease.held());
        held.fold((Money::ZERO, Money::ZERO), |sums, held| {
            (sums.0 + held.0, sums.1 + held.1)
        })
    };
    let before = state.accounts.get(&member);
    let frozen = before.map_or((Money::ZERO, Money::ZERO), |account| {
        (account.frozen_principal, account.frozen_bonus)
    });
    let held_before = held(&leases);
    for change in changes {
        if let Change::Lease(lease) = change
            && lease.member == member
        {
            leases.insert(lease.id, lease);
        }
    }
    let held_after = held(&leases);
    let expected = (
        frozen.0 + held_after.0 - held_before.0,
        frozen.1 + held_after.1 - held_before.1,
    );
    let stands = (after.frozen_principal, after.frozen_bonus);
    assert_eq!(
        stands, expected,
        "leases do not explain what {member} has frozen"
    );
    let free = free_lots(after, leases.values().copied());
    let is_overdrawn = |lot: &Lot| lot.principal_left.is_negative() || lot.bonus_left.is_negative();
    assert!(
        !free.iter().any(is_overdrawn),
        "leases of {member} hold more than a lot has"
    );
    let is_kept = |lot: LotId| after.lots.iter().any(|kept| kept.id == lot);
    for lease in leases
        .values()
        .filter(|lease| lease.state == LeaseState::Held)
    {
        for hold in &lease.lots {
            let is_empty = hold.principal.is_zero() && hold.bonus.is_zero();
            assert!(
                is_empty || is_kept(hold.lot),
                "lease {} holds a lot that is gone",
                lease.id
            );
            let is_sound = !hold.principal.is_negative() && !hold.bonus.is_negative();
            assert!(is_sound, "lease {} holds less than nothing", lease.id);
        }
    }
}

/// Attempt states follow the table; a reversal may begin and end in one answer.
fn assert_attempt_may_follow(state: &State, attempt: &PaymentAttempt) {
    let Some(before) = state.attempts.get(&attempt.id).map(|before| before.state) else {
        return;
    };
    let (after, reversing) = (attempt.state, AttemptState::Reversing);
    let through_reversing = before.can_become(reversing) && reversing.can_become(after);
    assert!(
        before == after || before.can_become(after) || through_reversing,
        "attempt {} goes from {before:?} to {after:?}",
        attempt.id
    );
}

/// Order states follow the table; paying and crediting may happen in one step. A paid order is
/// credited or has an open case.
fn assert_order_may_follow(state: &State, order: &RechargeOrder, changes: &[Change]) {
    let before = state.orders.get(&order.id).map(|order| order.state);
    if let Some(before) = before {
        let through_paid =
            before.can_become(OrderState::Paid) && OrderState::Paid.can_become(order.state);
        assert!(
            before == order.state || before.can_become(order.state) || through_paid,
            "order {} goes from {before:?} to {:?}",
            order.id,
            order.state
        );
    }
    let is_settled = order.paid.is_some() && order.credit.is_some();
    assert!(
        order.state != OrderState::Credited || is_settled,
        "order {} unsettled",
        order.id
    );
    let paid = order.paid.as_ref();
    assert!(
        order.cash_part.is_none() || paid.is_none_or(|paid| paid.cash_part == order.cash_part),
        "order {} is paid in other parts than it was opened with",
        order.id
    );
    let needs_case = matches!(order.state, OrderState::Paid | OrderState::Abnormal);
    let has_case = changes
        .iter()
        .any(|change| matches!(change, Change::Case(case) if case.order == Some(order.id)));
    assert!(
        !needs_case || has_case || before == Some(order.state),
        "order {} waits without a case",
        order.id
    );
}
