//! What a decision may look at.

use std::collections::HashMap;
use std::sync::Arc;

use crate::account::Account;
use crate::attempt::PaymentAttempt;
use crate::clock::Timestamp;
use crate::decide::{Change, Decision, Outcome, business_digest};
use crate::ids::{
    ActionId, AttemptId, DeviceId, LeaseId, MemberId, OpId, OrderId, ShiftId, StoreId,
};
use crate::lease::Lease;
use crate::ledger::Shift;
use crate::member::Member;
use crate::money::Money;
use crate::operation::{Hash, Operation};
use crate::policy::Policy;
use crate::recharge::RechargeOrder;
use crate::recorded_payment::{PaymentReference, RecordedMethod, UsedReference};
use crate::risk_floor::SpentBeyond;

/// The part of a tenant's books that a batch of operations touches, loaded before the batch and
/// kept current with [`State::apply`] while it is decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Every policy version of the store at hand, oldest first.
    pub policies: Vec<Arc<Policy>>,
    /// Devices of the tenant.
    pub devices: HashMap<DeviceId, Device>,
    /// Members touched.
    pub members: HashMap<MemberId, Member>,
    /// Their accounts.
    pub accounts: HashMap<MemberId, Account>,
    /// Leases that are not over, of members whose leases the batch touches.
    pub leases: HashMap<LeaseId, Lease>,
    /// Orders touched.
    pub orders: HashMap<OrderId, RechargeOrder>,
    /// Attempts touched, with all other attempts of their orders.
    pub attempts: HashMap<AttemptId, PaymentAttempt>,
    /// Shifts touched, and the open shift of each device touched.
    pub shifts: HashMap<ShiftId, Shift>,
    /// Actions seen before, for the actions of the batch.
    pub actions: HashMap<ActionId, ActionRecord>,
    /// Orders of the members touched, opened within 24 h before the batch: member, amount, time.
    pub recent_orders: Vec<RecentOrder>,
    /// Orders of the tenant that were paid with the references of the batch, however old.
    pub references: Vec<UsedReference>,
    /// What the terminals of the batch took beyond their leases of late.
    pub spent_beyond: Vec<SpentBeyond>,
}

/// A terminal or the server as a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Identity.
    pub id: DeviceId,
    /// Two digits within the store; `00` is the server.
    pub terminal_code: String,
    /// Ed25519.
    pub public_key: [u8; 32],
    /// True for the server's own device.
    pub is_server: bool,
}

/// The first operation of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRecord {
    /// That operation.
    pub op_id: OpId,
    /// Digest of its business body.
    pub body_digest: Hash,
    /// Its answer.
    pub outcome: Outcome,
}

/// What duplicate and day-sum checks need of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecentOrder {
    /// The order.
    pub order: OrderId,
    /// The member.
    pub member: MemberId,
    /// Amount.
    pub pay: Money,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// False once it ended unpaid.
    pub alive: bool,
}

impl State {
    /// Takes over the rows of a decision. Journal rows, postings and the like are written, not
    /// looked at again, and leave no trace here.
    pub fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Device(row) => {
                    self.devices.insert(row.id, row.clone());
                }
                Change::Member(row) => {
                    self.members.insert(row.id, row.clone());
                }
                Change::Account(row) => {
                    self.accounts.insert(row.member, row.clone());
                }
                Change::Lease(row) => {
                    self.leases.insert(row.id, row.clone());
                }
                Change::Order(row) => self.apply_order(row),
                Change::Attempt(row) => {
                    self.attempts.insert(row.id, row.clone());
                }
                Change::Shift(row) => {
                    self.shifts.insert(row.id, row.clone());
                }
                Change::SpentBeyond(spent) => self.spent_beyond.push(*spent),
                // The document travels beside the operation; whoever holds it adds it.
                Change::PolicyPublished(_) => {}
                Change::Journal(_)
                | Change::Posting(_)
                | Change::Earning(_)
                | Change::Tier(_)
                | Change::Coupon(_)
                | Change::CarePlan(_)
                | Change::Cash(_)
                | Change::Case(_)
                | Change::Outbox(_) => {}
            }
        }
    }

    /// Takes over a decision whole: its rows, and the action as seen. The first answer stands,
    /// except that a fact replaces an earlier refusal.
    pub fn record(&mut self, operation: &Operation, decision: &Decision) {
        self.apply(&decision.changes);
        let seen = self.actions.get(&operation.action_id);
        let stands = seen.is_some_and(|record| {
            !(operation.body.is_fact() && matches!(record.outcome, Outcome::Refused(_)))
        });
        if !stands {
            let record = ActionRecord {
                op_id: operation.op_id,
                body_digest: business_digest(&operation.body),
                outcome: decision.outcome.clone(),
            };
            self.actions.insert(operation.action_id, record);
        }
    }

    /// The rules of `version`.
    pub fn policy(&self, version: u32) -> Option<&Policy> {
        self.policies
            .iter()
            .find(|policy| policy.version == version)
            .map(Arc::as_ref)
    }

    /// The rules in force at `at`; before the first of them, the first.
    pub fn policy_at(&self, at: Timestamp) -> Option<&Policy> {
        let in_force = self
            .policies
            .iter()
            .filter(|policy| policy.effective_from <= at);
        in_force
            .max_by_key(|policy| policy.version)
            .or_else(|| self.policies.iter().min_by_key(|policy| policy.version))
            .map(Arc::as_ref)
    }

    /// The rules of a store in force at `at`, where the tenant's are at hand.
    pub fn policy_of(&self, store: StoreId, at: Timestamp) -> Option<&Policy> {
        let of_store = || {
            let policies = self.policies.iter();
            policies.filter(move |policy| policy.store.id == store)
        };
        let in_force = of_store().filter(|policy| policy.effective_from <= at);
        in_force
            .max_by_key(|policy| policy.version)
            .or_else(|| of_store().min_by_key(|policy| policy.version))
            .map(Arc::as_ref)
    }

    /// Leases of a member, in no order.
    pub(super) fn leases_of(&self, member: MemberId) -> impl Iterator<Item = &Lease> {
        let leases = self.leases.values();
        leases.filter(move |lease| lease.member == member)
    }

    /// Attempts of an order, oldest first.
    pub fn attempts_of(&self, order: OrderId) -> Vec<&PaymentAttempt> {
        let mut attempts: Vec<_> = self
            .attempts
            .values()
            .filter(|attempt| attempt.order == order)
            .collect();
        attempts.sort_by_key(|attempt| (attempt.started_at, attempt.id));
        attempts
    }

    /// The order that holds a reference already, for a payment of `store` at `at`
    /// (see [`UsedReference::clashes`]).
    pub fn holder_of(
        &self,
        method: RecordedMethod,
        reference: &PaymentReference,
        store: StoreId,
        at: Timestamp,
        cut_off_minutes: u16,
    ) -> Option<OrderId> {
        self.references
            .iter()
            .find(|used| used.clashes(method, reference, store, at, cut_off_minutes))
            .map(|used| used.order)
    }

    fn apply_order(&mut self, order: &RechargeOrder) {
        let recent = RecentOrder {
            order: order.id,
            member: order.member,
            pay: order.quote.pay,
            opened_at: order.opened_at,
            alive: order.state.is_alive(),
        };
        match self
            .recent_orders
            .iter_mut()
            .find(|known| known.order == order.id)
        {
            Some(known) => *known = recent,
            None => self.recent_orders.push(recent),
        }
        if let Some(used) = UsedReference::of(order) {
            match self
                .references
                .iter_mut()
                .find(|known| known.order == order.id)
            {
                Some(known) => *known = used,
                None => self.references.push(used),
            }
        }
        self.orders.insert(order.id, order.clone());
    }
}
