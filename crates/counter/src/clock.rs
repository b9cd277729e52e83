//! The time that the counter works by: the machine's, corrected by what the server last said when
//! that is far off (docs: domain §3.10). A wrong clock warns and never stops the shop from selling.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use qiantai_core::{Millis, Timestamp};
use qiantai_store::{ClockMark, ServerAnchor};
use uuid::Uuid;

use crate::surroundings::{Spooler, Surroundings, UsbPorts};

/// A clock further off than this is warned about and corrected (docs: domain §3.10).
pub const SKEW_WARNING: Millis = Millis::seconds(60);

/// The corrected clock of a terminal.
pub struct ShopClock {
    machine: Arc<dyn Surroundings>,
    correction_ms: AtomicI64,
}

impl ShopClock {
    /// A clock that knows what the server said before this start.
    pub fn new(machine: Arc<dyn Surroundings>, mark: Option<ClockMark>) -> ShopClock {
        let clock = ShopClock {
            machine,
            correction_ms: AtomicI64::new(0),
        };
        if let Some(anchor) = mark.and_then(|mark| still_wrong(&mark, clock.machine.now())) {
            clock.hear(anchor);
        }
        clock
    }

    /// The server told its time.
    pub fn hear(&self, anchor: ServerAnchor) {
        let behind = anchor.server_time - anchor.wall_time;
        let is_wrong = behind.0.saturating_abs() > SKEW_WARNING.0;
        let correction = if is_wrong { behind.0 } else { 0 };
        self.correction_ms.store(correction, Ordering::SeqCst);
    }

    /// What the machine's own clock says, right or wrong.
    pub fn machine_time(&self) -> Timestamp {
        self.machine.now()
    }
}

/// What the server said, unless the machine's clock was put right since: a clock that ran ahead
/// was set back, one that ran behind has reached the server's last word.
fn still_wrong(mark: &ClockMark, machine: Timestamp) -> Option<ServerAnchor> {
    let anchor = mark.anchor?;
    let was_ahead = anchor.wall_time > anchor.server_time;
    let put_right = match was_ahead {
        true => mark.behind(machine) > SKEW_WARNING,
        false => machine >= anchor.server_time,
    };
    (!put_right).then_some(anchor)
}

#[async_trait]
impl qiantai_sync::Surroundings for ShopClock {
    fn now(&self) -> Timestamp {
        self.machine.now() + Millis(self.correction_ms.load(Ordering::SeqCst))
    }

    fn random(&self) -> u64 {
        self.machine.random()
    }

    async fn sleep(&self, span: Millis) {
        self.machine.sleep(span).await;
    }
}

impl Surroundings for ShopClock {
    fn monotonic_ms(&self) -> u64 {
        self.machine.monotonic_ms()
    }

    fn new_id(&self) -> Uuid {
        self.machine.new_id()
    }

    fn slip_waits(&self) -> Millis {
        self.machine.slip_waits()
    }

    fn spooler(&self) -> Spooler {
        self.machine.spooler()
    }

    fn usb(&self) -> UsbPorts {
        self.machine.usb()
    }
}
