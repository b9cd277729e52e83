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
    let member_no = free_number(state, body);
    if member_no != body.member_no {
        // The slip has a number that leads to somebody else.
        draft.case(CaseKind::Unattributed, links, Money::ZERO);
    }
    draft.push(Change::Member(Member {
        id: body.member,
        member_no,
        home_store: operation.store,
        status: MemberStatus::Active,
        registered_at: draft.at,
    }));
    draft.push(Change::Account(empty_account(body.member, lowest.id)));
    Ok(draft.applied())
}

/// The number that was given at the counter. Of two histories of one disk each counts on from the same
/// number: where another member has it, the identity tells them apart.
fn free_number(state: &State, body: &MemberCreate) -> String {
    let number = &body.member_no;
    let is_taken = state
        .members
        .values()
        .any(|member| member.member_no == *number);
    match is_taken {
        true => format!("{number}-{:04X}", body.member.0.as_u128() & 0xFFFF),
        false => number.clone(),
    }
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
