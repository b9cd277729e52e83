//! What the server writes about members: registration and balances from an older system.

use crate::account::{Account, Lot};
use crate::clock::Timestamp;
use crate::decide::draft::Draft;
use crate::decide::permission::policy_in_force;
use crate::decide::{Change, Decision, Refusal, RefusalCode, State, settle};
use crate::ids::{MemberId, TierId};
use crate::ledger::{BizType, Book, JournalEntry, LedgerAccount};
use crate::member::{Member, MemberStatus};
use crate::money::Money;
use crate::operation::{MemberRegister, OpeningBalance, Operation};
use crate::quote::MOST_PER_ORDER;
use crate::tier;

/// `member.register`: a member with an empty account in the lowest tier.
pub(super) fn register(
    state: &State,
    operation: &Operation,
    body: &MemberRegister,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let policy = policy_in_force(state, operation, now)?;
    let lowest = tier::reached(&policy.tiers, Money::ZERO).ok_or(RefusalCode::PolicyUnknown)?;
    if state.members.contains_key(&body.member) {
        return Err(RefusalCode::NumberTaken.into());
    }
    let mut draft = Draft::new(operation, now);
    draft.push(Change::Member(Member {
        id: body.member,
        member_no: body.member_no.clone(),
        home_store: body.home_store,
        status: MemberStatus::Active,
        registered_at: body.registered_at.min(now),
    }));
    draft.push(Change::Account(empty_account(body.member, lowest.id)));
    Ok(draft.applied())
}

/// `opening.balance`: lots, growth, points and tier as they were left (期初导入).
pub(super) fn open_balance(
    state: &State,
    operation: &Operation,
    body: &OpeningBalance,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let policy = policy_in_force(state, operation, now)?;
    let before = state
        .accounts
        .get(&body.member)
        .ok_or(RefusalCode::MemberUnknown)?;
    if !is_plausible(body) {
        return Err(RefusalCode::AmountOutOfRange.into());
    }
    if body
        .lots
        .iter()
        .any(|lot| before.lots.iter().any(|held| held.id == lot.id))
    {
        return Err(RefusalCode::NumberTaken.into());
    }
    let mut draft = Draft::new(operation, now);
    let mut account = before.clone();
    for (leg, lot) in (0_u16..).zip(&body.lots) {
        bring_lot(&mut draft, &mut account, lot, leg);
    }
    account.recharged += body.net_recharged;
    settle::earn(&mut draft, &mut account, None, body.growth, body.points);
    settle::change_tier(&mut draft, &mut account, policy, None, body.tier);
    draft.push(Change::Account(account));
    Ok(draft.applied())
}

fn bring_lot(draft: &mut Draft<'_>, account: &mut Account, lot: &Lot, leg: u16) {
    let operation = draft.operation;
    account.principal += lot.principal_left;
    account.bonus += lot.bonus_left;
    account.bonus_granted += lot.bonus_left;
    account.last_seq += 1;
    let principal = LedgerAccount::MemberPrincipal(account.member, lot.id);
    draft.transfer(
        Book::Money,
        LedgerAccount::Opening,
        principal,
        lot.principal_left,
    );
    let bonus = LedgerAccount::MemberBonus(account.member, lot.id);
    let granted = LedgerAccount::BonusGranted(operation.store);
    draft.transfer(Book::Bonus, granted, bonus, lot.bonus_left);
    let entry = JournalEntry {
        id: draft.row_id(),
        member: account.member,
        seq: account.last_seq,
        biz: BizType::Opening,
        // An import may be repeated for what it missed: the operation is the business event.
        biz_id: operation.op_id.0,
        leg,
        lot: lot.id,
        d_principal: lot.principal_left,
        d_bonus: lot.bonus_left,
        principal_after: account.principal,
        bonus_after: account.bonus,
        store: operation.store,
        shift: None,
        operator: None,
        at: draft.at,
    };
    draft.push(Change::Journal(entry));
    if lot.principal_left.is_positive() || lot.bonus_left.is_positive() {
        account.add_lot(Lot {
            order: None,
            ..lot.clone()
        });
    }
}

fn is_plausible(body: &OpeningBalance) -> bool {
    let is_within =
        |left: Money, init: Money| !left.is_negative() && left <= init && init <= MOST_PER_ORDER;
    let lots = &body.lots;
    let is_unique =
        |(index, lot): (usize, &Lot)| lots[..index].iter().all(|other| other.id != lot.id);
    lots.len() <= usize::from(u16::MAX / 4)
        && lots
            .iter()
            .all(|lot| is_within(lot.principal_left, lot.principal_init))
        && lots
            .iter()
            .all(|lot| is_within(lot.bonus_left, lot.bonus_init))
        && lots.iter().enumerate().all(is_unique)
        && !body.net_recharged.is_negative()
        && body.growth >= 0
        && body.points >= 0
}

/// An account before its first entry.
pub(crate) fn empty_account(member: MemberId, tier: TierId) -> Account {
    Account {
        member,
        principal: Money::ZERO,
        bonus: Money::ZERO,
        frozen_principal: Money::ZERO,
        frozen_bonus: Money::ZERO,
        debt: Money::ZERO,
        recharged: Money::ZERO,
        refunded: Money::ZERO,
        bonus_granted: Money::ZERO,
        growth: 0,
        points: 0,
        points_debt: 0,
        tier,
        tier_valid_until: None,
        last_seq: 0,
        lots: Vec::new(),
    }
}
