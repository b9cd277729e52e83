//! The counter of a joined terminal: what every use case shares.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use qiantai_core::ids::{MemberId, OrderId, StaffId};
use qiantai_core::operation::{StaffMethod, StaffProof};
use qiantai_core::policy::{Policy, Staff};
use qiantai_core::{Millis, Timestamp};
use qiantai_store::{Store, StoreError};
use qiantai_sync::{Client, PaymentWatch, SyncHandle, SyncStatus};
use tokio::sync::{Notify, broadcast};

use crate::clock::ShopClock;
use crate::code_payment::CodeMemory;
use crate::error::{CallError, ErrorCode};
use crate::methods::ChannelBoard;
use crate::overlay::Overlay;
use crate::printing::AtPrinter;
use crate::quotes::QuoteShelf;
use crate::second_copy::CopyDesk;
use crate::surroundings::Surroundings;
use crate::terminal::{LogPosition, Terminal};
use crate::view::event::CounterEvent;

/// Equal top-ups within this span are asked about (docs: domain §3.9).
pub const DUPLICATE_WITHIN: Millis = Millis::seconds(120);

/// The counter. Its methods block on the disk; [`crate::serve`] moves them off the runtime.
pub struct Counter {
    pub(crate) store: Arc<Store>,
    pub(crate) terminal: Terminal,
    pub(crate) client: Client,
    pub(crate) sync: SyncHandle,
    pub(crate) surroundings: Arc<dyn Surroundings>,
    pub(crate) clock: Arc<ShopClock>,
    pub(crate) events: broadcast::Sender<CounterEvent>,
    pub(crate) print_wake: Arc<Notify>,
    pub(crate) at_printer: tokio::sync::Mutex<AtPrinter>,
    pub(crate) training: bool,
    pub(crate) books_here: bool,
    pub(crate) channel_board: Arc<ChannelBoard>,
    signed_in: Mutex<Option<StaffId>>,
    quotes: Mutex<QuoteShelf>,
    policies: RwLock<Vec<Arc<Policy>>>,
    /// Held while a sale is written, so that a second click finds the first.
    sale: Mutex<()>,
    /// Keeps the server's log read often while a payment is open.
    payments: Mutex<HashMap<OrderId, PaymentWatch>>,
    codes: Mutex<CodeMemory>,
    pub(crate) copy: CopyDesk,
}

impl Drop for Counter {
    /// The print queue waits for a slip or for this.
    fn drop(&mut self) {
        self.print_wake.notify_one();
    }
}

/// What a counter is made of.
pub struct Parts {
    /// The terminal's database.
    pub store: Arc<Store>,
    /// Identity and key.
    pub terminal: Terminal,
    /// Calls to the server.
    pub client: Client,
    /// The synchronisation under way.
    pub sync: SyncHandle,
    /// Clock and dice.
    pub clock: Arc<ShopClock>,
    /// Where the window listens.
    pub events: broadcast::Sender<CounterEvent>,
    /// How the server's payment channels stand.
    pub(crate) channel_board: Arc<ChannelBoard>,
    /// Marks screens and slips.
    pub training: bool,
    /// See [`crate::boot::Link::books_here`].
    pub books_here: bool,
}

impl Counter {
    /// A counter with the rules that the store holds.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn new(parts: Parts) -> Result<Counter, StoreError> {
        let policies = parts.store.policies()?;
        Ok(Counter {
            store: parts.store,
            terminal: parts.terminal,
            client: parts.client,
            sync: parts.sync,
            surroundings: Arc::clone(&parts.clock) as Arc<dyn Surroundings>,
            clock: parts.clock,
            events: parts.events,
            print_wake: Arc::default(),
            at_printer: tokio::sync::Mutex::default(),
            training: parts.training,
            books_here: parts.books_here,
            channel_board: parts.channel_board,
            signed_in: Mutex::new(None),
            quotes: Mutex::new(QuoteShelf::default()),
            policies: RwLock::new(policies),
            sale: Mutex::new(()),
            payments: Mutex::new(HashMap::new()),
            codes: Mutex::default(),
            copy: CopyDesk::default(),
        })
    }

    /// Takes over rules that came from the server.
    pub(crate) fn reload_policies(&self) -> Result<(), StoreError> {
        let fresh = self.store.policies()?;
        *self
            .policies
            .write()
            .unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Every known version of the rules, oldest first.
    pub(crate) fn policies(&self) -> Vec<Arc<Policy>> {
        self.policies
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The rules in force now.
    pub(crate) fn policy(&self) -> Result<Arc<Policy>, CallError> {
        let now = self.now();
        let policies = self.policies();
        let in_force = policies
            .iter()
            .rev()
            .find(|policy| policy.effective_from <= now);
        // With a clock before the first version the oldest rules are the best guess.
        in_force
            .or(policies.first())
            .cloned()
            .ok_or_else(|| CallError::new(ErrorCode::Internal, "policy_unknown"))
    }

    /// The rules of `version`, else those in force.
    pub(crate) fn policy_of(&self, version: u32) -> Result<Arc<Policy>, CallError> {
        let found = self
            .policies()
            .iter()
            .find(|policy| policy.version == version)
            .cloned();
        found.map_or_else(|| self.policy(), Ok)
    }

    /// Now, by the corrected clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.surroundings.now()
    }

    /// The replica with open operations applied, and `members` loaded.
    pub(crate) fn overlay(&self, members: &[MemberId]) -> Result<Overlay, StoreError> {
        Overlay::build(&self.store, &self.policies(), self.terminal.device, members)
    }

    /// The end of the log, for previews.
    pub(crate) fn log_position(&self) -> Result<LogPosition, StoreError> {
        let mark = self.store.sync_mark()?;
        let head = self.store.log_head()?;
        Ok(LogPosition {
            head,
            cursor: mark.cursor,
            anchor: mark.server_time,
        })
    }

    /// True while nothing that is written here is answered: the server is out of reach, or it
    /// does not take this terminal's operations.
    pub(crate) fn is_offline(&self) -> bool {
        matches!(
            self.sync.status(),
            SyncStatus::Offline { .. } | SyncStatus::Stopped { .. }
        )
    }

    pub(crate) fn quotes(&self) -> MutexGuard<'_, QuoteShelf> {
        self.quotes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn sale_lock(&self) -> MutexGuard<'_, ()> {
        self.sale.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn payments(&self) -> MutexGuard<'_, HashMap<OrderId, PaymentWatch>> {
        self.payments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn codes(&self) -> MutexGuard<'_, CodeMemory> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_signed_in(&self, staff: Option<StaffId>) {
        *self
            .signed_in
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = staff;
    }

    pub(crate) fn signed_in(&self) -> Option<StaffId> {
        *self
            .signed_in
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The person at the counter.
    pub(crate) fn staff(&self) -> Result<(Staff, StaffProof), CallError> {
        let policy = self.policy()?;
        let id = self
            .signed_in()
            .ok_or_else(|| CallError::new(ErrorCode::NotSignedIn, "not_signed_in"))?;
        let staff = policy
            .staff
            .iter()
            .find(|staff| staff.id == id && staff.active);
        let staff = staff
            .cloned()
            .ok_or_else(|| CallError::new(ErrorCode::NotSignedIn, "not_signed_in"))?;
        let proof = StaffProof {
            staff: id,
            method: StaffMethod::Pin,
            policy_version: policy.version,
        };
        Ok((staff, proof))
    }

    /// Whether `order` may be looked at: by a person, or on a locked screen while its payment is
    /// under way, because the customer in front of it is paying.
    pub(crate) fn may_follow(&self, order: OrderId) -> Result<(), CallError> {
        match self.payments().contains_key(&order) {
            true => Ok(()),
            false => self.staff().map(drop),
        }
    }

    /// Tells the window. Nobody listening is no fault: the window asks when it opens.
    pub(crate) fn tell(&self, event: CounterEvent) {
        let listeners = self.events.send(event).unwrap_or(0);
        tracing::trace!(listeners, "event");
    }
}
