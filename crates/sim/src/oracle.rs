//! What must be in the books: kept from what cashiers did and from what the writer wrote, and
//! compared at every step.

use std::collections::{BTreeMap, HashMap, HashSet};

use qiantai_core::Money;
use qiantai_core::decide::Change;
use qiantai_core::ids::{ActionId, DeviceId, MemberId, OpId};
use qiantai_core::ledger::{Book, LedgerAccount, Posting};
use qiantai_core::operation::{Cursor, LeaseDraw, Operation, OperationBody};
use qiantai_server::db::{Batch, Entry, LogRow, Standing};
use qiantai_wire::SignedOperation;

use crate::books::{Books, Known};
use crate::halt::{Invariant, Step, must};
use crate::lease_book::drawn;

/// Something that a cashier did and saw done.
#[derive(Clone, Debug)]
pub struct Fact {
    /// The record.
    pub op_id: OpId,
    /// The intent.
    pub action: ActionId,
    /// Where.
    pub device: DeviceId,
    /// Its place there.
    pub device_seq: u64,
    /// Whose account, for a top-up in cash and a payment from leases.
    pub member: Option<MemberId>,
    /// By how much the terminal showed the principal to have changed.
    pub principal: Money,
    /// Whether it could show that.
    pub is_shown: bool,
    /// What a payment takes that no lease pays.
    pub beyond: Money,
    /// Whether a manager let that pass.
    pub is_approved: bool,
    /// What a payment draws on.
    pub draws: Vec<LeaseDraw>,
}

impl Fact {
    /// The fact that `operation` records; of a payment `drawn` is the principal that the terminal
    /// showed to be taken.
    pub fn of(operation: &Operation, drawn: Option<Money>) -> Fact {
        let is_payment = matches!(operation.body, OperationBody::SpendOffline(_));
        let (member, cash) = match &operation.body {
            OperationBody::RechargeCash(body) => {
                (Some(body.open.member), body.tendered - body.change)
            }
            OperationBody::SpendOffline(body) => (Some(body.member), Money::ZERO),
            _ => (None, Money::ZERO),
        };
        let (beyond, draws, is_approved) = match &operation.body {
            OperationBody::SpendOffline(body) => (
                body.beyond_leases(),
                body.draws.clone(),
                body.approval.is_some(),
            ),
            _ => (Money::ZERO, Vec::new(), false),
        };
        Fact {
            principal: cash - drawn.unwrap_or_default(),
            is_shown: drawn.is_some() || !is_payment,
            beyond,
            is_approved,
            draws,
            op_id: operation.op_id,
            action: operation.action_id,
            device: operation.device,
            device_seq: operation.device_seq,
            member,
        }
    }
}

/// The oracle.
#[derive(Default)]
pub struct Oracle {
    /// Facts by operation.
    pub facts: HashMap<OpId, Fact>,
    /// What must be in the books.
    pub books: Books,
    /// Books that were lost, by their timelines, as they stood then: terminals show them until they
    /// have heard of it.
    past: BTreeMap<u32, Books>,
    /// Devices whose disk was copied or set back, with the last place that is not in doubt.
    pub doubtful: HashMap<DeviceId, u64>,
    /// Facts of a device that its terminal may still show by itself.
    open: HashMap<DeviceId, Vec<OpId>>,
    server: Option<DeviceId>,
}

impl Oracle {
    /// An oracle for books that `server` writes.
    pub fn new(server: DeviceId) -> Oracle {
        Oracle {
            server: Some(server),
            ..Oracle::default()
        }
    }

    /// A cashier did something.
    pub fn did(&mut self, fact: Fact) {
        let open = self.open.entry(fact.device).or_default();
        open.push(fact.op_id);
        self.facts.insert(fact.op_id, fact);
    }

    /// A batch was written.
    pub fn hear(&mut self, batch: &Batch) -> Step {
        batch.entries.iter().try_for_each(|entry| self.enter(entry))
    }

    fn enter(&mut self, entry: &Entry) -> Step {
        let row = &entry.row;
        let due = self.books.log.len() as u64 + 1;
        must(row.server_seq == due, Invariant::ChainsGapless, || {
            format!(
                "place {} of the log was written where {due} was due",
                row.server_seq
            )
        })?;
        self.check_place(row)?;
        self.books.arrived.insert(row.op_id);
        let (mut order, mut member) = (None, None);
        for change in &entry.changes {
            match change {
                Change::Posting(posting) => self.post(posting),
                Change::Order(row) => order = Some(row.id),
                Change::Account(account) => {
                    member = Some(account.member);
                    check_floor(account)?;
                }
                _ => {}
            }
        }
        check_balance(row, &entry.changes)?;
        self.books.log.push(Known {
            op_id: row.op_id,
            hash: row.hash,
            order,
            member,
        });
        if row.standing != Standing::Decided {
            return Ok(());
        }
        let again = self.books.places.insert(row.op_id, row.server_seq);
        must(again.is_none(), Invariant::PostedOnce, || {
            format!("operation {} is in the log twice", row.op_id)
        })?;
        let operation = SignedOperation::from(row.bytes.clone()).operation()?;
        self.follow(row.server_seq, &operation, &entry.changes)?;
        let mut accounts = entry.changes.iter().filter_map(|change| match change {
            Change::Account(account) => Some(account),
            _ => None,
        });
        accounts.try_for_each(|account| self.books.leases.check(account))
    }

    /// Every operation continues the chain of its device; what does not is not believed, and
    /// only a device with a copied disk may write such.
    fn check_place(&mut self, row: &LogRow) -> Step {
        let is_doubtful = self.doubtful.contains_key(&row.device);
        if let Standing::Quarantined(_) = row.standing {
            return must(is_doubtful, Invariant::ForksFound, || {
                format!("device {} is not believed without reason", row.device)
            });
        }
        if row.other_history {
            let was_kept = self.books.arrived.contains(&row.op_id);
            self.books.beside.insert(row.op_id);
            self.books.forked.insert(row.device);
            return must(is_doubtful && was_kept, Invariant::ForksFound, || {
                format!("{} has another history without reason", row.device)
            });
        }
        must(
            row.standing == Standing::Decided,
            Invariant::KeepsWorking,
            || format!("operation {} is held: {:?}", row.op_id, row.standing),
        )?;
        let header = SignedOperation::from(row.bytes.clone()).header()?;
        let (seq, hash) = self
            .books
            .chains
            .get(&row.device)
            .copied()
            .unwrap_or((0, [0; 32]));
        let fits = row.device_seq == seq + 1
            && header.device_seq == row.device_seq
            && header.prev_hash == hash
            && header.op_id == row.op_id
            && header.hash == row.hash;
        self.books
            .chains
            .insert(row.device, (row.device_seq, row.hash));
        must(fits, Invariant::ChainsGapless, || {
            format!(
                "operation {} does not continue device {}",
                row.op_id, row.device
            )
        })
    }

    fn post(&mut self, posting: &Posting) {
        let account = match posting.account {
            // Lots of a member together.
            LedgerAccount::MemberPrincipal(member, _) => {
                LedgerAccount::MemberPrincipal(member, qiantai_core::ids::LotId(uuid::Uuid::nil()))
            }
            LedgerAccount::MemberBonus(member, _) => {
                LedgerAccount::MemberBonus(member, qiantai_core::ids::LotId(uuid::Uuid::nil()))
            }
            other => other,
        };
        let sum = self
            .books
            .posted
            .entry((posting.book, account))
            .or_default();
        *sum += i128::from(posting.amount.fen());
    }

    /// What the operation alone says must be in the books now.
    fn follow(&mut self, server_seq: u64, operation: &Operation, changes: &[Change]) -> Step {
        if Some(operation.device) != self.server {
            must(
                self.facts.contains_key(&operation.op_id),
                Invariant::PostedOnce,
                || {
                    format!(
                        "operation {} is in the log, and nobody did it",
                        operation.op_id
                    )
                },
            )?;
        }
        let first = self.books.done.insert(operation.action_id);
        must(first || !posts(changes), Invariant::PostedOnce, || {
            format!("intent {} is posted twice", operation.action_id)
        })?;
        match &operation.body {
            OperationBody::RechargeCash(body) if first => {
                let cash = body.tendered - body.change;
                self.books.cash += cash;
                self.books.owe(
                    body.open.member,
                    server_seq,
                    cash,
                    body.open.quote.bonus,
                    cash,
                );
            }
            OperationBody::ShiftOpen(body) if first => {
                let counted = body.float.iter();
                let float = counted
                    .map(|(note, count)| note.fen() * i64::from(*count))
                    .sum();
                self.books.floats += Money::from_fen(float);
            }
            OperationBody::OpeningBalance(body) => {
                let principal = body.lots.iter().map(|lot| lot.principal_left).sum();
                let bonus = body.lots.iter().map(|lot| lot.bonus_left).sum();
                self.books.owe(
                    body.member,
                    server_seq,
                    principal,
                    bonus,
                    body.net_recharged,
                );
            }
            OperationBody::SpendOffline(body) if first => {
                let (principal, bonus) = drawn(changes);
                let is_forked = self.books.forked.contains(&operation.device);
                self.books
                    .leases
                    .spend(operation, body, changes, is_forked)?;
                self.books
                    .owe(body.member, server_seq, -principal, -bonus, Money::ZERO);
                let fact = self.facts.get(&operation.op_id);
                // Of two histories of one disk, each was shown what came of the other.
                let is_certain =
                    fact.is_some_and(|fact| self.must_arrive(fact) && self.books.is_certain(fact));
                let shown = fact.map_or(Money::ZERO, |fact| -fact.principal);
                must(
                    !is_certain || shown == principal,
                    Invariant::OverlayExact,
                    || {
                        let device = operation.device;
                        format!(
                            "{device} showed a payment of {shown} in principal, not {principal}"
                        )
                    },
                )?;
            }
            OperationBody::LeaseGrant(body) => self.books.leases.grant(operation, body, changes),
            OperationBody::LeaseRelease(body) => self.books.leases.release(body, operation.device),
            OperationBody::LeaseLost(body) => self.books.leases.lose(body),
            OperationBody::PolicyPublish { .. } => self.books.rules.push(server_seq),
            OperationBody::MemberRegister(body) => {
                self.books.owe(
                    body.member,
                    server_seq,
                    Money::ZERO,
                    Money::ZERO,
                    Money::ZERO,
                );
            }
            _ => {}
        }
        Ok(())
    }

    /// Principal of `member` that a terminal must show that has come to `cursor`: what the log
    /// says up to there, and what was done here and is not in it, each once.
    pub fn shown(&self, member: MemberId, device: DeviceId, cursor: Cursor) -> Money {
        let books = self.at(cursor.timeline);
        let is_open = |op_id: &OpId| {
            let place = books.places.get(op_id);
            place.is_none_or(|place| *place > cursor.server_seq)
        };
        let mut intents = HashSet::new();
        let own: Money = self
            .open_facts(device, cursor)
            .filter(|fact| fact.member == Some(member) && intents.insert(fact.action))
            .filter(|fact| is_open(&OpId(fact.action.0)))
            .map(|fact| fact.principal)
            .sum();
        own + books.principal_at(member, cursor.server_seq)
    }

    /// Whether what the terminal shows of its open operations for a member is what the server will
    /// say: beyond leases other terminals may come first, and a lease may be declared lost or be
    /// forgotten.
    pub fn is_shown_exactly(&mut self, member: MemberId, device: DeviceId, cursor: Cursor) -> bool {
        self.cover(device, cursor);
        let mut open = self.open_facts(device, cursor);
        let books = self.at(cursor.timeline);
        open.all(|fact| fact.member != Some(member) || books.is_certain(fact))
    }

    /// What was done at a device and is not in the log up to `cursor`.
    fn open_facts(&self, device: DeviceId, cursor: Cursor) -> impl Iterator<Item = &Fact> {
        let books = self.at(cursor.timeline);
        let open = self.open.get(&device).into_iter().flatten();
        let open = open.filter(move |op_id| {
            let place = books.places.get(op_id);
            place.is_none_or(|place| *place > cursor.server_seq)
        });
        open.filter_map(|op_id| self.facts.get(op_id))
    }

    /// Of what a terminal has come past nothing is open again, unless books are lost.
    fn cover(&mut self, device: DeviceId, cursor: Cursor) {
        if self.past.contains_key(&cursor.timeline) {
            return;
        }
        let places = &self.books.places;
        let is_open = |op_id: &OpId| {
            let place = places.get(op_id);
            place.is_none_or(|place| *place > cursor.server_seq)
        };
        if let Some(open) = self.open.get_mut(&device) {
            open.retain(is_open);
        }
    }

    /// The books on a timeline.
    pub fn at(&self, timeline: u32) -> &Books {
        self.past.get(&timeline).unwrap_or(&self.books)
    }

    /// The books are those of a backup again; the timeline that ends here is `left`.
    pub fn rewind(&mut self, to: Books, left: u32) {
        let gone = std::mem::replace(&mut self.books, to);
        self.books.leases.forget(&gone.leases);
        self.past.insert(left, gone);
        let mut facts: Vec<&Fact> = self.facts.values().collect();
        facts.sort_unstable_by_key(|fact| (fact.device, fact.device_seq, fact.op_id));
        self.open.clear();
        for fact in facts {
            self.open.entry(fact.device).or_default().push(fact.op_id);
        }
    }

    /// Whether `fact` must come into the log once everything is well.
    pub fn must_arrive(&self, fact: &Fact) -> bool {
        let certain = self.doubtful.get(&fact.device);
        certain.is_none_or(|certain| fact.device_seq <= *certain)
    }
}

fn posts(changes: &[Change]) -> bool {
    changes
        .iter()
        .any(|change| matches!(change, Change::Posting(_)))
}

fn check_balance(row: &LogRow, changes: &[Change]) -> Step {
    for book in [Book::Money, Book::Bonus] {
        let sum: i128 = changes
            .iter()
            .filter_map(|change| match change {
                Change::Posting(posting) if posting.book == book => {
                    Some(i128::from(posting.amount.fen()))
                }
                _ => None,
            })
            .sum();
        must(sum == 0, Invariant::MoneyConserved, || {
            format!("postings of {} in {book:?} are off by {sum} fen", row.op_id)
        })?;
    }
    Ok(())
}

fn check_floor(account: &qiantai_core::account::Account) -> Step {
    let lots = &account.lots;
    let principal: Money = lots.iter().map(|lot| lot.principal_left).sum();
    let bonus: Money = lots.iter().map(|lot| lot.bonus_left).sum();
    must(
        principal == account.principal && bonus == account.bonus,
        Invariant::MoneyConserved,
        || format!("the lots of {} do not make its balance", account.member),
    )?;
    let amounts = [account.principal, account.bonus, account.debt];
    let is_above = amounts.iter().all(|amount| !amount.is_negative())
        && lots
            .iter()
            .all(|lot| !lot.principal_left.is_negative() && !lot.bonus_left.is_negative());
    must(is_above, Invariant::FloorKept, || {
        format!("an amount of {} is negative", account.member)
    })
}
