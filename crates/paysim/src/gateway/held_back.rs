//! Requests that are still on their way.

use std::fmt;
use std::sync::Arc;

use qiantai_core::clock::Timestamp;

use super::Gateway;

type Arrive = Arc<dyn Fn(&mut Gateway, Timestamp) + Send + Sync>;

/// In the order in which they were sent.
#[derive(Clone, Default)]
pub(super) struct HeldBack(Vec<(Timestamp, Arrive)>);

impl HeldBack {
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.0.iter().map(|(at, _)| *at).min()
    }
}

impl fmt::Debug for HeldBack {
    // What a request says is not printed: it may carry a payment code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(at, _)| at))
            .finish()
    }
}

impl Gateway {
    /// Lets a request arrive at `at`.
    pub(crate) fn hold_back(
        &mut self,
        at: Timestamp,
        arrive: impl Fn(&mut Gateway, Timestamp) + Send + Sync + 'static,
    ) {
        self.held_back.0.push((at, Arc::new(arrive)));
    }

    /// Lets arrive what is due, each at its own time.
    pub(crate) fn let_arrive(&mut self, now: Timestamp) {
        while let Some(at) = self.held_back.next_at().filter(|at| *at <= now) {
            let due = self.held_back.0.iter().position(|(due, _)| *due == at);
            let Some(index) = due else { return };
            let (at, arrive) = self.held_back.0.remove(index);
            arrive(self, at);
        }
    }
}
