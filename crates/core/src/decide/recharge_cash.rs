//! `recharge.cash`: a fact. The cash is in the drawer, so nothing here refuses; what breaks a rule
//! is posted with a case.

use crate::attempt::Channel;
use crate::clock::Timestamp;
use crate::decide::draft::{CaseLinks, Draft};
use crate::decide::recharge_open::new_order;
use crate::decide::recharge_taken::{Taken, believable, time_of};
use crate::decide::{Change, Decision, State, settle};
use crate::ids::{OrderId, ShiftId};
use crate::ledger::{CaseKind, CashMovement, CashMovementKind, LedgerAccount, Topic};
use crate::money::Money;
use crate::operation::{Operation, RechargeCash};
use crate::quote::CashShare;
use crate::recharge::{PaidFact, RechargeOrder};

pub(super) fn decide(
    state: &State,
    operation: &Operation,
    body: &RechargeCash,
    now: Timestamp,
) -> Decision {
    let mut draft = Draft::new(operation, time_of(state, operation, now));
    let received = received(body);
    let taken = Taken {
        open: &body.open,
        received: received.unwrap_or(Money::ZERO),
        cash: CashShare::Whole,
        approval: body.approval,
    };
    let Some(policy) = taken.rules(state, draft.at) else {
        unattributed(
            &mut draft,
            received,
            CaseKind::Unattributed,
            &body.open.order,
        );
        return draft.applied();
    };
    let received = taken.received;
    take_cash(
        &mut draft,
        shift_of(operation),
        Some(body.open.order),
        received,
    );
    let quote = taken.posted_quote(state, policy, draft.at);
    let cap = policy.offline.cash_per_order;
    taken.tell_breaches(&mut draft, state, policy, &quote, cap, None);
    let order = RechargeOrder {
        approver: taken.approver(policy, operation),
        ..new_order(operation, &body.open, quote, draft.at)
    };
    draft.event(Topic::OrderCreated, order.id.0);
    let surplus = received - order.quote.pay;
    let paid = PaidFact {
        channel: Channel::Cash,
        amount: order.quote.pay,
        cash_part: None,
        tendered: Some(body.tendered),
        channel_txn_no: None,
        paid_at: draft.at,
    };
    let sources = [(drawer(operation), paid.amount)];
    settle::pay(&mut draft, state, order, paid, &sources);
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

/// What stayed in the drawer; `None` when no drawer holds so much.
fn received(body: &RechargeCash) -> Option<Money> {
    believable(body.tendered.checked_sub(body.change)?)
}

/// The drawer of the shift; cash taken outside any shift lies in a drawer named by its device.
pub(super) fn drawer(operation: &Operation) -> LedgerAccount {
    LedgerAccount::Drawer(shift_of(operation))
}

/// The shift that takes cash; without one, what stands for it.
pub(super) fn shift_of(operation: &Operation) -> ShiftId {
    operation.shift.unwrap_or(ShiftId(operation.device.0))
}

/// Writes down what came into the drawer of `shift`.
pub(super) fn take_cash(
    draft: &mut Draft<'_>,
    shift: ShiftId,
    order: Option<OrderId>,
    amount: Money,
) {
    if amount.is_zero() {
        return;
    }
    let movement = CashMovement {
        id: draft.row_id(),
        shift,
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
    take_cash(draft, shift_of(draft.operation), None, amount);
    settle::suspend(draft, drawer(draft.operation), amount);
    let links = CaseLinks {
        order: Some(*order),
        ..CaseLinks::default()
    };
    draft.case(kind, links, amount);
}
