//! Terminals that join the shop, and join again when its server has forgotten them.

use bytes::Bytes;
use http::{Request, StatusCode};
use qiantai_core::Millis;
use qiantai_server::db::Ledger;
use qiantai_server::device_of_key;
use rand::RngExt;

use crate::dice::dice;
use crate::halt::{Invariant, Step, must};
use crate::office::{all_applied, give_token};
use crate::sale::Deed;
use crate::till::{Identity, Till};
use crate::world::{Happening, World};

/// Sales at a terminal that joined in the middle of a day.
const DEEDS_OF_NEW: i64 = 4;

/// When they are done.
const DEEDS_WITHIN: i64 = 4 * 3_600_000;

/// While the server is away, whoever has a code to type tries again after so long.
const TRIES_AGAIN: Millis = Millis::minutes(5);

impl World {
    /// Sets up a terminal that nobody had before; returns its place in [`World::tills`].
    pub fn enrol(&mut self) -> Step<usize> {
        let (number, now) = (self.tills.len(), self.now());
        let identity = self.office.identity(&self.authority.shop, number, now);
        let is_enrolled = self.introduce(&identity)?;
        must(is_enrolled, Invariant::KeepsWorking, || {
            "a terminal was not enrolled".to_owned()
        })?;
        self.set_up(identity)
    }

    /// Lets the server know a terminal. False while it is off, has no room, or dies.
    fn introduce(&mut self, identity: &Identity) -> Step<bool> {
        let now = self.now();
        let enrol = self.office.enrol(identity, now);
        let (said, turned) = self.authority.say(vec![enrol])?;
        self.take(turned)?;
        let is_enrolled = said.as_deref().is_some_and(all_applied);
        if let Some(ledger) = self.authority.ledger().filter(|_| is_enrolled) {
            let ledger: &dyn Ledger = ledger.as_ref();
            give_token(ledger, identity, now)?;
        }
        Ok(is_enrolled)
    }

    fn set_up(&mut self, identity: Identity) -> Step<usize> {
        let number = self.tills.len();
        let root = self.root.join(format!("till-{number}"));
        let dice = dice(self.plan.seed, "cashier", number as u64);
        let mut till = Till::new(identity, &root, &self.sky, dice, self.plan.bug)?;
        till.joined_at = self.head;
        self.tills.push(till);
        self.till_up(number)?;
        Ok(number)
    }

    /// One more terminal joins in the middle of the day, and sells.
    pub fn joins(&mut self) -> Step {
        let (number, now) = (self.tills.len(), self.now());
        if self.healing || !self.authority.is_up() || self.authority.is_disk_full() {
            return Ok(());
        }
        let mut identity = self.office.identity(&self.authority.shop, number, now);
        identity.device = is_device(&identity);
        if !self.introduce(&identity)? {
            return Ok(());
        }
        let till = self.set_up(identity)?;
        self.seats.push(till);
        for _ in 0..DEEDS_OF_NEW {
            let later = Millis(self.day.random_range(0..DEEDS_WITHIN));
            let deed = Deed::Cash;
            self.after(later, Happening::Deed { till, deed });
        }
        Ok(())
    }

    /// As a terminal does that is started with a code: it joins again if the server does not know it.
    pub fn joins_again(&mut self, till: usize) -> Step {
        if self.tills[till].retired {
            return Ok(());
        }
        if !self.is_forgotten(till)? {
            return Ok(());
        }
        let mut identity = self.tills[till].identity.clone();
        let device = is_device(&identity);
        must(device == identity.device, Invariant::NothingLost, || {
            format!("{} would be {device}", identity.device)
        })?;
        identity.token = format!("token-{device}-{}", self.timeline);
        if !self.introduce(&identity)? {
            self.after(TRIES_AGAIN, Happening::JoinsAgain { till });
            return Ok(());
        }
        self.tills[till].identity = identity;
        self.tills[till].stop();
        self.hang_up(till);
        self.till_up(till)
    }

    fn is_forgotten(&mut self, till: usize) -> Step<bool> {
        if !self.authority.is_up() {
            self.after(TRIES_AGAIN, Happening::JoinsAgain { till });
            return Ok(false);
        }
        let token = &self.tills[till].identity.token;
        let request = Request::get("/v1/terminals")
            .header("authorization", format!("Bearer {token}"))
            .body(Bytes::new())?;
        let (answered, turned) = self.authority.call(request);
        self.take(turned)?;
        Ok(answered.is_some_and(|answered| answered.status() == StatusCode::UNAUTHORIZED))
    }
}

/// Which device its key is, in whatever books.
fn is_device(identity: &Identity) -> qiantai_core::ids::DeviceId {
    let key = identity.key().verifying_key().to_bytes();
    device_of_key(identity.tenant, identity.store, &key)
}
