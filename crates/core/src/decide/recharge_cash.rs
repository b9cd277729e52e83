//! `recharge.cash`: a fact. The cash is in the drawer, so nothing here refuses; what breaks a rule
//! is posted with a case.

use crate::account::Account;
use crate::attempt::Channel;
use crate::clock::Timestamp;
use crate::decide::draft::{CaseLinks, Draft};
use crate::decide::members::empty_account;
use crate::decide::permission::{approver, check_shift, check_staff};
use crate::decide::recharge_open::{has_duplicate, is_taken, new_order};
use crate::decide::{Change, Decision, State, settle};
use crate::ids::{OrderId, ShiftId, StaffId};
use crate::ledger::{CaseKind, CashMovement, CashMovementKind, LedgerAccount, Topic};
use crate::money::Money;
use crate::operation::{Operation, RechargeCash};
use crate::policy::{LimitAction, Policy};
use crate::quote::{MOST_PER_ORDER, Quote, bare_price, price};
use crate::recharge::{AmountChoice, PaidFact, RechargeOrder};
use crate::tier;

pub(super) fn decide(
    state: &State,
    operation: &Operation,
    body: &RechargeCash,
    now: Timestamp,
) -> Decision {
    let mut draft = Draft::new(operation, time_of(state, operation, now));
    let rules = state
        .policy(body.open.quote.policy_version)
        .or_else(|| state.policy_at(draft.at))
        .filter(|policy| !policy.tiers.is_empty());
    let (received, policy) = match (received(body), rules) {
        (Some(received), Some(policy))
            if received.is_positive() && !is_taken(state, &body.open) =>
        {
            (received, policy)
        }
        (received, _) => {
            unattributed(
                &mut draft,
                received,
                CaseKind::Unattributed,
                &body.open.order,
            );
            return draft.applied();
        }
    };
    take_cash(&mut draft, Some(body.open.order), received);
    let quote = posted_quote(state, policy, body, received, draft.at);
    look_for_breaches(&mut draft, state, policy, body, &quote, received);
    let order = RechargeOrder {
        approver: approver(policy, operation, body.approval),
        ..new_order(operation, &body.open, quote, draft.at)
    };
    draft.event(Topic::OrderCreated, order.id.0);
    let surplus = received - order.quote.pay;
    let paid = PaidFact {
        channel: Channel::Cash,
        amount: order.quote.pay,
        tendered: Some(body.tendered),
        channel_txn_no: None,
        paid_at: draft.at,
    };
    settle::pay(&mut draft, state, order, paid, drawer(operation));
    settle::suspend(&mut draft, drawer(operation), surplus);
    draft.applied()
}

/// Cash under an action that was used for something else: the money waits in suspense.
pub(super) fn reused_action(
    operation: &Operation,
    body: &RechargeCash,
    now: Timestamp,
) -> Vec<Change> {
    let mut draft = Draft::new(operation, operation.business_time(now));
    unattributed(
        &mut draft,
        received(body),
        CaseKind::ActionReused,
        &body.open.order,
    );
    draft.into_changes()
}

/// The claimed time, bounded by what the device had heard of the server and by its shift.
fn time_of(state: &State, operation: &Operation, now: Timestamp) -> Timestamp {
    let shift = operation.shift.and_then(|id| state.shifts.get(&id));
    let opened_at = shift.map_or(operation.wall_time, |shift| shift.opened_at);
    operation.business_time(now).max(opened_at).min(now)
}

/// What stayed in the drawer; `None` when no drawer holds so much.
fn received(body: &RechargeCash) -> Option<Money> {
    let received = body.tendered.checked_sub(body.change)?;
    (-MOST_PER_ORDER <= received && received <= MOST_PER_ORDER).then_some(received)
}

/// The drawer of the shift; cash taken outside any shift lies in a drawer named by its device.
fn drawer(operation: &Operation) -> LedgerAccount {
    LedgerAccount::Drawer(shift_of(operation))
}

fn shift_of(operation: &Operation) -> ShiftId {
    operation.shift.unwrap_or(ShiftId(operation.device.0))
}

fn take_cash(draft: &mut Draft<'_>, order: Option<OrderId>, amount: Money) {
    if amount.is_zero() {
        return;
    }
    let movement = CashMovement {
        id: draft.row_id(),
        shift: shift_of(draft.operation),
        kind: CashMovementKind::Sale,
        amount,
        order,
        at: draft.at,
    };
    draft.push(Change::Cash(movement));
}

fn unattributed(draft: &mut Draft<'_>, received: Option<Money>, kind: CaseKind, order: &OrderId) {
    let amount = received.unwrap_or(Money::ZERO);
    // The order named may belong to another operation: only the case points to it.
    take_cash(draft, None, amount);
    settle::suspend(draft, drawer(draft.operation), amount);
    let links = CaseLinks {
        order: Some(*order),
        ..CaseLinks::default()
    };
    draft.case(kind, links, amount);
}

/// What the rules give for the cash received. With too little cash for what was chosen, the
/// cash is priced as an amount of its own; cash that no rule prices brings no bonus. With too
/// much, the choice stands and the rest is suspended.
fn posted_quote(
    state: &State,
    policy: &Policy,
    body: &RechargeCash,
    received: Money,
    at: Timestamp,
) -> Quote {
    let open = &body.open;
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
            true,
            recent,
            quoted_at,
        )
        .ok()
    };
    priced(open.choice)
        .filter(|quote| quote.pay <= received)
        .or_else(|| priced(AmountChoice::Amount(received)))
        .unwrap_or_else(|| bare_price(policy, account, received, quoted_at))
}

/// A quote stands for its validity: cash that follows in time is priced as it was shown.
fn time_of_price(policy: &Policy, shown: &Quote, at: Timestamp) -> Timestamp {
    let age = at - shown.quoted_at;
    match 0 <= age.0 && age.0 <= policy.quote_valid.0 {
        true => shown.quoted_at,
        false => at,
    }
}

/// Opens a case for every rule that the fact broke. Its money is posted, so none waits.
fn look_for_breaches(
    draft: &mut Draft<'_>,
    state: &State,
    policy: &Policy,
    body: &RechargeCash,
    quote: &Quote,
    received: Money,
) {
    let (operation, open) = (draft.operation, &body.open);
    let approver = approver(policy, operation, body.approval);
    let breaches = [
        (
            CaseKind::ShiftIrregular,
            check_shift(state, operation).is_err(),
        ),
        (
            CaseKind::StaffIrregular,
            check_staff(policy, operation).is_err()
                || (body.approval.is_some() && approver.is_none()),
        ),
        (
            CaseKind::LimitPassed,
            passes_limit(policy, operation, quote, approver),
        ),
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
            received != quote.pay
                || !keeps_promise(operation, &open.quote, quote)
                || !was_in_force(state, policy, quote),
        ),
    ];
    let links = CaseLinks {
        order: Some(open.order),
        attempt: None,
        member: Some(open.member),
    };
    for (kind, _) in breaches.into_iter().filter(|(_, is_broken)| *is_broken) {
        let waiting = match kind {
            CaseKind::QuoteDiffers => received - quote.pay,
            _ => Money::ZERO,
        };
        draft.case(kind, links, waiting);
    }
}

fn passes_limit(
    policy: &Policy,
    operation: &Operation,
    quote: &Quote,
    approver: Option<StaffId>,
) -> bool {
    let needs_eyes = matches!(
        quote.limit_action(),
        Some(LimitAction::Block | LimitAction::Review)
    );
    // A manager's PIN raises the offline cap (shared sync.md, "Offline top-up").
    let passes_offline_cap =
        operation.offline && quote.pay > policy.offline.cash_per_order && approver.is_none();
    needs_eyes || passes_offline_cap
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
