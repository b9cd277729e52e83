//! Bugs planted in what the server writes.

use qiantai_core::decide::Change;
use qiantai_core::ids::ShiftId;
use qiantai_core::ledger::LedgerAccount;
use qiantai_core::money::Money;
use qiantai_server::db::{Batch, Entry};
use uuid::Uuid;

use super::SimLedger;
use crate::bug::Bug;
use crate::lease_bugs;
use crate::losses::{LOSSES, has, is_posting};
use crate::payments::bugs;

impl SimLedger {
    pub(super) fn spoil(&self, batch: &mut Batch) {
        if batch.entries.len() > 1 && self.bug == Some(Bug::TornBatch) {
            batch.entries.truncate(1);
        }
        if batch.entries.len() > 1 && self.bug == Some(Bug::SequenceByArrival) {
            let (first, second) = batch.entries.split_at_mut(1);
            let (first, second) = (&mut first[0].row, &mut second[0].row);
            std::mem::swap(first, second);
            std::mem::swap(&mut first.server_seq, &mut second.server_seq);
            std::mem::swap(&mut first.chain_hash, &mut second.chain_hash);
        }
        if self.shows(Bug::HeadNotMoved) {
            batch.head = None;
        }
        for entry in &mut batch.entries {
            self.spoil_entry(entry);
        }
    }

    fn spoil_entry(&self, entry: &mut Entry) {
        if self.bug == Some(Bug::ForgetActions) {
            entry.action = None;
        }
        if let Some(bug) = self.bug {
            bugs::spoil_changes(bug, &mut entry.changes);
        }
        if self.shows(Bug::ChainOff) {
            entry.row.chain_hash[0] ^= 1;
        }
        if has(entry, |change| matches!(change, Change::Posting(_))) {
            self.spoil_postings(entry);
        }
        if has(entry, |change| matches!(change, Change::Account(_))) {
            self.spoil_account(entry);
            let shows = lease_bugs::of_entry(entry).is_some_and(|bug| self.shows(bug));
            if shows {
                lease_bugs::spoil(entry);
            }
        }
        for (bug, is_lost) in LOSSES {
            if has(entry, *is_lost) && self.shows(*bug) {
                entry.changes.retain(|change| !is_lost(change));
            }
        }
    }

    fn spoil_postings(&self, entry: &mut Entry) {
        if self.shows(Bug::DoublePost) {
            let legs = entry.changes.iter().filter(is_posting).count();
            let again = entry.changes.iter().filter(is_posting).cloned();
            let again: Vec<Change> = again
                .map(|change| match change {
                    Change::Posting(mut posting) => {
                        posting.leg += u16::try_from(legs).unwrap_or(u16::MAX / 2);
                        Change::Posting(posting)
                    }
                    other => other,
                })
                .collect();
            entry.changes.extend(again);
        }
        if self.shows(Bug::LostPosting)
            && let Some(last) = entry.changes.iter().rposition(|change| is_posting(&change))
        {
            entry.changes.remove(last);
        }
        if self.shows(Bug::WrongDrawer) {
            for change in &mut entry.changes {
                if let Change::Posting(posting) = change
                    && let LedgerAccount::Drawer(shift) = &mut posting.account
                {
                    *shift = ShiftId(Uuid::nil());
                }
            }
        }
    }

    fn spoil_account(&self, entry: &mut Entry) {
        let earned = entry.changes.iter().find_map(|change| match change {
            Change::Tier(row) => Some(row.from),
            _ => None,
        });
        for change in &mut entry.changes {
            let Change::Account(account) = change else {
                continue;
            };
            if self.shows(Bug::PrincipalOffByOne) {
                account.principal += Money::from_fen(1);
            }
            if let Some(from) = earned
                && self.bug == Some(Bug::TierNotRecomputed)
            {
                account.tier = from;
            }
            if let Some(lot) = account.lots.last_mut()
                && lot.bonus_left.is_positive()
                && self.shows(Bug::LostBonus)
            {
                account.bonus -= lot.bonus_left;
                lot.bonus_left = Money::ZERO;
            }
        }
    }
}
