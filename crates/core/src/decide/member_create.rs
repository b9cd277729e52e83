//! `member.create`: a fact; somebody became a member at the counter (docs: sync, "Everything that
//! changes the ledger is an operation").

use crate::clock::Timestamp;
use crate::decide::draft::{CaseLinks, Draft};
use crate::decide::members::empty_account;
use crate::decide::permission::check_staff;
use crate::decide::{Change, Decision, Refusal, RefusalCode, State};
use crate::ledger::CaseKind;
use crate::member::{Member, MemberStatus};
use crate::money::Money;
use crate::operation::{MemberCreate, Operation};
use crate::policy::Policy;
use crate::tier;

/// A member with an empty account in the lowest tier. Money that was taken for this member follows
/// in the device's log, so nothing but the want of any rules of the store stops it.
pub(super) fn decide(
    state: &State,
    operation: &Operation,
    body: &MemberCreate,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let mut draft = Draft::new(operation, operation.business_time(now));
    let policy = rules(state, operation, draft.at).ok_or(RefusalCode::PolicyUnknown)?;
    let lowest = tier::reached(&policy.tiers, Money::ZERO).ok_or(RefusalCode::PolicyUnknown)?;
    let links = CaseLinks {
        member: Some(body.member),
        ..CaseLinks::default()
    };
    if check_staff(policy, operation).is_err() {
        draft.case(CaseKind::StaffIrregular, links, Money::ZERO);
    }
    if state.members.contains_key(&body.member) {
        // Another person under the same identity: the first one keeps it.
        draft.case(CaseKind::Unattributed, links, Money::ZERO);
        return Ok(draft.applied());
    }
    draft.push(Change::Member(Member {
        id: body.member,
        member_no: body.member_no.clone(),
        home_store: operation.store,
        status: MemberStatus::Active,
        registered_at: draft.at,
    }));
    draft.push(Change::Account(empty_account(body.member, lowest.id)));
    Ok(draft.applied())
}

/// Rules of the store at `at`; with a clock before the first version the oldest known.
fn rules<'a>(state: &'a State, operation: &Operation, at: Timestamp) -> Option<&'a Policy> {
    let of_store = |policy: &&Policy| policy.store.id == operation.store;
    let in_force = state.policy_at(at).filter(of_store);
    in_force.or_else(|| {
        let known = state.policies.iter().map(AsRef::as_ref);
        known.filter(of_store).min_by_key(|policy| policy.version)
    })
}
