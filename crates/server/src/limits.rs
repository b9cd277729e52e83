//! How much is taken from one side before it is told to wait: a device that runs wild must not
//! keep the others waiting, and whoever shows no token of a device gets few tries.
//!
//! Only what comes over the network is counted. Strangers are counted by address, devices by
//! themselves: many tills stand behind one address of a mall.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use qiantai_core::ids::DeviceId;

/// A device may run ahead by five seconds' worth: after an outage it has much to say.
const AHEAD: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

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
    clock: DefaultClock,
}

impl Limiters {
    pub(crate) fn new(limits: Limits) -> Limiters {
        let ahead = limits.device_per_second.saturating_mul(AHEAD);
        let devices = Quota::per_second(limits.device_per_second).allow_burst(ahead);
        Limiters {
            devices: RateLimiter::keyed(devices),
            strangers: RateLimiter::keyed(Quota::per_minute(limits.strangers_per_minute)),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a request of a device; `Err` says how long it must wait.
    pub(crate) fn device(&self, device: DeviceId) -> Result<(), Duration> {
        if self.devices.len() > REMEMBERED {
            self.devices.retain_recent();
        }
        let checked = self.devices.check_key(&device);
        checked.map_err(|until| until.wait_time_from(self.clock.now()))
    }

    /// Counts a request of nobody known; `Err` says how long its address must wait.
    pub(crate) fn stranger(&self, address: IpAddr) -> Result<(), Duration> {
        if self.strangers.len() > REMEMBERED {
            self.strangers.retain_recent();
        }
        let checked = self.strangers.check_key(&side(address));
        checked.map_err(|until| until.wait_time_from(self.clock.now()))
    }
}

/// One household or shop has a whole /64 of addresses in the newer protocol.
fn side(address: IpAddr) -> IpAddr {
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
        let limiters = Limiters::new(Limits {
            device_per_second: measure(2),
            strangers_per_minute: measure(3),
        });
        let taken =
            |ask: &dyn Fn() -> Result<(), Duration>| (0..30).filter(|_| ask().is_ok()).count();
        for text in ["10.0.0.1", "10.0.0.2"] {
            assert_eq!(taken(&|| limiters.stranger(address(text))), 3);
        }
        let wait = limiters.stranger(address("10.0.0.1"));
        assert!(wait.is_err_and(|wait| wait <= Duration::from_secs(20)));
        let device = |number| DeviceId(uuid::Uuid::from_u128(number));
        assert!((10..=11).contains(&taken(&|| limiters.device(device(1)))));
        assert!((10..=11).contains(&taken(&|| limiters.device(device(2)))));
    }
}
