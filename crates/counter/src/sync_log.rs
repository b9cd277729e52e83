//! The terminal's log as the synchronisation sees it, and what the window hears of it.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use qiantai_core::Timestamp;
use qiantai_core::ids::OrderId;
use qiantai_store::{Answer, Fault, ServerAnchor, Store, StoreError};
use qiantai_sync::{LocalLog, LocalLogError, LocalPosition, Surroundings as _};
use qiantai_wire::SignedOperation;
use qiantai_wire::api::{Event, PushAnswer, PushedProfile};
use qiantai_wire::feed::{FeedChange, FeedPage, OutcomeDto, SnapshotPage};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::clock::ShopClock;
use crate::counter::Counter;
use crate::error::CallError;
use crate::methods::ChannelBoard;
use crate::view::event::CounterEvent;

/// The store behind the synchronisation. The counter is attached once it exists; until then a
/// first snapshot comes in without anyone listening.
pub struct TerminalLog {
    store: Arc<Store>,
    clock: Arc<ShopClock>,
    counter: OnceLock<Weak<Counter>>,
    /// Told when the store has no room for what came in.
    disk_full: Arc<Notify>,
    /// Kept from the first event on, which may come before there is a counter.
    channel_board: Arc<ChannelBoard>,
}

impl TerminalLog {
    /// A log over `store`.
    pub fn new(store: Arc<Store>, clock: Arc<ShopClock>) -> TerminalLog {
        TerminalLog {
            store,
            clock,
            counter: OnceLock::new(),
            disk_full: Arc::default(),
            channel_board: Arc::default(),
        }
    }

    /// How the server's payment channels stand, as it last told.
    pub(crate) fn channel_board(&self) -> Arc<ChannelBoard> {
        Arc::clone(&self.channel_board)
    }

    /// Is told each time the store has no room for what came in.
    pub fn disk_full(&self) -> Arc<Notify> {
        Arc::clone(&self.disk_full)
    }

    /// From now on `counter` tells the window what came in.
    pub fn attach(&self, counter: &Arc<Counter>) {
        let first = self.counter.set(Arc::downgrade(counter));
        assert!(first.is_ok(), "a log is attached once");
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, LocalLogError> {
        let store = Arc::clone(&self.store);
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        match done {
            Ok(outcome) => outcome.map_err(|error| {
                if error.fault() == Some(Fault::DiskFull) {
                    self.disk_full.notify_one();
                }
                local(error)
            }),
            Err(panic) => Err(LocalLogError::Failed(panic.to_string())),
        }
    }

    /// Tells the window on a thread that may block: views are read from the store.
    async fn tell(&self, told: Told) {
        let Some(counter) = self.counter.get().and_then(Weak::upgrade) else {
            return;
        };
        let done = tokio::task::spawn_blocking(move || told.tell(&counter)).await;
        match done {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(?error, "the window was not told"),
            Err(panic) => tracing::error!(%panic, "the window was not told"),
        }
    }

    fn anchor(&self, server_time_ms: i64) -> ServerAnchor {
        let server_time = Timestamp::from_ms(server_time_ms);
        let anchor = ServerAnchor {
            server_time,
            wall_time: self.clock.machine_time(),
        };
        self.clock.hear(anchor);
        anchor
    }
}

#[async_trait]
impl LocalLog for TerminalLog {
    async fn position(&self) -> Result<LocalPosition, LocalLogError> {
        self.blocking(|store| {
            let mark = store.sync_mark()?;
            let pending = store.unacknowledged()?;
            Ok(LocalPosition {
                acked_seq: mark.acked_seq,
                last_seq: store.log_head()?.device_seq,
                oldest_pending: pending.oldest,
                cursor: mark.cursor,
                snapshot_next: mark.snapshot.map(|snapshot| snapshot.next),
            })
        })
        .await
    }

    async fn operations(
        &self,
        from_seq: u64,
        limit: usize,
    ) -> Result<Vec<SignedOperation>, LocalLogError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        self.blocking(move |store| {
            let rows = store.operations_after(from_seq.saturating_sub(1), limit)?;
            if rows.first().is_none_or(|row| row.device_seq != from_seq) {
                // Pruned, or never written: nothing that could be sent in their place.
                return Ok(Vec::new());
            }
            Ok(rows.into_iter().map(|row| row.signed).collect())
        })
        .await
    }

    async fn profiles(
        &self,
        from_seq: u64,
        limit: usize,
    ) -> Result<Vec<PushedProfile>, LocalLogError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        self.blocking(move |store| store.new_member_profiles(from_seq, limit))
            .await
    }

    async fn apply_push(&self, answer: PushAnswer) -> Result<(), LocalLogError> {
        let anchor = self.anchor(answer.server_time_ms);
        let told = Told::answers(&answer);
        self.blocking(move |store| {
            let answers: Vec<Answer> = answer
                .results
                .into_iter()
                .map(|result| Answer {
                    op_id: result.op_id,
                    server_seq: result.server_seq,
                    outcome: result.outcome,
                })
                .collect();
            store.apply_answers(
                answer.cursor.timeline,
                answer.acked_seq,
                &answer.acked_hash.0,
                &answers,
            )?;
            store.set_server_anchor(anchor)
        })
        .await?;
        self.tell(told).await;
        Ok(())
    }

    async fn apply_feed(&self, page: FeedPage) -> Result<(), LocalLogError> {
        let anchor = self.anchor(page.server_time_ms);
        let told = Told::page(&page);
        self.blocking(move |store| {
            store.apply_feed(&page)?;
            store.set_server_anchor(anchor)
        })
        .await?;
        self.tell(told).await;
        Ok(())
    }

    async fn apply_snapshot(
        &self,
        after: Option<Uuid>,
        page: SnapshotPage,
    ) -> Result<(), LocalLogError> {
        let anchor = self.anchor(page.server_time_ms);
        self.blocking(move |store| {
            store.apply_snapshot(after, &page)?;
            store.set_server_anchor(anchor)
        })
        .await?;
        self.tell(Told {
            policies: true,
            ..Told::default()
        })
        .await;
        Ok(())
    }

    async fn heard(&self, event: &Event) {
        let Event::Channels(told) = event else {
            return;
        };
        if self.channel_board.hear(told, self.clock.now())
            && let Some(counter) = self.counter.get().and_then(Weak::upgrade)
        {
            counter.tell(CounterEvent::Channels);
        }
    }
}

fn local(error: StoreError) -> LocalLogError {
    match error {
        StoreError::ForeignAcknowledgement { .. } => LocalLogError::ForeignHistory,
        StoreError::ServerLacksPruned { .. } => {
            tracing::error!(%error, "the server was restored from too old a backup");
            LocalLogError::ServerBehind
        }
        StoreError::OtherTimeline { .. } => LocalLogError::OtherTimeline,
        StoreError::FeedGap { .. } | StoreError::SnapshotOutOfStep => LocalLogError::OutOfStep,
        other => LocalLogError::Failed(other.to_string()),
    }
}

/// What came in.
#[derive(Default)]
struct Told {
    policies: bool,
    cases: bool,
    orders: HashSet<Uuid>,
    members: HashSet<Uuid>,
    answered: Vec<Uuid>,
}

impl Told {
    fn page(page: &FeedPage) -> Told {
        let unlike_applied = page
            .entries
            .iter()
            .filter(|entry| !is_applied(&entry.outcome));
        let mut told = Told {
            answered: unlike_applied.map(|entry| entry.op_id).collect(),
            ..Told::default()
        };
        for change in page.entries.iter().flat_map(|entry| &entry.changes) {
            match change {
                FeedChange::Policy(_) => told.policies = true,
                FeedChange::Member(row) => {
                    told.members.insert(row.id);
                }
                FeedChange::Account(row) => {
                    told.members.insert(row.member);
                }
                FeedChange::Order(row) => {
                    told.orders.insert(row.id);
                }
                FeedChange::Attempt(row) => {
                    told.orders.insert(row.order);
                }
                FeedChange::Coupon(row) => {
                    told.members.insert(row.member);
                }
                FeedChange::Case(_) => told.cases = true,
                // The account comes with it.
                FeedChange::Lease(_) | FeedChange::Shift(_) | FeedChange::Device(_) => {}
            }
        }
        told
    }

    /// Refused and held operations change no row, so their orders are told by the answer.
    fn answers(answer: &PushAnswer) -> Told {
        let refused = answer
            .results
            .iter()
            .filter(|result| !is_applied(&result.outcome));
        Told {
            answered: refused.map(|result| result.op_id).collect(),
            ..Told::default()
        }
    }

    fn tell(mut self, counter: &Counter) -> Result<(), CallError> {
        if self.policies {
            counter.reload_policies()?;
            counter.tell(CounterEvent::Session);
        }
        for op_id in &self.answered {
            let row = counter.store.operation(qiantai_core::ids::OpId(*op_id))?;
            self.orders
                .extend(row.and_then(|row| row.order).map(|order| order.0));
        }
        for order in &self.orders {
            // One order that cannot be shown keeps no other from its event and its slips.
            if let Err(error) = counter.order_came_in(OrderId(*order)) {
                tracing::error!(?error, %order, "an order came in and was not told");
            }
        }
        for member in &self.members {
            counter.tell(CounterEvent::Member {
                member_id: member.to_string(),
            });
        }
        if self.cases {
            counter.tell(CounterEvent::Cases);
        }
        counter.tell(CounterEvent::Sync {
            sync: counter.sync_view()?,
        });
        Ok(())
    }
}

fn is_applied(outcome: &OutcomeDto) -> bool {
    matches!(outcome, OutcomeDto::Applied | OutcomeDto::Exists)
}
