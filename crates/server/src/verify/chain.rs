//! The log: every operation as its device signed it, in its device's chain and in the tenant's,
//! with its postings, its answer and what terminals are told of it.

use std::collections::{HashMap, HashSet};

use ed25519_dalek::VerifyingKey;
use qiantai_core::decide::{Outcome, Refusal, field_named};
use qiantai_core::ids::{DeviceId, LotId, MemberId, ShiftId};
use qiantai_core::ledger::{Book, LedgerAccount, Posting, chain};
use qiantai_core::operation::{Hash, OperationBody};
use qiantai_wire::api::OpResultDto;
use qiantai_wire::feed::{FeedEntry, OutcomeDto};
use qiantai_wire::operation::Kind;
use qiantai_wire::profile::attachment_hash;
use qiantai_wire::{Header, SignedOperation};

use super::{BadRow, PAGE, PageError, VerifyError, named, page_of};
use crate::db::{Archive, DeviceStanding, Head, LogPage, LogRow, Standing, Tenant};

/// How far the log was walked, and what it came to.
pub(super) struct Walk {
    tenant: Tenant,
    head: Head,
    /// Public keys of the devices that are known.
    keys: HashMap<DeviceId, [u8; 32]>,
    /// Last place of each device.
    places: HashMap<DeviceId, Place>,
    /// What stands beyond the last places, with what it follows: brought back from receipts while
    /// operations before it are missing.
    beyond: HashMap<(DeviceId, u32, u64), (Hash, Place)>,
    /// What was kept for review: a person may have taken it later, wherever it stands.
    kept: HashSet<Hash>,
    /// Devices of which another history than their chain was taken.
    forked: HashSet<DeviceId>,
    /// What has its place and no answer yet: this version or a person may have found one later.
    held: HashSet<Hash>,
    pub(super) posted: Posted,
}

/// Sums of what was posted, in fen.
#[derive(Default)]
pub(super) struct Posted {
    /// Legs.
    pub(super) legs: u64,
    /// What members are owed, by book and lot; debits positive.
    pub(super) lots: HashMap<(Book, MemberId, LotId), i128>,
    /// What members owe.
    pub(super) debts: HashMap<MemberId, i128>,
    /// Cash in drawers.
    pub(super) drawers: HashMap<ShiftId, i128>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    epoch: u32,
    seq: u64,
    hash: Hash,
}

const BEFORE_FIRST: Place = Place {
    epoch: 1,
    seq: 0,
    hash: [0; 32],
};

impl Walk {
    pub(super) fn from_start(tenant: &Tenant) -> Walk {
        Walk {
            head: Head {
                timeline: tenant.timeline,
                server_seq: 0,
                chain_hash: chain::START,
            },
            tenant: tenant.clone(),
            keys: HashMap::new(),
            places: HashMap::new(),
            beyond: HashMap::new(),
            kept: HashSet::new(),
            forked: HashSet::new(),
            held: HashSet::new(),
            posted: Posted::default(),
        }
    }

    pub(super) fn head(&self) -> Head {
        self.head
    }

    /// Walks on to `head`, which stood at some moment since the walk began.
    pub(super) fn forward(&mut self, ledger: &dyn Archive, head: Head) -> Result<(), VerifyError> {
        let mut limit = PAGE;
        while self.head.server_seq < head.server_seq {
            let after = self.head.server_seq;
            let rest = head.server_seq - after;
            let limit_now = limit.min(u32::try_from(rest).unwrap_or(u32::MAX));
            let read = |limit| ledger.log_page(self.tenant.id, after, limit);
            let page = match page_of(limit_now, read, || format!("operation {}", after + 1)) {
                Ok(page) => page,
                Err(PageError::Bad(bad)) => return Err(bad.into()),
                Err(PageError::ReadOneByOne) => {
                    limit = 1;
                    continue;
                }
                Err(PageError::Ledger(error)) => return Err(error.into()),
            };
            if page.rows.is_empty() {
                return Err(BadRow::new(format!("operation {}", after + 1), "is missing").into());
            }
            self.take_page(ledger, page)?;
        }
        if self.head.server_seq == head.server_seq && self.head.chain_hash != head.chain_hash {
            let row = named(self.tenant.id, "head");
            return Err(BadRow::new(row, "its chain hash is not that of the log's end").into());
        }
        Ok(())
    }

    fn take_page(&mut self, ledger: &dyn Archive, page: LogPage) -> Result<(), VerifyError> {
        let mut postings: HashMap<u64, Vec<Posting>> = HashMap::new();
        for (server_seq, posting) in page.postings {
            postings.entry(server_seq).or_default().push(posting);
        }
        let mut feed: HashMap<u64, String> = page.feed.into_iter().collect();
        for row in &page.rows {
            let server_seq = row.server_seq;
            let bad = |what: String| BadRow::new(format!("operation {server_seq}"), what);
            if server_seq != self.head.server_seq + 1 {
                let row = format!("operation {}", self.head.server_seq + 1);
                return Err(BadRow::new(row, "is missing").into());
            }
            if !self.keys.contains_key(&row.device) {
                let devices = ledger.standing(self.tenant.id)?.devices;
                let keys = devices.iter().map(|(row, _)| (row.id, row.public_key));
                self.keys = keys.collect();
            }
            let posted = postings.remove(&server_seq).unwrap_or_default();
            let header = self.signed(row).map_err(bad)?;
            self.in_its_chain(row, &header).map_err(bad)?;
            let outcome = outcome_of(row).map_err(bad)?;
            self.link(row, outcome.as_ref(), &posted).map_err(bad)?;
            told(row, feed.remove(&server_seq))
                .map_err(|what| BadRow::new(format!("feed {server_seq}"), what))?;
            if row.standing == Standing::Decided {
                let Some(first) = page.actions.get(&row.action_id) else {
                    return Err(bad("its action is not remembered".to_owned()).into());
                };
                let is_refused = matches!(first.outcome, Outcome::Refused(_));
                if matches!(outcome, Some(Outcome::Applied)) && is_refused {
                    let what = "was applied, and its action is remembered as refused";
                    return Err(bad(what.to_owned()).into());
                }
                self.beside(ledger, row, outcome.as_ref())?;
            }
            self.posted.add(&posted);
        }
        match postings.keys().min() {
            None => Ok(()),
            Some(orphan) => {
                let row = format!("posting {orphan}/0");
                Err(BadRow::new(row, "belongs to no operation").into())
            }
        }
    }

    /// The bytes are those that were hashed, signed by that device, and say what the columns say.
    fn signed(&self, row: &LogRow) -> Result<Header, String> {
        let signed = SignedOperation::from(row.bytes.clone());
        if signed.hash() != row.hash {
            return Err("its bytes do not have its hash".into());
        }
        let header = signed.header().map_err(|error| error.to_string())?;
        let said = (header.op_id, header.action_id, header.tenant, header.device);
        let place = (header.store, header.epoch, header.device_seq, header.kind);
        let is_said = said == (row.op_id, row.action_id, self.tenant.id, row.device)
            && place == (row.store, row.epoch, row.device_seq, row.kind);
        if !is_said {
            return Err("its columns do not say what its bytes say".into());
        }
        let key = self.keys.get(&row.device);
        let key = key.ok_or("its device is not known")?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| "its device has no valid key")?;
        signed.verify(&key).map_err(|error| error.to_string())?;
        Ok(header)
    }

    fn in_its_chain(&mut self, row: &LogRow, header: &Header) -> Result<(), String> {
        if row.other_history {
            self.forked.insert(row.device);
            return match row.standing == Standing::Decided && self.kept.remove(&row.hash) {
                true => Ok(()),
                false => Err("stands beside its device's chain, and was not kept before".into()),
            };
        }
        if matches!(row.standing, Standing::Quarantined(_)) {
            self.kept.insert(row.hash);
            return Ok(());
        }
        let last = self
            .places
            .get(&row.device)
            .copied()
            .unwrap_or(BEFORE_FIRST);
        let place = Place {
            epoch: row.epoch,
            seq: row.device_seq,
            hash: row.hash,
        };
        if row.standing == Standing::Decided && self.held.remove(&row.hash) {
            return Ok(());
        }
        if matches!(row.standing, Standing::Held(_)) {
            self.held.insert(row.hash);
        }
        let spot = (row.device, row.epoch, row.device_seq);
        // Of two histories nothing is taken beyond a gap any more.
        let may_be_beyond = is_brought_back(row) || self.kept.contains(&row.hash);
        if row.device_seq > last.seq + 1 && may_be_beyond && !self.forked.contains(&row.device) {
            let link = (header.prev_hash, place);
            return match self.beyond.insert(spot, link) {
                None => Ok(()),
                Some(_) => Err("has the place of another operation of its device".into()),
            };
        }
        if row.device_seq != last.seq + 1 || self.beyond.contains_key(&spot) {
            return Err(format!(
                "is number {} of its device, after number {}",
                row.device_seq, last.seq
            ));
        }
        if header.prev_hash != last.hash || row.epoch < last.epoch {
            return Err("does not follow the operation before it of its device".into());
        }
        let end = self.over_what_follows(row.device, place);
        self.places.insert(row.device, end);
        Ok(())
    }

    /// The end of a chain that reaches `place`: what was brought back before may follow it.
    fn over_what_follows(&mut self, device: DeviceId, mut place: Place) -> Place {
        loop {
            let spot = (device, place.epoch, place.seq + 1);
            match self.beyond.get(&spot) {
                Some((prev_hash, next)) if *prev_hash == place.hash => place = *next,
                _ => return place,
            }
            self.beyond.remove(&spot);
        }
    }

    fn link(
        &mut self,
        row: &LogRow,
        outcome: Option<&Outcome>,
        postings: &[Posting],
    ) -> Result<(), String> {
        for (expected, posting) in (0_u16..).zip(postings) {
            if posting.leg != expected {
                return Err(format!("its leg {expected} is missing"));
            }
        }
        for book in [Book::Money, Book::Bonus] {
            let legs = postings.iter().filter(|posting| posting.book == book);
            let sum: i128 = legs.map(|posting| i128::from(posting.amount.fen())).sum();
            if sum != 0 {
                return Err(format!(
                    "its legs in {book:?} sum to {sum} fen, not to nothing"
                ));
            }
        }
        let link = chain::Link {
            server_seq: row.server_seq,
            operation: &row.hash,
            outcome,
            postings,
        };
        let chain_hash = chain::next(&self.head.chain_hash, &link);
        if chain_hash != row.chain_hash {
            return Err("its link of the chain does not seal its answer and postings".into());
        }
        self.head.server_seq = row.server_seq;
        self.head.chain_hash = chain_hash;
        Ok(())
    }

    /// What must stand beside an operation that was applied.
    fn beside(
        &self,
        ledger: &dyn Archive,
        row: &LogRow,
        outcome: Option<&Outcome>,
    ) -> Result<(), VerifyError> {
        if !matches!(outcome, Some(Outcome::Applied)) {
            return Ok(());
        }
        let bad = |what: &str| BadRow::new(format!("operation {}", row.server_seq), what);
        let signed = SignedOperation::from(row.bytes.clone());
        let operation = signed
            .operation()
            .map_err(|error| bad(&error.to_string()))?;
        match (&operation.body, operation.attachment) {
            (OperationBody::PolicyPublish { .. }, Some(hash)) => {
                let document = ledger.policy_document(self.tenant.id, &hash)?;
                if document.is_none_or(|bytes| attachment_hash(&bytes) != hash) {
                    return Err(bad("its rules are missing or were changed").into());
                }
            }
            (OperationBody::DeviceEnrol(body), _)
                if self.keys.get(&body.device) != Some(&body.public_key) =>
            {
                return Err(bad("its device is missing or has another key").into());
            }
            _ => {}
        }
        Ok(())
    }

    /// Every device stands where its last operation is.
    pub(super) fn compare_devices(&mut self, ledger: &dyn Archive) -> Result<(), VerifyError> {
        let standing = ledger.standing(self.tenant.id)?;
        self.forward(ledger, standing.head)?;
        for (device, cursor) in &standing.devices {
            let last = self.places.get(&device.id).copied().unwrap_or(BEFORE_FIRST);
            if (cursor.last_seq, cursor.last_hash) != (last.seq, last.hash) {
                let row = format!("device {}", device.id);
                let what = format!("its last operation is number {}", last.seq);
                return Err(BadRow::new(row, what).into());
            }
            let is_believed = cursor.standing == DeviceStanding::Active;
            if is_believed && self.forked.contains(&device.id) {
                let row = format!("device {}", device.id);
                let what = "is believed, and the log has two histories of it";
                return Err(BadRow::new(row, what).into());
            }
            if device.is_server && device.public_key != self.tenant.public_key() {
                let row = named(self.tenant.id, "tenant");
                return Err(BadRow::new(row, "its signing key is not the server's").into());
            }
        }
        Ok(())
    }
}

/// Only what holds without those before it, and what this version cannot read, may stand outside its
/// chain.
fn is_brought_back(row: &LogRow) -> bool {
    Kind::from_number(row.kind).is_none_or(Kind::stands_alone)
        || matches!(row.standing, Standing::Held(_))
}

impl Posted {
    fn add(&mut self, postings: &[Posting]) {
        self.legs += postings.len() as u64;
        for posting in postings {
            let amount = i128::from(posting.amount.fen());
            match posting.account {
                LedgerAccount::MemberPrincipal(member, lot)
                | LedgerAccount::MemberBonus(member, lot) => {
                    *self.lots.entry((posting.book, member, lot)).or_default() += amount;
                }
                LedgerAccount::MemberDebt(member) => {
                    *self.debts.entry(member).or_default() += amount;
                }
                LedgerAccount::Drawer(shift) => {
                    *self.drawers.entry(shift).or_default() += amount;
                }
                LedgerAccount::Clearing(_)
                | LedgerAccount::Revenue(_)
                | LedgerAccount::Suspense
                | LedgerAccount::Opening
                | LedgerAccount::BonusGranted(_) => {}
            }
        }
    }
}

fn answer_of(row: &LogRow) -> Result<OpResultDto, String> {
    let answer: OpResultDto =
        serde_json::from_str(&row.answer).map_err(|_| "its answer cannot be read")?;
    let decided = (row.standing == Standing::Decided).then_some(row.server_seq);
    let is_its = (answer.op_id, answer.device_seq) == (row.op_id.0, row.device_seq)
        && answer.server_seq == decided;
    match is_its {
        true => Ok(answer),
        false => Err("its answer is another operation's".into()),
    }
}

/// The answer as it was sealed; `None` for what waits for a person.
fn outcome_of(row: &LogRow) -> Result<Option<Outcome>, String> {
    let outcome = answer_of(row)?.outcome;
    if row.standing != Standing::Decided {
        return match outcome {
            OutcomeDto::Held => Ok(None),
            _ => Err("waits for a person, and was answered".into()),
        };
    }
    Ok(Some(match outcome {
        OutcomeDto::Applied => Outcome::Applied,
        OutcomeDto::Exists => Outcome::Exists,
        OutcomeDto::Refused(refusal) => Outcome::Refused(Refusal::from(refusal)),
        OutcomeDto::ExistsWithDifferent { field } => {
            let field = field_named(&field).ok_or("its answer names no field that there is")?;
            Outcome::ExistsWithDifferent { field }
        }
        OutcomeDto::Held => return Err("was decided, and its answer says held".into()),
    }))
}

fn told(row: &LogRow, json: Option<String>) -> Result<(), String> {
    let json = json.ok_or("is missing")?;
    let entry: FeedEntry = serde_json::from_str(&json).map_err(|_| "cannot be read")?;
    let answer = answer_of(row)?;
    let is_its = (entry.server_seq, entry.op_id) == (row.server_seq, row.op_id.0)
        && (entry.device, entry.device_seq) == (row.device.0, row.device_seq)
        && entry.outcome == answer.outcome;
    match is_its {
        true => Ok(()),
        false => Err("tells something else than its operation".into()),
    }
}
