//! `attempt.start`: a request to ask a gateway for the money of an order.

use crate::attempt::{AttemptState, Channel, PayMethod, PaymentAttempt};
use crate::clock::Timestamp;
use crate::decide::draft::Draft;
use crate::decide::permission::{check_owner, check_shift, check_staff, policy_in_force};
use crate::decide::{Change, Decision, Refusal, RefusalCode, State};
use crate::operation::{AttemptStart, Operation};
use crate::policy::Policy;
use crate::recharge::OrderState;

pub(super) fn decide(
    state: &State,
    operation: &Operation,
    body: &AttemptStart,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let policy = policy_in_force(state, operation, now)?;
    check_staff(policy, operation)?;
    check_shift(state, operation)?;
    let order = state
        .orders
        .get(&body.order)
        .ok_or(RefusalCode::OrderUnknown)?;
    check_owner(operation, order)?;
    if order.state != OrderState::PendingPayment || now >= order.expires_at {
        return Err(RefusalCode::OrderState.into());
    }
    if !is_offered(policy, body) {
        return Err(RefusalCode::ChannelNotOffered.into());
    }
    if body.amount != order.asked() {
        return Err(RefusalCode::AmountDiffers.into());
    }
    if state
        .attempts_of(order.id)
        .iter()
        .any(|attempt| attempt.state.is_open())
    {
        return Err(RefusalCode::AttemptOpen.into());
    }
    if is_taken(state, body) {
        return Err(RefusalCode::NumberTaken.into());
    }
    let mut draft = Draft::new(operation, now);
    draft.push(Change::Attempt(PaymentAttempt {
        id: body.attempt,
        attempt_no: body.attempt_no.clone(),
        order: order.id,
        channel: body.channel,
        method: body.method,
        amount: body.amount,
        state: AttemptState::Init,
        qr_payload: None,
        expires_at: order.expires_at.min(now + policy.qr_valid),
        channel_txn_no: None,
        paid_at: None,
        decline: None,
        config_fault: None,
        money_returned: None,
        cancel_requested: false,
        surplus: Vec::new(),
        started_at: now,
        changed_at: now,
    }));
    Ok(draft.applied())
}

/// Cash and what staff record by hand have operations of their own: no gateway is asked.
fn is_offered(policy: &Policy, body: &AttemptStart) -> bool {
    let asks_gateway = body.channel != Channel::Cash && body.method != PayMethod::Recorded;
    asks_gateway && policy.channels.contains(&body.channel)
}

fn is_taken(state: &State, body: &AttemptStart) -> bool {
    state.attempts.contains_key(&body.attempt)
        || state
            .attempts
            .values()
            .any(|attempt| attempt.attempt_no == body.attempt_no)
}
