//! Virtual time, and the clocks of machines that may show another.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use qiantai_core::{Millis, Timestamp};

/// 2026-03-02 08:00 in China: where every run begins.
pub const START: Timestamp = Timestamp::from_ms(1_772_409_600_000);

/// The true time. Moves only when told.
#[derive(Default)]
pub struct Sky(AtomicI64);

impl Sky {
    /// Time at [`START`].
    pub fn new() -> Arc<Sky> {
        Arc::new(Sky(AtomicI64::new(START.ms())))
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::SeqCst))
    }

    /// Moves on; never back.
    pub fn set(&self, to: Timestamp) {
        self.0.fetch_max(to.ms(), Ordering::SeqCst);
    }
}

/// The clock of a machine: the true time, and how far it is off.
pub struct MachineClock {
    sky: Arc<Sky>,
    off_ms: AtomicI64,
}

impl MachineClock {
    /// A clock that is right.
    pub fn new(sky: &Arc<Sky>) -> Arc<MachineClock> {
        Arc::new(MachineClock {
            sky: Arc::clone(sky),
            off_ms: AtomicI64::new(0),
        })
    }

    /// Sets the clock to be off by `by`.
    pub fn set_off(&self, by: Millis) {
        self.off_ms.store(by.0, Ordering::SeqCst);
    }

    /// What the clock shows.
    pub fn shows(&self) -> Timestamp {
        self.sky.now() + Millis(self.off_ms.load(Ordering::SeqCst))
    }

    /// The true time.
    pub fn sky(&self) -> &Arc<Sky> {
        &self.sky
    }
}

impl qiantai_server::Clock for MachineClock {
    fn now(&self) -> Timestamp {
        self.shows()
    }
}
