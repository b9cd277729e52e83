//! Time and randomness, passed in so that tests hold them.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use qiantai_core::{Millis, Timestamp};
use uuid::Uuid;

pub use crate::printing::{Cups, Spooler, UsbPorts};

/// The clock and the dice of a terminal.
pub trait Surroundings: qiantai_sync::Surroundings {
    /// Milliseconds since an arbitrary start; never goes back.
    fn monotonic_ms(&self) -> u64;
    /// A new UUIDv7.
    fn new_id(&self) -> Uuid;
    /// How long a slip waits for the server's word before it says that its figures are provisional:
    /// longer than a server needs that answers at all, shorter than a customer's patience.
    fn slip_waits(&self) -> Millis {
        Millis::seconds(3)
    }
    /// How to speak with the system's print spooler.
    fn spooler(&self) -> Spooler {
        Spooler::of_system()
    }
    /// Where the system shows what is on USB.
    fn usb(&self) -> UsbPorts;
}

/// The machine's own clock and random numbers.
pub struct Machine {
    started: Instant,
    usb: UsbPorts,
}

impl Machine {
    /// Starts the monotonic clock.
    #[expect(
        clippy::new_without_default,
        reason = "starting a clock is no default value"
    )]
    pub fn new() -> Machine {
        Machine::with_usb(UsbPorts::of_system())
    }

    /// As [`Machine::new`], where what is on USB is shown elsewhere than usual.
    pub fn with_usb(usb: UsbPorts) -> Machine {
        Machine {
            started: Instant::now(),
            usb,
        }
    }
}

impl qiantai_sync::Surroundings for Machine {
    fn now(&self) -> Timestamp {
        let ms = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        };
        Timestamp::from_ms(ms)
    }

    fn random(&self) -> u64 {
        // The low half of a version 7 id is random.
        Uuid::now_v7().as_u64_pair().1
    }
}

impl Surroundings for Machine {
    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn usb(&self) -> UsbPorts {
        self.usb.clone()
    }
}
