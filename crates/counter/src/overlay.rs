//! What the terminal shows: the server's state at the cursor with this terminal's own operations
//! applied that the cursor has not passed yet (shared sync.md, "Pull").

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use qiantai_core::account::Account;
use qiantai_core::attempt::PaymentAttempt;
use qiantai_core::decide::{Change, RecentOrder, State, decide};
use qiantai_core::ids::{DeviceId, MemberId, OrderId};
use qiantai_core::lease::fit;
use qiantai_core::operation::{Operation, OperationBody};
use qiantai_core::policy::Policy;
use qiantai_core::recharge::{OrderState, RechargeOrder};
use qiantai_core::recorded_payment::UsedReference;
use qiantai_core::{Millis, Money, Timestamp};
use qiantai_store::{OwnOperation, Store, StoreError};
use qiantai_wire::DecodeError;
use qiantai_wire::feed::OutcomeDto;

/// Orders of a member looked at for duplicates and day sums.
const RECENT_ORDERS_MAX: u32 = 50;

/// The replica with open operations applied.
pub struct Overlay {
    /// Everything touched by open operations and by the members asked for.
    pub state: State,
    /// Accounts as the server last said.
    pub confirmed: HashMap<MemberId, Account>,
    /// Open operations, oldest first.
    pub open: Vec<Operation>,
}

impl Overlay {
    /// Builds the overlay with `members` loaded. The store is read again when a page of the
    /// server's log came in between, so that no operation is missed or counted twice.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn build(
        store: &Store,
        policies: &[Arc<Policy>],
        device: DeviceId,
        members: &[MemberId],
    ) -> Result<Overlay, StoreError> {
        loop {
            let cursor = store.sync_mark()?.cursor;
            let overlay = Overlay::read(store, policies, device, members)?;
            if store.sync_mark()?.cursor == cursor {
                return Ok(overlay);
            }
        }
    }

    fn read(
        store: &Store,
        policies: &[Arc<Policy>],
        device: DeviceId,
        members: &[MemberId],
    ) -> Result<Overlay, StoreError> {
        let mut rows = store.open_operations(None)?;
        rows.retain(is_shown);
        let open = decode_all(&rows);
        let mut touched = Touched::of(&open);
        touched.members.extend(members);
        let mut state = touched.load(store)?;
        state.policies = policies.to_vec();
        if let Some(own) = store.device(device)? {
            state.devices.insert(own.id, own);
        }
        if let Some(shift) = store.latest_shift(device)? {
            state.shifts.insert(shift.id, shift);
        }
        let mut confirmed = state.accounts.clone();
        for operation in &open {
            let decision = decide(&state, operation, operation.wall_time);
            state.record(operation, &decision);
            if let OperationBody::MemberCreate(create) = &operation.body
                && let Some(empty) = state.accounts.get(&create.member)
            {
                // What follows for this member is provisional, not what the server knows.
                confirmed.insert(create.member, empty.clone());
            }
        }
        Ok(Overlay {
            state,
            confirmed,
            open,
        })
    }

    /// The account of `member` as it will be once everything is confirmed.
    pub fn account(&self, member: MemberId) -> Option<&Account> {
        self.state.accounts.get(&member)
    }

    /// Whether an open operation moved or asked for the money of `order`.
    pub fn is_provisional(&self, order: OrderId) -> bool {
        self.open.iter().any(|operation| {
            order_of(&operation.body) == Some(order)
                && !matches!(operation.body, OperationBody::ReceiptReprint { .. })
        })
    }

    /// Attempts of `order`, oldest first.
    pub fn attempts(&self, order: OrderId) -> Vec<PaymentAttempt> {
        let mut attempts: Vec<PaymentAttempt> = self
            .state
            .attempts
            .values()
            .filter(|row| row.order == order)
            .cloned()
            .collect();
        attempts.sort_by_key(|row| (row.started_at, row.id));
        attempts
    }

    /// With an order and its attempts that no open operation touches.
    pub fn with_order(mut self, file: &crate::show::order::OrderFile) -> Overlay {
        self.state
            .orders
            .entry(file.order.id)
            .or_insert_with(|| file.order.clone());
        for attempt in &file.attempts {
            self.state
                .attempts
                .entry(attempt.id)
                .or_insert_with(|| attempt.clone());
        }
        self
    }

    /// Learns which orders were paid with `reference`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn learn_reference(&mut self, store: &Store, reference: &str) -> Result<(), StoreError> {
        let orders = store.orders_of_reference(reference)?;
        for used in orders.iter().filter_map(UsedReference::of) {
            let known = &mut self.state.references;
            if known.iter().all(|known| known.order != used.order) {
                known.push(used);
            }
        }
        Ok(())
    }

    /// What `operation` would change, applied to nothing.
    pub fn preview(&self, operation: &Operation) -> Vec<Change> {
        decide(&self.state, operation, operation.wall_time).changes
    }
}

/// Whether an open operation has an effect that is still to come through the feed. One that was
/// refused, or that a person must look at, moves nothing here.
pub fn is_shown(row: &OwnOperation) -> bool {
    match &row.outcome {
        None | Some(OutcomeDto::Applied | OutcomeDto::Exists) => true,
        Some(
            OutcomeDto::Refused(_) | OutcomeDto::ExistsWithDifferent { .. } | OutcomeDto::Held,
        ) => false,
    }
}

/// Decodes own operations. Own bytes were made by this program; a row that does not decode was
/// reported by the store's chain check at start and is left out of what is shown.
pub fn decode_all(rows: &[OwnOperation]) -> Vec<Operation> {
    let mut operations = Vec::with_capacity(rows.len());
    for row in rows {
        match decode(row) {
            Ok(operation) => operations.push(operation),
            Err(error) => tracing::error!(seq = row.device_seq, %error, "own operation unreadable"),
        }
    }
    operations
}

/// One own operation.
///
/// # Errors
/// The bytes are not an operation that this version knows.
pub fn decode(row: &OwnOperation) -> Result<Operation, DecodeError> {
    row.signed.operation()
}

/// The order that an operation is about.
pub fn order_of(body: &OperationBody) -> Option<OrderId> {
    match body {
        OperationBody::RechargeOpen(open) => Some(open.order),
        OperationBody::RechargeCash(cash) => Some(cash.open.order),
        OperationBody::RechargeRecorded(recorded) => Some(recorded.open.order),
        OperationBody::AttemptStart(start) => Some(start.order),
        OperationBody::RechargeCancel { order }
        | OperationBody::ReceiptReprint { order, .. }
        | OperationBody::OrderExpire { order }
        | OperationBody::CreditRetry { order } => Some(*order),
        OperationBody::ShiftOpen(_)
        | OperationBody::DrawerOpen(_)
        | OperationBody::PolicyPublish { .. }
        | OperationBody::DeviceEnrol(_)
        | OperationBody::MemberCreate(_)
        | OperationBody::MemberRegister(_)
        | OperationBody::OpeningBalance(_)
        | OperationBody::AttemptResult(_)
        | OperationBody::SurplusRefunded(_)
        | OperationBody::SpendOffline(_)
        | OperationBody::LeaseRelease(_)
        | OperationBody::LeaseGrant(_)
        | OperationBody::LeaseLost(_) => None,
    }
}

/// The member that an operation names.
pub fn member_of(body: &OperationBody) -> Option<MemberId> {
    match body {
        OperationBody::RechargeOpen(open) => Some(open.member),
        OperationBody::RechargeCash(cash) => Some(cash.open.member),
        OperationBody::RechargeRecorded(recorded) => Some(recorded.open.member),
        OperationBody::MemberCreate(create) => Some(create.member),
        OperationBody::SpendOffline(spend) => Some(spend.member),
        OperationBody::LeaseRelease(named) => Some(named.member),
        _ => None,
    }
}

#[derive(Default)]
struct Touched {
    members: HashSet<MemberId>,
    /// Members whom open operations create: what the store shows of them comes from there.
    created: HashSet<MemberId>,
    orders: HashSet<OrderId>,
    references: HashSet<String>,
}

impl Touched {
    fn of(open: &[Operation]) -> Touched {
        Touched {
            members: open
                .iter()
                .filter_map(|operation| member_of(&operation.body))
                .collect(),
            created: open
                .iter()
                .filter_map(|operation| match &operation.body {
                    OperationBody::MemberCreate(create) => Some(create.member),
                    _ => None,
                })
                .collect(),
            orders: open
                .iter()
                .filter_map(|operation| order_of(&operation.body))
                .collect(),
            references: open
                .iter()
                .filter_map(|operation| match &operation.body {
                    OperationBody::RechargeRecorded(recorded) => {
                        Some(recorded.reference.as_str().to_owned())
                    }
                    _ => None,
                })
                .collect(),
        }
    }

    fn load(&self, store: &Store) -> Result<State, StoreError> {
        let mut state = State::default();
        let mut members = self.members.clone();
        for order in &self.orders {
            if let Some(row) = store.order(*order)? {
                members.insert(row.member);
                state.orders.insert(row.id, row);
            }
            for attempt in store.attempts_of(*order)? {
                state.attempts.insert(attempt.id, attempt);
            }
        }
        for reference in &self.references {
            let orders = store.orders_of_reference(reference)?;
            let used = orders.iter().filter_map(UsedReference::of);
            state.references.extend(used);
        }
        for id in members {
            if self.created.contains(&id) {
                continue;
            }
            if let Some(record) = store.member(id)? {
                state.members.insert(id, record.member);
            }
            load_money(store, id, &mut state)?;
            let orders = store.orders_of(id, RECENT_ORDERS_MAX)?;
            state.recent_orders.extend(orders.iter().map(recent_order));
        }
        Ok(state)
    }
}

/// The account with the leases that explain what it has frozen. Where they do not, a snapshot is under
/// way or one of these rows is wrong: a payment is then shown as taken from the whole balance. The
/// next comparison with the server mends an account, a snapshot mends both.
fn load_money(store: &Store, member: MemberId, state: &mut State) -> Result<(), StoreError> {
    let Some(mut account) = store.account(member)? else {
        return Ok(());
    };
    let leases = store.leases_of(member)?;
    if fit(&account, &leases) {
        let leases = leases.into_iter().map(|lease| (lease.id, lease));
        state.leases.extend(leases);
    } else {
        tracing::error!(%member, "leases do not explain what is frozen");
        (account.frozen_principal, account.frozen_bonus) = (Money::ZERO, Money::ZERO);
    }
    state.accounts.insert(member, account);
    Ok(())
}

fn recent_order(order: &RechargeOrder) -> RecentOrder {
    let dead = matches!(
        order.state,
        OrderState::Cancelled | OrderState::Closed | OrderState::Rejected
    );
    RecentOrder {
        order: order.id,
        member: order.member,
        pay: order.quote.pay,
        opened_at: order.opened_at,
        alive: !dead,
    }
}

/// An equal order of the member that is not dead and not older than `within`.
pub fn duplicate_of(
    state: &State,
    member: MemberId,
    pay: Money,
    now: Timestamp,
    within: Millis,
) -> Option<OrderId> {
    let equal = state.recent_orders.iter().filter(|order| {
        order.member == member && order.pay == pay && order.alive && order.opened_at > now - within
    });
    equal
        .max_by_key(|order| order.opened_at)
        .map(|order| order.order)
}

/// Whether an attempt has ended one way or another.
pub fn is_over(attempt: &PaymentAttempt) -> bool {
    use qiantai_core::attempt::AttemptState as State;
    matches!(
        attempt.state,
        State::Succeeded | State::Failed | State::Reversed | State::Closed
    )
}
