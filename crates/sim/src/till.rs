//! A terminal: its disk, its clock, and while it is switched on its store and its driver.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use ed25519_dalek::{SigningKey, VerifyingKey};
use qiantai_core::ids::{DeviceId, StoreId, TenantId};
use qiantai_core::operation::Cursor;
use qiantai_core::policy::Policy;
use qiantai_store::{Store, StoreKeys};
use qiantai_sync::engine::PollIntervals;
use qiantai_sync::{
    Client, LeaseKeeper, LocalPosition, StopReason, SyncHandle, SyncStatus, driver,
};
use uuid::Uuid;

use crate::bug::Bug;
use crate::dice::{Dice, dice};
use crate::halt::{Halt, Invariant, Step};
use crate::image::{self, Shelf};
use crate::sale::Drawer;
use crate::till_leases::TillLeases;
use crate::till_log::TillLog;
use crate::time::{MachineClock, Sky};
use crate::trap::Trap;
use crate::wire::{Desk, SimSurroundings, SimTransport, Wish};

/// Name of the store's file.
const FILE: &str = "terminal.db";

/// Polls in a row after which a driver is taken to run in circles.
const POLLS_MAX: u32 = 1_000;

/// Who a terminal is to the server. A cloned disk carries it along.
#[derive(Clone)]
pub struct Identity {
    /// Whose books.
    pub tenant: TenantId,
    /// Which store.
    pub store: StoreId,
    /// The store's five digits.
    pub store_code: String,
    /// Who.
    pub device: DeviceId,
    /// Two digits within the store.
    pub code: String,
    /// Of the key that signs.
    pub seed: [u8; 32],
    /// Bearer token.
    pub token: String,
    /// The server's own key.
    pub server_key: VerifyingKey,
}

impl Identity {
    /// The key that signs.
    pub fn key(&self) -> SigningKey {
        SigningKey::from_bytes(&self.seed)
    }
}

/// A terminal that is switched on.
pub struct Running {
    /// Its database.
    pub store: Arc<Store>,
    /// What its driver works on.
    pub log: Arc<TillLog>,
    /// Its end of the network.
    pub desk: Arc<Desk>,
    /// Its driver's handle.
    pub handle: SyncHandle,
    /// Which start this is.
    pub boot_id: Uuid,
    /// Rules as read from the store.
    pub policies: Vec<Arc<Policy>>,
    driver: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// A terminal.
pub struct Till {
    /// Who it is.
    pub identity: Identity,
    /// Its clock.
    pub clock: Arc<MachineClock>,
    /// Present while it is switched on.
    pub running: Option<Running>,
    /// Counts its starts.
    pub generation: u64,
    /// The cashier's dice.
    pub dice: Dice,
    /// What the cashier remembers.
    pub drawer: Drawer,
    /// Its disk was copied or set back: it may be found forked.
    pub doubtful: bool,
    /// It will not be used again.
    pub retired: bool,
    /// Head of the server's log when it joined, or learned the shop from a snapshot again.
    pub joined_at: u64,
    /// The timeline that it follows.
    pub timeline: Option<u32>,
    /// The disk of the machine is full.
    pub disk_full: bool,
    folder: PathBuf,
    shelf: Shelf,
    bug: Option<Bug>,
}

impl Till {
    /// A terminal with an empty disk below `root`, switched off.
    pub fn new(
        identity: Identity,
        root: &Path,
        sky: &Arc<Sky>,
        dice: Dice,
        bug: Option<Bug>,
    ) -> Step<Till> {
        let mut shelf = Shelf::new(root.to_owned());
        let folder = shelf.next()?;
        Ok(Till {
            identity,
            clock: MachineClock::new(sky),
            running: None,
            generation: 0,
            dice,
            drawer: Drawer::default(),
            doubtful: false,
            retired: false,
            joined_at: 0,
            timeline: None,
            disk_full: false,
            folder,
            shelf,
            bug,
        })
    }

    /// Switches it on.
    pub fn start(&mut self, seed: u64) -> Step {
        self.generation += 1;
        let keys = StoreKeys {
            db_key: [7; 32],
            pin_pepper: [9; 32],
        };
        let store = Arc::new(Store::open_or_create(&self.folder.join(FILE), &keys)?);
        if self.disk_full {
            store.limit_pages(1)?;
        }
        let device = self.identity.device.0;
        let low = device.as_u64_pair().1 ^ self.generation;
        let desk = Arc::new(Desk::default());
        let log = Arc::new(TillLog {
            store: Arc::clone(&store),
            trap: Arc::new(Trap::default()),
            clock: Arc::clone(&self.clock),
            device,
            bug: self.bug,
            last: Mutex::new(None),
            before: Mutex::default(),
        });
        let surroundings = |purpose| {
            Arc::new(SimSurroundings {
                clock: Arc::clone(&self.clock),
                desk: Arc::clone(&desk),
                dice: Mutex::new(dice(seed, purpose, low)),
            })
        };
        let transport = SimTransport(Arc::clone(&desk));
        let client = Client::new(Arc::new(transport)).with_token(&self.identity.token);
        let (handle, driver) = driver(
            Arc::clone(&log) as _,
            client.clone(),
            surroundings("driver"),
            PollIntervals::default(),
        );
        let book = Arc::new(TillLeases::new(Arc::clone(&log), self.identity.store));
        let keeper = LeaseKeeper::new(book, client, self.identity.server_key, self.identity.device);
        let paced = surroundings("leases");
        let work = async move {
            let keeping = std::pin::pin!(keeper.run(paced));
            futures::future::select(std::pin::pin!(driver.run()), keeping).await;
        };
        self.running = Some(Running {
            policies: store.policies()?,
            store,
            log,
            desk,
            handle,
            boot_id: Uuid::from_u128(u128::from(low)),
            driver: Box::pin(work),
        });
        Ok(())
    }

    /// The bug planted in it.
    pub fn bug(&self) -> Option<Bug> {
        self.bug
    }

    /// Switches it off in good order.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Ends it at once, as a power cut does; what was written is on the disk.
    pub fn die(&mut self) -> io::Result<()> {
        let fresh = self.shelf.next()?;
        let with_log = self.bug != Some(Bug::TerminalLogLost);
        image::copy(&self.folder, &fresh, FILE, with_log)?;
        self.running = None;
        self.folder = fresh;
        Ok(())
    }

    /// A copy of the disk as it is now.
    pub fn copy_disk(&mut self) -> io::Result<PathBuf> {
        let copy = self.shelf.next()?;
        image::copy(&self.folder, &copy, FILE, true)?;
        Ok(copy)
    }

    /// Sets the disk back to a copy; the terminal must be off.
    pub fn put_disk(&mut self, copy: &Path) -> io::Result<()> {
        let fresh = self.shelf.next()?;
        image::copy(copy, &fresh, FILE, true)?;
        self.folder = fresh;
        Ok(())
    }

    /// Lets the disk be full from now on, or not.
    pub fn fill_disk(&mut self, full: bool) -> Step {
        self.disk_full = full;
        if let Some(running) = &self.running {
            let pages = if full { 1 } else { u32::MAX - 1 };
            running.store.limit_pages(pages)?;
        }
        Ok(())
    }

    /// Lets the driver do what it can do now, and takes what it wants of the world.
    pub fn poll(&mut self) -> Step<Vec<Wish>> {
        let Some(running) = &mut self.running else {
            return Ok(Vec::new());
        };
        let flag = Arc::new(Flag::default());
        let waker = Waker::from(Arc::clone(&flag));
        let mut context = Context::from_waker(&waker);
        for _ in 0..POLLS_MAX {
            match running.driver.as_mut().poll(&mut context) {
                Poll::Pending if flag.take() => {}
                Poll::Pending => return Ok(running.desk.take()),
                Poll::Ready(()) => {
                    let detail = "a driver ended by itself".to_owned();
                    return Err(Halt::Violated(Invariant::KeepsWorking, detail));
                }
            }
        }
        let detail = "a driver runs in circles".to_owned();
        Err(Halt::Violated(Invariant::KeepsWorking, detail))
    }

    /// Whether it died at a write.
    pub fn has_died(&self) -> bool {
        let running = self.running.as_ref();
        running.is_some_and(|running| running.log.trap.is_sprung())
    }

    /// Where its log stood when its driver last looked.
    pub fn position(&self) -> Option<LocalPosition> {
        let running = self.running.as_ref()?;
        let last = running.log.last.lock();
        *last.unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether everything of it is acknowledged and it is at `head` of the server's log.
    pub fn is_settled(&self, head: Cursor) -> bool {
        let position = self.position();
        position.is_some_and(|position| position.pending() == 0) && self.is_at(head)
    }

    /// Whether it is at `head` of the server's log.
    pub fn is_at(&self, head: Cursor) -> bool {
        let cursor = self.position().and_then(|position| position.cursor);
        cursor == Some(head)
    }

    /// Whether the server does not believe it any more, and it knows.
    pub fn is_stopped(&self) -> bool {
        let status = self.running.as_ref().map(|running| running.handle.status());
        matches!(
            status,
            Some(SyncStatus::Stopped {
                reason: StopReason::Forked,
                ..
            })
        )
    }
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Flag {
    fn take(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}
