//! One gateway shared by its users, with its notices on their way.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_pay::Surroundings;
use tokio::sync::Notify;

use crate::gateway::{Delivery, Gateway};
use crate::sink::{DeliveryOutcome, NoticeSink};

/// How long a merchant may take to answer a notice.
const NOTICE_PATIENCE: Duration = Duration::from_secs(5);

/// A handle on a gateway; clones share it.
#[derive(Clone)]
pub struct Simulator {
    shared: Arc<Shared>,
}

struct Shared {
    gateway: Mutex<Gateway>,
    surroundings: Arc<dyn Surroundings>,
    /// How far the gateway's clock was put ahead.
    ahead_ms: AtomicI64,
    changed: Notify,
}

impl Simulator {
    /// Shares `gateway`, which will live by the clock of `surroundings`.
    pub fn new(gateway: Gateway, surroundings: Arc<dyn Surroundings>) -> Simulator {
        let changed = Notify::new();
        Simulator {
            shared: Arc::new(Shared {
                gateway: Mutex::new(gateway),
                surroundings,
                ahead_ms: AtomicI64::new(0),
                changed,
            }),
        }
    }

    /// Does something with the gateway at the present time. Blocks other users meanwhile.
    pub fn with<T>(&self, work: impl FnOnce(&mut Gateway, Timestamp) -> T) -> T {
        let result = self.locked(work);
        self.shared.changed.notify_one();
        result
    }

    /// Puts the gateway's clock ahead of that of its surroundings, so that what takes days can be
    /// tried at once. Time never goes back: a smaller span than before changes nothing.
    pub fn put_ahead(&self, span: Millis) -> Millis {
        let before = self.shared.ahead_ms.fetch_max(span.0, Ordering::Relaxed);
        self.shared.changed.notify_one();
        Millis(before.max(span.0))
    }

    fn locked<T>(&self, work: impl FnOnce(&mut Gateway, Timestamp) -> T) -> T {
        let ahead = Millis(self.shared.ahead_ms.load(Ordering::Relaxed));
        let now = self.shared.surroundings.now() + ahead;
        let mut gateway = self
            .shared
            .gateway
            .lock()
            .expect("no user of the gateway panics");
        gateway.let_arrive(now);
        work(&mut gateway, now)
    }

    /// Delivers notices to `sink` for ever, each at its time. Run one of these in a task of its
    /// own. Ending it loses the notices under way, as a real gateway's trouble does; the others
    /// wait for the next run.
    pub async fn run_notices(&self, sink: &dyn NoticeSink) {
        let mut under_way = FuturesUnordered::new();
        loop {
            let (due, wait) = self.locked(|gateway, now| {
                let due = gateway.due_notices(now);
                (due, gateway.next_event_at().map(|at| at - now))
            });
            under_way.extend(due.into_iter().map(|delivery| self.deliver(sink, delivery)));
            let next_event = async {
                match wait {
                    Some(wait) => {
                        let wait_ms = u64::try_from(wait.0).unwrap_or(0);
                        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = next_event => {}
                () = self.shared.changed.notified() => {}
                Some(()) = under_way.next() => {}
            }
        }
    }

    async fn deliver(&self, sink: &dyn NoticeSink, delivery: Delivery) {
        let answer = tokio::time::timeout(NOTICE_PATIENCE, sink.deliver(delivery.request)).await;
        let acknowledged = matches!(answer, Ok(DeliveryOutcome::Acknowledged));
        if !acknowledged {
            tracing::info!(attempt_no = delivery.attempt_no, "notice not acknowledged");
        }
        self.locked(|gateway, now| gateway.delivered(delivery.id, acknowledged, now));
    }
}
