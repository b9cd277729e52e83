//! What must be in the books, kept from the log alone.

use std::collections::{BTreeMap, HashMap, HashSet};

use qiantai_core::Money;
use qiantai_core::ids::{ActionId, DeviceId, MemberId, OpId, OrderId};
use qiantai_core::ledger::{Book, LedgerAccount};
use qiantai_core::operation::Hash;

use crate::lease_book::LeaseBook;
use crate::oracle::Fact;

/// A row of the log as it was written.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The record.
    pub op_id: OpId,
    /// Of its bytes.
    pub hash: Hash,
    /// The order it wrote, if any.
    pub order: Option<OrderId>,
    /// The member whose account it wrote, if any.
    pub member: Option<MemberId>,
}

/// What a member must have.
#[derive(Clone, Debug, Default)]
pub struct Owed {
    /// Principal after each `server_seq` that changed it.
    pub principal: Vec<(u64, Money)>,
    /// Bonus granted.
    pub bonus: Money,
    /// Net recharged, for the tier.
    pub recharged: Money,
}

/// What must be in the books.
#[derive(Clone, Default)]
pub struct Books {
    /// The log, from `server_seq` 1.
    pub log: Vec<Known>,
    /// Place of every decided operation.
    pub places: HashMap<OpId, u64>,
    /// What every member must have.
    pub owed: BTreeMap<MemberId, Owed>,
    /// Everything that the log has, decided or kept.
    pub arrived: HashSet<OpId>,
    /// What was decided beside the chain of its device.
    pub beside: HashSet<OpId>,
    /// Devices of which the books have two histories.
    pub forked: HashSet<DeviceId>,
    /// Sums of postings.
    pub posted: BTreeMap<(Book, LedgerAccount), i128>,
    /// Cash that cashiers took, each intent once, as far as it is in the log.
    pub cash: Money,
    /// Floats that cashiers counted.
    pub floats: Money,
    /// Ends of the device chains.
    pub chains: HashMap<DeviceId, (u64, Hash)>,
    /// What terminals may spend without asking.
    pub leases: LeaseBook,
    /// Intents that are in the log.
    pub done: HashSet<ActionId>,
    /// Places of the versions of the rules.
    pub rules: Vec<u64>,
}

impl Books {
    /// A member has more from here on, or less.
    pub fn owe(
        &mut self,
        member: MemberId,
        server_seq: u64,
        principal: Money,
        bonus: Money,
        recharged: Money,
    ) {
        let owed = self.owed.entry(member).or_default();
        let before = owed.principal.last().map_or(Money::ZERO, |(_, sum)| *sum);
        owed.principal.push((server_seq, before + principal));
        owed.bonus += bonus;
        owed.recharged += recharged;
    }

    /// Whether what the terminal showed of it is what the server will say.
    pub fn is_certain(&self, fact: &Fact) -> bool {
        fact.is_shown
            && fact.beyond.is_zero()
            && fact.draws.iter().all(|draw| self.leases.gives(draw.lease))
    }

    /// How many versions of the rules the log holds up to `cursor`.
    pub fn rules_at(&self, cursor: u64) -> usize {
        self.rules.partition_point(|place| *place <= cursor)
    }

    /// Members whose accounts the last entries up to `cursor` wrote.
    pub fn touched_by(&self, cursor: u64) -> impl Iterator<Item = MemberId> {
        const ENTRIES: usize = 4;
        let end = usize::try_from(cursor).unwrap_or(0).min(self.log.len());
        let last = &self.log[end.saturating_sub(ENTRIES)..end];
        last.iter().filter_map(|known| known.member)
    }

    /// Principal of `member` by the log up to `cursor`.
    pub fn principal_at(&self, member: MemberId, cursor: u64) -> Money {
        let Some(owed) = self.owed.get(&member) else {
            return Money::ZERO;
        };
        let count = owed.principal.partition_point(|(seq, _)| *seq <= cursor);
        count
            .checked_sub(1)
            .map_or(Money::ZERO, |last| owed.principal[last].1)
    }
}
