//! What was kept for review: what terminals wrote that were not believed when it came, or of which
//! others were missing, and what a person says of it (docs: sync, "Push").
//!
//! Nothing that was kept is ever changed. What a person admits or refuses is written a second time,
//! with its answer, so that the log alone explains the books.

use std::fmt;
use std::sync::Arc;

use ed25519_dalek::VerifyingKey;
use qiantai_core::Timestamp;
use qiantai_core::drawer::DrawerReason;
use qiantai_core::ids::TenantId;
use qiantai_core::operation::OperationBody;
use qiantai_wire::api::PUSH_LIMIT;
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::operation::Kind;
use qiantai_wire::profile::attachment_hash;
use serde::Serialize;
use tokio::task::spawn_blocking;

use crate::audit::{Act, Deed};
use crate::db::{Archive, Attachment, HeldReason, Ledger, LedgerError, LogRow, Standing};
use crate::embedded::Server;
use crate::roster::{self, Terminal};
use crate::writer::{Arrival, BroughtBack, Content, Received, Verdict, WriteError, receive};

/// So many bytes of a hash tell the operations of one number apart.
const MARK_BYTES: usize = 4;

/// An operation that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Five-digit code of its terminal's store.
    pub store: String,
    /// The terminal's two digits.
    pub terminal: String,
    /// Its number in the terminal's chain.
    pub number: u64,
    /// What tells it from another of this number: the first digits of its hash.
    pub mark: String,
    /// What it does, as in docs/protocol; nothing where this version does not know it.
    pub kind: Option<&'static str>,
    /// Number of that.
    pub kind_number: u16,
    /// What it is about, without personal data.
    pub subject: String,
    /// When it was made, by the terminal's clock.
    pub claimed_ms: Option<i64>,
    /// When it came.
    pub came_ms: i64,
    /// Why it was kept.
    pub reason: &'static str,
    /// Whether it is held: it has its place in the chain of its terminal and could not be decided.
    pub held: bool,
}

/// What became of an operation that a person looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reviewed {
    /// It is in the books with this answer.
    Answered(OutcomeDto),
    /// It is of another history of its terminal, and means something in that alone.
    Forked,
    /// Somebody else was quicker.
    NotWaiting,
    /// It asks, and nobody waits for an answer: only facts are admitted.
    Request,
    /// Its bytes are not what the terminal signed.
    Unreadable,
    /// It registers a member, and the profile did not come with it.
    NoProfile,
}

/// Which of a terminal's operations.
#[derive(Clone, Copy, Debug)]
pub struct Chosen<'a> {
    /// Five-digit code of its store.
    pub store: &'a str,
    /// Its two digits.
    pub terminal: &'a str,
    /// By their numbers; all that wait when there is neither number nor mark.
    pub numbers: &'a [u64],
    /// By their marks, or the first digits of them.
    pub marks: &'a [String],
}

/// Why nothing was done about what was kept.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// Nothing stands there.
    #[error("store {store} has no terminal {code}; `qiantai-server terminals list` shows them all")]
    Unknown {
        /// Code of the store.
        store: String,
        /// Code of the terminal.
        code: String,
    },
    /// Nothing waits under this number.
    #[error("no operation {0} of this terminal waits; `qiantai-server quarantine list` shows all")]
    NotWaiting(u64),
    /// Nothing waits under this mark.
    #[error("no operation {0} of this terminal waits; `qiantai-server quarantine list` shows all")]
    NoSuchMark(String),
    /// Two histories of the terminal have this number.
    #[error(
        "several operations {0} of this terminal wait: name the one that you mean by --mark, as \
             `qiantai-server quarantine list` shows it"
    )]
    Ambiguous(u64),
    /// The books.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The writer.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Everything that waits or is held, by store, terminal and number.
///
/// # Errors
/// See [`LedgerError`].
pub fn waiting(ledger: &dyn Archive, now: Timestamp) -> Result<Vec<Waiting>, LedgerError> {
    let terminals = roster::terminals(ledger, now)?;
    let mut all = Vec::new();
    for tenant in ledger.tenants()? {
        let held = ledger.held(tenant.id)?;
        for row in ledger.kept_outside(tenant.id)?.into_iter().chain(held) {
            let terminal = terminals.iter().find(|it| it.device == row.device);
            all.push(Waiting::of(&row, terminal));
        }
    }
    let place = |it: &Waiting| (it.store.clone(), it.terminal.clone(), it.number);
    all.sort_by_key(place);
    Ok(all)
}

/// Admits or refuses what a terminal wrote, in the order of its chain; entered in the audit log first,
/// with the reason. What became of each, by number.
///
/// # Errors
/// See [`ReviewError`]. What was answered before it stays so; repeating goes on.
pub async fn review(
    server: &Server,
    ledger: &dyn Archive,
    chosen: Chosen<'_>,
    verdict: Verdict,
    reason: &str,
) -> Result<Vec<(u64, Reviewed)>, ReviewError> {
    let now = server.now();
    let terminal = found(ledger, chosen, now)?;
    let rows = rows_of(ledger, &terminal, chosen)?;
    let key = key_of(ledger, &terminal)?;
    let mut reviewed = Vec::new();
    let mut kept = Vec::new();
    for row in &rows {
        match readable(ledger, terminal.tenant, row, key.as_ref(), verdict)? {
            Ok(received) => kept.push(received),
            Err(why) => reviewed.push((row.device_seq, why)),
        }
    }
    if !kept.is_empty() {
        let deed = deed_of(&terminal, &kept, verdict, reason, now);
        ledger.save_deed(terminal.tenant, &deed)?;
    }
    reviewed.extend(written(server, &terminal, &kept, verdict).await?);
    reviewed.sort_by_key(|(number, _)| *number);
    Ok(reviewed)
}

fn key_of(ledger: &dyn Ledger, terminal: &Terminal) -> Result<Option<VerifyingKey>, LedgerError> {
    let device = ledger.device(terminal.tenant, terminal.device)?;
    Ok(device.and_then(|(device, _)| VerifyingKey::from_bytes(&device.public_key).ok()))
}

async fn written(
    server: &Server,
    terminal: &Terminal,
    kept: &[Received],
    verdict: Verdict,
) -> Result<Vec<(u64, Reviewed)>, WriteError> {
    let desk = server.0.desks.get(terminal.tenant);
    let desk = desk.ok_or(WriteError::Stopped)?;
    let mut reviewed = Vec::new();
    for part in kept.chunks(PUSH_LIMIT) {
        let numbers = part.iter().map(|it| it.header.device_seq);
        let answers = desk.writer.review(part.to_vec(), verdict).await?;
        reviewed.extend(numbers.zip(answers.into_iter().map(Reviewed::from)));
    }
    Ok(reviewed)
}

/// Decides the facts of `tenant` that an older version of the program held because it could not read
/// them, and that this one can; entered in the audit log first. How many it decided.
///
/// # Errors
/// See [`ReviewError`]. What was decided before it stays so; repeating goes on.
pub(crate) async fn take_up(server: &Server, tenant: TenantId) -> Result<usize, ReviewError> {
    const WHY: &str = "an older version could not read them";
    let (ledger, now) = (Arc::clone(server.ledger()), server.now());
    let found = spawn_blocking(move || readable_now(ledger.as_ref(), tenant, now));
    let found = found.await.map_err(|_| WriteError::Defect)??;
    let mut taken = 0;
    for (terminal, kept) in found {
        let deed = deed_of(&terminal, &kept, Verdict::Admit, WHY, now);
        let ledger = Arc::clone(server.ledger());
        let saved = spawn_blocking(move || ledger.save_deed(tenant, &deed));
        saved.await.map_err(|_| WriteError::Defect)??;
        let reviewed = written(server, &terminal, &kept, Verdict::Admit).await?;
        for (number, became) in &reviewed {
            let (store, code) = (&terminal.store, &terminal.code);
            tracing::info!(%store, %code, number, %became, "what was held is decided");
        }
        taken += reviewed.iter().filter(|(_, it)| it.is_settled()).count();
    }
    Ok(taken)
}

fn readable_now(
    ledger: &dyn Ledger,
    tenant: TenantId,
    now: Timestamp,
) -> Result<Vec<(Terminal, Vec<Received>)>, LedgerError> {
    ledger.may_write(tenant)?;
    let mut rows = ledger.held(tenant)?;
    rows.retain(|row| {
        let by_its_version = [HeldReason::UnknownKind, HeldReason::NewerVersion];
        by_its_version.map(Standing::Held).contains(&row.standing)
    });
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for terminal in roster::of_tenant(ledger, tenant, now)? {
        let key = key_of(ledger, &terminal)?;
        let mut kept = Vec::new();
        for row in rows.iter().filter(|row| row.device == terminal.device) {
            let received = readable(ledger, tenant, row, key.as_ref(), Verdict::Admit)?;
            let known = received.ok();
            kept.extend(known.filter(|it| matches!(it.content, Content::Known(_))));
        }
        if !kept.is_empty() {
            found.push((terminal, kept));
        }
    }
    Ok(found)
}

fn found(
    ledger: &dyn Archive,
    chosen: Chosen<'_>,
    now: Timestamp,
) -> Result<Terminal, ReviewError> {
    let mut terminals = roster::terminals(ledger, now)?.into_iter();
    let is_it = |it: &Terminal| it.store == chosen.store && it.code == chosen.terminal;
    terminals.find(is_it).ok_or_else(|| ReviewError::Unknown {
        store: chosen.store.to_owned(),
        code: chosen.terminal.to_owned(),
    })
}

fn rows_of(
    ledger: &dyn Archive,
    terminal: &Terminal,
    chosen: Chosen<'_>,
) -> Result<Vec<LogRow>, ReviewError> {
    let mut rows = ledger.kept_outside(terminal.tenant)?;
    rows.extend(ledger.held(terminal.tenant)?);
    rows.sort_by_key(|row| (row.epoch, row.device_seq, row.server_seq));
    rows.retain(|row| row.device == terminal.device);
    for number in chosen.numbers {
        match rows.iter().filter(|row| row.device_seq == *number).count() {
            0 => return Err(ReviewError::NotWaiting(*number)),
            1 => {}
            _ => return Err(ReviewError::Ambiguous(*number)),
        }
    }
    for mark in chosen.marks {
        if mark.is_empty() || !rows.iter().any(|row| has_mark(row, mark)) {
            return Err(ReviewError::NoSuchMark(mark.clone()));
        }
    }
    let is_all = chosen.numbers.is_empty() && chosen.marks.is_empty();
    rows.retain(|row| {
        let is_named = chosen.numbers.contains(&row.device_seq);
        is_all || is_named || chosen.marks.iter().any(|mark| has_mark(row, mark))
    });
    Ok(rows)
}

fn has_mark(row: &LogRow, mark: &str) -> bool {
    hex::encode(row.hash).starts_with(&mark.to_ascii_lowercase())
}

/// The operation as it is given to the writer, or why it is not.
fn readable(
    ledger: &dyn Ledger,
    tenant: TenantId,
    row: &LogRow,
    key: Option<&VerifyingKey>,
    verdict: Verdict,
) -> Result<Result<Received, Reviewed>, LedgerError> {
    let received = key.and_then(|key| receive(row.bytes.clone(), key).ok());
    let Some(mut received) = received else {
        return Ok(Err(Reviewed::Unreadable));
    };
    let Content::Known(operation) = &received.content else {
        return Ok(Ok(received));
    };
    if verdict == Verdict::Refuse {
        return Ok(Ok(received));
    }
    if !operation.body.is_fact() {
        return Ok(Err(Reviewed::Request));
    }
    if let OperationBody::MemberCreate(create) = &operation.body {
        let member = create.member;
        let profile = ledger.profile(tenant, member)?;
        let is_its = |sealed: &[u8]| operation.attachment == Some(attachment_hash(sealed));
        let Some(profile) = profile.filter(|it| is_its(&it.sealed)) else {
            return Ok(Err(Reviewed::NoProfile));
        };
        received.attachment = Some(Attachment::Profile { member, profile });
    }
    Ok(Ok(received))
}

fn deed_of(
    terminal: &Terminal,
    kept: &[Received],
    verdict: Verdict,
    reason: &str,
    now: Timestamp,
) -> Deed {
    let numbers: Vec<u64> = kept.iter().map(|it| it.header.device_seq).collect();
    let stretches: Vec<String> = numbers
        .chunk_by(|one, next| one + 1 == *next)
        .map(|stretch| match stretch {
            [one] => one.to_string(),
            [first, .., last] => format!("{first}-{last}"),
            [] => String::new(),
        })
        .collect();
    Deed {
        at: now,
        act: match verdict {
            Verdict::Admit => Act::OperationsAdmitted,
            Verdict::Refuse => Act::OperationsRefused,
        },
        device: Some(terminal.device),
        address: None,
        subject: format!(
            "store {} terminal {} numbers {}: {reason}",
            terminal.store,
            terminal.code,
            stretches.join(",")
        ),
    }
}

impl From<BroughtBack> for Reviewed {
    fn from(back: BroughtBack) -> Reviewed {
        match back.arrival {
            Arrival::New | Arrival::Known => Reviewed::Answered(back.result.outcome),
            Arrival::Forked | Arrival::Quarantined => Reviewed::Forked,
            Arrival::NotWaiting => Reviewed::NotWaiting,
        }
    }
}

impl Waiting {
    fn of(row: &LogRow, terminal: Option<&Terminal>) -> Waiting {
        let signed = qiantai_wire::SignedOperation::from(row.bytes.clone());
        let operation = signed.operation().ok();
        Waiting {
            store: terminal.map_or_else(String::new, |it| it.store.clone()),
            terminal: terminal.map_or_else(String::new, |it| it.code.clone()),
            number: row.device_seq,
            mark: hex::encode(&row.hash[..MARK_BYTES]),
            kind: Kind::from_number(row.kind).map(Kind::name),
            kind_number: row.kind,
            subject: operation
                .as_ref()
                .map_or_else(String::new, |it| subject(&it.body)),
            claimed_ms: operation.map(|it| it.wall_time.ms()),
            came_ms: row.decided_at.ms(),
            reason: reason(row.standing),
            held: matches!(row.standing, Standing::Held(_)),
        }
    }
}

fn reason(standing: Standing) -> &'static str {
    match standing {
        Standing::Quarantined(HeldReason::Fork) => {
            "of another history of the terminal: its place is taken"
        }
        Standing::Quarantined(HeldReason::BeyondGap) => "those before it are missing",
        Standing::Held(HeldReason::UnknownKind) => "this version does not know its kind",
        Standing::Held(HeldReason::NewerVersion) => "a newer version of the program wrote it",
        Standing::Held(HeldReason::Malformed) => "it cannot be read",
        Standing::Held(HeldReason::Invariant) => "deciding it would have broken the books",
        _ => "the terminal was not believed",
    }
}

fn subject(body: &OperationBody) -> String {
    match body {
        OperationBody::RechargeCash(cash) => {
            format!("{} {}", cash.open.order_no, cash.tendered - cash.change)
        }
        OperationBody::RechargeRecorded(recorded) => {
            format!("{} {}", recorded.open.order_no, recorded.open.quote.pay)
        }
        OperationBody::RechargeOpen(open) => format!("{} {}", open.order_no, open.quote.pay),
        OperationBody::AttemptStart(start) => start.attempt_no.clone(),
        OperationBody::ShiftOpen(shift) => shift.shift_no.clone(),
        OperationBody::MemberCreate(create) => create.member_no.clone(),
        OperationBody::SpendOffline(spend) => spend.amount.to_string(),
        OperationBody::DrawerOpen(drawer) => match drawer.reason {
            DrawerReason::Change => "change of a note".to_owned(),
            DrawerReason::Count => "count".to_owned(),
            DrawerReason::Mistake => "mistake".to_owned(),
            DrawerReason::Other => drawer.words.clone().unwrap_or_default(),
        },
        _ => String::new(),
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "store {} terminal {} ", self.store, self.terminal)?;
        write!(f, "number {} mark {}: ", self.number, self.mark)?;
        match self.kind {
            Some(kind) => f.write_str(kind)?,
            None => write!(f, "kind {}", self.kind_number)?,
        }
        if !self.subject.is_empty() {
            write!(f, " {}", self.subject)?;
        }
        if let Some(at) = self.claimed_ms {
            write!(f, ", made {}", Timestamp::from_ms(at))?;
        }
        if self.held {
            write!(f, ", held since {}", Timestamp::from_ms(self.came_ms))?;
        }
        write!(f, "; {}", self.reason)
    }
}

impl fmt::Display for Reviewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reviewed::Answered(OutcomeDto::Applied) => "applied",
            Reviewed::Answered(OutcomeDto::Exists) => "exists: its intent was posted before",
            Reviewed::Answered(OutcomeDto::ExistsWithDifferent { .. }) => {
                "exists_with_different: its intent was posted before with another content"
            }
            Reviewed::Answered(OutcomeDto::Refused(_)) => "refused",
            Reviewed::Answered(OutcomeDto::Held) => "held: it could not be decided",
            Reviewed::Forked => {
                "not taken: it builds on others that are not in the books before it; refuse it"
            }
            Reviewed::NotWaiting => "not taken: it waits no more",
            Reviewed::Request => "not taken: it asks, and only facts are admitted; refuse it",
            Reviewed::Unreadable => "not taken: its bytes are not what the terminal signed",
            Reviewed::NoProfile => "not taken: the profile of its member is not here",
        })
    }
}

impl Reviewed {
    /// True when nobody needs to look at it any more.
    pub fn is_settled(&self) -> bool {
        match self {
            Reviewed::Answered(outcome) => *outcome != OutcomeDto::Held,
            Reviewed::NotWaiting => true,
            Reviewed::Forked | Reviewed::Request | Reviewed::Unreadable | Reviewed::NoProfile => {
                false
            }
        }
    }
}
