//! How much is taken from one side before it is told to wait: a device that runs wild must not
//! keep the others waiting, and whoever shows no token of a device gets few tries.
//!
//! It is counted before the books are asked: being told to wait must cost them nothing. Tokens that were
//! found before are remembered, so that a stranger at an address of many tills keeps none of them
//! waiting; the books are still asked each time whether they are good.
//!
//! Only what comes over the network is counted. Strangers are counted by address, devices by
//! themselves: many tills stand behind one address of a mall.

use std::collections::HashMap;
use std::hash::Hash as Hashed;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use qiantai_core::ids::DeviceId;
use qiantai_core::operation::Hash;

/// A device may run ahead by five seconds' worth: after an outage it has much to say.
const AHEAD: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

/// Notices and probes from one address in a second. Gateways have few addresses and much to say; whoever has
/// another address keeps none of them waiting.
const OPEN_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(49);

/// They may run ahead by ten seconds' worth.
const OPEN_AHEAD: NonZeroU32 = OPEN_PER_SECOND.saturating_mul(NonZeroU32::MIN.saturating_add(9));

/// Walks over every account that a device may ask for in a minute; it needs one a day.
const SCANS_PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(5);

/// Sides remembered before those that asked for nothing lately are forgotten.
const REMEMBERED: usize = 10_000;

/// What one side may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests of one device in a second.
    pub device_per_second: NonZeroU32,
    /// Requests from one address without a known token in a minute.
    pub strangers_per_minute: NonZeroU32,
}

/// Counts what each side asks.
pub(crate) struct Limiters {
    devices: DefaultKeyedRateLimiter<DeviceId>,
    strangers: DefaultKeyedRateLimiter<IpAddr>,
    notices: DefaultKeyedRateLimiter<IpAddr>,
    probes: DefaultKeyedRateLimiter<IpAddr>,
    scans: DefaultKeyedRateLimiter<DeviceId>,
    /// Whose token a hash is, as the books last said.
    tokens: Mutex<HashMap<Hash, DeviceId>>,
    clock: DefaultClock,
}

impl Limiters {
    /// With tokens that the books hold already.
    pub(crate) fn new(limits: Limits, tokens: HashMap<Hash, DeviceId>) -> Limiters {
        let ahead = limits.device_per_second.saturating_mul(AHEAD);
        let devices = Quota::per_second(limits.device_per_second).allow_burst(ahead);
        let open =
            || RateLimiter::keyed(Quota::per_second(OPEN_PER_SECOND).allow_burst(OPEN_AHEAD));
        Limiters {
            devices: RateLimiter::keyed(devices),
            notices: open(),
            probes: open(),
            scans: RateLimiter::keyed(Quota::per_minute(SCANS_PER_MINUTE)),
            strangers: RateLimiter::keyed(Quota::per_minute(limits.strangers_per_minute)),
            tokens: Mutex::new(tokens),
            clock: DefaultClock::default(),
        }
    }

    /// Whose token was found under this hash before.
    pub(crate) fn owner(&self, token: &Hash) -> Option<DeviceId> {
        self.tokens().get(token).copied()
    }

    /// The books know a token.
    pub(crate) fn remember(&self, token: Hash, device: DeviceId) {
        self.tokens().insert(token, device);
    }

    /// The books know it no more.
    pub(crate) fn forget(&self, token: &Hash) {
        self.tokens().remove(token);
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<Hash, DeviceId>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request of a device; `Err` says how long it must wait.
    pub(crate) fn device(&self, device: DeviceId) -> Result<(), Duration> {
        self.count(&self.devices, &device)
    }

    /// Counts a request of nobody known; `Err` says how long its address must wait.
    pub(crate) fn stranger(&self, address: IpAddr) -> Result<(), Duration> {
        self.count(&self.strangers, &side(address))
    }

    /// Counts a walk over every account; `Err` says how long the device must wait for another.
    pub(crate) fn scan(&self, device: DeviceId) -> Result<(), Duration> {
        self.count(&self.scans, &device)
    }

    /// Counts a notice of a gateway, or of whoever says so; `Err` says how long its address must wait.
    pub(crate) fn notice(&self, address: IpAddr) -> Result<(), Duration> {
        self.count(&self.notices, &side(address))
    }

    /// Counts a question whether the server is there; `Err` says how long its address must wait.
    pub(crate) fn probe(&self, address: IpAddr) -> Result<(), Duration> {
        self.count(&self.probes, &side(address))
    }

    fn count<K: Clone + Eq + Hashed>(
        &self,
        limiter: &DefaultKeyedRateLimiter<K>,
        key: &K,
    ) -> Result<(), Duration> {
        if limiter.len() > REMEMBERED {
            limiter.retain_recent();
        }
        let checked = limiter.check_key(key);
        checked.map_err(|until| until.wait_time_from(self.clock.now()))
    }
}

/// One household or shop has a whole /64 of addresses in the newer protocol.
pub(crate) fn side(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(long) => match long.to_ipv4_mapped() {
            Some(short) => IpAddr::V4(short),
            None => {
                let [a, b, c, d, ..] = long.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn sides_are_told_apart() {
        let check = |one, other, is_same: bool| {
            assert_eq!(side(address(one)) == side(address(other)), is_same);
        };
        check("10.0.0.1", "10.0.0.1", true);
        check("10.0.0.1", "10.0.0.2", false);
        check("::ffff:10.0.0.1", "10.0.0.1", true);
        check("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", true);
        check("2001:db8:0:1::1", "2001:db8:0:2::1", false);
    }

    #[test]
    fn each_side_has_its_own_measure() {
        let measure = |number| NonZeroU32::new(number).expect("more than none");
        let limits = Limits {
            device_per_second: measure(2),
            strangers_per_minute: measure(3),
        };
        let limiters = Limiters::new(limits, HashMap::new());
        let taken =
            |ask: &dyn Fn() -> Result<(), Duration>| (0..30).filter(|_| ask().is_ok()).count();
        for text in ["10.0.0.1", "10.0.0.2"] {
            assert_eq!(taken(&|| limiters.stranger(address(text))), 3);
        }
        // Somebody else's notices and probes keep no gateway waiting, and are no strangers' tries.
        let (other, gateway) = (address("10.0.0.1"), address("10.0.0.3"));
        for ask in [Limiters::notice, Limiters::probe] {
            let taken = (0..2_000).filter(|_| ask(&limiters, other).is_ok()).count();
            assert!((500..1_000).contains(&taken), "{taken}");
            assert!(ask(&limiters, gateway).is_ok());
        }
        let wait = limiters.stranger(address("10.0.0.1"));
        assert!(wait.is_err_and(|wait| wait <= Duration::from_secs(20)));
        let device = |number| DeviceId(uuid::Uuid::from_u128(number));
        assert!((10..=11).contains(&taken(&|| limiters.device(device(1)))));
        assert!((10..=11).contains(&taken(&|| limiters.device(device(2)))));
    }
}
