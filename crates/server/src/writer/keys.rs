//! Which rows a batch touches.

use qiantai_core::Timestamp;
use qiantai_core::ids::{ActionId, MemberId};
use qiantai_core::operation::{Operation, OperationBody, RechargeOpen};
use qiantai_core::risk_floor::SpentBeyond;
use qiantai_wire::Header;

use crate::db::Keys;

/// Adds the rows that an operation touches which is decided at `now`.
pub(super) fn add_operation(keys: &mut Keys, operation: &Operation, now: Timestamp) {
    keys.now = keys.now.min(priced_from(operation, now));
    keys.devices.insert(operation.device);
    keys.shifts.extend(operation.shift);
    add_body(keys, operation.action_id, &operation.body);
    if let Some(beyond) = SpentBeyond::of(operation, now) {
        let from = beyond.counts_from();
        let known = keys.spent_beyond.entry(operation.device).or_insert(from);
        *known = from.min(*known);
    }
}

/// The earliest time from which a decision may look back at the member's orders. What was sold
/// days ago without a network is priced by its own day, so these orders must be there whether
/// they are written in the same batch or were before: a log replayed in other batches must give
/// the same books.
fn priced_from(operation: &Operation, now: Timestamp) -> Timestamp {
    let quoted_at = match &operation.body {
        OperationBody::RechargeOpen(open) => open.quote.quoted_at,
        OperationBody::RechargeCash(cash) => cash.open.quote.quoted_at,
        OperationBody::RechargeRecorded(recorded) => recorded.open.quote.quoted_at,
        _ => return now,
    };
    operation.business_time(now).min(quoted_at)
}

/// Adds the rows that a body touches.
pub(super) fn add_body(keys: &mut Keys, action: ActionId, body: &OperationBody) {
    keys.actions.insert(action);
    match body {
        OperationBody::ShiftOpen(body) => {
            keys.shifts.insert(body.shift);
        }
        OperationBody::RechargeOpen(body) => add_recharge(keys, body),
        OperationBody::RechargeCash(body) => add_recharge(keys, &body.open),
        OperationBody::RechargeRecorded(body) => {
            add_recharge(keys, &body.open);
            keys.references.insert(body.reference.as_str().to_owned());
        }
        OperationBody::AttemptStart(body) => {
            keys.orders.insert(body.order);
            keys.attempts.insert(body.attempt);
            keys.attempt_numbers.insert(body.attempt_no.clone());
        }
        OperationBody::RechargeCancel { order }
        | OperationBody::ReceiptReprint { order, .. }
        | OperationBody::OrderExpire { order }
        | OperationBody::CreditRetry { order } => {
            keys.orders.insert(*order);
        }
        OperationBody::DeviceEnrol(body) => {
            keys.devices.insert(body.device);
        }
        OperationBody::MemberCreate(body) => {
            keys.members.insert(body.member);
            keys.member_numbers.insert(body.member_no.clone());
        }
        OperationBody::MemberRegister(body) => {
            keys.members.insert(body.member);
        }
        OperationBody::OpeningBalance(body) => {
            keys.members.insert(body.member);
        }
        OperationBody::AttemptResult(body) => {
            keys.attempts.insert(body.attempt);
        }
        OperationBody::SurplusRefunded(body) => {
            keys.attempts.insert(body.attempt);
        }
        OperationBody::SpendOffline(body) => add_leases(keys, body.member),
        OperationBody::LeaseRelease(body) | OperationBody::LeaseLost(body) => {
            add_leases(keys, body.member);
        }
        OperationBody::LeaseGrant(body) => {
            add_leases(keys, body.member);
            keys.devices.insert(body.device);
        }
        OperationBody::PolicyPublish { .. } | OperationBody::DrawerOpen(_) => {}
    }
}

/// Adds the place that a pushed operation claims.
pub(super) fn add_place(keys: &mut Keys, header: &Header) {
    keys.devices.insert(header.device);
    keys.sequences
        .insert((header.device, header.epoch, header.device_seq));
    keys.hashes.insert(header.hash);
}

fn add_leases(keys: &mut Keys, member: MemberId) {
    keys.members.insert(member);
    keys.leases_of.insert(member);
}

fn add_recharge(keys: &mut Keys, body: &RechargeOpen) {
    keys.members.insert(body.member);
    keys.orders.insert(body.order);
    keys.order_numbers.insert(body.order_no.clone());
}
