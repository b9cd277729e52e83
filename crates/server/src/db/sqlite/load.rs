//! Loading what a batch touches.

use std::collections::HashMap;
use std::sync::Arc;

use qiantai_core::decide::State;
use qiantai_core::ids::{MemberId, OrderId, StoreId, TenantId};
use qiantai_core::policy::Policy;
use qiantai_core::recharge::RechargeOrder;
use rusqlite::{Connection, Result};

use super::tables::{
    account, action, device, head, member, operation, payment_attempt, recharge_order, shift,
};
use crate::db::{Books, Keys, LogRow, RECENT_ORDERS};

/// Reads every row that `keys` names and every row that those name.
pub(super) fn load(
    db: &Connection,
    tenant: TenantId,
    policies: &[Arc<Policy>],
    keys: &Keys,
) -> Result<Option<Books>> {
    let Some(head) = head::find(db, tenant)? else {
        return Ok(None);
    };
    let mut books = Books {
        head,
        state: State::default(),
        policies: by_store(policies),
        cursors: HashMap::new(),
        seen: Vec::new(),
    };
    devices(db, tenant, keys, &mut books)?;
    orders_and_attempts(db, tenant, keys, &mut books.state)?;
    members(db, tenant, keys, &mut books.state)?;
    for &id in &keys.shifts {
        if let Some(row) = shift::find(db, tenant, id)? {
            books.state.shifts.insert(id, row);
        }
    }
    for &id in &keys.actions {
        if let Some(record) = action::find(db, tenant, id)? {
            books.state.actions.insert(id, record);
        }
    }
    books.seen = seen(db, tenant, keys)?;
    Ok(Some(books))
}

fn by_store(policies: &[Arc<Policy>]) -> HashMap<StoreId, Vec<Arc<Policy>>> {
    let mut stores: HashMap<StoreId, Vec<Arc<Policy>>> = HashMap::new();
    for policy in policies {
        stores
            .entry(policy.store.id)
            .or_default()
            .push(Arc::clone(policy));
    }
    stores
}

fn devices(db: &Connection, tenant: TenantId, keys: &Keys, books: &mut Books) -> Result<()> {
    for &id in &keys.devices {
        if let Some((row, cursor)) = device::find(db, tenant, id)? {
            books.state.devices.insert(id, row);
            books.cursors.insert(id, cursor);
        }
        for row in shift::open_on(db, tenant, id)? {
            books.state.shifts.insert(row.id, row);
        }
    }
    Ok(())
}

/// An order brings all its attempts, an attempt its order, and a number whoever holds it.
fn orders_and_attempts(
    db: &Connection,
    tenant: TenantId,
    keys: &Keys,
    state: &mut State,
) -> Result<()> {
    let mut orders: Vec<OrderId> = keys.orders.iter().copied().collect();
    for &id in &keys.attempts {
        orders.extend(payment_attempt::find(db, tenant, id)?.map(|attempt| attempt.order));
    }
    for number in &keys.attempt_numbers {
        let holder = payment_attempt::of_number(db, tenant, number)?;
        orders.extend(holder.map(|attempt| attempt.order));
    }
    for number in &keys.order_numbers {
        let holder = recharge_order::of_number(db, tenant, number)?;
        orders.extend(holder.map(|order| order.id));
    }
    for id in orders {
        if state.orders.contains_key(&id) {
            continue;
        }
        if let Some(order) = recharge_order::find(db, tenant, id)? {
            state.orders.insert(id, order);
        }
        for attempt in payment_attempt::of_order(db, tenant, id)? {
            state.attempts.insert(attempt.id, attempt);
        }
    }
    Ok(())
}

fn members(db: &Connection, tenant: TenantId, keys: &Keys, state: &mut State) -> Result<()> {
    let of_orders = state
        .orders
        .values()
        .map(|order: &RechargeOrder| order.member);
    let mut members: Vec<MemberId> = keys.members.iter().copied().chain(of_orders).collect();
    members.sort_unstable();
    members.dedup();
    for id in members {
        if let Some(row) = member::find(db, tenant, id)? {
            state.members.insert(id, row);
        }
        if let Some(row) = account::find(db, tenant, id)? {
            state.accounts.insert(id, row);
        }
        let since = keys.now - RECENT_ORDERS;
        state
            .recent_orders
            .extend(recharge_order::recent(db, tenant, id, since)?);
    }
    Ok(())
}

fn seen(db: &Connection, tenant: TenantId, keys: &Keys) -> Result<Vec<LogRow>> {
    let mut rows = Vec::new();
    for &sequence in &keys.sequences {
        rows.extend(operation::of_sequence(db, tenant, sequence)?);
    }
    for hash in &keys.hashes {
        let row = operation::of_hash(db, tenant, hash)?;
        rows.extend(row.filter(|row| rows.iter().all(|seen| seen.server_seq != row.server_seq)));
    }
    Ok(rows)
}
