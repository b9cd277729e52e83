//! When to try again.

use qiantai_core::Timestamp;
use qiantai_core::clock::Millis;

/// Longest wait between two tries, and the wait after a refusal that will not change soon.
pub const LONGEST: Millis = Millis::seconds(60);

const SHORTEST: Millis = Millis::seconds(1);

/// Exponential back-off with jitter: the n-th failure waits between half and all of
/// `min(1 s × 2ⁿ⁻¹, 60 s)`.
#[derive(Clone, Debug, Default)]
pub struct Retry {
    failures: u32,
    failed_at: Timestamp,
    retry_at: Option<Timestamp>,
}

impl Retry {
    /// True when nothing failed or the wait is over.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.retry_at.is_none_or(|at| due(at, now))
    }

    /// When the wait is over; `None` when nothing failed.
    pub fn retry_at(&self) -> Option<Timestamp> {
        self.retry_at
    }

    /// Counts a failure.
    pub fn fail(&mut self, now: Timestamp, random: u64) {
        let most = (SHORTEST.0 << self.failures.min(6)).min(LONGEST.0);
        let half = most / 2;
        let spread = u64::try_from(most - half).expect("a wait is not negative") + 1;
        let jitter = i64::try_from(random % spread).expect("at most a minute");
        self.failures = self.failures.saturating_add(1);
        self.failed_at = now;
        self.retry_at = Some(now + Millis(half + jitter));
    }

    /// Shortens the wait to one second after the failure: there is a reason to think that it
    /// works now, but a reason each moment must not become a try each moment.
    pub fn hurry(&mut self, now: Timestamp) {
        if let Some(at) = self.retry_at {
            self.retry_at = Some(at.min(now.max(self.failed_at + SHORTEST)));
        }
    }
}

/// True when `at` has come, or is so far ahead that the clock must have been set back.
pub fn due(at: Timestamp, now: Timestamp) -> bool {
    at <= now || at - now > LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute() {
        for random in [0, 1, 999, u64::MAX] {
            let mut retry = Retry::default();
            let mut now = Timestamp::from_ms(1_000_000);
            for most in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
                retry.fail(now, random);
                let wait = (retry.retry_at().unwrap() - now).0;
                assert!(
                    (most * 500..=most * 1_000).contains(&wait),
                    "{wait} of {most} s"
                );
                assert!(!retry.is_due(now));
                now = now + Millis(wait);
                assert!(retry.is_due(now));
            }
        }
    }

    #[test]
    fn a_reason_to_hurry_waits_a_second_after_the_failure() {
        let start = Timestamp::from_ms(1_000_000);
        let mut retry = Retry::default();
        (0..9).for_each(|_| retry.fail(start, 0));
        retry.hurry(start + Millis(10));
        assert_eq!(retry.retry_at(), Some(start + Millis::seconds(1)));
        retry.hurry(start + Millis::seconds(5));
        assert_eq!(retry.retry_at(), Some(start + Millis::seconds(1)));
    }

    #[test]
    fn a_clock_set_back_does_not_stop_anything() {
        let mut retry = Retry::default();
        retry.fail(Timestamp::from_ms(10_000_000), 0);
        assert!(retry.is_due(Timestamp::from_ms(1_000_000)));
    }
}
