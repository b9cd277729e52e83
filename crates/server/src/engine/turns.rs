//! Which tasks are under way.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use uuid::Uuid;

use super::lock;

/// Tasks under way by key: two tasks of one key never run at the same time.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashSet<Uuid>>);

/// A task that is under way until this is dropped: by its end, by a caller that leaves in the
/// middle, by a panic.
pub(super) struct Turn {
    turns: Arc<Turns>,
    key: Uuid,
}

impl Turns {
    /// `None` while a task of that key is under way.
    pub(super) fn begin(turns: &Arc<Turns>, key: Uuid) -> Option<Turn> {
        lock(&turns.0).insert(key).then(|| Turn {
            turns: Arc::clone(turns),
            key,
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        lock(&self.turns.0).remove(&self.key);
    }
}
