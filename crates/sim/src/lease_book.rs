//! What terminals may spend without asking, kept from operations alone.

use std::collections::{BTreeMap, BTreeSet};

use qiantai_core::Money;
use qiantai_core::account::Account;
use qiantai_core::decide::Change;
use qiantai_core::ids::{DeviceId, LeaseId, MemberId};
use qiantai_core::ledger::{CaseKind, LedgerAccount};
use qiantai_core::operation::{LeaseGrant, NamedLease, Operation, SpendOffline};

use crate::halt::{Invariant, Step, must};

/// Every lease there ever was.
#[derive(Clone, Default)]
pub struct LeaseBook {
    leases: BTreeMap<LeaseId, Held>,
    /// Granted by books that were lost, and not by these: their terminals may have spent them.
    forgotten: BTreeMap<LeaseId, Held>,
    /// What terminals hold of each member.
    held: BTreeMap<MemberId, Money>,
    /// How far below nothing a member may come: what a manager let pass, and what terminals may
    /// spend all the same whose leases were declared lost or are forgotten.
    floors: BTreeMap<MemberId, Money>,
    /// Terminals that took anything of a member on the risk floor, however often: once the member
    /// owes, a terminal that knows of it takes no more.
    takers: BTreeSet<(MemberId, DeviceId)>,
    /// The most that each of them may take.
    most: Money,
}

#[derive(Clone)]
struct Held {
    member: MemberId,
    device: DeviceId,
    granted: Money,
    left: Money,
    standing: Standing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Held,
    Released,
    Lost,
}

impl LeaseBook {
    /// What a terminal may take on the risk floor until it synchronises.
    pub fn may_take(&mut self, most: Money) {
        self.most = most;
    }

    /// A lease was granted, if it was.
    pub fn grant(&mut self, operation: &Operation, body: &LeaseGrant, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let granted = body.lots.iter().map(|lot| lot.principal + lot.bonus).sum();
        let held = Held {
            member: body.member,
            device: body.device,
            granted,
            left: granted,
            standing: Standing::Held,
        };
        *self.held.entry(body.member).or_default() += held.left;
        self.leases.insert(LeaseId(operation.op_id.0), held);
    }

    /// A terminal gave one back.
    pub fn release(&mut self, body: &NamedLease, device: DeviceId) {
        let lease = self.leases.get_mut(&body.lease);
        if let Some(lease) = lease.filter(|lease| lease.device == device) {
            if lease.standing == Standing::Held {
                *self.held.entry(lease.member).or_default() -= lease.left;
            }
            (lease.left, lease.standing) = (Money::ZERO, Standing::Released);
        }
    }

    /// One was declared lost: its terminal may still spend what was left of it.
    pub fn lose(&mut self, body: &NamedLease) {
        let lease = self.leases.get_mut(&body.lease);
        if let Some(lease) = lease.filter(|lease| lease.standing == Standing::Held) {
            lease.standing = Standing::Lost;
            *self.held.entry(lease.member).or_default() -= lease.left;
            *self.floors.entry(lease.member).or_default() += lease.left;
        }
    }

    /// A payment was posted. Of two histories of one disk each may draw all of a lease, and each may use
    /// up the floor.
    pub fn spend(
        &mut self,
        operation: &Operation,
        body: &SpendOffline,
        changes: &[Change],
        is_forked: bool,
    ) -> Step {
        let mut is_forgotten = false;
        for draw in &body.draws {
            let forgotten = self.forgotten.get_mut(&draw.lease);
            is_forgotten |= forgotten.is_some();
            let lease = forgotten.or(self.leases.get_mut(&draw.lease));
            let own = lease.filter(|lease| lease.device == operation.device);
            let Some(lease) = own.filter(|lease| is_forked || draw.amount <= lease.left) else {
                let (device, draw) = (operation.device, draw.amount);
                let detail = format!("{device} draws {draw} on a lease that does not give it");
                return must(false, Invariant::LeasesKept, || detail);
            };
            let given = draw.amount.min(lease.left);
            lease.left -= given;
            if lease.standing == Standing::Held {
                *self.held.entry(lease.member).or_default() -= given;
            }
            *self.floors.entry(body.member).or_default() += draw.amount - given;
        }
        if body.approval.is_some() || is_forked {
            *self.floors.entry(body.member).or_default() += body.beyond_leases();
        } else if body.beyond_leases().is_positive() {
            self.takers.insert((body.member, operation.device));
        }
        let (principal, bonus) = drawn(changes);
        let mut debt = Money::ZERO;
        for change in changes {
            match change {
                Change::Posting(posting) => {
                    if let LedgerAccount::MemberDebt(_) = posting.account {
                        debt += posting.amount;
                    }
                }
                Change::Case(case) => {
                    must(
                        case.kind != CaseKind::LeaseExceeded || is_forgotten || is_forked,
                        Invariant::LeasesKept,
                        || format!("a payment of {} is told to pass its leases", body.member),
                    )?;
                }
                _ => {}
            }
        }
        let taken = principal + bonus + debt;
        must(taken == body.amount, Invariant::MoneyConserved, || {
            format!("a payment of {} took {taken}", body.amount)
        })
    }

    /// Leases and available are the balance, and no member is below the floor.
    pub fn check(&self, account: &Account) -> Step {
        let held = self.held.get(&account.member).copied().unwrap_or_default();
        let frozen = account.frozen_principal + account.frozen_bonus;
        let member = account.member;
        must(frozen == held, Invariant::LeasesHeld, || {
            format!("terminals hold {held} of {member}, and {frozen} are frozen")
        })?;
        let balance = account.principal + account.bonus;
        let is_covered =
            account.frozen_principal <= account.principal && account.frozen_bonus <= account.bonus;
        must(is_covered, Invariant::LeasesHeld, || {
            format!("of {balance} of {member} {frozen} are frozen")
        })?;
        let passed = self.floors.get(&member).copied().unwrap_or_default();
        let takers = self.takers.iter().filter(|(of, _)| *of == member);
        let floor = passed + takers.map(|_| self.most).sum();
        must(
            account.debt - balance <= floor,
            Invariant::FloorKept,
            || {
                let debt = account.debt;
                format!(
                    "{member} has {balance} and owes {debt}; the floor is {floor} below nothing"
                )
            },
        )
    }

    /// What a terminal holds.
    pub fn held_by(&self, device: DeviceId) -> Vec<(LeaseId, MemberId)> {
        let held = self.leases.iter().filter(|(_, lease)| {
            lease.device == device && lease.standing == Standing::Held && lease.left.is_positive()
        });
        held.map(|(id, lease)| (*id, lease.member)).collect()
    }

    /// Whether payments draw on it as their terminal believes.
    pub fn gives(&self, lease: LeaseId) -> bool {
        let lease = self.leases.get(&lease);
        lease.is_some_and(|lease| lease.standing != Standing::Lost)
    }

    /// These are books of a backup: what was granted since is the member's again, though all of it may
    /// have been spent.
    pub fn forget(&mut self, gone: &LeaseBook) {
        for (id, lease) in &gone.leases {
            if self.leases.contains_key(id) {
                continue;
            }
            let lease = Held {
                left: lease.granted,
                standing: Standing::Lost,
                ..lease.clone()
            };
            *self.floors.entry(lease.member).or_default() += lease.granted;
            self.forgotten.insert(*id, lease);
        }
    }
}

/// Principal and bonus that a payment takes, by the member's statement.
pub fn drawn(changes: &[Change]) -> (Money, Money) {
    let rows = changes.iter().filter_map(|change| match change {
        Change::Journal(row) => Some((-row.d_principal, -row.d_bonus)),
        _ => None,
    });
    rows.fold((Money::ZERO, Money::ZERO), |sums, row| {
        (sums.0 + row.0, sums.1 + row.1)
    })
}
