//! What facts of money taken at the counter have in common. The money is there, so nothing here
//! refuses: it is priced by the rules that it was taken under, and what breaks a rule is told.

use crate::account::Account;
use crate::clock::Timestamp;
use crate::decide::State;
use crate::decide::draft::{CaseLinks, Draft};
use crate::decide::members::empty_account;
use crate::decide::permission::{approver, check_shift, check_staff};
use crate::decide::recharge_open::{has_duplicate, is_taken};
use crate::ids::StaffId;
use crate::ledger::CaseKind;
use crate::money::Money;
use crate::operation::{Operation, RechargeOpen, StaffProof};
use crate::policy::{LimitAction, Policy};
use crate::quote::{CashShare, MOST_PER_ORDER, Quote, bare_price, price};
use crate::recharge::AmountChoice;
use crate::tier;

/// Money taken for a top-up.
#[derive(Clone, Copy)]
pub(super) struct Taken<'a> {
    /// What was promised for it.
    pub(super) open: &'a RechargeOpen,
    /// What the shop has of it.
    pub(super) received: Money,
    /// What of it is cash.
    pub(super) cash: CashShare,
    /// Who let it pass the cap on what is taken without the server.
    pub(super) approval: Option<StaffProof>,
}

impl<'a> Taken<'a> {
    /// The rules to price it by; `None` when it cannot be an order, and only its money is known.
    pub(super) fn rules(self, state: &State, at: Timestamp) -> Option<&Policy> {
        let rules = state
            .policy(self.open.quote.policy_version)
            .or_else(|| state.policy_at(at))
            .filter(|policy| !policy.tiers.is_empty())?;
        (self.received.is_positive() && !is_taken(state, self.open)).then_some(rules)
    }

    /// What the rules give for it. With too little money for what was chosen, the money is priced
    /// as an amount of its own; money that no rule prices brings no bonus. With too much, the
    /// choice stands and the rest is suspended.
    pub(super) fn posted_quote(self, state: &State, policy: &Policy, at: Timestamp) -> Quote {
        let open = self.open;
        let stranger;
        let account: &Account = match state.accounts.get(&open.member) {
            Some(account) => account,
            None => {
                let lowest = tier::reached(&policy.tiers, Money::ZERO).unwrap_or(&policy.tiers[0]);
                stranger = empty_account(open.member, lowest.id);
                &stranger
            }
        };
        let registered_at = state
            .members
            .get(&open.member)
            .map_or(at, |member| member.registered_at);
        let quoted_at = time_of_price(policy, &open.quote, at);
        let priced = |choice| {
            let recent = &state.recent_orders;
            price(
                policy,
                account,
                registered_at,
                choice,
                self.cash,
                recent,
                quoted_at,
            )
            .ok()
        };
        priced(open.choice)
            .filter(|quote| quote.pay <= self.received)
            .or_else(|| priced(AmountChoice::Amount(self.received)))
            .unwrap_or_else(|| bare_price(policy, account, self.received, quoted_at))
    }

    /// Who approved it, when that person may.
    pub(super) fn approver(self, policy: &Policy, operation: &Operation) -> Option<StaffId> {
        approver(policy, operation, self.approval)
    }

    /// Opens a case for every rule that the fact broke, except one that is told with the money
    /// that waits for it. `offline_cap` is the most that one order may bring without the server.
    pub(super) fn tell_breaches(
        self,
        draft: &mut Draft<'_>,
        state: &State,
        policy: &Policy,
        quote: &Quote,
        offline_cap: Money,
        waits_for: Option<CaseKind>,
    ) {
        let (operation, open) = (draft.operation, self.open);
        let approver = self.approver(policy, operation);
        // A manager's PIN raises the offline cap (shared sync.md, "Offline top-up").
        let passes_cap = operation.offline && quote.pay > offline_cap && approver.is_none();
        let is_irregular = check_staff(policy, operation).is_err();
        let breaches = [
            (
                CaseKind::ShiftIrregular,
                check_shift(state, operation).is_err(),
            ),
            (
                CaseKind::StaffIrregular,
                is_irregular || (self.approval.is_some() && approver.is_none()),
            ),
            (CaseKind::LimitPassed, needs_eyes(quote) || passes_cap),
            (
                CaseKind::DuplicateSuspected,
                !open.duplicate_confirmed
                    && has_duplicate(
                        &state.recent_orders,
                        open.order,
                        open.member,
                        quote.pay,
                        draft.at,
                    ),
            ),
            (
                CaseKind::QuoteDiffers,
                self.received != quote.pay
                    || !keeps_promise(operation, &open.quote, quote)
                    || !was_in_force(state, policy, quote),
            ),
        ];
        let links = CaseLinks {
            order: Some(open.order),
            attempt: None,
            member: Some(open.member),
        };
        let broken = breaches.into_iter().filter(|(_, is_broken)| *is_broken);
        for (kind, _) in broken.filter(|(kind, _)| Some(*kind) != waits_for) {
            let waiting = match kind {
                CaseKind::QuoteDiffers => self.received - quote.pay,
                _ => Money::ZERO,
            };
            draft.case(kind, links, waiting);
        }
    }
}

/// The claimed time, bounded by what the device had heard of the server and by its shift.
pub(super) fn time_of(state: &State, operation: &Operation, now: Timestamp) -> Timestamp {
    let shift = operation.shift.and_then(|id| state.shifts.get(&id));
    let opened_at = shift.map_or(operation.wall_time, |shift| shift.opened_at);
    operation.business_time(now).max(opened_at).min(now)
}

/// An amount that a counter can have taken or given back.
pub(super) fn believable(amount: Money) -> Option<Money> {
    (-MOST_PER_ORDER <= amount && amount <= MOST_PER_ORDER).then_some(amount)
}

/// Whether a limit asks for a second pair of eyes.
pub(super) fn needs_eyes(quote: &Quote) -> bool {
    matches!(
        quote.limit_action(),
        Some(LimitAction::Block | LimitAction::Review)
    )
}

/// A quote stands for its validity: money that follows in time is priced as it was shown.
fn time_of_price(policy: &Policy, shown: &Quote, at: Timestamp) -> Timestamp {
    let age = at - shown.quoted_at;
    match 0 <= age.0 && age.0 <= policy.quote_valid.0 {
        true => shown.quoted_at,
        false => at,
    }
}

/// A terminal that had not heard of newer rules promised by older ones. The customer keeps what was
/// promised, and somebody looks at the difference.
fn was_in_force(state: &State, policy: &Policy, quote: &Quote) -> bool {
    let in_force = state.policy_at(quote.quoted_at);
    in_force.is_some_and(|rules| rules.version == policy.version)
}

/// Offline, points and tier are shown as provisional and may come out otherwise.
fn keeps_promise(operation: &Operation, shown: &Quote, posted: &Quote) -> bool {
    match operation.offline {
        true => shown.promises_same_money(posted),
        false => shown.promises_same(posted),
    }
}
