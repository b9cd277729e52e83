//! How an unpaid order ends: by the cashier, by expiry, or by the gateway's last word.

use crate::attempt::{AttemptState, PaymentAttempt};
use crate::clock::Timestamp;
use crate::decide::draft::{Draft, unchanged};
use crate::decide::permission::{check_owner, check_staff, policy_in_force};
use crate::decide::{Change, Decision, Refusal, RefusalCode, State};
use crate::ids::OrderId;
use crate::operation::Operation;
use crate::recharge::{OrderState, RechargeOrder};

/// `recharge.cancel`: at once when nothing can be paid any more, otherwise once the gateway has
/// confirmed that nothing was.
pub(super) fn cancel(
    state: &State,
    operation: &Operation,
    order: OrderId,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    check_staff(policy_in_force(state, operation, now)?, operation)?;
    let order = state.orders.get(&order).ok_or(RefusalCode::OrderUnknown)?;
    check_owner(operation, order)?;
    match order.state {
        OrderState::Cancelled => return Ok(unchanged()),
        state if state.can_become(OrderState::Cancelled) => {}
        _ => return Err(RefusalCode::OrderState.into()),
    }
    let mut draft = Draft::new(operation, now);
    let attempts = state.attempts_of(order.id);
    let mut open = attempts
        .into_iter()
        .filter(|attempt| attempt.state.is_open())
        .peekable();
    if open.peek().is_none() {
        draft.push(Change::Order(ended(order, OrderState::Cancelled, now)));
    }
    for attempt in open.filter(|attempt| !attempt.cancel_requested) {
        let mut attempt = attempt.clone();
        attempt.cancel_requested = true;
        attempt.changed_at = now;
        draft.push(Change::Attempt(attempt));
    }
    Ok(draft.applied())
}

/// `order.expire`: nobody paid in time, or no reviewer came.
pub(super) fn expire(
    state: &State,
    operation: &Operation,
    order: OrderId,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let order = state.orders.get(&order).ok_or(RefusalCode::OrderUnknown)?;
    let end = match order.state {
        OrderState::PendingPayment => OrderState::Closed,
        OrderState::PendingReview => OrderState::Rejected,
        OrderState::Closed | OrderState::Rejected => return Ok(unchanged()),
        _ => return Err(RefusalCode::OrderState.into()),
    };
    if now < order.expires_at {
        return Err(RefusalCode::OrderState.into());
    }
    if state
        .attempts_of(order.id)
        .iter()
        .any(|attempt| attempt.state.is_open())
    {
        return Err(RefusalCode::AttemptOpen.into());
    }
    let mut draft = Draft::new(operation, now);
    draft.push(Change::Order(ended(order, end, now)));
    Ok(draft.applied())
}

/// The order after its open attempt ended unpaid; `None` while the cashier may choose another
/// method.
pub(super) fn after_unpaid_attempt(
    order: &RechargeOrder,
    attempt: &PaymentAttempt,
    now: Timestamp,
) -> Option<RechargeOrder> {
    if order.state != OrderState::PendingPayment {
        return None;
    }
    if attempt.cancel_requested {
        return Some(ended(order, OrderState::Cancelled, now));
    }
    let is_confirmed = matches!(attempt.state, AttemptState::Closed | AttemptState::Reversed);
    let is_over = is_confirmed && now >= order.expires_at;
    is_over.then(|| ended(order, OrderState::Closed, now))
}

fn ended(order: &RechargeOrder, state: OrderState, now: Timestamp) -> RechargeOrder {
    RechargeOrder {
        state,
        changed_at: now,
        ..order.clone()
    }
}
