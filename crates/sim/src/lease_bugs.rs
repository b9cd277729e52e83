//! Bugs of leases, planted at the ledger: see [`crate::bug`].

use qiantai_core::Money;
use qiantai_core::decide::Change;
use qiantai_server::db::Entry;

use crate::bug::Bug;
use crate::lease_book::drawn;

/// The bug that could show where this is written.
pub fn of_entry(entry: &Entry) -> Option<Bug> {
    match (has_lease(entry), has_journal(entry)) {
        (false, _) => has_frozen(entry).then_some(Bug::LeaseReturnedOnTime),
        (true, false) => has_frozen(entry).then_some(Bug::LeaseNotHeld),
        (true, true) => Some(Bug::LeaseDrawForgotten),
    }
}

/// Alters what is written as that bug would.
pub fn spoil(entry: &mut Entry) {
    let is_payment = has_lease(entry) && has_journal(entry);
    let (principal, bonus) = drawn(&entry.changes);
    for change in &mut entry.changes {
        let Change::Account(account) = change else {
            continue;
        };
        if is_payment {
            account.frozen_principal += principal;
            account.frozen_bonus += bonus;
        } else {
            (account.frozen_principal, account.frozen_bonus) = (Money::ZERO, Money::ZERO);
        }
    }
    if is_payment {
        let is_lease = |change: &Change| matches!(change, Change::Lease(_));
        entry.changes.retain(|change| !is_lease(change));
    }
}

fn has_lease(entry: &Entry) -> bool {
    let mut changes = entry.changes.iter();
    changes.any(|change| matches!(change, Change::Lease(_)))
}

fn has_journal(entry: &Entry) -> bool {
    let mut changes = entry.changes.iter();
    changes.any(|change| matches!(change, Change::Journal(_)))
}

fn has_frozen(entry: &Entry) -> bool {
    let mut changes = entry.changes.iter();
    changes.any(|change| match change {
        Change::Account(row) => !(row.frozen_principal + row.frozen_bonus).is_zero(),
        _ => false,
    })
}
