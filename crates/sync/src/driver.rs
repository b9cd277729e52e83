//! Carries out what the [`engine`](crate::engine) decides.

mod work;

use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use futures::future::BoxFuture;
use qiantai_core::Timestamp;
use qiantai_core::clock::Millis;
use qiantai_wire::SignedOperation;
use qiantai_wire::api::{Event, PushAnswer, PushedProfile};
use qiantai_wire::feed::{FeedPage, SnapshotPage};
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::client::{CallFailed, Client, EventStream};
use crate::engine::{
    Action, Input, LONGEST, LocalPosition, PollIntervals, StopReason, SyncEngine, SyncStatus,
};
use crate::transport::TransportError;
use work::Work;

/// The terminal's own log and replica.
#[async_trait]
pub trait LocalLog: Send + Sync + 'static {
    /// Where it stands.
    async fn position(&self) -> Result<LocalPosition, LocalLogError>;

    /// Signed bytes from `from_seq` on, oldest first, without gaps, at most `limit`.
    async fn operations(
        &self,
        from_seq: u64,
        limit: usize,
    ) -> Result<Vec<SignedOperation>, LocalLogError>;

    /// Profiles that belong to these operations.
    async fn profiles(
        &self,
        from_seq: u64,
        limit: usize,
    ) -> Result<Vec<PushedProfile>, LocalLogError>;

    /// Takes over the answer to a push.
    async fn apply_push(&self, answer: PushAnswer) -> Result<(), LocalLogError>;

    /// Takes over a stretch of the feed in one transaction: the rows, the cursor, and that own
    /// operations whose entries are in it are covered. Entries before the cursor are passed over.
    async fn apply_feed(&self, page: FeedPage) -> Result<(), LocalLogError>;

    /// Takes over the page of a snapshot that was asked for with `after`.
    async fn apply_snapshot(
        &self,
        after: Option<Uuid>,
        page: SnapshotPage,
    ) -> Result<(), LocalLogError>;

    /// An event came. Rows follow through the feed; this is for screens that cannot wait.
    async fn heard(&self, event: &Event) {
        let _ = event;
    }
}

/// Why the local log did not take something. Nothing of it was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LocalLogError {
    /// The server acknowledges operations that this log does not have.
    #[error("the server has another history of this terminal")]
    ForeignHistory,
    /// The server lacks operations that this log no longer has.
    #[error("the server lacks what this terminal no longer has")]
    ServerBehind,
    /// The page is of another timeline.
    #[error("the server began a new timeline")]
    OtherTimeline,
    /// The page does not continue where the replica stands.
    #[error("the page does not continue the replica")]
    OutOfStep,
    /// The database failed.
    #[error("the terminal's database failed: {0}")]
    Failed(String),
}

/// What the driver may not take for itself.
#[async_trait]
pub trait Surroundings: Send + Sync + 'static {
    /// The machine's clock.
    fn now(&self) -> Timestamp;

    /// Any number; spreads retries.
    fn random(&self) -> u64;

    /// Waits.
    async fn sleep(&self, span: Millis) {
        let ms = u64::try_from(span.0).unwrap_or(0);
        tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
    }
}

/// A driver and its handle. Nothing happens before [`Driver::run`].
pub fn driver(
    log: Arc<dyn LocalLog>,
    client: Client,
    surroundings: Arc<dyn Surroundings>,
    intervals: PollIntervals,
) -> (SyncHandle, Driver) {
    let started = SyncStatus::Offline {
        since: surroundings.now(),
        pending: 0,
        oldest: None,
    };
    let (status_sender, status) = watch::channel(started);
    let (commands, command_receiver) = mpsc::unbounded_channel();
    let work = Work { log, client };
    let driver = Driver {
        work,
        surroundings,
        intervals,
        commands: command_receiver,
        status: status_sender,
    };
    (SyncHandle { commands, status }, driver)
}

enum Command {
    Nudge,
    Hurry,
    PaymentOpened,
    PaymentClosed,
    Stop,
}

/// Talks to a running [`Driver`]. The driver ends with the last handle, or when told to.
#[derive(Clone, Debug)]
pub struct SyncHandle {
    commands: mpsc::UnboundedSender<Command>,
    status: watch::Receiver<SyncStatus>,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Command")
    }
}

impl SyncHandle {
    /// Something was written to the log.
    pub fn nudge(&self) {
        self.send(Command::Nudge);
    }

    /// Try at once: a person asks, or the machine's network came back.
    pub fn hurry(&self) {
        self.send(Command::Hurry);
    }

    /// A payment screen is open for as long as the answer lives.
    pub fn watch_payment(&self) -> PaymentWatch {
        self.send(Command::PaymentOpened);
        PaymentWatch {
            commands: self.commands.clone(),
        }
    }

    /// How things stand.
    pub fn status(&self) -> SyncStatus {
        *self.status.borrow()
    }

    /// Follows how things stand.
    pub fn follow(&self) -> watch::Receiver<SyncStatus> {
        self.status.clone()
    }

    /// Ends the driver. What is under way may or may not have arrived; both are safe.
    pub fn stop(&self) {
        self.send(Command::Stop);
    }

    fn send(&self, command: Command) {
        // A driver that ended needs to know nothing.
        let _ended = self.commands.send(command);
    }
}

/// Keeps the feed read often; see [`SyncHandle::watch_payment`].
#[derive(Debug)]
pub struct PaymentWatch {
    commands: mpsc::UnboundedSender<Command>,
}

impl Drop for PaymentWatch {
    fn drop(&mut self) {
        let _ended = self.commands.send(Command::PaymentClosed);
    }
}

/// The task behind a [`SyncHandle`].
pub struct Driver {
    work: Work,
    surroundings: Arc<dyn Surroundings>,
    intervals: PollIntervals,
    commands: mpsc::UnboundedReceiver<Command>,
    status: watch::Sender<SyncStatus>,
}

type Pending<T> = Option<BoxFuture<'static, T>>;

/// What is under way.
struct UnderWay {
    call: Pending<Input>,
    opening: Pending<Result<EventStream, CallFailed>>,
    events: Option<EventStream>,
    wake: Pending<()>,
    payments: usize,
}

enum Happened {
    Command(Option<Command>),
    Call(Input),
    Opened(Result<EventStream, CallFailed>),
    Event(Option<Result<Event, TransportError>>),
    Woke,
}

impl Driver {
    /// Runs until the last handle is gone or [`SyncHandle::stop`].
    pub async fn run(mut self) {
        let Some(local) = self.first_position().await else {
            return;
        };
        let mut engine = SyncEngine::new(local, self.intervals, self.surroundings.now());
        let mut under_way = UnderWay {
            call: None,
            opening: None,
            events: None,
            wake: None,
            payments: 0,
        };
        let mut input = Some(Input::Tick);
        loop {
            if let Some(input) = input.take() {
                let now = self.surroundings.now();
                for action in engine.handle(input, now, self.surroundings.random()) {
                    self.begin(action, now, &mut under_way);
                }
            }
            let happened = tokio::select! {
                biased;
                command = self.commands.recv() => Happened::Command(command),
                answer = ready(&mut under_way.call) => Happened::Call(answer),
                opened = ready(&mut under_way.opening) => Happened::Opened(opened),
                event = next(&mut under_way.events) => Happened::Event(event),
                () = ready(&mut under_way.wake) => Happened::Woke,
            };
            input = match happened {
                Happened::Command(None | Some(Command::Stop)) => return,
                Happened::Command(Some(command)) => self.obey(command, &mut under_way).await,
                Happened::Call(answer) => {
                    under_way.call = None;
                    Some(answer)
                }
                Happened::Opened(opened) => {
                    under_way.opening = None;
                    Some(match opened {
                        Ok(events) => {
                            under_way.events = Some(events);
                            Input::EventsOpened
                        }
                        Err(error) => {
                            tracing::debug!(%error, "no live events");
                            Input::EventsEnded
                        }
                    })
                }
                Happened::Event(Some(Ok(event))) => {
                    self.work.log.heard(&event).await;
                    Some(Input::Event(event))
                }
                Happened::Event(ended @ (None | Some(Err(_)))) => {
                    tracing::debug!(?ended, "the live events ended");
                    under_way.events = None;
                    Some(Input::EventsEnded)
                }
                Happened::Woke => {
                    under_way.wake = None;
                    Some(Input::Tick)
                }
            };
        }
    }

    /// Where the log stands, once it can be read; `None` when told to end before.
    async fn first_position(&mut self) -> Option<LocalPosition> {
        loop {
            match self.work.log.position().await {
                Ok(local) => return Some(local),
                Err(error) => tracing::error!(%error, "the log cannot be read"),
            }
            let reason = StopReason::LocalLog;
            self.status.send_replace(SyncStatus::Stopped {
                reason,
                pending: 0,
                oldest: None,
            });
            let mut wait = self.surroundings.sleep(LONGEST);
            loop {
                tokio::select! {
                    command = self.commands.recv() => match command {
                        None | Some(Command::Stop) => return None,
                        Some(_) => {}
                    },
                    () = &mut wait => break,
                }
            }
        }
    }

    fn begin(&self, action: Action, now: Timestamp, under_way: &mut UnderWay) {
        let work = self.work.clone();
        match action {
            Action::Push { from_seq, limit } => {
                under_way.call = Some(Box::pin(async move {
                    Input::Pushed(work.push(from_seq, limit).await)
                }));
            }
            Action::Pull { after } => {
                under_way.call = Some(Box::pin(
                    async move { Input::Pulled(work.pull(after).await) },
                ));
            }
            Action::Snapshot { after } => {
                under_way.call = Some(Box::pin(async move {
                    Input::Snapshot(work.snapshot(after).await)
                }));
            }
            Action::OpenEvents => {
                under_way.opening = Some(Box::pin(async move { work.client.events().await }));
            }
            Action::Report(status) => {
                tracing::info!(?status, "sync");
                self.status.send_replace(status);
            }
            Action::WaitUntil(at) => {
                let surroundings = Arc::clone(&self.surroundings);
                let span = at - now;
                under_way.wake = Some(Box::pin(async move { surroundings.sleep(span).await }));
            }
        }
    }

    async fn obey(&self, command: Command, under_way: &mut UnderWay) -> Option<Input> {
        match command {
            Command::Nudge => match self.work.log.position().await {
                Ok(local) => Some(Input::Nudged(local)),
                Err(error) => {
                    tracing::error!(%error, "the log cannot be read");
                    None
                }
            },
            Command::Hurry => Some(Input::Hurry),
            Command::PaymentOpened => {
                under_way.payments += 1;
                Some(Input::Paying(true))
            }
            Command::PaymentClosed => {
                under_way.payments = under_way.payments.saturating_sub(1);
                Some(Input::Paying(under_way.payments > 0))
            }
            Command::Stop => None,
        }
    }
}

/// Waits for a future; for ever when there is none.
async fn ready<T>(pending: &mut Pending<T>) -> T {
    match pending {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

async fn next(events: &mut Option<EventStream>) -> Option<Result<Event, TransportError>> {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}
