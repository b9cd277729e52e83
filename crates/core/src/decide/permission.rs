//! Who may do what. Terminals check first; the server never takes their word for it.

use crate::clock::Timestamp;
use crate::decide::{Refusal, RefusalCode, State};
use crate::ids::{StaffId, StoreId};
use crate::ledger::ShiftState;
use crate::operation::{Operation, StaffProof};
use crate::policy::{Policy, Role};
use crate::recharge::RechargeOrder;

/// True when the server's own device wrote the operation.
pub(super) fn is_server(state: &State, operation: &Operation) -> bool {
    use crate::operation::OperationBody::DeviceEnrol;
    let introduces_itself = matches!(
        &operation.body,
        DeviceEnrol(body) if body.device == operation.device && body.terminal_code == "00"
    );
    match state.devices.get(&operation.device) {
        Some(device) => device.is_server,
        // The first operation of a ledger is the server's own enrolment.
        None => introduces_itself && !state.devices.values().any(|device| device.is_server),
    }
}

/// Rules of the operation's store in force at `at`.
pub(super) fn policy_in_force<'a>(
    state: &'a State,
    operation: &Operation,
    at: Timestamp,
) -> Result<&'a Policy, Refusal> {
    state
        .policy_at(at)
        .filter(|policy| is_at(policy, operation.store))
        .ok_or(RefusalCode::PolicyUnknown.into())
}

fn is_at(policy: &Policy, store: StoreId) -> bool {
    policy.store.id == store
}

/// The person may take money at the counter.
pub(super) fn check_staff(policy: &Policy, operation: &Operation) -> Result<(), Refusal> {
    let proof = operation.staff.ok_or(RefusalCode::StaffUnknown)?;
    let person = policy
        .staff
        .iter()
        .find(|person| person.id == proof.staff && person.active)
        .ok_or(RefusalCode::StaffUnknown)?;
    match person.role {
        Role::Cashier | Role::Manager => Ok(()),
        Role::Finance | Role::ExceptionHandler | Role::Auditor | Role::HeadOffice => {
            Err(RefusalCode::RoleNotAllowed.into())
        }
    }
}

/// The operation belongs to a shift that is open on its own device.
pub(super) fn check_shift(state: &State, operation: &Operation) -> Result<(), Refusal> {
    let shift = operation.shift.and_then(|id| state.shifts.get(&id));
    match shift {
        Some(shift) if shift.device == operation.device && shift.state == ShiftState::Open => {
            Ok(())
        }
        _ => Err(RefusalCode::ShiftNotOpen.into()),
    }
}

/// Only the terminal that opened an order asks for its money or gives it up: its customer stands
/// there. The others look.
pub(super) fn check_owner(operation: &Operation, order: &RechargeOrder) -> Result<(), Refusal> {
    if order.device == operation.device {
        Ok(())
    } else {
        Err(RefusalCode::OrderElsewhere.into())
    }
}

/// The manager who approves what the operation's own staff may not do alone, when that person may:
/// an active manager of the store, and somebody else, for nobody approves their own action (docs:
/// domain §5.2).
pub(super) fn approver(
    policy: &Policy,
    operation: &Operation,
    approval: Option<StaffProof>,
) -> Option<StaffId> {
    let proof =
        approval.filter(|proof| operation.staff.map(|own| own.staff) != Some(proof.staff))?;
    let mut staff = policy.staff.iter();
    let is_manager = staff
        .any(|person| person.id == proof.staff && person.active && person.role == Role::Manager);
    is_manager.then_some(proof.staff)
}

/// True when somebody of the counter did it and another manager let it: for who works alone, the
/// same (docs: domain §5.2, adr 0040).
pub(super) fn is_let(
    state: &State,
    operation: &Operation,
    approval: StaffProof,
    at: Timestamp,
) -> bool {
    let Ok(policy) = policy_in_force(state, operation, at) else {
        return false;
    };
    let own = operation
        .staff
        .filter(|_| check_staff(policy, operation).is_ok());
    own.is_some_and(|own| policy.releaser(own.staff, approval.staff).is_ok())
}
