//! Which tasks are under way, and which rest because they failed.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use qiantai_core::Timestamp;
use tokio::sync::Notify;
use uuid::Uuid;

use super::lock;
use super::schedule::back_off;

/// Tasks by key: two tasks of one key never run at the same time, and one that failed rests
/// longer each time.
#[derive(Default)]
pub(super) struct Turns {
    under_way: Mutex<HashSet<Uuid>>,
    rests: Mutex<HashMap<Uuid, Rest>>,
    /// Told when a turn ends.
    ended: Notify,
}

/// A task that is under way until this is dropped: by its end, by a caller that leaves in the
/// middle, by a panic.
pub(super) struct Turn {
    turns: Arc<Turns>,
    key: Uuid,
}

#[derive(Clone, Copy)]
struct Rest {
    /// In a row.
    failures: u32,
    until: Timestamp,
}

impl Turns {
    /// `None` while a task of that key is under way.
    pub(super) fn begin(turns: &Arc<Turns>, key: Uuid) -> Option<Turn> {
        lock(&turns.under_way).insert(key).then(|| Turn {
            turns: Arc::clone(turns),
            key,
        })
    }

    /// The same, once no other task of that key is under way.
    pub(super) async fn wait(turns: &Arc<Turns>, key: Uuid) -> Turn {
        loop {
            let ended = turns.ended.notified();
            tokio::pin!(ended);
            // From here on an end is noticed, also one before the wait begins.
            ended.as_mut().enable();
            if let Some(turn) = Turns::begin(turns, key) {
                return turn;
            }
            ended.await;
        }
    }

    /// When a task of that key may begin that would otherwise begin at `at`.
    pub(super) fn not_before(&self, key: Uuid, at: Timestamp) -> Timestamp {
        let rest = lock(&self.rests).get(&key).copied();
        rest.map_or(at, |rest| rest.until.max(at))
    }

    /// Keeps what is known of these keys only.
    pub(super) fn forget_all_but(&self, keys: &HashSet<Uuid>) {
        lock(&self.rests).retain(|key, _| keys.contains(key));
    }
}

impl Turn {
    /// The task ended well.
    pub(super) fn succeeded(self) {
        lock(&self.turns.rests).remove(&self.key);
    }

    /// The task failed; the next of its key waits.
    pub(super) fn failed(self, now: Timestamp) {
        let mut rests = lock(&self.turns.rests);
        let failures = rests.get(&self.key).map_or(0, |rest| rest.failures) + 1;
        let until = now + back_off(failures);
        rests.insert(self.key, Rest { failures, until });
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        lock(&self.turns.under_way).remove(&self.key);
        self.turns.ended.notify_waiters();
    }
}
