//! A manager's PIN on the cashier's screen (docs: domain §5.2). It is checked here and bound to the
//! one operation that it was typed for, which is signed with it. The server looks again.

use qiantai_core::operation::{StaffMethod, StaffProof};
use qiantai_core::policy::{Policy, Role};

use crate::error::{CallError, ErrorCode};
use crate::view::order::Approval;

/// Who approves what `own` may not do alone: another person, and a manager. The PIN is not looked
/// at yet, so that a wrong one counts only where everything else is in order.
pub(crate) fn approver(
    policy: &Policy,
    own: &StaffProof,
    approval: &Approval,
) -> Result<StaffProof, CallError> {
    let staff_no = approval.staff_no.trim();
    let person = policy
        .staff
        .iter()
        .find(|person| person.active && person.staff_no == staff_no);
    let refused = |key| Err(CallError::new(ErrorCode::ApprovalNeeded, key).retryable());
    match person {
        None => refused("approver_unknown"),
        Some(person) if person.id == own.staff => refused("approver_self"),
        Some(person) if person.role != Role::Manager => refused("approver_no_manager"),
        Some(person) => Ok(StaffProof {
            staff: person.id,
            method: StaffMethod::Pin,
            policy_version: policy.version,
        }),
    }
}
