//! What a terminal shows of a member: the replica with the terminal's open operations applied by
//! `decide` (docs: sync, "Pull").

use std::collections::HashSet;
use std::sync::Arc;

use qiantai_core::Money;
use qiantai_core::account::Account;
use qiantai_core::decide::{RecentOrder, State, decide};
use qiantai_core::ids::{DeviceId, MemberId};
use qiantai_core::lease::{Lease, fit};
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
    let known = Known::of(store, member)?;
    let mut state = replica(store, policies, device, &known, orders_max)?;
    show(&mut state, store, &open(store)?, member)?;
    Ok(state)
}

/// An operation of the terminal that the replica may not show yet.
pub struct Open {
    /// Its row.
    pub row: OwnOperation,
    operation: Operation,
}

/// What the terminal shows beside the replica, oldest first.
pub fn open(store: &Store) -> Step<Vec<Open>> {
    let mut open = Vec::new();
    for row in store.open_operations(None)? {
        let operation = row.signed.operation()?;
        open.push(Open { row, operation });
    }
    Ok(open)
}

/// Money of a member as the replica has it.
pub struct Known {
    member: MemberId,
    account: Option<Account>,
    leases: Vec<Lease>,
}

impl Known {
    /// What the replica has of `member`.
    pub fn of(store: &Store, member: MemberId) -> Step<Known> {
        Ok(Known {
            member,
            account: store.account(member)?,
            leases: store.leases_of(member)?,
        })
    }

    /// Whether what is frozen is explained by the leases that the terminal knows; while a snapshot
    /// is under way it may not be.
    pub fn is_explained(&self) -> bool {
        let account = self.account.as_ref();
        account.is_none_or(|account| fit(account, &self.leases))
    }

    /// The principal that the terminal shows, with `open` on top. What was ordered before moves no
    /// money, so it is left out.
    pub fn shown_principal(
        &self,
        store: &Store,
        policies: &[Arc<Policy>],
        device: DeviceId,
        open: &[Open],
    ) -> Step<Money> {
        let principal =
            |account: Option<&Account>| account.map_or(Money::ZERO, |account| account.principal);
        let concerns = |open: &Open| concerns(&open.operation.body, self.member, &HashSet::new());
        // Most members have nothing open: then the replica alone is shown.
        if !open.iter().any(concerns) {
            return Ok(principal(self.account.as_ref()));
        }
        let mut state = replica(store, policies, device, self, 0)?;
        show(&mut state, store, open, self.member)?;
        Ok(principal(state.accounts.get(&self.member)))
    }
}

/// Puts on top what of `open` concerns `member`.
fn show(state: &mut State, store: &Store, open: &[Open], member: MemberId) -> Step {
    let mut orders = HashSet::new();
    for Open { row, operation } in open {
        let will_show = row.outcome.as_ref().is_none_or(will_show);
        if will_show
            && concerns(&operation.body, member, &orders)
            && !was_covered_before(store, row)?
        {
            orders.extend(row.order);
            let decision = decide(state, operation, operation.wall_time);
            state.record(operation, &decision);
        }
    }
    Ok(())
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
    known: &Known,
    orders_max: u32,
) -> Step<State> {
    let member = known.member;
    let mut state = State {
        policies: policies.to_vec(),
        ..State::default()
    };
    if let Some(row) = store.member(member)? {
        state.members.insert(member, row.member);
    }
    if let Some(mut account) = known.account.clone() {
        let leases = known.leases.iter().cloned();
        match known.is_explained() {
            true => state.leases.extend(leases.map(|row| (row.id, row))),
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
