//! `attempt.result`: what a gateway's answer does to attempt, order and money.

use crate::attempt::{AttemptState, GatewayOutcome, PaymentAttempt, Surplus};
use crate::clock::Timestamp;
use crate::decide::draft::{CaseLinks, Draft, unchanged};
use crate::decide::recharge_cash::take_cash;
use crate::decide::{Change, Decision, Refusal, RefusalCode, State, order_end, settle};
use crate::ledger::{Book, CaseKind, LedgerAccount, Topic};
use crate::money::Money;
use crate::operation::{AttemptResult, Operation, SurplusRefunded};
use crate::recharge::{OrderState, PaidFact, RechargeOrder};

pub(super) fn decide(
    state: &State,
    operation: &Operation,
    body: &AttemptResult,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let attempt = state
        .attempts
        .get(&body.attempt)
        .ok_or(RefusalCode::AttemptUnknown)?;
    let order = state
        .orders
        .get(&attempt.order)
        .ok_or(RefusalCode::OrderUnknown)?;
    let draft = Draft::new(operation, now);
    match &body.outcome {
        GatewayOutcome::Success {
            channel_txn_no,
            amount,
            paid_at,
        } => {
            let payment = Payment {
                channel_txn_no: channel_txn_no.clone(),
                amount: *amount,
                paid_at: *paid_at,
            };
            paid(draft, state, attempt, order, payment)
        }
        GatewayOutcome::PaidElsewhere { .. } => Ok(paid_elsewhere(draft, attempt, order)),
        GatewayOutcome::ReversalUnclear => Ok(reversal_unclear(draft, attempt, order)),
        GatewayOutcome::NoticeUnconfirmed {
            channel_txn_no,
            amount,
        } if !is_known(attempt, channel_txn_no) => {
            Ok(notice_unconfirmed(draft, attempt, order, *amount))
        }
        GatewayOutcome::NoticeUnconfirmed { .. } => Ok(unchanged()),
        GatewayOutcome::ReturnedOutside { channel_txn_no, .. }
            if is_known(attempt, channel_txn_no) =>
        {
            Ok(unchanged())
        }
        GatewayOutcome::ReturnedOutside {
            channel_txn_no,
            amount,
        } => Ok(returned_outside(
            draft,
            attempt,
            order,
            channel_txn_no,
            *amount,
        )),
        outcome => unpaid(draft, attempt, order, outcome),
    }
}

/// A second payment went back: suspense is cleared against the channel.
pub(super) fn surplus_refunded(
    state: &State,
    operation: &Operation,
    body: &SurplusRefunded,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let attempt = state
        .attempts
        .get(&body.attempt)
        .ok_or(RefusalCode::AttemptUnknown)?;
    let mut attempt = attempt.clone();
    let surplus = attempt
        .surplus
        .iter_mut()
        .find(|surplus| surplus.channel_txn_no == body.channel_txn_no)
        .ok_or(RefusalCode::AttemptState)?;
    if surplus.amount != body.amount {
        return Err(RefusalCode::AmountDiffers.into());
    }
    if surplus.refunded {
        return Ok(unchanged());
    }
    surplus.refunded = true;
    attempt.changed_at = now;
    let mut draft = Draft::new(operation, now);
    let channel = settle::clearing(attempt.channel);
    draft.transfer(Book::Money, LedgerAccount::Suspense, channel, body.amount);
    draft.push(Change::Attempt(attempt));
    Ok(draft.applied())
}

struct Payment {
    channel_txn_no: String,
    amount: Money,
    paid_at: Timestamp,
}

/// The gateway has the money. What that means is for the order to say.
fn paid(
    mut draft: Draft<'_>,
    state: &State,
    attempt: &PaymentAttempt,
    order: &RechargeOrder,
    payment: Payment,
) -> Result<Decision, Refusal> {
    if is_known(attempt, &payment.channel_txn_no) {
        return Ok(unchanged());
    }
    if attempt.state == AttemptState::Succeeded {
        // Another payment on the same attempt number.
        surplus(&mut draft, attempt.clone(), order, &payment);
        return Ok(draft.applied());
    }
    if !attempt.state.is_open() && !attempt.may_be_paid_late() {
        return Err(RefusalCode::AttemptState.into());
    }
    // Whoever was told that it ended may have given the cash of a split back.
    let had_ended = !attempt.state.is_open();
    let mut attempt = attempt.clone();
    attempt.state = AttemptState::Succeeded;
    attempt.channel_txn_no = Some(payment.channel_txn_no.clone());
    attempt.paid_at = Some(payment.paid_at);
    attempt.decline = None;
    attempt.config_fault = None;
    attempt.money_returned = None;
    attempt.changed_at = draft.at;
    match order.state {
        OrderState::PendingPayment if had_ended && order.cash_part.is_some() => {
            ask_no_more(&mut draft, state, &attempt);
            abnormal(
                &mut draft,
                attempt,
                order,
                payment.amount,
                CaseKind::LatePayment,
            );
        }
        OrderState::PendingPayment if payment.amount == order.asked() => {
            pay(&mut draft, state, attempt, order, payment);
        }
        OrderState::PendingPayment => {
            abnormal(
                &mut draft,
                attempt,
                order,
                payment.amount,
                CaseKind::AmountMismatch,
            );
        }
        OrderState::Created
        | OrderState::PendingReview
        | OrderState::Rejected
        | OrderState::Cancelled
        | OrderState::Closed => {
            abnormal(
                &mut draft,
                attempt,
                order,
                payment.amount,
                CaseKind::LatePayment,
            );
        }
        // A person looks at it already, and no money had come.
        OrderState::Abnormal if !has_money(state, order) => {
            abnormal(
                &mut draft,
                attempt,
                order,
                payment.amount,
                CaseKind::LatePayment,
            );
        }
        OrderState::Paid
        | OrderState::Credited
        | OrderState::Abnormal
        | OrderState::PartiallyRefunded
        | OrderState::Refunded
        | OrderState::Voided => surplus(&mut draft, attempt, order, &payment),
    }
    Ok(draft.applied())
}

/// The order has all its money: of a split, the cash has waited for this.
fn pay(
    draft: &mut Draft<'_>,
    state: &State,
    attempt: PaymentAttempt,
    order: &RechargeOrder,
    payment: Payment,
) {
    let cash = order.cash_part.unwrap_or(Money::ZERO);
    take_cash(draft, order.shift, Some(order.id), cash);
    let sources = [
        (LedgerAccount::Drawer(order.shift), cash),
        (settle::clearing(attempt.channel), payment.amount),
    ];
    let fact = PaidFact {
        channel: attempt.channel,
        amount: cash + payment.amount,
        cash_part: order.cash_part,
        tendered: None,
        channel_txn_no: Some(payment.channel_txn_no),
        paid_at: payment.paid_at,
    };
    draft.push(Change::Attempt(attempt));
    settle::pay(draft, state, order.clone(), fact, &sources);
}

/// Closes what other attempts of the order of `attempt` show the customer.
fn ask_no_more(draft: &mut Draft<'_>, state: &State, attempt: &PaymentAttempt) {
    for other in state.attempts_of(attempt.order) {
        if other.id == attempt.id || !other.state.is_open() || other.cancel_requested {
            continue;
        }
        let mut other = other.clone();
        other.cancel_requested = true;
        other.changed_at = draft.at;
        draft.push(Change::Attempt(other));
    }
}

fn has_money(state: &State, order: &RechargeOrder) -> bool {
    let attempts = state.attempts_of(order.id);
    attempts
        .iter()
        .any(|attempt| attempt.state == AttemptState::Succeeded)
}

/// Notices repeat, for a day and longer.
fn is_known(attempt: &PaymentAttempt, channel_txn_no: &str) -> bool {
    attempt.channel_txn_no.as_deref() == Some(channel_txn_no)
        || attempt
            .surplus
            .iter()
            .any(|surplus| surplus.channel_txn_no == channel_txn_no)
}

/// Money that does not fit the order waits in suspense until a person has looked.
fn abnormal(
    draft: &mut Draft<'_>,
    attempt: PaymentAttempt,
    order: &RechargeOrder,
    amount: Money,
    kind: CaseKind,
) {
    settle::suspend(draft, settle::clearing(attempt.channel), amount);
    draft.case(kind, links(&attempt, order), amount);
    draft.push(Change::Attempt(attempt));
    draft.push(Change::Order(as_abnormal(order, draft.at)));
}

fn as_abnormal(order: &RechargeOrder, now: Timestamp) -> RechargeOrder {
    RechargeOrder {
        state: OrderState::Abnormal,
        changed_at: now,
        ..order.clone()
    }
}

/// Somebody else has the money, so none is posted here. An order that waits for it waits no longer,
/// and its code is closed at the gateway.
fn paid_elsewhere(
    mut draft: Draft<'_>,
    attempt: &PaymentAttempt,
    order: &RechargeOrder,
) -> Decision {
    let links = links(attempt, order);
    draft.case(CaseKind::PaidElsewhere, links, Money::ZERO);
    if order.state == OrderState::PendingPayment {
        draft.push(Change::Order(as_abnormal(order, draft.at)));
    }
    if attempt.state.is_open() && !attempt.cancel_requested {
        let mut attempt = attempt.clone();
        attempt.cancel_requested = true;
        attempt.changed_at = draft.at;
        draft.push(Change::Attempt(attempt));
    }
    draft.applied()
}

/// What may be with the gateway is the amount of the attempt.
fn reversal_unclear(
    mut draft: Draft<'_>,
    attempt: &PaymentAttempt,
    order: &RechargeOrder,
) -> Decision {
    if attempt.state != AttemptState::Reversing {
        return unchanged();
    }
    let links = links(attempt, order);
    draft.case(CaseKind::ReversalUnclear, links, attempt.amount);
    draft.applied()
}

/// What may be with the gateway is what the notice told.
fn notice_unconfirmed(
    mut draft: Draft<'_>,
    attempt: &PaymentAttempt,
    order: &RechargeOrder,
    amount: Money,
) -> Decision {
    let links = links(attempt, order);
    draft.case(CaseKind::NoticeUnconfirmed, links, amount);
    draft.applied()
}

/// Nothing is left with the gateway to credit; what was left, where only a part went back, is for
/// a person to find, so nobody is told to ask for the money again. Beside a payment that the books
/// have, it is one more on the same number, and theirs keeps its name.
fn returned_outside(
    mut draft: Draft<'_>,
    attempt: &PaymentAttempt,
    order: &RechargeOrder,
    channel_txn_no: &str,
    amount: Money,
) -> Decision {
    let mut next = attempt.clone();
    next.changed_at = draft.at;
    match attempt.state {
        AttemptState::Succeeded => next.surplus.push(Surplus {
            channel_txn_no: channel_txn_no.to_owned(),
            amount,
            refunded: true,
        }),
        AttemptState::Reversing => {
            next.state = AttemptState::Reversed;
            next.money_returned = Some(true);
        }
        state if state.is_open() => next.state = AttemptState::Closed,
        _ => {}
    }
    if attempt.state != AttemptState::Succeeded {
        next.channel_txn_no = Some(channel_txn_no.to_owned());
    }
    let order_next = match attempt.state {
        AttemptState::Reversing => order_end::after_unpaid_attempt(order, &next, draft.at),
        state if state.is_open() && order.state == OrderState::PendingPayment => {
            Some(as_abnormal(order, draft.at))
        }
        _ => None,
    };
    if let Some(order) = order_next {
        draft.push(Change::Order(order));
    }
    draft.case(CaseKind::ReturnedOutside, links(attempt, order), amount);
    draft.push(Change::Attempt(next));
    draft.applied()
}

/// The order has its money already: this payment waits in suspense to be sent back.
fn surplus(
    draft: &mut Draft<'_>,
    mut attempt: PaymentAttempt,
    order: &RechargeOrder,
    payment: &Payment,
) {
    settle::suspend(draft, settle::clearing(attempt.channel), payment.amount);
    draft.case(
        CaseKind::SecondPayment,
        links(&attempt, order),
        payment.amount,
    );
    draft.event(Topic::PaymentSurplus, attempt.id.0);
    attempt.surplus.push(Surplus {
        channel_txn_no: payment.channel_txn_no.clone(),
        amount: payment.amount,
        refunded: false,
    });
    attempt.changed_at = draft.at;
    draft.push(Change::Attempt(attempt));
}

fn links(attempt: &PaymentAttempt, order: &RechargeOrder) -> CaseLinks {
    CaseLinks {
        order: Some(order.id),
        attempt: Some(attempt.id),
        member: Some(order.member),
    }
}

/// An answer without money. Answers overtake each other, so one that says less than is known
/// already changes nothing.
fn unpaid(
    mut draft: Draft<'_>,
    attempt: &PaymentAttempt,
    order: &RechargeOrder,
    outcome: &GatewayOutcome,
) -> Result<Decision, Refusal> {
    let mut next = attempt.clone();
    if let GatewayOutcome::QrReady { payload } = outcome {
        next.qr_payload = Some(payload.clone());
    }
    if let GatewayOutcome::Declined(code) = outcome {
        next.decline = Some(*code);
    }
    match next_state(attempt.state, outcome) {
        Step::To(state) => next.state = state,
        Step::Stay => {}
        Step::Stale => return Ok(unchanged()),
        Step::Impossible => return Err(RefusalCode::AttemptState.into()),
    }
    if let (AttemptState::Failed, GatewayOutcome::ConfigError(fault)) = (next.state, outcome) {
        next.config_fault = *fault;
    }
    if let (AttemptState::Reversed, GatewayOutcome::Reversed { money_returned }) =
        (next.state, outcome)
    {
        next.money_returned = *money_returned;
    }
    if next == *attempt {
        return Ok(unchanged());
    }
    next.changed_at = draft.at;
    let has_ended = attempt.state.is_open() && !next.state.is_open();
    if has_ended && let Some(order) = order_end::after_unpaid_attempt(order, &next, draft.at) {
        draft.push(Change::Order(order));
    }
    draft.push(Change::Attempt(next));
    Ok(draft.applied())
}

enum Step {
    To(AttemptState),
    /// Same state, perhaps with something new to keep.
    Stay,
    /// The attempt has ended; the answer is older than that.
    Stale,
    /// The attempt was never where this answer could come from.
    Impossible,
}

fn next_state(state: AttemptState, outcome: &GatewayOutcome) -> Step {
    use AttemptState::{
        Closed, Failed, Init, Reversed, Reversing, Submitted, Succeeded, Unknown, UserPaying,
    };
    let target = match (state, outcome) {
        (Succeeded | Failed | Closed | Reversed, _) => return Step::Stale,
        // These open a case and leave the state alone.
        (
            _,
            GatewayOutcome::PaidElsewhere { .. }
            | GatewayOutcome::ReversalUnclear
            | GatewayOutcome::NoticeUnconfirmed { .. }
            | GatewayOutcome::ReturnedOutside { .. },
        ) => return Step::Stay,
        (_, GatewayOutcome::Success { .. }) => Succeeded,
        (Init | Unknown, GatewayOutcome::QrReady { .. }) => Submitted,
        (Submitted, GatewayOutcome::QrReady { .. }) => return Step::Stay,
        (UserPaying | Reversing, GatewayOutcome::QrReady { .. }) => return Step::Stale,
        // Code payments are handed over without a QR code: the first answer shows it.
        (Init | Unknown, GatewayOutcome::Waiting) => Submitted,
        (_, GatewayOutcome::Waiting) => return Step::Stale,
        (_, GatewayOutcome::UserPaying) => UserPaying,
        (_, GatewayOutcome::Unknown) => Unknown,
        // Refused before the gateway had it: nothing was charged. Later, a query that our own
        // set-up spoils says nothing about the money.
        (Init, GatewayOutcome::ConfigError(_)) => Failed,
        (_, GatewayOutcome::ConfigError(_)) => Unknown,
        (_, GatewayOutcome::Declined(_)) => Failed,
        (_, GatewayOutcome::Closed) => Closed,
        (_, GatewayOutcome::Reversing) => Reversing,
        // The answer that the reversal had begun may have been lost.
        (UserPaying | Unknown, GatewayOutcome::Reversed { .. }) => return Step::To(Reversed),
        (_, GatewayOutcome::Reversed { .. }) => Reversed,
    };
    if target == state {
        Step::Stay
    } else if state.can_become(target) {
        Step::To(target)
    } else if state == Reversing {
        Step::Stale
    } else {
        Step::Impossible
    }
}
