//! Payments: asking gateways outside the writer, and writing what they say as operations.
//!
//! What is known of a payment is in the ledger, so a restart loses nothing; this module only
//! remembers when it last asked. Time comes from the clock it is given.

mod cases;
mod channels;
mod charge;
mod code_step;
mod health;
mod hint;
mod perform;
mod reading;
mod recovery;
mod reverse;
pub mod schedule;
mod step;
mod surplus;
mod turns;
mod watch;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use qiantai_core::attempt::{self, AttemptState, PayMethod, PaymentAttempt};
use qiantai_core::ids::{ActionId, AttemptId, DeviceId, OpId, OrderId, RowId, StoreId, TenantId};
use qiantai_core::operation::OperationBody;
use qiantai_core::recharge::{OrderState, RechargeOrder};
use qiantai_core::{Millis, Timestamp};
use qiantai_pay::{Channel, ChannelId};
use qiantai_wire::api::{ChannelStandingDto, ChannelsAnswer, OpResultDto, StandingDto};
use qiantai_wire::feed::OutcomeDto;
use tokio::sync::{Notify, Semaphore, watch as watched};
use uuid::Uuid;

use crate::clock::Clock;
use crate::db::{CodeCharge, Hint, Ledger, LedgerError};
use crate::desks::Desks;
use crate::writer::{OwnOperation, WriteError};
use code_step::{Charge, next_code_step};
use health::{Health, Heard};
use recovery::Recovery;
use step::{Memory, Step, next_step, next_step_beside_the_money};
use turns::{Turn, Turns};
use watch::Watchers;

pub use channels::Channels;
pub use charge::ChargeError;
pub use health::Standing;
pub(crate) use perform::{returned, success};
pub(crate) use reading::Reading;
pub use watch::Watching;

/// Gateway calls at one time.
const CALLS_AT_ONCE: usize = 32;

/// How long the background loop sleeps at most; a clock that was set is noticed by then.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// Why payments could not be looked after; tried again at the next round.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The books could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The answer could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A row that must be there is missing.
    #[error("the ledger lacks {0}")]
    Missing(String),
    /// A payment code cannot be hashed.
    #[error(transparent)]
    Crypto(qiantai_pay::crypto::CryptoError),
    /// The order stays open past its time.
    #[error("order {0} was not ended: {1:?}")]
    NotEnded(OrderId, OutcomeDto),
}

/// Looks after every payment of a server.
pub struct Engine {
    ledger: Arc<dyn Ledger>,
    reading: Reading,
    clock: Arc<dyn Clock>,
    channels: Channels,
    desks: Arc<Desks>,
    memory: Mutex<HashMap<AttemptId, Memory>>,
    /// When a kept notice was last asked about.
    hints_asked: Mutex<HashMap<RowId, Timestamp>>,
    turns: Arc<Turns>,
    /// Permits for [`CALLS_AT_ONCE`].
    calls: Arc<Semaphore>,
    watchers: Arc<Watchers>,
    recovery: Arc<Recovery>,
    health: Arc<Health>,
    wake: Notify,
}

/// An attempt with what its next step depends on.
struct Watched {
    tenant: TenantId,
    attempt: PaymentAttempt,
    order: Option<RechargeOrder>,
    charge: Option<CodeCharge>,
}

/// One thing to do now.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    /// Ask the gateway about an attempt.
    Attempt(TenantId, Box<PaymentAttempt>, Step),
    /// Close an order that waited too long.
    Expire(TenantId, StoreId, OrderId),
    /// Send back a second success.
    Refund(Box<crate::db::DueEvent>),
    /// Ask about a notice that named nobody.
    Hint(TenantId, Box<Hint>),
    /// Look whether a gateway is back.
    Probe(ChannelId, Uuid),
}

impl Engine {
    /// An engine that has asked nothing yet.
    pub(crate) fn new(
        ledger: Arc<dyn Ledger>,
        reading: Reading,
        clock: Arc<dyn Clock>,
        channels: Channels,
        desks: Arc<Desks>,
    ) -> Engine {
        Engine {
            ledger,
            reading,
            clock,
            channels,
            desks,
            memory: Mutex::default(),
            hints_asked: Mutex::default(),
            turns: Arc::default(),
            calls: Arc::new(Semaphore::new(CALLS_AT_ONCE)),
            watchers: Arc::default(),
            recovery: Arc::default(),
            health: Arc::default(),
            wake: Notify::new(),
        }
    }

    /// The gateways.
    pub fn channels(&self) -> &Channels {
        &self.channels
    }

    /// The gateway behind a method, with an ear on its answers.
    fn gateway(&self, method: attempt::Channel) -> Option<Arc<dyn Channel>> {
        self.channels.of(method).map(|gateway| self.heard(gateway))
    }

    fn heard(&self, gateway: Arc<dyn Channel>) -> Arc<dyn Channel> {
        Arc::new(Heard {
            gateway,
            health: Arc::clone(&self.health),
            clock: Arc::clone(&self.clock),
        })
    }

    /// How every channel stands.
    pub fn standings(&self) -> ChannelsAnswer {
        let standing = |method: attempt::Channel| {
            let (standing, since) = match self.channels.of(method) {
                None => (StandingDto::Absent, None),
                Some(gateway) => match self.health.of(gateway.id()) {
                    Standing::Up => (StandingDto::Up, None),
                    Standing::Down(since) => (StandingDto::Down, Some(since.ms())),
                },
            };
            ChannelStandingDto {
                channel: method.into(),
                standing,
                since_ms: since,
            }
        };
        ChannelsAnswer {
            channels: Channels::METHODS.map(standing).to_vec(),
        }
    }

    /// How the gateway of that name stands.
    pub(crate) fn standing_of(&self, name: ChannelId) -> Standing {
        self.health.of(name)
    }

    /// A gateway was opened anew, and has answered just now.
    pub(crate) fn account_opened(&self, name: ChannelId) {
        self.health.heard(name, false, self.clock.now());
        self.health.tell();
    }

    /// Which channels have a gateway has changed.
    pub(crate) fn channels_changed(&self) {
        self.health.tell();
    }

    /// Told at each change of what [`Engine::standings`] says.
    pub(crate) fn health_changes(&self) -> watched::Receiver<u64> {
        self.health.changes()
    }

    /// A terminal looks at its payments until the guard is dropped.
    pub fn watch(&self, device: DeviceId) -> Watching {
        let watching = Watchers::open(&self.watchers, device);
        self.wake.notify_one();
        watching
    }

    /// Something was committed that may concern a payment.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Runs until cancelled.
    pub async fn run(self: Arc<Engine>) {
        loop {
            let pause = match self.round().await {
                Ok(next) => self.pause_until(next),
                Err(error) => {
                    tracing::error!(%error, "payments could not be looked after");
                    IDLE_MAX
                }
            };
            // A wake-up or the end of the pause: both mean "look again".
            tokio::select! {
                () = self.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Does everything that is due, over and over until nothing is that is not under way
    /// already. For tests in virtual time.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn settle_due(self: &Arc<Engine>) -> Result<(), EngineError> {
        loop {
            let (due, _) = self.due().await?;
            let begun: Vec<_> = due
                .into_iter()
                .filter_map(|task| Some((Turns::begin(&self.turns, task.key())?, task)))
                .collect();
            if begun.is_empty() {
                return Ok(());
            }
            stream::iter(begun)
                .for_each_concurrent(CALLS_AT_ONCE, |(turn, task)| self.perform(turn, task))
                .await;
        }
    }

    /// Asks about one attempt now, whatever the schedule says, and counts it as watched.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn query_now(
        self: &Arc<Engine>,
        tenant: TenantId,
        id: AttemptId,
    ) -> Result<(), EngineError> {
        let now = self.clock.now();
        self.remember(id, |memory| memory.nudged_at = Some(now));
        let ours = move |ledger: &dyn Ledger| {
            ledger.may_write(tenant)?;
            ledger.attempt(tenant, id)
        };
        let attempt = self.read(ours).await?;
        let Some(attempt) = attempt else {
            return Ok(());
        };
        let turn = if self.was_asked_just_now(id) || !is_known_to_gateway(&attempt) {
            None
        } else {
            Turns::begin(&self.turns, id.0)
        };
        let Some(turn) = turn else {
            self.wake.notify_one();
            return Ok(());
        };
        let step = if attempt.state.is_open() {
            Step::Query
        } else {
            Step::QueryLate
        };
        let done = self.step(tenant, &attempt, step).await;
        drop(turn);
        self.wake.notify_one();
        done
    }

    /// A gateway is not asked about one attempt more often than once a second.
    fn was_asked_just_now(&self, id: AttemptId) -> bool {
        let last = self.recall(id).last_query;
        last.is_some_and(|last| self.clock.now() - last < Millis::seconds(1))
    }

    async fn round(self: &Arc<Engine>) -> Result<Option<Timestamp>, EngineError> {
        let (due, next) = self.due().await?;
        for task in due {
            // What finds no permit stays due: the end of any task looks again.
            let Ok(permit) = Arc::clone(&self.calls).try_acquire_owned() else {
                break;
            };
            if let Some(turn) = Turns::begin(&self.turns, task.key()) {
                let engine = Arc::clone(self);
                tokio::spawn(async move {
                    engine.perform(turn, task).await;
                    drop(permit);
                    engine.wake.notify_one();
                });
            }
        }
        Ok(next)
    }

    fn pause_until(&self, next: Option<Timestamp>) -> Duration {
        let Some(next) = next else { return IDLE_MAX };
        let wait = (next - self.clock.now()).0.max(20);
        Duration::from_millis(u64::try_from(wait).unwrap_or_default()).min(IDLE_MAX)
    }

    /// What is due now, and when to look again.
    async fn due(&self) -> Result<(Vec<Task>, Option<Timestamp>), EngineError> {
        let now = self.clock.now();
        let (recovery, tenants) = (Arc::clone(&self.recovery), self.desks.tenants());
        let (attempts, orders, events, hints) = self
            .read(move |ledger| {
                recovery.learn(ledger, &tenants)?;
                // Payments of books that another process writes are looked after there.
                let ours = |tenant: TenantId| ledger.may_write(tenant).is_ok();
                let mut attempts = Vec::new();
                for (tenant, attempt) in ledger.watched_attempts(recovery.ended_since(now))? {
                    if !ours(tenant) {
                        continue;
                    }
                    let order = ledger.order(tenant, attempt.order)?;
                    let charge = match attempt.method {
                        PayMethod::Code => ledger.code_charge(tenant, attempt.id)?,
                        PayMethod::Qr | PayMethod::Recorded => None,
                    };
                    attempts.push(Watched {
                        tenant,
                        attempt,
                        order,
                        charge,
                    });
                }
                let topic = qiantai_core::ledger::Topic::PaymentSurplus;
                let mut orders = ledger.overdue_orders(now)?;
                orders.retain(|(tenant, _)| ours(*tenant));
                let mut events = ledger.due_events(topic, now)?;
                events.retain(|event| ours(event.tenant));
                let mut hints = ledger.open_hints()?;
                hints.retain(|(tenant, _)| ours(*tenant));
                Ok((attempts, orders, events, hints))
            })
            .await?;
        self.forget_all_but(attempts.iter().map(|watched| watched.attempt.id).collect());
        let known: HashSet<RowId> = hints.iter().map(|(_, hint)| hint.id).collect();
        lock(&self.hints_asked).retain(|id, _| known.contains(id));
        let busy: HashSet<OrderId> = attempts
            .iter()
            .filter(|watched| watched.attempt.state.is_open())
            .map(|watched| watched.attempt.order)
            .collect();
        let steps = attempts.into_iter().filter_map(|watched| {
            let (at, step) = self.next_of(&watched, now)?;
            let attempt = Box::new(watched.attempt);
            Some((at, Task::Attempt(watched.tenant, attempt, step)))
        });
        let ends = orders
            .into_iter()
            .filter(|(_, order)| !busy.contains(&order.id))
            .map(|(tenant, order)| {
                let at = self.recovery.ends_at(tenant, &order, now);
                (at, Task::Expire(tenant, order.store, order.id))
            });
        let refunds = events
            .into_iter()
            .map(|event| (now, Task::Refund(Box::new(event))));
        let questions = hints.into_iter().map(|(tenant, hint)| {
            let at = self.asks_about_at(&hint, now);
            (at, Task::Hint(tenant, Box::new(hint)))
        });
        let probes = self.health.probes().into_iter();
        let probes = probes.map(|(name, at, key)| (at, Task::Probe(name, key)));
        let planned = steps.chain(questions).chain(ends).chain(refunds);
        Ok(self.split(planned.chain(probes).collect(), now))
    }

    /// What is due of the planned tasks, and when the next of the others is.
    fn split(
        &self,
        planned: Vec<(Timestamp, Task)>,
        now: Timestamp,
    ) -> (Vec<Task>, Option<Timestamp>) {
        let keys = planned.iter().map(|(_, task)| task.key()).collect();
        self.turns.forget_all_but(&keys);
        let mut due = Vec::new();
        let mut next: Option<Timestamp> = None;
        for (at, task) in planned {
            let at = self.turns.not_before(task.key(), at);
            if at <= now {
                due.push(task);
            } else {
                next = Some(next.map_or(at, |next| next.min(at)));
            }
        }
        (due, next)
    }

    fn next_of(&self, watched: &Watched, now: Timestamp) -> Option<(Timestamp, Step)> {
        let attempt = &watched.attempt;
        let Some(order) = &watched.order else {
            tracing::error!(attempt = %attempt.attempt_no, "an attempt without its order");
            return None;
        };
        let charge = self.charge_of(watched, order);
        if self.channels.of(attempt.channel).is_none() {
            // No gateway will ever answer; only what was never sent to one is known to be unpaid.
            let is_new = attempt.state == AttemptState::Init
                && match attempt.method {
                    PayMethod::Qr => true,
                    PayMethod::Code => charge == Charge::Never,
                    PayMethod::Recorded => false,
                };
            return is_new.then_some((attempt.changed_at, Step::Create));
        }
        let memory = self.recall(attempt.id);
        if attempt.method == PayMethod::Code {
            return next_code_step(attempt, charge, &memory);
        }
        if order.state == OrderState::Credited && !attempt.state.is_open() {
            return next_step_beside_the_money(attempt, &memory, now);
        }
        let is_watched = self.watchers.is_watching(order.device);
        next_step(attempt, &memory, is_watched, now)
    }

    fn charge_of(&self, watched: &Watched, order: &RechargeOrder) -> Charge {
        match watched.charge {
            Some(CodeCharge { code: Some(_), at }) => Charge::At(at),
            _ if self.recovery.is_before_restore(watched.tenant, order) => Charge::Perhaps,
            _ => Charge::Never,
        }
    }

    /// Writes the server's own word.
    async fn say(
        &self,
        tenant: TenantId,
        store: StoreId,
        body: OperationBody,
    ) -> Result<OpResultDto, EngineError> {
        let action = ActionId(Uuid::now_v7());
        self.say_once(tenant, store, action, body).await
    }

    /// The same, unless that action was written before.
    async fn say_once(
        &self,
        tenant: TenantId,
        store: StoreId,
        action_id: ActionId,
        body: OperationBody,
    ) -> Result<OpResultDto, EngineError> {
        let missing = || EngineError::Missing(format!("tenant {tenant}"));
        let desk = self.desks.get(tenant).ok_or(WriteError::Stopped)?;
        let operation = OwnOperation {
            op_id: OpId(Uuid::now_v7()),
            action_id,
            store,
            staff: None,
            body,
            attachment: None,
        };
        let mut said = desk.writer.say(vec![operation]).await?;
        let said = said.pop().ok_or_else(missing)?;
        if let OutcomeDto::Refused(refusal) = &said.outcome {
            tracing::warn!(?refusal, "the books refused the server's own word");
        }
        Ok(said)
    }

    fn recall(&self, attempt: AttemptId) -> Memory {
        lock(&self.memory)
            .get(&attempt)
            .copied()
            .unwrap_or_default()
    }

    fn remember(&self, attempt: AttemptId, change: impl FnOnce(&mut Memory)) {
        change(lock(&self.memory).entry(attempt).or_default());
    }

    fn forget_all_but(&self, attempts: HashSet<AttemptId>) {
        lock(&self.memory).retain(|id, _| attempts.contains(id));
    }
}

impl Task {
    /// See [`Turns`].
    fn key(&self) -> Uuid {
        match self {
            Task::Attempt(_, attempt, _) => attempt.id.0,
            Task::Hint(_, hint) => hint.attempt.0,
            Task::Expire(_, _, order) => order.0,
            Task::Refund(event) => event.event.id.0,
            Task::Probe(_, key) => *key,
        }
    }
}

/// Whether there is anything to ask about.
fn is_known_to_gateway(attempt: &PaymentAttempt) -> bool {
    match attempt.method {
        PayMethod::Qr => attempt.qr_payload.is_some(),
        // While it is charged its turn is taken; while it is reversed only that answer counts.
        PayMethod::Code => matches!(
            attempt.state,
            AttemptState::Submitted | AttemptState::UserPaying | AttemptState::Unknown
        ),
        PayMethod::Recorded => false,
    }
}

/// A panic while the lock was held left no half-done change: each is a single call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
