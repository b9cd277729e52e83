//! `receipt.reprint`: a fact that is only counted (docs: domain §5.5). Beyond two copies the till asks a
//! manager (docs: domain §5.2); here it is told where that person might not.

use crate::clock::Timestamp;
use crate::decide::draft::{CaseLinks, Draft};
use crate::decide::permission::is_let;
use crate::decide::{Change, Decision, State};
use crate::ids::OrderId;
use crate::ledger::CaseKind;
use crate::money::Money;
use crate::operation::{Operation, StaffProof};

/// Two terminals may both print "copy 1" while offline, so the order counts for itself.
pub(super) fn decide(
    state: &State,
    operation: &Operation,
    order: OrderId,
    approval: Option<StaffProof>,
    now: Timestamp,
) -> Decision {
    let mut draft = Draft::new(operation, operation.business_time(now));
    if approval.is_some_and(|approval| !is_let(state, operation, approval, draft.at)) {
        let links = CaseLinks {
            order: Some(order),
            ..CaseLinks::default()
        };
        draft.case(CaseKind::StaffIrregular, links, Money::ZERO);
    }
    match state.orders.get(&order) {
        Some(order) => {
            let mut order = order.clone();
            order.copies = order.copies.saturating_add(1);
            order.changed_at = draft.at;
            draft.push(Change::Order(order));
        }
        None => draft.case(CaseKind::Unattributed, CaseLinks::default(), Money::ZERO),
    }
    draft.applied()
}
