//! `spend.offline`: a fact. The service is given, so nothing here refuses. What the terminal's
//! leases hold is drawn from them; the rest from what is available; what is not there either becomes
//! the member's debt, never a negative lot (docs: sync, "Offline spending: leases").

use std::collections::BTreeMap;

use crate::account::{Account, Draw, draw};
use crate::clock::Timestamp;
use crate::decide::draft::{CaseLinks, Draft};
use crate::decide::permission::{approver, check_shift, check_staff, policy_in_force};
use crate::decide::recharge_taken::time_of;
use crate::decide::settle;
use crate::decide::{Change, Decision, State};
use crate::ids::{DeviceId, LeaseId, LotId};
use crate::lease::{Lease, LeaseState, free_lots};
use crate::ledger::{BizType, Book, CaseKind, JournalEntry, LedgerAccount, Topic};
use crate::member::MemberStatus;
use crate::money::Money;
use crate::operation::{LeaseDraw, Operation, SpendOffline};
use crate::policy::Policy;
use crate::risk_floor::{FloorUse, SpentBeyond};

pub(super) fn decide(
    state: &State,
    operation: &Operation,
    body: &SpendOffline,
    now: Timestamp,
) -> Decision {
    let mut draft = Draft::new(operation, time_of(state, operation, now));
    let beyond = SpentBeyond::of(operation, now);
    if let Some(beyond) = beyond {
        draft.push(Change::SpentBeyond(beyond));
    }
    let member = state.members.get(&body.member);
    let account = state.accounts.get(&body.member);
    let Some((member, before)) = member.zip(account).filter(|_| body.is_whole()) else {
        unattributed(&mut draft, body, CaseKind::Unattributed);
        return draft.applied();
    };
    let mut purse = Purse::of(state, before);
    let mut unfounded = Money::ZERO;
    let mut owed = body.beyond_leases();
    for claim in &body.draws {
        let drawn = purse.draw_on_lease(operation.device, claim);
        unfounded += drawn.unfounded;
        owed += claim.amount - drawn.from_lease;
    }
    let debt = owed - purse.draw_available(owed);
    let broken = [
        (CaseKind::LeaseExceeded, unfounded.is_positive()),
        (CaseKind::Overdrawn, debt.is_positive()),
        (
            CaseKind::LimitPassed,
            body.beyond_leases().is_positive()
                && !is_approved(state, operation, body, &draft)
                && !is_within_floor(state, operation, beyond.as_ref(), &draft),
        ),
        (
            CaseKind::MemberInactive,
            member.status != MemberStatus::Active,
        ),
        (
            CaseKind::ShiftIrregular,
            check_shift(state, operation).is_err(),
        ),
        (
            CaseKind::StaffIrregular,
            !is_by_staff(state, operation, &draft),
        ),
    ];
    purse.settle(&mut draft, before, debt);
    let links = CaseLinks {
        member: Some(body.member),
        ..CaseLinks::default()
    };
    for (kind, _) in broken.into_iter().filter(|(_, is_broken)| *is_broken) {
        draft.case(kind, links, Money::ZERO);
    }
    draft.applied()
}

/// A payment under an action that was used for something else: nobody knows whose money it was.
pub(super) fn reused_action(
    operation: &Operation,
    body: &SpendOffline,
    now: Timestamp,
) -> Vec<Change> {
    let mut draft = Draft::new(operation, operation.business_time(now));
    unattributed(&mut draft, body, CaseKind::ActionReused);
    draft.into_changes()
}

/// The service was given: it is earned, and who pays for it is for a person to find.
fn unattributed(draft: &mut Draft<'_>, body: &SpendOffline, kind: CaseKind) {
    let amount = match body.is_whole() {
        true => body.amount,
        false => Money::ZERO,
    };
    let revenue = LedgerAccount::Revenue(draft.operation.store);
    settle::suspend(draft, revenue, -amount);
    let links = CaseLinks {
        member: Some(body.member),
        ..CaseLinks::default()
    };
    draft.case(kind, links, -amount);
}

/// Beyond the leases a manager's PIN lets it pass (docs: sync, "Offline spending: leases").
fn is_approved(
    state: &State,
    operation: &Operation,
    body: &SpendOffline,
    draft: &Draft<'_>,
) -> bool {
    let policy = policy_in_force(state, operation, draft.at);
    policy.is_ok_and(|policy| approver(policy, operation, body.approval).is_some())
}

/// What nobody approved stays within the floor of the rules that the terminal had. What it had been
/// told of overdrafts is not known here; those have cases of their own.
fn is_within_floor(
    state: &State,
    operation: &Operation,
    beyond: Option<&SpentBeyond>,
    draft: &Draft<'_>,
) -> bool {
    let (Some(beyond), Some(policy)) = (beyond, rules_it_had(state, operation, draft)) else {
        return false;
    };
    let cut_off = policy.store.cut_off_minutes;
    let used = FloorUse::beside(beyond, &state.spent_beyond, cut_off);
    let room = policy.offline.risk_floor.room(&used);
    room.refuses(beyond.amount).is_none()
}

/// The rules that the terminal says it went by, where the store had them.
fn rules_it_had<'a>(
    state: &'a State,
    operation: &Operation,
    draft: &Draft<'_>,
) -> Option<&'a Policy> {
    let named = operation
        .staff
        .and_then(|proof| state.policy(proof.policy_version));
    let named = named.filter(|policy| policy.store.id == operation.store);
    named.or_else(|| policy_in_force(state, operation, draft.at).ok())
}

fn is_by_staff(state: &State, operation: &Operation, draft: &Draft<'_>) -> bool {
    let policy = policy_in_force(state, operation, draft.at);
    policy.is_ok_and(|policy| check_staff(policy, operation).is_ok())
}

/// A member's stored value while a payment is taken from it.
struct Purse {
    account: Account,
    /// Every open lease of the member.
    leases: BTreeMap<LeaseId, Lease>,
    changed: Vec<LeaseId>,
    taken: BTreeMap<LotId, (Money, Money)>,
}

/// What came of drawing on a lease.
struct Drawn {
    /// Taken from what the lease held.
    from_lease: Money,
    /// What was claimed of it and never was in it.
    unfounded: Money,
}

impl Purse {
    fn of(state: &State, account: &Account) -> Purse {
        // Whether one that is over is still at hand depends on what was decided along with this, and
        // what is written must not.
        let is_open = |lease: &&Lease| matches!(lease.state, LeaseState::Held | LeaseState::Lost);
        let leases = state.leases_of(account.member).filter(is_open);
        Purse {
            account: account.clone(),
            leases: leases.map(|lease| (lease.id, lease.clone())).collect(),
            changed: Vec::new(),
            taken: BTreeMap::new(),
        }
    }

    /// Takes what the lease holds for this terminal. Of a lost lease the money went back to the
    /// member: the terminal drew on it in good faith, and what is available pays.
    fn draw_on_lease(&mut self, device: DeviceId, claim: &LeaseDraw) -> Drawn {
        let lease = self.leases.get_mut(&claim.lease);
        let Some(lease) = lease.filter(|lease| lease.device == device) else {
            return Drawn {
                from_lease: Money::ZERO,
                unfounded: claim.amount,
            };
        };
        let covered = claim.amount.min(lease.left());
        let unfounded = claim.amount - covered;
        self.changed.push(claim.lease);
        if lease.state != LeaseState::Held {
            lease.turned_up(covered);
            return Drawn {
                from_lease: Money::ZERO,
                unfounded,
            };
        }
        let draws = draw(&lease.share_of(&self.account.lots), covered, true)
            .expect("an open lease holds lots of its account");
        lease.take(&draws);
        for draw in &draws {
            self.account.frozen_principal -= draw.principal;
            self.account.frozen_bonus -= draw.bonus;
        }
        self.take(&draws);
        Drawn {
            from_lease: covered,
            unfounded,
        }
    }

    /// Takes up to `amount` of what no lease holds; how much that was.
    fn draw_available(&mut self, amount: Money) -> Money {
        let free = free_lots(&self.account, self.leases.values());
        let available: Money = free
            .iter()
            .map(|lot| lot.principal_left + lot.bonus_left)
            .sum();
        let covered = amount.min(available);
        let draws = draw(&free, covered, true).expect("no more is drawn than is there");
        self.take(&draws);
        covered
    }

    fn take(&mut self, draws: &[Draw]) {
        for draw in draws {
            for lot in &mut self.account.lots {
                if lot.id == draw.lot {
                    lot.principal_left -= draw.principal;
                    lot.bonus_left -= draw.bonus;
                }
            }
            let taken = self.taken.entry(draw.lot).or_default();
            taken.0 += draw.principal;
            taken.1 += draw.bonus;
        }
    }

    /// Writes what was taken from each lot, and what is owed.
    fn settle(mut self, draft: &mut Draft<'_>, before: &Account, debt: Money) {
        let operation = draft.operation;
        let (member, store) = (before.member, operation.store);
        let revenue = LedgerAccount::Revenue(store);
        for (leg, (lot, (principal, bonus))) in (0_u16..).zip(self.taken) {
            let account = &mut self.account;
            account.principal -= principal;
            account.bonus -= bonus;
            account.last_seq += 1;
            let owed = LedgerAccount::MemberPrincipal(member, lot);
            draft.transfer(Book::Money, owed, revenue, principal);
            let promised = LedgerAccount::MemberBonus(member, lot);
            let granted = LedgerAccount::BonusGranted(store);
            draft.transfer(Book::Bonus, promised, granted, bonus);
            let entry = JournalEntry {
                id: draft.row_id(),
                member,
                seq: account.last_seq,
                biz: BizType::Consume,
                biz_id: operation.op_id.0,
                leg,
                lot,
                d_principal: -principal,
                d_bonus: -bonus,
                principal_after: account.principal,
                bonus_after: account.bonus,
                store,
                shift: operation.shift,
                operator: operation.staff.map(|proof| proof.staff),
                at: draft.at,
            };
            draft.push(Change::Journal(entry));
        }
        let debt_account = LedgerAccount::MemberDebt(member);
        draft.transfer(Book::Money, debt_account, revenue, debt);
        self.account.debt += debt;
        let has_left = |lot: &crate::account::Lot| {
            lot.principal_left.is_positive() || lot.bonus_left.is_positive()
        };
        self.account.lots.retain(has_left);
        for id in &self.changed {
            if let Some(lease) = self.leases.remove(id) {
                draft.push(Change::Lease(lease));
            }
        }
        draft.push(Change::Account(self.account));
        draft.event(Topic::ConsumptionSettled, operation.op_id.0);
    }
}
