//! Time that runs like the machine's and can be moved on, for everybody in a test at once.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use qiantai_core::{Millis, Timestamp};
use qiantai_counter::surroundings::{Cups, Machine, Spooler, Surroundings, UsbPorts};
use tokio::sync::watch;
use uuid::Uuid;

/// True time: the server's and the gateway's clock.
pub struct Time {
    machine: Machine,
    ahead_ms: watch::Sender<i64>,
}

impl Time {
    pub fn new() -> Arc<Time> {
        Arc::new(Time {
            machine: Machine::new(),
            ahead_ms: watch::Sender::new(0),
        })
    }

    /// Everybody who waits for a time that has come goes on.
    pub fn advance(&self, span: Millis) {
        self.ahead_ms.send_modify(|ahead| *ahead += span.0);
    }

    pub fn now(&self) -> Timestamp {
        let machine = qiantai_sync::Surroundings::now(&self.machine);
        machine + Millis(*self.ahead_ms.borrow())
    }

    async fn wait(&self, span: Millis) {
        let until = self.now() + span;
        let mut moved = self.ahead_ms.subscribe();
        loop {
            let left = u64::try_from((until - self.now()).0).unwrap_or(0);
            if left == 0 {
                return;
            }
            // Moved, or passed by itself: both mean "look again".
            let _passed = tokio::time::timeout(Duration::from_millis(left), moved.changed()).await;
        }
    }
}

impl qiantai_server::Clock for Time {
    fn now(&self) -> Timestamp {
        Time::now(self)
    }
}

impl qiantai_pay::Surroundings for Time {
    fn now(&self) -> Timestamp {
        Time::now(self)
    }

    fn nonce(&self) -> String {
        Uuid::now_v7().simple().to_string()
    }
}

/// Longer than a server on a loaded machine needs for its word.
pub const SLIP_WAITS: Millis = Millis::minutes(10);

/// The clock of one terminal, right or wrong.
pub struct WallClock {
    time: Arc<Time>,
    wrong_by_ms: AtomicI64,
    started: Timestamp,
    /// None but what a test gives it: this machine's printers are nobody's business here.
    spooler: Mutex<Spooler>,
    usb: Mutex<UsbPorts>,
}

impl WallClock {
    pub fn new(time: &Arc<Time>, wrong_by: Millis) -> Arc<WallClock> {
        Arc::new(WallClock {
            time: Arc::clone(time),
            wrong_by_ms: AtomicI64::new(wrong_by.0),
            started: time.now(),
            spooler: Mutex::new(Spooler::Cups(Cups {
                lp: "/nowhere/lp".into(),
                lpstat: "/nowhere/lpstat".into(),
            })),
            usb: Mutex::new(UsbPorts {
                class: "/nowhere/class".into(),
                devices: "/nowhere/dev".into(),
            }),
        })
    }

    pub fn set_spooler(&self, spooler: Spooler) {
        *self.spooler.lock().unwrap() = spooler;
    }

    pub fn set_usb(&self, ports: UsbPorts) {
        *self.usb.lock().unwrap() = ports;
    }

    pub fn set_wrong_by(&self, span: Millis) {
        self.wrong_by_ms.store(span.0, Ordering::SeqCst);
    }
}

#[async_trait]
impl qiantai_sync::Surroundings for WallClock {
    fn now(&self) -> Timestamp {
        self.time.now() + Millis(self.wrong_by_ms.load(Ordering::SeqCst))
    }

    fn random(&self) -> u64 {
        Uuid::now_v7().as_u64_pair().1
    }

    async fn sleep(&self, span: Millis) {
        self.time.wait(span).await;
    }
}

impl Surroundings for WallClock {
    fn monotonic_ms(&self) -> u64 {
        u64::try_from((self.time.now() - self.started).0).unwrap()
    }

    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn slip_waits(&self) -> Millis {
        SLIP_WAITS
    }

    fn spooler(&self) -> Spooler {
        self.spooler.lock().unwrap().clone()
    }

    fn usb(&self) -> UsbPorts {
        self.usb.lock().unwrap().clone()
    }
}
