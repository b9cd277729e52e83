//! What terminals sign to prove that a call is their own, each good for one call.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use qiantai_core::ids::DeviceId;
use qiantai_core::{Millis, Timestamp};
use qiantai_wire::call::Challenge;

/// How long one is open. It is asked for by the call that it is for.
const OPEN_FOR: Millis = Millis::minutes(2);

/// How many a terminal may have open; the oldest goes first.
const OPEN_MAX: usize = 4;

type Open = HashMap<DeviceId, VecDeque<(Challenge, Timestamp)>>;

/// Those of this process that are open. Another process knows none of them: a call that was heard
/// on its way to one is worth nothing at another.
#[derive(Default)]
pub(crate) struct Challenges(Mutex<Open>);

impl Challenges {
    /// A new one for a terminal.
    ///
    /// # Errors
    /// The operating system has no random bytes.
    pub(crate) fn make(&self, device: DeviceId, now: Timestamp) -> io::Result<Challenge> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(io::Error::from)?;
        let mut open = self.open();
        let of_device = open.entry(device).or_default();
        while of_device.len() >= OPEN_MAX {
            of_device.pop_front();
        }
        of_device.push_back((Challenge(bytes), now));
        Ok(Challenge(bytes))
    }

    /// Ends the one that `fits`; false when none does.
    pub(crate) fn take(
        &self,
        device: DeviceId,
        now: Timestamp,
        fits: impl Fn(Challenge) -> bool,
    ) -> bool {
        let mut open = self.open();
        let Some(of_device) = open.get_mut(&device) else {
            return false;
        };
        of_device.retain(|(_, made)| (Millis(0)..=OPEN_FOR).contains(&(now - *made)));
        let place = of_device.iter().position(|(challenge, _)| fits(*challenge));
        place.and_then(|place| of_device.remove(place)).is_some()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::from_ms(1_795_240_992_480);

    #[test]
    fn a_challenge_is_good_once_for_one_terminal_and_for_a_while() {
        let challenges = Challenges::default();
        let [one, other] = [1, 2].map(|id| DeviceId(Uuid::from_u128(id)));
        let make = || challenges.make(one, NOW).expect("random bytes");
        let take = |device, after, challenge| {
            challenges.take(device, NOW + after, |open| open == challenge)
        };
        let made = make();
        assert!(!take(other, Millis(0), made), "another terminal's");
        assert!(take(one, OPEN_FOR, made));
        assert!(!take(one, OPEN_FOR, made), "twice");
        assert!(!take(one, Millis(OPEN_FOR.0 + 1), make()), "too late");
        let many: Vec<_> = (0..=OPEN_MAX).map(|_| make()).collect();
        let taken = many.iter().filter(|made| take(one, Millis(0), **made));
        assert_eq!(taken.count(), OPEN_MAX, "the oldest is gone");
    }
}
