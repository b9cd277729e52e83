//! `recharge.recorded`: a fact. The bank has the money and its reference was keyed in, so nothing
//! here refuses. What a person must look at first is posted and waits with its credit (docs: domain
//! §3.8, "if money arrived first").

use crate::clock::Timestamp;
use crate::decide::draft::{CaseLinks, Draft};
use crate::decide::recharge_open::new_order;
use crate::decide::recharge_taken::{Taken, believable, needs_eyes, time_of};
use crate::decide::{Change, Decision, State, settle};
use crate::ledger::{CaseKind, LedgerAccount, Topic};
use crate::money::Money;
use crate::operation::{Operation, RechargeRecorded};
use crate::policy::Policy;
use crate::quote::Quote;
use crate::recharge::{PaidFact, RechargeOrder};

/// Without the server only cash is taken; a manager's PIN raises that (docs: sync, "Offline
/// top-up").
const OFFLINE_CAP: Money = Money::ZERO;

pub(super) fn decide(
    state: &State,
    operation: &Operation,
    body: &RechargeRecorded,
    now: Timestamp,
) -> Decision {
    let mut draft = Draft::new(operation, time_of(state, operation, now));
    let taken = Taken {
        open: &body.open,
        received: received(body),
        cash: false,
        approval: body.approval,
    };
    let Some(policy) = taken.rules(state, draft.at) else {
        unattributed(&mut draft, body, CaseKind::Unattributed);
        return draft.applied();
    };
    let quote = taken.posted_quote(state, policy, draft.at);
    let waits_for = waits_for(state, policy, body, &quote, &draft);
    taken.tell_breaches(&mut draft, state, policy, &quote, OFFLINE_CAP, waits_for);
    let order = RechargeOrder {
        approver: taken.approver(policy, operation),
        ..new_order(operation, &body.open, quote, draft.at)
    };
    draft.event(Topic::OrderCreated, order.id.0);
    let surplus = taken.received - order.quote.pay;
    let paid = PaidFact {
        channel: body.method.channel(),
        amount: order.quote.pay,
        tendered: None,
        channel_txn_no: Some(body.reference.as_str().to_owned()),
        paid_at: draft.at,
    };
    match waits_for {
        Some(kind) => settle::pay_and_wait(&mut draft, order, paid, clearing(body), kind),
        None => settle::pay(&mut draft, state, order, paid, clearing(body)),
    }
    settle::suspend(&mut draft, clearing(body), surplus);
    draft.applied()
}

/// A payment under an action that was used for something else: the money waits in suspense.
pub(super) fn reused_action(
    operation: &Operation,
    body: &RechargeRecorded,
    now: Timestamp,
) -> Vec<Change> {
    let mut draft = Draft::new(operation, operation.business_time(now));
    unattributed(&mut draft, body, CaseKind::ActionReused);
    draft.into_changes()
}

/// What a person must decide before the member may spend the money.
fn waits_for(
    state: &State,
    policy: &Policy,
    body: &RechargeRecorded,
    quote: &Quote,
    draft: &Draft<'_>,
) -> Option<CaseKind> {
    let store = draft.operation.store;
    let cut_off = policy.store.cut_off_minutes;
    let holder = state.holder_of(body.method, &body.reference, store, draft.at, cut_off);
    let is_vouched_for = body.reference_confirmed && body.method.may_repeat();
    if holder.is_some() && !is_vouched_for {
        return Some(CaseKind::ReferenceUsed);
    }
    needs_eyes(quote).then_some(CaseKind::LimitPassed)
}

fn received(body: &RechargeRecorded) -> Money {
    believable(body.open.quote.pay).unwrap_or(Money::ZERO)
}

/// The money is on its way from the bank until its statement says otherwise.
fn clearing(body: &RechargeRecorded) -> LedgerAccount {
    settle::clearing(body.method.channel())
}

fn unattributed(draft: &mut Draft<'_>, body: &RechargeRecorded, kind: CaseKind) {
    let amount = received(body);
    settle::suspend(draft, clearing(body), amount);
    let links = CaseLinks {
        order: Some(body.open.order),
        ..CaseLinks::default()
    };
    draft.case(kind, links, amount);
}
