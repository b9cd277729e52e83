//! One writer per tenant: it takes operations from a queue, gathers a batch, loads what the
//! batch touches, decides in memory, writes once, and answers each.

mod batch;
mod keys;
mod received;
mod record;
mod unit;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};

use qiantai_core::clock::Timestamp;
use qiantai_core::decide::Change;
use qiantai_core::ids::{AttemptId, TenantId};
use qiantai_wire::api::{AttemptEvent, OpResultDto, PushHalt};
use tokio::sync::{mpsc, oneshot};

pub use received::{Content, NotAnOperation, Received, receive};
pub use unit::{Author, OwnOperation, Replayed};

use crate::clock::Clock;
use crate::db::{Batch, Keys, Ledger, LedgerError};
use batch::{Decided, decide_batch};
use unit::{Instead, Item, Taken, Unit};

/// Most operations that one transaction takes, unless a single call brings more.
const BATCH_LIMIT: usize = 256;

/// Jobs that may wait before callers are told that the server is busy.
const QUEUE_LIMIT: usize = 1_024;

/// Why operations were not written. None of them was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The queue is full, or the ledger cannot be reached; try again.
    #[error("too many operations wait, or the ledger is busy")]
    Busy,
    /// The server stops.
    #[error("the writer has stopped")]
    Stopped,
    /// No room on the disk.
    #[error("the disk of the ledger is full")]
    DiskFull,
    /// Another process writes these books.
    #[error("these books are written at {0}")]
    Elsewhere(String),
    /// The server's own operation broke an invariant or a rule of the schema.
    #[error("the server's own operation cannot be written")]
    Defect,
    /// The ledger failed.
    #[error("the ledger failed: {0}")]
    Ledger(String),
}

/// What became of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// One answer for each operation taken, in order.
    pub results: Vec<OpResultDto>,
    /// Why the rest was not taken.
    pub halt: Option<PushHalt>,
}

/// What a commit changed, for whoever listens.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Whose log.
    pub tenant: TenantId,
    /// Its head now.
    pub head: u64,
    /// Attempts that changed, last state each.
    pub attempts: Vec<AttemptEvent>,
}

/// The queue of a tenant's writer.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Job>,
}

/// The thread behind a [`Writer`]. Ends when every [`Writer`] is gone and the queue is empty.
pub struct WriterThread(JoinHandle<()>);

/// What a writer works with.
pub struct Workplace {
    /// The books.
    pub ledger: Arc<dyn Ledger>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The server as author.
    pub author: Author,
    /// Told of every commit.
    pub listener: Box<dyn Fn(Committed) + Send>,
}

enum Job {
    Push(Vec<Received>, oneshot::Sender<Result<Pushed, WriteError>>),
    Own(
        Vec<OwnOperation>,
        oneshot::Sender<Result<Vec<OpResultDto>, WriteError>>,
    ),
    Replay(
        Vec<Replayed>,
        oneshot::Sender<Result<Vec<OpResultDto>, WriteError>>,
    ),
}

impl Writer {
    /// Starts the thread that writes for `workplace`'s tenant.
    ///
    /// # Errors
    /// The operating system has no thread left.
    pub fn start(workplace: Workplace) -> std::io::Result<(Writer, WriterThread)> {
        let name = format!("writer {}", workplace.author.tenant.id);
        let (writer, turns) = Writer::by_turns(workplace);
        let thread = thread::Builder::new()
            .name(name)
            .spawn(move || turns.run())?;
        Ok((writer, WriterThread(thread)))
    }

    /// A writer that writes only when its turn is called: for virtual time.
    pub fn by_turns(workplace: Workplace) -> (Writer, WriterTurns) {
        let (queue, jobs) = mpsc::channel(QUEUE_LIMIT);
        let desk = WriterLoop {
            workplace,
            last: Timestamp::from_ms(i64::MIN),
        };
        let turns = WriterTurns {
            desk,
            first: None,
            jobs,
        };
        (Writer { queue }, turns)
    }

    /// Queues operations of one device.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn push(&self, operations: Vec<Received>) -> Result<Pushed, WriteError> {
        let (reply, answer) = oneshot::channel();
        self.queue
            .try_send(Job::Push(operations, reply))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => WriteError::Busy,
                mpsc::error::TrySendError::Closed(_) => WriteError::Stopped,
            })?;
        answer.await.map_err(|_| WriteError::Stopped)?
    }

    /// Queues operations of the server.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn say(&self, operations: Vec<OwnOperation>) -> Result<Vec<OpResultDto>, WriteError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.queue.send(Job::Own(operations, reply)).await;
        sent.map_err(|_| WriteError::Stopped)?;
        answer.await.map_err(|_| WriteError::Stopped)?
    }

    /// Queues rows of another ledger's log, in order, each decided as of its own time.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn replay(&self, rows: Vec<Replayed>) -> Result<Vec<OpResultDto>, WriteError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.queue.send(Job::Replay(rows, reply)).await;
        sent.map_err(|_| WriteError::Stopped)?;
        answer.await.map_err(|_| WriteError::Stopped)?
    }

    /// Calls that wait in the queue.
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// False once the thread has ended.
    pub fn is_running(&self) -> bool {
        !self.queue.is_closed()
    }
}

impl WriterThread {
    /// Waits until everything queued is written.
    pub fn join(self) {
        if self.0.join().is_err() {
            tracing::error!("a writer ended by a panic");
        }
    }
}

/// The other end of a [`Writer`]'s queue.
pub struct WriterTurns {
    desk: WriterLoop,
    /// Taken from the queue to see whether one waits.
    first: Option<Job>,
    jobs: mpsc::Receiver<Job>,
}

impl WriterTurns {
    /// Calls that wait.
    pub fn waiting(&self) -> usize {
        self.jobs.len() + usize::from(self.first.is_some())
    }

    /// Ready once a call waits, whichever task made it.
    pub fn poll_waiting(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.first.is_none() {
            self.first = std::task::ready!(self.jobs.poll_recv(context));
        }
        match self.first {
            Some(_) => Poll::Ready(()),
            // Nobody is left who could call.
            None => Poll::Pending,
        }
    }

    /// Writes and answers the next batch of what waits; false when nothing does.
    pub fn turn(&mut self) -> bool {
        let first = self.first.take();
        match first.or_else(|| self.jobs.try_recv().ok()) {
            Some(first) => {
                self.work_from(first);
                true
            }
            None => false,
        }
    }

    fn run(mut self) {
        while let Some(first) = self.jobs.blocking_recv() {
            self.work_from(first);
        }
    }

    fn work_from(&mut self, first: Job) {
        let mut count = first.len();
        let mut batch = vec![first];
        while count < BATCH_LIMIT {
            let Ok(job) = self.jobs.try_recv() else { break };
            count += job.len();
            batch.push(job);
        }
        self.desk.work(batch);
    }
}

struct WriterLoop {
    workplace: Workplace,
    /// Time of the batch before: decisions never go back in time, whatever the clock does.
    last: Timestamp,
}

/// Why a batch was not written.
enum Trouble {
    /// Deciding it panicked.
    Invariant,
    /// A unique number or name is taken.
    Taken,
    /// Trying again one by one does not help.
    Ledger(WriteError),
}

impl WriterLoop {
    fn work(&mut self, jobs: Vec<Job>) {
        self.last = self.workplace.clock.now().max(self.last);
        let units: Vec<Vec<Unit>> = jobs.iter().map(|job| job.units(self.last)).collect();
        let flat: Vec<Unit> = units.iter().flatten().cloned().collect();
        match self.commit(&flat) {
            Ok(mut taken) => {
                for (job, units) in jobs.into_iter().zip(units) {
                    let rest = taken.split_off(units.len());
                    job.answer(Ok(std::mem::replace(&mut taken, rest)));
                }
            }
            Err(Trouble::Ledger(error)) => {
                tracing::error!(%error, "a batch was not written");
                jobs.into_iter()
                    .for_each(|job| job.answer(Err(error.clone())));
            }
            Err(Trouble::Invariant | Trouble::Taken) => {
                for (job, units) in jobs.into_iter().zip(units) {
                    let taken = self.one_by_one(&units);
                    job.answer(taken);
                }
            }
        }
    }

    /// One transaction each, so that a single bad operation holds up no other.
    fn one_by_one(&mut self, units: &[Unit]) -> Result<Vec<Taken>, WriteError> {
        let mut taken = Vec::with_capacity(units.len());
        for unit in units {
            let mut answers = match self.commit(std::slice::from_ref(unit)) {
                Ok(answers) => answers,
                Err(Trouble::Ledger(error)) => return Err(error),
                Err(trouble) => self.instead(unit, &trouble)?,
            };
            taken.append(&mut answers);
        }
        Ok(taken)
    }

    /// A request that wants what another has is refused; anything else that cannot be decided is
    /// held, with a case.
    fn instead(&mut self, unit: &Unit, trouble: &Trouble) -> Result<Vec<Taken>, WriteError> {
        let instead = match (trouble, &unit.item, unit.is_fact()) {
            // What another ledger decided is decided here in the same way or not at all.
            (Trouble::Taken, Item::Replayed(row), _) if row.wanted_a_taken_number() => {
                Instead::Refuse
            }
            (_, Item::Replayed(_), _) | (_, _, None) => return Err(WriteError::Defect),
            (Trouble::Taken, _, Some(false)) => Instead::Refuse,
            (_, _, Some(_)) => Instead::Hold,
        };
        tracing::error!(?instead, "an operation could not be decided");
        let unit = Unit {
            instead,
            ..unit.clone()
        };
        self.commit(&[unit]).map_err(|trouble| match trouble {
            Trouble::Ledger(error) => error,
            Trouble::Invariant | Trouble::Taken => WriteError::Defect,
        })
    }

    fn commit(&mut self, units: &[Unit]) -> Result<Vec<Taken>, Trouble> {
        let tenant = self.workplace.author.tenant.id;
        let books = self
            .workplace
            .ledger
            .load(tenant, &self.keys_of(units))
            .map_err(trouble)?;
        let author = &self.workplace.author;
        let decided = catch_unwind(AssertUnwindSafe(|| decide_batch(books, author, units)));
        let Decided { batch, taken } = decided.map_err(|_| Trouble::Invariant)?;
        let Some(head) = batch.head else {
            return Ok(taken);
        };
        self.workplace
            .ledger
            .write(tenant, &batch)
            .map_err(trouble)?;
        (self.workplace.listener)(Committed {
            tenant,
            head: head.server_seq,
            attempts: attempts_of(&batch),
        });
        Ok(taken)
    }

    fn keys_of(&self, units: &[Unit]) -> Keys {
        let now = units.iter().map(|unit| unit.now).min().unwrap_or(self.last);
        let mut keys = Keys {
            now,
            ..Keys::default()
        };
        keys.devices
            .insert(self.workplace.author.tenant.server_device);
        for unit in units {
            unit.add_keys(&mut keys);
        }
        keys
    }
}

fn trouble(error: LedgerError) -> Trouble {
    match error {
        LedgerError::Taken(what) => {
            tracing::warn!(%what, "a number is taken");
            Trouble::Taken
        }
        LedgerError::DiskFull => Trouble::Ledger(WriteError::DiskFull),
        LedgerError::WrittenElsewhere { address } => {
            Trouble::Ledger(WriteError::Elsewhere(address))
        }
        LedgerError::Busy | LedgerError::Overtaken => Trouble::Ledger(WriteError::Busy),
        other => Trouble::Ledger(WriteError::Ledger(other.to_string())),
    }
}

fn attempts_of(batch: &Batch) -> Vec<AttemptEvent> {
    let mut last: HashMap<AttemptId, AttemptEvent> = HashMap::new();
    for entry in &batch.entries {
        for change in &entry.changes {
            if let Change::Attempt(row) = change {
                let event = AttemptEvent {
                    attempt: row.id.0,
                    state: row.state.into(),
                    head: entry.row.server_seq,
                };
                last.insert(row.id, event);
            }
        }
    }
    last.into_values().collect()
}

impl Unit {
    fn add_keys(&self, keys: &mut Keys) {
        match &self.item {
            Item::Pushed(received) => {
                keys::add_place(keys, &received.header);
                if let Content::Known(operation) = &received.content {
                    keys::add_operation(keys, operation, self.now);
                }
            }
            Item::Own(own) => keys::add_body(keys, own.action_id, &own.body),
            Item::Replayed(replayed) => {
                keys.devices.insert(replayed.row.device);
                if let Some(operation) = &replayed.operation {
                    keys::add_operation(keys, operation, self.now);
                }
            }
        }
    }

    /// `None` for what the server says itself: that is a defect, not a fact of the shop.
    fn is_fact(&self) -> Option<bool> {
        match &self.item {
            Item::Own(_) => None,
            Item::Pushed(received) => match &received.content {
                Content::Known(operation) => Some(operation.body.is_fact()),
                Content::Unread(_) => Some(true),
            },
            Item::Replayed(replayed) => replayed
                .operation
                .as_ref()
                .map(|operation| operation.body.is_fact()),
        }
    }
}

impl Job {
    fn len(&self) -> usize {
        match self {
            Job::Push(operations, _) => operations.len(),
            Job::Own(operations, _) => operations.len(),
            Job::Replay(rows, _) => rows.len(),
        }
    }

    fn units(&self, now: Timestamp) -> Vec<Unit> {
        let unit = |now, item| Unit {
            now,
            item,
            instead: Instead::Nothing,
        };
        match self {
            Job::Push(operations, _) => operations
                .iter()
                .map(|received| unit(now, Item::Pushed(Box::new(received.clone()))))
                .collect(),
            Job::Own(operations, _) => operations
                .iter()
                .map(|own| unit(now, Item::Own(Box::new(own.clone()))))
                .collect(),
            Job::Replay(rows, _) => rows
                .iter()
                .map(|row| unit(row.row.decided_at, Item::Replayed(Box::new(row.clone()))))
                .collect(),
        }
    }

    /// A caller that went away has its answer in the log.
    fn answer(self, taken: Result<Vec<Taken>, WriteError>) {
        match self {
            Job::Push(_, reply) => drop(reply.send(taken.map(pushed))),
            Job::Own(_, reply) | Job::Replay(_, reply) => {
                drop(reply.send(taken.map(|taken| pushed(taken).results)));
            }
        }
    }
}

/// A push stops at the first gap; after a fork everything is kept and nothing is answered.
fn pushed(taken: Vec<Taken>) -> Pushed {
    let mut results = Vec::with_capacity(taken.len());
    for unit in taken {
        match unit {
            Taken::Answered(result) => results.push(result),
            Taken::Gap { expected_seq } => {
                return Pushed {
                    results,
                    halt: Some(PushHalt::Gap { expected_seq }),
                };
            }
            Taken::Forked(result) => {
                let halt = Some(PushHalt::Fork {
                    device_seq: result.device_seq,
                });
                results.push(result);
                return Pushed { results, halt };
            }
        }
    }
    Pushed {
        results,
        halt: None,
    }
}
