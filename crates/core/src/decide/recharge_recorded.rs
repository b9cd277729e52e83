//! `recharge.recorded`: a fact. The bank has the money and its reference was keyed in; of a split a
//! part lies in the drawer. So nothing here refuses. What a person must look at first is posted and
//! waits with its credit, both parts of a split together (docs: domain §3.8, "if money arrived
//! first").

use crate::clock::Timestamp;
use crate::decide::draft::{CaseLinks, Draft};
use crate::decide::recharge_cash::{drawer, shift_of, take_cash};
use crate::decide::recharge_open::new_order;
use crate::decide::recharge_taken::{Taken, believable, needs_eyes, time_of};
use crate::decide::settle::{self, Source};
use crate::decide::{Change, Decision, State};
use crate::ledger::{CaseKind, Topic};
use crate::money::Money;
use crate::operation::{Operation, RechargeRecorded};
use crate::policy::Policy;
use crate::quote::{CashShare, Quote};
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
    let parts = Parts::of(body);
    let taken = Taken {
        open: &body.open,
        received: parts.whole(),
        cash: CashShare::of_part(body.cash_part),
        approval: body.approval,
    };
    let Some(policy) = taken.rules(state, draft.at) else {
        unattributed(&mut draft, body, CaseKind::Unattributed);
        return draft.applied();
    };
    take_cash(
        &mut draft,
        shift_of(operation),
        Some(body.open.order),
        parts.cash,
    );
    let quote = taken.posted_quote(state, policy, draft.at);
    let waits_for = waits_for(state, policy, body, &quote, &draft);
    taken.tell_breaches(&mut draft, state, policy, &quote, OFFLINE_CAP, waits_for);
    let order = RechargeOrder {
        approver: taken.approver(policy, operation),
        ..new_order(operation, &body.open, quote, draft.at)
    };
    draft.event(Topic::OrderCreated, order.id.0);
    let (parts, surplus) = parts.split_at(order.quote.pay);
    let paid = PaidFact {
        channel: body.method.channel(),
        amount: order.quote.pay,
        cash_part: parts.cash.is_positive().then_some(parts.cash),
        tendered: None,
        channel_txn_no: Some(body.reference.as_str().to_owned()),
        paid_at: draft.at,
    };
    let sources = parts.sources(operation, body);
    match waits_for {
        Some(kind) => settle::pay_and_wait(&mut draft, order, paid, &sources, kind),
        None => settle::pay(&mut draft, state, order, paid, &sources),
    }
    suspend(&mut draft, body, surplus);
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

/// Where the money of a payment lies.
#[derive(Clone, Copy)]
struct Parts {
    /// In the drawer.
    cash: Money,
    /// On its way from the bank until its statement says otherwise.
    bank: Money,
}

impl Parts {
    /// What was taken. Nobody can have put more into the drawer than was paid in all.
    fn of(body: &RechargeRecorded) -> Parts {
        let whole = believable(body.open.quote.pay).unwrap_or(Money::ZERO);
        let cash = body.cash_part.unwrap_or(Money::ZERO);
        let cash = cash.clamp(Money::ZERO, whole.max(Money::ZERO));
        Parts {
            cash,
            bank: whole - cash,
        }
    }

    fn whole(self) -> Money {
        self.cash + self.bank
    }

    /// What pays an order of `pay`, and what is beyond it, which is the bank's as far as it goes.
    fn split_at(self, pay: Money) -> (Parts, Parts) {
        let cash = self.cash.min(pay);
        let bank = pay - cash;
        let beyond = Parts {
            cash: self.cash - cash,
            bank: self.bank - bank,
        };
        (Parts { cash, bank }, beyond)
    }

    fn sources(self, operation: &Operation, body: &RechargeRecorded) -> [Source; 2] {
        [
            (drawer(operation), self.cash),
            (settle::clearing(body.method.channel()), self.bank),
        ]
    }
}

fn suspend(draft: &mut Draft<'_>, body: &RechargeRecorded, parts: Parts) {
    for (source, amount) in parts.sources(draft.operation, body) {
        settle::suspend(draft, source, amount);
    }
}

fn unattributed(draft: &mut Draft<'_>, body: &RechargeRecorded, kind: CaseKind) {
    let parts = Parts::of(body);
    // The order named may belong to another operation: only the case points to it.
    take_cash(draft, shift_of(draft.operation), None, parts.cash);
    suspend(draft, body, parts);
    let links = CaseLinks {
        order: Some(body.open.order),
        ..CaseLinks::default()
    };
    draft.case(kind, links, parts.whole());
}
