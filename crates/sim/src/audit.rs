//! What must hold once everything has come together.

use std::collections::BTreeSet;
use std::sync::Arc;

use qiantai_core::Money;
use qiantai_core::ids::{LotId, MemberId};
use qiantai_core::lease::Lease;
use qiantai_core::ledger::{Book, LedgerAccount};
use qiantai_core::operation::Cursor;
use qiantai_core::policy::Policy;
use qiantai_server::db::{DeviceStanding, Ledger};
use qiantai_store::Store;
use uuid::Uuid;

use crate::books::Owed;
use crate::halt::{Invariant, Step, must};
use crate::ledger::SimLedger;
use crate::till::Till;
use crate::world::World;

/// Rows read at one time.
const PAGE: u32 = 512;

impl World {
    /// Checks everything.
    pub fn audit(&mut self) -> Step {
        let Some(ledger) = self.authority.ledger().map(Arc::clone) else {
            return Ok(());
        };
        self.check_log(&ledger)?;
        self.check_facts()?;
        self.check_cash_of_all_histories()?;
        self.check_money(&ledger)?;
        self.check_devices(&ledger)?;
        for till in self.tills.iter().filter(|till| !till.retired) {
            self.check_till(&ledger, till)?;
        }
        self.authority.replayed_digest()?;
        self.audited = self.head;
        Ok(())
    }

    /// The log has what was written, and nothing else.
    fn check_log(&self, ledger: &SimLedger) -> Step {
        let mut after = self.audited;
        loop {
            let rows = ledger.log(self.authority.tenant(), after, PAGE)?;
            let Some(last) = rows.last() else {
                break;
            };
            for row in &rows {
                let index = usize::try_from(row.server_seq).unwrap_or(0).wrapping_sub(1);
                let known = self.oracle.books.log.get(index);
                let is_same =
                    known.is_some_and(|known| known.op_id == row.op_id && known.hash == row.hash);
                must(is_same, Invariant::NothingLost, || {
                    format!(
                        "place {} of the log is not what was written",
                        row.server_seq
                    )
                })?;
            }
            after = last.server_seq;
        }
        let end = self.oracle.books.log.len() as u64;
        must(after == end, Invariant::NothingLost, || {
            format!("the log ends at {after}, {end} were written")
        })
    }

    /// Everything that a cashier saw done is in the log.
    fn check_facts(&self) -> Step {
        let missing = self.oracle.facts.values().find(|fact| {
            self.oracle.must_arrive(fact) && !self.oracle.books.places.contains_key(&fact.op_id)
        });
        must(missing.is_none(), Invariant::NothingLost, || {
            format!("what was done is not in the log: {missing:?}")
        })
    }

    /// Cash in hand is in the drawers; what left the drawers' other side is the members'.
    fn check_money(&self, ledger: &SimLedger) -> Step {
        let mut drawers = 0_i128;
        let mut suspense = 0_i128;
        for ((book, account), sum) in &self.oracle.books.posted {
            match (book, account) {
                (Book::Money, LedgerAccount::Drawer(_)) => drawers += sum,
                (Book::Money, LedgerAccount::Suspense) => suspense += sum,
                _ => {}
            }
        }
        let counted = i128::from((self.oracle.books.cash + self.oracle.books.floats).fen());
        must(drawers == counted, Invariant::MoneyConserved, || {
            format!("the drawers hold {counted} fen, the books say {drawers}")
        })?;
        must(suspense == 0, Invariant::MoneyConserved, || {
            format!("{suspense} fen are in suspense")
        })?;
        let tenant = self.authority.tenant();
        let policies = ledger.policies(tenant)?;
        let newest = policies.last();
        for (member, owed) in &self.oracle.books.owed {
            self.check_member(ledger, *member, owed, newest)?;
        }
        Ok(())
    }

    fn check_member(
        &self,
        ledger: &SimLedger,
        member: MemberId,
        owed: &Owed,
        policy: Option<&Arc<Policy>>,
    ) -> Step {
        let account = ledger.account(self.authority.tenant(), member)?;
        let principal = account
            .as_ref()
            .map_or(Money::ZERO, |account| account.principal);
        let due = owed.principal.last().map_or(Money::ZERO, |(_, sum)| *sum);
        must(principal == due, Invariant::MoneyConserved, || {
            format!("{member} paid in {due} and has {principal}")
        })?;
        let posted = -self.sum_of(Book::Money, LedgerAccount::MemberPrincipal(member, ANY));
        must(
            posted == i128::from(due.fen()),
            Invariant::MoneyConserved,
            || format!("{member} has {due}, postings say {posted} fen"),
        )?;
        let bonus = account
            .as_ref()
            .map_or(Money::ZERO, |account| account.bonus);
        must(bonus == owed.bonus, Invariant::PromiseKept, || {
            format!("{member} was promised {} and has {bonus}", owed.bonus)
        })?;
        let (Some(account), Some(policy)) = (account, policy) else {
            return Ok(());
        };
        let rank_of = |id| {
            policy
                .tiers
                .iter()
                .find(|tier| tier.id == id)
                .map(|tier| tier.rank)
        };
        let reached = policy
            .tiers
            .iter()
            .filter(|tier| tier.threshold <= owed.recharged);
        let earned = reached.map(|tier| tier.rank).max();
        must(
            rank_of(account.tier) >= earned,
            Invariant::PromiseKept,
            || {
                format!(
                    "{member} recharged {} and is no higher than {}",
                    owed.recharged, account.tier
                )
            },
        )
    }

    fn sum_of(&self, book: Book, account: LedgerAccount) -> i128 {
        self.oracle
            .books
            .posted
            .get(&(book, account))
            .copied()
            .unwrap_or_default()
    }

    /// Chains end where they were written to; only forked devices are not believed.
    fn check_devices(&self, ledger: &SimLedger) -> Step {
        for (device, cursor) in ledger.devices(self.authority.tenant())? {
            let (seq, hash) = self
                .oracle
                .books
                .chains
                .get(&device.id)
                .copied()
                .unwrap_or((0, [0; 32]));
            let is_there = (cursor.last_seq, cursor.last_hash) == (seq, hash);
            must(is_there, Invariant::ChainsGapless, || {
                format!(
                    "{} wrote {seq}, the server is at {}",
                    device.id, cursor.last_seq
                )
            })?;
            let is_believed = cursor.standing == DeviceStanding::Active;
            let is_doubtful = self.oracle.doubtful.contains_key(&device.id);
            must(is_believed || is_doubtful, Invariant::ForksFound, || {
                format!("{} is not believed without reason", device.id)
            })?;
        }
        Ok(())
    }

    fn check_till(&self, ledger: &SimLedger, till: &Till) -> Step {
        let Some(running) = &till.running else {
            return Ok(());
        };
        let (store, device) = (&running.store, till.identity.device);
        store.verify_chain()?;
        self.check_acknowledged(till, store)?;
        if till.doubtful {
            return self.check_doubtful(till, store);
        }
        let open = store.open_operations(None)?;
        must(open.is_empty(), Invariant::OverlayExact, || {
            let first = open
                .first()
                .map(|row| (row.op_id, row.server_seq, row.outcome.clone()));
            format!("{device} still has {} open: {first:?}", open.len())
        })?;
        self.check_replica(ledger, till, store)
    }

    /// What the server acknowledged to a terminal is in the log, where the server said.
    fn check_acknowledged(&self, till: &Till, store: &Store) -> Step {
        let mark = store.sync_mark()?;
        let follows = |cursor: Cursor| cursor.timeline == self.timeline;
        // One with two histories may be stopped before it has heard of restored books, and they may
        // have believed the other history.
        let (most, is_told) = match mark.cursor.is_none_or(follows) {
            true => (mark.acked_seq, true),
            false => (self.certain_of(till), false),
        };
        for row in store.operations_after(0, u32::MAX)? {
            let place = self.oracle.books.places.get(&row.op_id).copied();
            if row.device_seq > most.min(mark.acked_seq) {
                continue;
            }
            let said = row.server_seq.filter(|_| is_told);
            // Nobody is told that another history was booked.
            let is_beside = self.oracle.books.beside.contains(&row.op_id);
            let is_there = place.is_some() && !is_beside && (said.is_none() || said == place);
            must(is_there, Invariant::NothingLost, || {
                let Till { identity, .. } = till;
                let (op_id, said) = (row.op_id, row.server_seq);
                format!(
                    "{} holds {op_id} for taken at {said:?}, it is at {place:?}",
                    identity.device
                )
            })?;
        }
        Ok(())
    }

    /// Up to where a terminal has one history.
    fn certain_of(&self, till: &Till) -> u64 {
        let certain = self.oracle.doubtful.get(&till.identity.device);
        certain.copied().unwrap_or(u64::MAX)
    }

    /// A disk that went another way than the server's log is found.
    fn check_doubtful(&self, till: &Till, store: &Store) -> Step {
        let rows = store.operations_after(0, u32::MAX)?;
        let books = &self.oracle.books;
        let is_elsewhere = rows
            .iter()
            .any(|row| !books.places.contains_key(&row.op_id) || books.beside.contains(&row.op_id));
        must(
            !is_elsewhere || till.is_stopped(),
            Invariant::ForksFound,
            || {
                format!(
                    "{} has a history of its own and goes on",
                    till.identity.device
                )
            },
        )
    }

    /// The terminal has the server's rows.
    fn check_replica(&self, ledger: &SimLedger, till: &Till, store: &Store) -> Step {
        let (tenant, device) = (self.authority.tenant(), till.identity.device);
        let differs = |what: String| {
            must(false, Invariant::Converges, || {
                format!("{device} has another {what}")
            })
        };
        if store.member_count()? != ledger.member_count(tenant)? {
            differs("number of members".to_owned())?;
        }
        if without_staff(&store.policies()?) != without_staff(&ledger.policies(tenant)?) {
            differs("set of rules".to_owned())?;
        }
        let members: Vec<MemberId> = self.oracle.books.owed.keys().copied().collect();
        let coupons = ledger.usable_coupons(tenant, &members)?;
        for member in &members {
            if store.account(*member)? != ledger.account(tenant, *member)? {
                differs(format!("account of {member}"))?;
            }
            let sorted = |mut leases: Vec<Lease>| {
                leases.sort_unstable_by_key(|lease| lease.id);
                leases
            };
            let here = sorted(store.leases_of(*member)?);
            if here != sorted(ledger.leases_of(tenant, &[*member])?) {
                differs(format!("set of leases of {member}"))?;
            }
            let known = store.member(*member)?.map(|known| known.member);
            if known != ledger.member(tenant, *member)? {
                differs(format!("member {member}"))?;
            }
            let here: BTreeSet<_> = store
                .coupons_of(*member)?
                .iter()
                .map(|row| row.id)
                .collect();
            let of_member = coupons.iter().filter(|row| row.member == *member);
            let there: BTreeSet<_> = of_member.map(|row| row.id).collect();
            if here != there {
                differs(format!("set of coupons of {member}"))?;
            }
        }
        let since = usize::try_from(self.audited.max(till.joined_at)).unwrap_or(0);
        let written = self.oracle.books.log.iter().skip(since);
        for order in written.filter_map(|known| known.order) {
            if store.order(order)? != ledger.order(tenant, order)? {
                differs(format!("order {order}"))?;
            }
        }
        let shifts = ledger.open_shifts(tenant)?;
        let there = shifts.iter().filter(|shift| shift.device == device);
        let there = there.max_by_key(|shift| (shift.opened_at, shift.id));
        if store.latest_shift(device)?.as_ref() != there {
            differs("shift".to_owned())?;
        }
        Ok(())
    }
}

/// Rules to compare: of its staff a terminal keeps verifiers of its own instead of PINs.
fn without_staff(policies: &[Arc<Policy>]) -> Vec<Policy> {
    policies
        .iter()
        .map(|policy| Policy {
            staff: Vec::new(),
            ..policy.as_ref().clone()
        })
        .collect()
}

/// Stands for all lots of a member in the oracle's sums.
const ANY: LotId = LotId(Uuid::nil());
