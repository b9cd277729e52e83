//! Loading what a batch touches: one round of questions, however many operations it has, and two more
//! where a row names what no operation did.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use qiantai_core::account::{Account, Lot};
use qiantai_core::attempt::{PaymentAttempt, Surplus};
use qiantai_core::decide::State;
use qiantai_core::ids::{AttemptId, MemberId, OrderId, StoreId, TenantId};
use qiantai_core::policy::Policy;
use qiantai_core::recorded_payment::UsedReference;
use qiantai_core::risk_floor::SpentBeyond;
use qiantai_wire::SignedOperation;
use qiantai_wire::api::OpResultDto;
use qiantai_wire::feed::OutcomeDto;

use super::database::Database;
use super::leases::with_lots;
use super::record::{Record, damaged};
use super::table::Question;
use super::tables::{
    account, action, device, head, lease, lease_lot, lot, member, operation, payment_attempt,
    payment_surplus, policy, recharge_order, shift,
};
use super::{Books, Keys, LedgerError, LogRow, RECENT_ORDERS};

/// Reads every row that `keys` names and every row that those name.
pub(super) fn load(
    db: &impl Database,
    tenant: TenantId,
    keys: &Keys,
) -> Result<Books, LedgerError> {
    db.may_write(tenant)?;
    let members: Vec<MemberId> = keys.members.iter().copied().collect();
    let mut questions = vec![
        head::of(tenant),
        policy::count(tenant),
        device::of_ids(tenant, keys.devices.iter().copied()),
        shift::open_on(tenant, keys.devices.iter().copied()),
        shift::of_ids(tenant, keys.shifts.iter().copied()),
        action::of_ids(tenant, keys.actions.iter().copied()),
        operation::of_sequences(tenant, &keys.sequences),
        operation::of_hashes(tenant, &keys.hashes),
        operation::beyond_chains(tenant, keys.devices.iter().copied()),
        payment_attempt::of_ids(tenant, keys.attempts.iter().copied()),
        payment_attempt::of_numbers(tenant, &keys.attempt_numbers),
        recharge_order::ids_of_numbers(tenant, &keys.order_numbers),
        recharge_order::of_references(tenant, &keys.references),
        member::ids_of_numbers(tenant, &keys.member_numbers),
    ];
    questions.extend(of_orders(tenant, &keys.orders));
    questions.extend(of_members(tenant, &members, keys));
    let mut answers = db.ask_for_writing(questions)?.into_iter();
    let mut next = || answers.next().unwrap_or_default();
    let (heads, policies) = (next(), next());
    let head = heads.first().ok_or(LedgerError::NoTenant(tenant))?;
    let mut books = Books {
        head: head::read(head)?,
        state: State::default(),
        policies: by_store(self::policies(db, tenant, &policies)?),
        cursors: HashMap::new(),
        seen: Vec::new(),
    };
    for row in next() {
        let (row, cursor) = device::read(&row)?;
        books.cursors.insert(row.id, cursor);
        books.state.devices.insert(row.id, row);
    }
    for row in next().into_iter().chain(next()) {
        let row = shift::read(&row)?;
        books.state.shifts.insert(row.id, row);
    }
    for row in next() {
        let (id, record) = action::read(&row)?;
        books.state.actions.insert(id, record);
    }
    books.seen = seen(next().into_iter().chain(next()).chain(next()))?;
    // An attempt brings its order, and a number whoever holds it.
    let mut orders: HashSet<OrderId> = HashSet::new();
    for row in next().into_iter().chain(next()) {
        orders.insert(payment_attempt::order(&row)?);
    }
    for row in next() {
        orders.insert(recharge_order::id(&row)?);
    }
    for row in next() {
        let used = UsedReference::of(&recharge_order::read(&row)?);
        books.state.references.extend(used);
    }
    let holders: Vec<_> = next().iter().map(member::id).collect::<Result<_, _>>()?;
    take_orders([next(), next(), next()], &mut books.state)?;
    take_members([next(), next(), next(), next()], &mut books.state)?;
    orders.retain(|order| !keys.orders.contains(order));
    named_by_rows(db, tenant, keys, (orders, holders), &mut books.state)?;
    leases(db, tenant, keys, &mut books.state)?;
    spent_beyond(db, tenant, keys, &mut books.state)?;
    Ok(books)
}

/// Reads the orders and members that rows named and no operation did, and the members of all orders
/// that no operation named.
fn named_by_rows(
    db: &impl Database,
    tenant: TenantId,
    keys: &Keys,
    (orders, holders): (HashSet<OrderId>, Vec<MemberId>),
    state: &mut State,
) -> Result<(), LedgerError> {
    if !orders.is_empty() {
        let answers = db.ask_for_writing(of_orders(tenant, &orders).into())?;
        take_orders(exactly(answers)?, state)?;
    }
    let of_orders = state.orders.values().map(|order| order.member);
    let mut members: Vec<MemberId> = of_orders
        .chain(holders)
        .filter(|member| !keys.members.contains(member))
        .collect();
    members.sort_unstable();
    members.dedup();
    if members.is_empty() {
        return Ok(());
    }
    let answers = db.ask_for_writing(of_members(tenant, &members, keys).into())?;
    take_members(exactly(answers)?, state)
}

/// Every policy of a tenant, given how many there are.
pub(super) fn policies(
    db: &impl Database,
    tenant: TenantId,
    counted: &[Record],
) -> Result<Vec<Arc<Policy>>, LedgerError> {
    let count = match counted.first() {
        Some(row) => row.count("policies")?,
        None => 0,
    };
    if let Some(known) = db.policies_read().take(tenant, count) {
        return Ok(known);
    }
    let rows = db.ask(vec![policy::documents(tenant)])?;
    let policies: Vec<_> = rows
        .iter()
        .flatten()
        .map(policy::read)
        .collect::<Result<_, _>>()?;
    db.policies_read().put(tenant, policies.clone());
    Ok(policies)
}

fn by_store(policies: Vec<Arc<Policy>>) -> HashMap<StoreId, Vec<Arc<Policy>>> {
    let mut stores: HashMap<StoreId, Vec<Arc<Policy>>> = HashMap::new();
    for policy in policies {
        stores.entry(policy.store.id).or_default().push(policy);
    }
    stores
}

/// An order brings all its attempts.
fn of_orders<'a>(
    tenant: TenantId,
    orders: impl IntoIterator<Item = &'a OrderId> + Copy,
) -> [Question; 3] {
    let ids = || orders.into_iter().copied();
    [
        recharge_order::of_ids(tenant, ids()),
        payment_attempt::of_orders(tenant, ids()),
        payment_surplus::of_orders(tenant, ids()),
    ]
}

fn take_orders(
    [orders, attempts, surplus]: [Vec<Record>; 3],
    state: &mut State,
) -> Result<(), LedgerError> {
    for row in &orders {
        let order = recharge_order::read(row)?;
        state.orders.insert(order.id, order);
    }
    for (_, attempt) in with_surplus(&attempts, &surplus)? {
        state.attempts.insert(attempt.id, attempt);
    }
    Ok(())
}

/// A member brings the account with its lots, and the orders of late.
fn of_members(tenant: TenantId, members: &[MemberId], keys: &Keys) -> [Question; 4] {
    [
        member::of_ids(tenant, members),
        account::of_members(tenant, members),
        lot::of_members(tenant, members),
        recharge_order::recent(tenant, members, keys.now - RECENT_ORDERS),
    ]
}

fn take_members(
    [members, rows, lots, recent]: [Vec<Record>; 4],
    state: &mut State,
) -> Result<(), LedgerError> {
    for row in &members {
        let row = member::read(row)?;
        state.members.insert(row.id, row);
    }
    state.accounts.extend(accounts(&rows, &lots)?);
    for row in &recent {
        state.recent_orders.push(recharge_order::read_recent(row)?);
    }
    Ok(())
}

/// Every lease that is not over, of members whose leases are touched.
fn leases(
    db: &impl Database,
    tenant: TenantId,
    keys: &Keys,
    state: &mut State,
) -> Result<(), LedgerError> {
    if keys.leases_of.is_empty() {
        return Ok(());
    }
    let members: Vec<MemberId> = keys.leases_of.iter().copied().collect();
    let answers = db.ask_for_writing(vec![
        lease::open_of(tenant, &members),
        lease_lot::open_of(tenant, &members),
    ])?;
    let [leases, left] = exactly(answers)?;
    for (lease, _) in with_lots(&leases, &left)? {
        state.leases.insert(lease.id, lease);
    }
    Ok(())
}

/// What devices took beyond their leases of late, from the log: it alone has it.
fn spent_beyond(
    db: &impl Database,
    tenant: TenantId,
    keys: &Keys,
    state: &mut State,
) -> Result<(), LedgerError> {
    let Some(since) = keys.spent_beyond.values().min() else {
        return Ok(());
    };
    let devices = keys.spent_beyond.keys().copied();
    let question = operation::spent_since(tenant, devices, *since);
    let [rows] = exactly(db.ask_for_writing(vec![question])?)?;
    for row in &rows {
        let row = operation::read(row)?;
        let answer: OpResultDto =
            serde_json::from_str(&row.answer).map_err(|error| damaged(error.to_string()))?;
        if answer.outcome != OutcomeDto::Applied {
            continue;
        }
        let signed = SignedOperation::from(row.bytes);
        let operation = signed
            .operation()
            .map_err(|error| damaged(error.to_string()))?;
        state
            .spent_beyond
            .extend(SpentBeyond::of(&operation, row.decided_at));
    }
    Ok(())
}

/// Accounts by member, with their lots.
pub(super) fn accounts(
    rows: &[Record],
    lots: &[Record],
) -> Result<HashMap<MemberId, Account>, LedgerError> {
    let mut of_member: HashMap<MemberId, Vec<Lot>> = HashMap::new();
    for row in lots {
        let (member, lot) = lot::read(row)?;
        of_member.entry(member).or_default().push(lot);
    }
    rows.iter()
        .map(|row| {
            let member = account::member(row)?;
            let lots = of_member.remove(&member).unwrap_or_default();
            Ok((member, account::read(row, lots)?))
        })
        .collect()
}

/// Attempts in the order of `rows`, each with its surplus.
pub(super) fn with_surplus(
    rows: &[Record],
    surplus: &[Record],
) -> Result<Vec<(TenantId, PaymentAttempt)>, LedgerError> {
    let mut of_attempt: HashMap<(TenantId, AttemptId), Vec<Surplus>> = HashMap::new();
    for row in surplus {
        let (attempt, payment) = payment_surplus::read(row)?;
        of_attempt.entry(attempt).or_default().push(payment);
    }
    rows.iter()
        .map(|row| {
            let (tenant, id) = payment_attempt::key(row)?;
            let surplus = of_attempt.remove(&(tenant, id)).unwrap_or_default();
            Ok((tenant, payment_attempt::read(row, surplus)?))
        })
        .collect()
}

/// In the order of the log, each once.
fn seen(rows: impl Iterator<Item = Record>) -> Result<Vec<LogRow>, LedgerError> {
    let mut rows = rows
        .map(|row| operation::read(&row))
        .collect::<Result<Vec<_>, _>>()?;
    rows.sort_unstable_by_key(|row| row.server_seq);
    rows.dedup_by_key(|row| row.server_seq);
    Ok(rows)
}

/// The answers to `N` questions.
pub(super) fn exactly<const N: usize>(
    answers: Vec<Vec<Record>>,
) -> Result<[Vec<Record>; N], LedgerError> {
    answers
        .try_into()
        .map_err(|_| LedgerError::Failed("a question was not answered".into()))
}

/// The only answer to a question.
pub(super) fn ask_one(db: &impl Database, question: Question) -> Result<Vec<Record>, LedgerError> {
    let [rows] = exactly(db.ask(vec![question])?)?;
    Ok(rows)
}
