//! `drawer.open`: a fact without money. The drawer was open, so nothing here refuses; what breaks a
//! rule is told (docs: domain §5.1, §5.2, adr 0047).

use crate::clock::Timestamp;
use crate::decide::draft::{CaseLinks, Draft};
use crate::decide::permission::{check_shift, is_let};
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
            !is_let(state, operation, body.approval, draft.at),
        ),
    ];
    for (kind, _) in broken.into_iter().filter(|(_, is_broken)| *is_broken) {
        draft.case(kind, CaseLinks::default(), Money::ZERO);
    }
    draft.applied()
}
