//! A manager's PIN on the cashier's screen (docs: domain §5.2). It is checked here and bound to the
//! one operation that it was typed for, which is signed with it. The server looks again.

use qiantai_core::half_width::half_width;
use qiantai_core::ids::StaffId;
use qiantai_core::operation::{StaffMethod, StaffProof};
use qiantai_core::policy::{Policy, Role, Staff};
use qiantai_core::release::NoReleaser;

use crate::error::{CallError, ErrorCode};
use crate::view::order::Approval;

/// Who approves what `own` may not do alone: another person, and a manager. The PIN is not looked
/// at yet, so that a wrong one counts only where everything else is in order.
pub(crate) fn approver(
    policy: &Policy,
    own: &StaffProof,
    approval: &Approval,
) -> Result<StaffProof, CallError> {
    let person = named(policy, approval)?;
    match person.id == own.staff {
        true => Err(refused("approver_self")),
        false => proof(policy, person),
    }
}

/// Who lets what `own` did or would do: another manager, or the same person where the shop has no
/// other (docs: adr 0040, adr 0047). `of_own` says so to who may not. The PIN is not looked at yet.
pub(crate) fn releaser(
    policy: &Policy,
    own: StaffId,
    approval: &Approval,
    of_own: &str,
) -> Result<StaffProof, CallError> {
    let person = named(policy, approval)?;
    match policy.releaser(own, person.id) {
        Ok(_) => proof(policy, person),
        Err(NoReleaser::NoManager) => Err(refused("approver_no_manager")),
        Err(NoReleaser::TookIt) => Err(refused(of_own)),
    }
}

/// The manager who does what managers alone may; whoever stands at the counter. The PIN is not
/// looked at yet.
pub(crate) fn manager(policy: &Policy, approval: &Approval) -> Result<StaffProof, CallError> {
    proof(policy, named(policy, approval)?)
}

fn named<'a>(policy: &'a Policy, approval: &Approval) -> Result<&'a Staff, CallError> {
    let staff_no: String = approval.staff_no.trim().chars().map(half_width).collect();
    let mut staff = policy.staff.iter();
    let person = staff.find(|person| person.active && person.staff_no == staff_no);
    person.ok_or_else(|| refused("approver_unknown"))
}

fn proof(policy: &Policy, person: &Staff) -> Result<StaffProof, CallError> {
    match person.role {
        Role::Manager => Ok(StaffProof {
            staff: person.id,
            method: StaffMethod::Pin,
            policy_version: policy.version,
        }),
        _ => Err(refused("approver_no_manager")),
    }
}

fn refused(key: &str) -> CallError {
    CallError::new(ErrorCode::ApprovalNeeded, key).retryable()
}
