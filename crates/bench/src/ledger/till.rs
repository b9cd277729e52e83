//! A terminal that sells top-ups in cash: it prices each as the counter does, signs it into its
//! chain, and pushes it over the network.

use std::collections::HashMap;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use qiantai_core::account::Account;
use qiantai_core::decide::{self, Change, RecentOrder, State};
use qiantai_core::ids::{ActionId, DeviceId, OpId, OrderId, ShiftId, StoreId, TenantId};
use qiantai_core::member::Member;
use qiantai_core::operation::{
    Cursor, Hash, Operation, OperationBody, RechargeCash, RechargeOpen, ShiftOpen, StaffMethod,
    StaffProof,
};
use qiantai_core::order_no::{OrderNo, Prefix};
use qiantai_core::policy::Policy;
use qiantai_core::quote::{CashShare, price};
use qiantai_core::recharge::AmountChoice;
use qiantai_core::{Money, Timestamp};
use qiantai_server::{Clock, SystemClock};
use qiantai_sync::Client;
use qiantai_wire::SignedOperation;
use qiantai_wire::api::JoinAnswer;
use qiantai_wire::feed::OutcomeDto;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use uuid::{Builder, Uuid};

use crate::Outcome;

/// What every customer pays: the least amount that the ladder rewards, so that money, bonus, growth
/// and points are all written.
pub const TOP_UP: Money = Money::from_yuan(300);
/// As the counter numbers the starts of its system.
const BOOT_ID: Uuid = Uuid::from_u128(1);

/// A terminal with its customers.
pub struct Till {
    client: Client,
    key: SigningKey,
    join: JoinAnswer,
    policy: Arc<Policy>,
    shift: ShiftId,
    seq: u64,
    prev_hash: Hash,
    dice: ChaCha12Rng,
    /// Those for the measurements, and the others.
    customers: [Vec<Customer>; 2],
    /// How many of each were served.
    served: [usize; 2],
}

/// Which customers are served: a shop fills up with the top-ups of some, and what the next costs is
/// measured on others, who have as few as those of a small shop.
#[derive(Clone, Copy)]
pub enum Clientele {
    /// Those for the measurements.
    Measured,
    /// The others.
    Others,
}

/// A member as the terminal knows them.
pub struct Customer {
    /// Who.
    pub member: Member,
    /// What they have.
    pub account: Account,
    recent: Vec<RecentOrder>,
}

impl Customer {
    /// Somebody without orders today.
    pub fn new(member: Member, account: Account) -> Customer {
        Customer {
            member,
            account,
            recent: Vec::new(),
        }
    }

    /// What they have then, by the rules of the server: the next price depends on it.
    fn settle(
        &mut self,
        policy: &Arc<Policy>,
        operation: &Operation,
        now: Timestamp,
    ) -> Outcome<()> {
        let id = self.member.id;
        let state = State {
            policies: vec![Arc::clone(policy)],
            members: HashMap::from([(id, self.member.clone())]),
            accounts: HashMap::from([(id, self.account.clone())]),
            recent_orders: self.recent.clone(),
            ..State::default()
        };
        let mut is_credited = false;
        for change in decide::decide(&state, operation, now).changes {
            match change {
                Change::Account(account) => {
                    self.account = account;
                    is_credited = true;
                }
                Change::Order(order) => self.recent.push(RecentOrder {
                    order: order.id,
                    member: order.member,
                    pay: order.quote.pay,
                    opened_at: order.opened_at,
                    alive: order.state.is_alive(),
                }),
                _ => {}
            }
        }
        match is_credited {
            true => Ok(()),
            false => Err("a top-up would not be credited".into()),
        }
    }
}

impl Till {
    /// A terminal that has joined. It serves its customers in turn: those for the measurements, and
    /// the others.
    pub fn new(
        (client, key, join): (Client, SigningKey, JoinAnswer),
        policy: Arc<Policy>,
        customers: [Vec<Customer>; 2],
        seed: u64,
    ) -> Till {
        Till {
            client,
            key,
            join,
            policy,
            shift: ShiftId(Uuid::nil()),
            seq: 0,
            prev_hash: [0; 32],
            dice: ChaCha12Rng::seed_from_u64(seed),
            customers,
            served: [0; 2],
        }
    }

    /// A way to the server, under this terminal's token.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Opens its shift.
    pub async fn open_shift(&mut self) -> Outcome<()> {
        let now = SystemClock.now();
        self.shift = ShiftId(self.fresh_id(now));
        let body = ShiftOpen {
            shift: self.shift,
            shift_no: self.number(Prefix::Shift, now)?,
            float: vec![(Money::from_yuan(100), 5)],
        };
        let id = self.fresh_id(now);
        let operation = self.operation(id, OperationBody::ShiftOpen(body), now);
        let signed = self.sign(&operation);
        push(&self.client, &[signed]).await
    }

    /// Signs top-ups of the next `count` customers.
    pub fn top_ups(&mut self, count: usize, of: Clientele) -> Outcome<Vec<SignedOperation>> {
        (0..count).map(|_| self.top_up(of)).collect()
    }

    /// Signs a top-up of the next customer.
    pub fn top_up(&mut self, of: Clientele) -> Outcome<SignedOperation> {
        let now = SystemClock.now();
        let served = self.served[of as usize];
        self.served[of as usize] += 1;
        let id = self.fresh_id(now);
        let order_no = self.number(Prefix::Recharge, now)?;
        let customers = &self.customers[of as usize];
        let place = served.checked_rem(customers.len());
        let place = place.ok_or("a terminal has nobody to serve")?;
        let customer = &customers[place];
        let choice = AmountChoice::Amount(TOP_UP);
        let quote = price(
            &self.policy,
            &customer.account,
            customer.member.registered_at,
            choice,
            CashShare::Whole,
            &customer.recent,
            now,
        )
        .map_err(|refusal| format!("a top-up has no price: {refusal:?}"))?;
        let body = RechargeCash {
            tendered: quote.pay,
            change: Money::ZERO,
            approval: None,
            open: RechargeOpen {
                order: OrderId(id),
                order_no,
                member: customer.member.id,
                choice,
                quote,
                seller: None,
                duplicate_confirmed: true,
                cash_part: None,
            },
        };
        let operation = self.operation(id, OperationBody::RechargeCash(body), now);
        self.customers[of as usize][place].settle(&self.policy, &operation, now)?;
        Ok(self.sign(&operation))
    }

    fn operation(&self, id: Uuid, body: OperationBody, now: Timestamp) -> Operation {
        Operation {
            op_id: OpId(id),
            action_id: ActionId(id),
            tenant: TenantId(self.join.tenant),
            store: StoreId(self.join.store),
            device: DeviceId(self.join.device),
            epoch: self.join.epoch,
            device_seq: self.seq + 1,
            prev_hash: self.prev_hash,
            staff: Some(StaffProof {
                staff: self.policy.staff[0].id,
                method: StaffMethod::Pin,
                policy_version: self.policy.version,
            }),
            shift: Some(self.shift),
            wall_time: now,
            boot_id: BOOT_ID,
            monotonic_ms: self.seq,
            server_anchor: None,
            cursor: Some(Cursor {
                timeline: self.join.timeline,
                server_seq: 0,
            }),
            offline: false,
            attachment: None,
            body,
        }
    }

    fn sign(&mut self, operation: &Operation) -> SignedOperation {
        let signed = SignedOperation::sign(operation, &self.key);
        self.seq += 1;
        self.prev_hash = signed.hash();
        signed
    }

    fn number(&mut self, prefix: Prefix, now: Timestamp) -> Outcome<String> {
        // Two of one millisecond differ: it counts up.
        let number = u32::try_from(self.seq & 0xF_FFFF)?;
        let (store, terminal) = (&self.policy.store.code, &self.join.terminal_code);
        Ok(OrderNo::new(prefix, now, store, terminal, number)?.to_string())
    }

    fn fresh_id(&mut self, now: Timestamp) -> Uuid {
        let mut random = [0; 10];
        self.dice.fill_bytes(&mut random);
        let ms = u64::try_from(now.ms()).unwrap_or_default();
        Builder::from_unix_timestamp_millis(ms, &random).into_uuid()
    }
}

/// Pushes operations in one call; every one of them must be applied.
pub async fn push(client: &Client, operations: &[SignedOperation]) -> Outcome<()> {
    let answer = client
        .push(operations, Vec::new())
        .await
        .map_err(|error| format!("a push failed: {error:?}"))?;
    if let Some(halt) = answer.halt {
        return Err(format!("a push was not taken whole: {halt:?}").into());
    }
    let applied = |outcome: &OutcomeDto| *outcome == OutcomeDto::Applied;
    match answer.results.iter().find(|row| !applied(&row.outcome)) {
        Some(row) => Err(format!("a top-up was not applied: {:?}", row.outcome).into()),
        None if answer.results.len() == operations.len() => Ok(()),
        None => Err("an operation was not answered".into()),
    }
}
