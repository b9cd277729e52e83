//! What becomes of leases: granted and declared lost by the server, released by their terminal
//! (docs: sync, "Offline spending: leases").

use std::collections::BTreeSet;

use crate::account::Draw;
use crate::clock::Timestamp;
use crate::decide::draft::{Draft, unchanged};
use crate::decide::{Change, Decision, Refusal, RefusalCode, State};
use crate::ids::LeaseId;
use crate::lease::{LEASES_MOST, Lease, LeaseState, free_lots, renewal};
use crate::member::MemberStatus;
use crate::money::Money;
use crate::operation::{LeaseGrant, NamedLease, Operation};

/// `lease.grant`: holds what the server has promised to a terminal, when it is still there and
/// within the rule.
pub(super) fn grant(
    state: &State,
    operation: &Operation,
    body: &LeaseGrant,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let member = state.members.get(&body.member);
    let member = member.ok_or(RefusalCode::MemberUnknown)?;
    let account = state.accounts.get(&body.member);
    let account = account.ok_or(RefusalCode::MemberUnknown)?;
    if member.status != MemberStatus::Active {
        return Err(RefusalCode::MemberNotActive.into());
    }
    let holder = state.devices.get(&body.device);
    let (leases, sum) = held_by(state, body);
    let is_allowed = holder.is_some_and(|device| !device.is_server)
        && leases < LEASES_MOST
        && is_plausible(&body.lots)
        && total(&body.lots) <= renewal(account, sum);
    let free = free_lots(account, state.leases_of(body.member));
    let is_there = |draw: &Draw| {
        let lot = free.iter().find(|lot| lot.id == draw.lot);
        lot.is_some_and(|lot| draw.principal <= lot.principal_left && draw.bonus <= lot.bonus_left)
    };
    if !is_allowed || !body.lots.iter().all(is_there) {
        return Err(RefusalCode::LeaseNotCovered.into());
    }
    let mut draft = Draft::new(operation, now);
    let lease = Lease {
        id: LeaseId(operation.op_id.0),
        member: body.member,
        device: body.device,
        store: operation.store,
        state: LeaseState::Held,
        lots: body.lots.clone(),
        granted_at: now,
    };
    let (principal, bonus) = lease.held();
    let mut account = account.clone();
    account.frozen_principal += principal;
    account.frozen_bonus += bonus;
    draft.push(Change::Lease(lease));
    draft.push(Change::Account(account));
    Ok(draft.applied())
}

/// `lease.release`: a fact. Everything that its terminal drew came before it in the terminal's own
/// chain, so what is left is left.
pub(super) fn release(
    state: &State,
    operation: &Operation,
    body: &NamedLease,
    now: Timestamp,
) -> Decision {
    let lease = open(state, body).filter(|lease| lease.device == operation.device);
    let Some(lease) = lease else {
        return unchanged();
    };
    let mut draft = Draft::new(operation, operation.business_time(now));
    give_back(&mut draft, state, lease);
    let mut lease = lease.clone();
    lease.state = LeaseState::Released;
    for lot in &mut lease.lots {
        (lot.principal, lot.bonus) = (Money::ZERO, Money::ZERO);
    }
    draft.push(Change::Lease(lease));
    draft.applied()
}

/// `lease.lost`: the money is the member's again. What is left of the lease stays with it as what
/// its terminal may have spent.
pub(super) fn lost(
    state: &State,
    operation: &Operation,
    body: &NamedLease,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let lease = open(state, body).ok_or(RefusalCode::LeaseUnknown)?;
    if lease.state == LeaseState::Lost {
        return Ok(unchanged());
    }
    let mut draft = Draft::new(operation, now);
    give_back(&mut draft, state, lease);
    draft.push(Change::Lease(Lease {
        state: LeaseState::Lost,
        ..lease.clone()
    }));
    Ok(draft.applied())
}

fn open<'a>(state: &'a State, body: &NamedLease) -> Option<&'a Lease> {
    let mut leases = state.leases_of(body.member);
    leases.find(|lease| {
        lease.id == body.lease && matches!(lease.state, LeaseState::Held | LeaseState::Lost)
    })
}

fn give_back(draft: &mut Draft<'_>, state: &State, lease: &Lease) {
    let (principal, bonus) = lease.held();
    if let Some(account) = state.accounts.get(&lease.member) {
        let mut account = account.clone();
        account.frozen_principal -= principal;
        account.frozen_bonus -= bonus;
        draft.push(Change::Account(account));
    }
}

/// How many leases the terminal holds of the member, and what they hold.
fn held_by(state: &State, body: &LeaseGrant) -> (usize, Money) {
    let of_device = state
        .leases_of(body.member)
        .filter(|lease| lease.device == body.device && lease.state == LeaseState::Held);
    of_device.fold((0, Money::ZERO), |(leases, sum), lease| {
        (leases + 1, sum + lease.left())
    })
}

fn is_plausible(lots: &[Draw]) -> bool {
    let mut seen = BTreeSet::new();
    let is_sound = |draw: &Draw| !draw.principal.is_negative() && !draw.bonus.is_negative();
    lots.iter()
        .all(|draw| is_sound(draw) && seen.insert(draw.lot))
        && total(lots).is_positive()
}

fn total(lots: &[Draw]) -> Money {
    lots.iter().map(|draw| draw.principal + draw.bonus).sum()
}
