//! What a decision may look at.

use std::collections::HashMap;
use std::sync::Arc;

use crate::account::Account;
use crate::attempt::PaymentAttempt;
use crate::clock::Timestamp;
use crate::decide::{Change, Outcome};
use crate::ids::{ActionId, AttemptId, DeviceId, MemberId, OpId, OrderId, ShiftId};
use crate::ledger::Shift;
use crate::member::Member;
use crate::money::Money;
use crate::operation::Hash;
use crate::policy::Policy;
use crate::recharge::RechargeOrder;

/// The part of a tenant's books that a batch of operations touches, loaded before the batch and
/// kept current with [`State::apply`] while it is decided.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Every policy version of the store at hand, oldest first.
    pub policies: Vec<Arc<Policy>>,
    /// Devices of the tenant.
    pub devices: HashMap<DeviceId, Device>,
    /// Members touched.
    pub members: HashMap<MemberId, Member>,
    /// Their accounts.
    pub accounts: HashMap<MemberId, Account>,
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
    /// Takes over the rows of a decision.
    pub fn apply(&mut self, changes: &[Change]) {
        let _ = changes;
        unreachable!("written next")
    }
}
