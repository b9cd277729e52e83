//! `recharge.open`: a request for an order that waits for payment.

use crate::clock::{Millis, Timestamp};
use crate::decide::draft::Draft;
use crate::decide::permission::{check_shift, check_staff, policy_in_force};
use crate::decide::{Change, Decision, RecentOrder, Refusal, RefusalCode, State};
use crate::ids::{MemberId, OrderId, ShiftId, StaffId};
use crate::ledger::Topic;
use crate::member::{Member, MemberStatus};
use crate::money::Money;
use crate::operation::{MOST_CLOCK_SKEW, Operation, RechargeOpen};
use crate::policy::{LimitAction, Policy};
use crate::quote::{CashShare, Quote, price};
use crate::recharge::{OrderState, RechargeOrder};

/// Equal orders closer than this are taken for a slip of the hand (docs: domain §3.9).
const DUPLICATE_WINDOW: Millis = Millis::seconds(120);

/// How long an order waits for a reviewer (docs: domain §3.8).
const REVIEW_VALID: Millis = Millis::hours(24);

pub(super) fn decide(
    state: &State,
    operation: &Operation,
    body: &RechargeOpen,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let in_force = policy_in_force(state, operation, now)?;
    check_staff(in_force, operation)?;
    check_shift(state, operation)?;
    let member = active_member(state, body.member)?;
    if is_taken(state, body) {
        return Err(RefusalCode::NumberTaken.into());
    }
    let quote = standing_quote(state, in_force, member, body, now)?;
    let is_part = |part: Money| part.is_positive() && part < quote.pay;
    if !body.cash_part.is_none_or(is_part) {
        return Err(RefusalCode::AmountOutOfRange.into());
    }
    let action = quote.limit_action();
    if action == Some(LimitAction::Block) {
        return Err(Refusal::with_quote(RefusalCode::LimitBlocked, quote));
    }
    let is_repeat = has_duplicate(
        &state.recent_orders,
        body.order,
        body.member,
        quote.pay,
        now,
    );
    if is_repeat && !body.duplicate_confirmed {
        return Err(RefusalCode::DuplicateSuspected.into());
    }
    let (order_state, valid) = match action {
        Some(LimitAction::Review) => (OrderState::PendingReview, REVIEW_VALID),
        _ => (OrderState::PendingPayment, in_force.order_valid),
    };
    let mut order = new_order(operation, body, quote, now);
    order.cash_part = body.cash_part;
    order.state = order_state;
    order.expires_at = now + valid;
    let mut draft = Draft::new(operation, now);
    draft.event(Topic::OrderCreated, order.id.0);
    draft.push(Change::Order(order));
    Ok(draft.applied())
}

/// An order as its operation describes it, not yet in any later state. A fact without shift or
/// staff is booked under the device and nobody.
pub(super) fn new_order(
    operation: &Operation,
    body: &RechargeOpen,
    quote: Quote,
    at: Timestamp,
) -> RechargeOrder {
    RechargeOrder {
        id: body.order,
        order_no: body.order_no.clone(),
        member: body.member,
        store: operation.store,
        device: operation.device,
        shift: operation.shift.unwrap_or(ShiftId(operation.device.0)),
        cashier: operation
            .staff
            .map_or(StaffId(uuid::Uuid::nil()), |proof| proof.staff),
        seller: body.seller,
        approver: None,
        choice: body.choice,
        quote,
        cash_part: None,
        state: OrderState::Created,
        paid: None,
        credit: None,
        offline: operation.offline,
        copies: 0,
        opened_at: at,
        expires_at: at,
        changed_at: at,
    }
}

/// True when another order holds the identity or the number.
pub(super) fn is_taken(state: &State, body: &RechargeOpen) -> bool {
    state.orders.contains_key(&body.order)
        || state
            .orders
            .values()
            .any(|order| order.order_no == body.order_no)
}

/// True when the member has an equal order, alive, within 120 s of `at`.
pub(super) fn has_duplicate(
    recent: &[RecentOrder],
    order: OrderId,
    member: MemberId,
    pay: Money,
    at: Timestamp,
) -> bool {
    recent.iter().any(|known| {
        known.alive
            && known.order != order
            && known.member == member
            && known.pay == pay
            && (known.opened_at - at).0.saturating_abs() < DUPLICATE_WINDOW.0
    })
}

fn active_member(state: &State, member: MemberId) -> Result<&Member, Refusal> {
    let member = state
        .members
        .get(&member)
        .ok_or(RefusalCode::MemberUnknown)?;
    match member.status {
        MemberStatus::Active => Ok(member),
        MemberStatus::Frozen | MemberStatus::Merged | MemberStatus::Closed => {
            Err(RefusalCode::MemberNotActive.into())
        }
    }
}

/// The server's own quote, when it promises what the cashier was shown.
///
/// A quote made by rules that were in force when it was made stands until it expires, even if
/// newer rules hold by now (docs: domain §3.4).
fn standing_quote(
    state: &State,
    in_force: &Policy,
    member: &Member,
    body: &RechargeOpen,
    now: Timestamp,
) -> Result<Quote, Refusal> {
    let account = state
        .accounts
        .get(&member.id)
        .ok_or(RefusalCode::MemberUnknown)?;
    let priced = |policy: &Policy, at: Timestamp| {
        let recent = &state.recent_orders;
        price(
            policy,
            account,
            member.registered_at,
            body.choice,
            CashShare::of_part(body.cash_part),
            recent,
            at,
        )
    };
    let shown = &body.quote;
    let age = now - shown.quoted_at;
    if age.0 > in_force.quote_valid.0 || age.0 < -MOST_CLOCK_SKEW.0 {
        let fresh = priced(in_force, now)?;
        return Err(Refusal::with_quote(RefusalCode::QuoteStale, fresh));
    }
    let made_by = state
        .policy(shown.policy_version)
        .ok_or(RefusalCode::PolicyUnknown)?;
    let quoted_at = shown.quoted_at.min(now);
    let was_in_force = state
        .policy_at(quoted_at)
        .is_some_and(|policy| policy.version == made_by.version);
    let standing = match was_in_force {
        true => priced(made_by, quoted_at)?,
        false => priced(in_force, now)?,
    };
    match standing.promises_same(shown) {
        true => Ok(standing),
        false => Err(Refusal::with_quote(
            RefusalCode::QuoteChanged,
            priced(in_force, now)?,
        )),
    }
}
