//! What a terminal shows of a member: the replica with the terminal's open operations applied by
//! `decide` (docs: sync, "Pull").

use std::collections::HashSet;
use std::sync::Arc;

use qiantai_core::Money;
use qiantai_core::decide::{RecentOrder, State, decide};
use qiantai_core::ids::{DeviceId, MemberId};
use qiantai_core::lease::fit;
use qiantai_core::operation::{Operation, OperationBody};
use qiantai_core::policy::Policy;
use qiantai_core::recharge::RechargeOrder;
use qiantai_store::{OwnOperation, Store};
use qiantai_wire::feed::OutcomeDto;

use crate::halt::Step;

/// Orders of a member that limits and duplicates look at.
pub const RECENT_MAX: u32 = 50;

/// The state that `decide` sees for `member` at this terminal, with its last `orders_max` orders.
pub fn of_member(
    store: &Store,
    policies: &[Arc<Policy>],
    device: DeviceId,
    member: MemberId,
    orders_max: u32,
) -> Step<State> {
    let mut state = replica(store, policies, device, member, orders_max)?;
    let mut orders = HashSet::new();
    for row in store.open_operations(None)? {
        if !row.outcome.as_ref().is_none_or(will_show) {
            continue;
        }
        let operation = row.signed.operation()?;
        if concerns(&operation.body, member, &orders) && !was_covered_before(store, &row)? {
            orders.extend(row.order);
            let decision = decide(&state, &operation, operation.wall_time);
            state.record(&operation, &decision);
        }
    }
    Ok(state)
}

/// Whether what a terminal has frozen of a member is explained by the leases it knows; while a
/// snapshot is under way it may not be.
pub fn is_explained(store: &Store, member: MemberId) -> Step<bool> {
    let (account, leases) = (store.account(member)?, store.leases_of(member)?);
    Ok(account.is_none_or(|account| fit(&account, &leases)))
}

/// Decides `operation` on top of `state` and says whether the terminal itself refuses it.
pub fn refuses(state: &State, operation: &Operation) -> bool {
    let decision = decide(state, operation, operation.wall_time);
    matches!(decision.outcome, qiantai_core::decide::Outcome::Refused(_))
}

fn replica(
    store: &Store,
    policies: &[Arc<Policy>],
    device: DeviceId,
    member: MemberId,
    orders_max: u32,
) -> Step<State> {
    let mut state = State {
        policies: policies.to_vec(),
        ..State::default()
    };
    if let Some(known) = store.member(member)? {
        state.members.insert(member, known.member);
    }
    if let Some(mut account) = store.account(member)? {
        let leases = store.leases_of(member)?;
        match fit(&account, &leases) {
            true => state
                .leases
                .extend(leases.into_iter().map(|row| (row.id, row))),
            // As in the counter: a snapshot is under way.
            false => {
                (account.frozen_principal, account.frozen_bonus) = (Money::ZERO, Money::ZERO);
            }
        }
        state.accounts.insert(member, account);
    }
    if let Some(own) = store.device(device)? {
        state.devices.insert(device, own);
    }
    if let Some(shift) = store.latest_shift(device)? {
        state.shifts.insert(shift.id, shift);
    }
    if orders_max > 0 {
        for order in store.orders_of(member, orders_max)? {
            state.recent_orders.push(recent(&order));
            state.orders.insert(order.id, order);
        }
    }
    Ok(state)
}

fn recent(order: &RechargeOrder) -> RecentOrder {
    RecentOrder {
        order: order.id,
        member: order.member,
        pay: order.quote.pay,
        opened_at: order.opened_at,
        alive: order.state.is_alive(),
    }
}

fn will_show(outcome: &OutcomeDto) -> bool {
    matches!(outcome, OutcomeDto::Applied | OutcomeDto::Exists)
}

fn concerns(
    body: &OperationBody,
    member: MemberId,
    orders: &HashSet<qiantai_core::ids::OrderId>,
) -> bool {
    match body {
        OperationBody::ShiftOpen(_) => true,
        OperationBody::RechargeCash(cash) => cash.open.member == member,
        OperationBody::RechargeRecorded(recorded) => recorded.open.member == member,
        OperationBody::RechargeOpen(open) => open.member == member,
        OperationBody::SpendOffline(spend) => spend.member == member,
        OperationBody::LeaseRelease(named) => named.member == member,
        OperationBody::RechargeCancel { order } | OperationBody::ReceiptReprint { order, .. } => {
            orders.contains(order)
        }
        _ => false,
    }
}

/// A second record of an intent whose first one the replica shows already adds nothing.
fn was_covered_before(store: &Store, row: &OwnOperation) -> Step<bool> {
    let records = store.operations_of_action(row.action_id)?;
    Ok(records
        .iter()
        .any(|other| other.device_seq < row.device_seq && other.covered))
}
