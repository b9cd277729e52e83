//! Where the server takes the time from. Decisions, schedules and the sweeper get it as an
//! argument, so that tests run in virtual time.

mod steady;

use std::time::{SystemTime, UNIX_EPOCH};

use qiantai_core::{Millis, Timestamp};

pub(crate) use steady::ABSENCE;
pub use steady::SteadyClock;

/// A source of time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Told once, before anything is decided, when the books were last written.
    fn begin_after(&self, _newest: Option<Timestamp>) {}

    /// Told when others wrote the books meanwhile, and when: the time goes on from there.
    fn catch_up(&self, _newest: Timestamp) {}

    /// Whether somebody has looked at the machine's clock and said that it is right.
    fn is_believed(&self) -> bool {
        false
    }

    /// How far the machine's clock is ahead of the time that is told, where it is not believed.
    fn doubted(&self) -> Option<Millis> {
        None
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock before 1970 counts as 1970: a broken clock must not stop the counter.
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_ms(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}
