//! One writer per tenant: it takes operations from a queue, gathers a batch, loads what the
//! batch touches, decides in memory, writes once, and answers each.

mod batch;
mod chains;
mod job;
mod keys;
mod received;
mod record;
mod unit;

use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};

use qiantai_core::clock::Timestamp;
use qiantai_core::decide::Change;
use qiantai_core::ids::{AttemptId, TenantId};
use qiantai_wire::api::{AttemptEvent, OpResultDto, PushHalt};
use qiantai_wire::codes::RefusalCodeDto;
use tokio::sync::{mpsc, oneshot};

pub use received::{Content, NotAnOperation, Received, receive};
pub use unit::{Arrival, Author, BroughtBack, OwnOperation, Replayed, Verdict};

use crate::clock::Clock;
use crate::db::{Batch, Cursor, Head, Keys, Ledger, LedgerError};
use crate::embedded::written_at;
use batch::{Decided, Stand, decide_batch};
use job::{Job, Reply};
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
    /// Where the device and the log stand then; `None` when nothing was pushed.
    pub stand: Option<(Cursor, Head)>,
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
            seen: None,
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

    /// Queues operations that were brought back from receipts, of whichever devices.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn import(&self, operations: Vec<Received>) -> Result<Vec<BroughtBack>, WriteError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.queue.send(Job::Import(operations, reply)).await;
        sent.map_err(|_| WriteError::Stopped)?;
        answer.await.map_err(|_| WriteError::Stopped)?
    }

    /// Queues operations that were kept and a person has looked at, in the order of their chains.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn review(
        &self,
        kept: Vec<Received>,
        verdict: Verdict,
    ) -> Result<Vec<BroughtBack>, WriteError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.queue.send(Job::Review(kept, verdict, reply)).await;
        sent.map_err(|_| WriteError::Stopped)?;
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
    /// The end of the log as it was left here. Where it is another, somebody else wrote meanwhile.
    seen: Option<u64>,
}

/// Why a batch was not written.
enum Trouble {
    /// Reading for it, deciding it or writing it panicked.
    Invariant,
    /// A unique number or name is taken.
    Taken,
    /// Trying again one by one does not help.
    Ledger(WriteError),
}

/// What became of units that were written, and where everything stands then.
struct Done {
    taken: Vec<Taken>,
    stand: Stand,
}

impl WriterLoop {
    fn work(&mut self, jobs: Vec<Job>) {
        self.last = self.workplace.clock.now().max(self.last);
        let mut units = Vec::new();
        let mut replies = Vec::with_capacity(jobs.len());
        for job in jobs {
            let before = units.len();
            let reply = job.into_units(self.last, &mut units);
            replies.push((units.len() - before, reply));
        }
        match self.commit(&units) {
            Ok(Done { taken, stand }) => {
                let mut taken = taken.into_iter();
                for (count, reply) in replies {
                    reply.answer(Ok((taken.by_ref().take(count).collect(), &stand)));
                }
            }
            Err(Trouble::Ledger(error)) => {
                tracing::error!(%error, "a batch was not written");
                for (_, reply) in replies {
                    reply.answer(Err(error.clone()));
                }
            }
            Err(Trouble::Invariant | Trouble::Taken) => self.one_job_at_a_time(&units, replies),
        }
    }

    /// Jobs that have no part in the trouble are written as they came.
    fn one_job_at_a_time(&mut self, mut units: &[Unit], replies: Vec<(usize, Reply)>) {
        let was_alone = replies.len() == 1;
        for (count, reply) in replies {
            let (of_job, others) = units.split_at(count);
            units = others;
            let done = match was_alone {
                true => self.one_by_one(of_job),
                false => match self.commit(of_job) {
                    Err(Trouble::Invariant | Trouble::Taken) => self.one_by_one(of_job),
                    Err(Trouble::Ledger(error)) => Err(error),
                    Ok(done) => Ok(done),
                },
            };
            match done {
                Ok(Done { taken, stand }) => reply.answer(Ok((taken, &stand))),
                Err(error) => reply.answer(Err(error)),
            }
        }
    }

    /// One transaction each, so that a single bad operation holds up no other.
    fn one_by_one(&mut self, units: &[Unit]) -> Result<Done, WriteError> {
        let mut all: Option<Done> = None;
        for unit in units {
            let done = match self.commit(std::slice::from_ref(unit)) {
                Ok(done) => done,
                Err(Trouble::Ledger(error)) => return Err(error),
                Err(trouble) => self.instead(unit, &trouble)?,
            };
            match &mut all {
                None => all = Some(done),
                Some(all) => {
                    all.taken.extend(done.taken);
                    all.stand = done.stand;
                }
            }
        }
        // Without a unit nothing can have been in trouble.
        all.ok_or(WriteError::Defect)
    }

    /// A request that wants what another has is refused; anything else that cannot be decided is
    /// held, with a case.
    fn instead(&mut self, unit: &Unit, trouble: &Trouble) -> Result<Done, WriteError> {
        let instead = match (trouble, &unit.item, unit.is_fact()) {
            // What another ledger decided is decided here in the same way or not at all.
            (Trouble::Taken, Item::Replayed(row), _)
                if row.was_refused_as(RefusalCodeDto::NumberTaken) =>
            {
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

    /// What panics over these units is about them; the writer lives on for all others.
    fn commit(&mut self, units: &[Unit]) -> Result<Done, Trouble> {
        let written = catch_unwind(AssertUnwindSafe(|| self.write(units)));
        let Decided {
            batch,
            taken,
            stand,
        } = written.unwrap_or(Err(Trouble::Invariant))?;
        self.seen = Some(stand.head.server_seq);
        if let Some(head) = batch.head {
            (self.workplace.listener)(Committed {
                tenant: self.workplace.author.tenant.id,
                head: head.server_seq,
                attempts: attempts_of(&batch),
            });
        }
        Ok(Done { taken, stand })
    }

    fn write(&mut self, units: &[Unit]) -> Result<Decided, Trouble> {
        let tenant = self.workplace.author.tenant.id;
        let ledger = Arc::clone(&self.workplace.ledger);
        let mut books = ledger.load(tenant, &self.keys_of(units)).map_err(trouble)?;
        let mut units = Cow::Borrowed(units);
        if self.is_behind(books.head).map_err(trouble)? {
            let now = self.last;
            units.to_mut().iter_mut().for_each(|unit| unit.delay(now));
            books = ledger
                .load(tenant, &self.keys_of(&units))
                .map_err(trouble)?;
        }
        let decided = decide_batch(books, &self.workplace.author, &units);
        if decided.batch.head.is_some() {
            ledger.write(tenant, &decided.batch).map_err(trouble)?;
        }
        Ok(decided)
    }

    /// Whether somebody else has written since, in what is the future here. The clock goes on from
    /// there, unless it is believed.
    fn is_behind(&mut self, head: Head) -> Result<bool, LedgerError> {
        let Workplace { author, ledger, .. } = &self.workplace;
        if self.seen == Some(head.server_seq) {
            return Ok(false);
        }
        let written = written_at(ledger.as_ref(), author.tenant.id)?;
        let Some(written) = written.filter(|written| *written > self.last) else {
            return Ok(false);
        };
        self.workplace.clock.catch_up(written);
        self.last = self.workplace.clock.now().max(self.last);
        Ok(true)
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
            Item::Pushed(received) | Item::Imported(received) | Item::Reviewed(received) => {
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
            Item::Pushed(received) | Item::Imported(received) | Item::Reviewed(received) => {
                match &received.content {
                    Content::Known(operation) => Some(operation.body.is_fact()),
                    Content::Unread(_) => Some(true),
                }
            }
            Item::Replayed(replayed) => replayed
                .operation
                .as_ref()
                .map(|operation| operation.body.is_fact()),
        }
    }
}
