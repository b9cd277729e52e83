//! `drawer.open`: a fact without money. The drawer was open, so nothing here refuses; what breaks a
//! rule is told (docs: domain §5.1, §5.2, adr 0047).

use crate::clock::Timestamp;
use crate::decide::draft::{CaseLinks, Draft};
use crate::decide::permission::{check_shift, check_staff, policy_in_force};
use crate::decide::{Decision, State};
use crate::drawer::DrawerOpen;
use crate::ledger::CaseKind;
use crate::money::Money;
use crate::operation::Operation;

pub(super) fn decide(
    state: &State,
    operation: &Operation,
    body: &DrawerOpen,
    now: Timestamp,
) -> Decision {
    let mut draft = Draft::new(operation, operation.business_time(now));
    let broken = [
        (
            CaseKind::ShiftIrregular,
            check_shift(state, operation).is_err(),
        ),
        (
            CaseKind::StaffIrregular,
            !is_by_who_may(state, operation, body, &draft),
        ),
    ];
    for (kind, _) in broken.into_iter().filter(|(_, is_broken)| *is_broken) {
        draft.case(kind, CaseLinks::default(), Money::ZERO);
    }
    draft.applied()
}

/// Somebody of the counter opened it, and another manager let it: for who works alone, the same.
fn is_by_who_may(
    state: &State,
    operation: &Operation,
    body: &DrawerOpen,
    draft: &Draft<'_>,
) -> bool {
    let Ok(policy) = policy_in_force(state, operation, draft.at) else {
        return false;
    };
    let own = operation
        .staff
        .filter(|_| check_staff(policy, operation).is_ok());
    own.is_some_and(|own| policy.releaser(own.staff, body.approval.staff).is_ok())
}
