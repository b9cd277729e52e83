//! A day in the shop.

use qiantai_core::{Millis, Timestamp};
use qiantai_server::db::Ledger;
use rand::RngExt;

use crate::dice::chance;
use crate::halt::{Invariant, Step, must};
use crate::plan::OPEN;
use crate::sale::Deed;
use crate::till::Till;
use crate::world::{Happening, World, day};

/// Most things that a cashier does in a day.
const DEEDS_MOST: u32 = 9;

/// Members who come often.
const REGULARS: usize = 4;

/// How long everything may take to come together once all is well.
const HEALED_WITHIN: Millis = Millis::minutes(20);

impl World {
    /// Runs day number `today`, with an audit in the evening where one is due.
    pub fn live_a_day(&mut self, today: u32, audit: bool) -> Step {
        let morning = day(today);
        self.open_shop(morning);
        self.run_until(morning + OPEN, |_| false)?;
        if audit {
            self.come_together()?;
            self.admit_kept()?;
            self.audit()?;
            self.replace_doubtful()?;
            self.healing = false;
        }
        for till in 0..self.tills.len() {
            if chance(&mut self.day, 30) && self.tills[till].running.is_some() {
                self.tills[till].stop();
                self.hang_up(till);
            }
        }
        self.run_until(day(today + 1), |_| false)?;
        Ok(())
    }

    fn open_shop(&mut self, morning: Timestamp) {
        for seat in 0..self.seats.len() {
            let till = self.seats[seat];
            let opens = Millis::seconds(self.day.random_range(0..900));
            self.at(morning + opens, Happening::TillUp { till });
            for _ in 0..self.day.random_range(1..=DEEDS_MOST) {
                let at = morning + opens + Millis(self.day.random_range(0..OPEN.0 - opens.0));
                let deed = match self.day.random_range(0..100) {
                    0..47 => Deed::Cash,
                    47..72 => Deed::Spend,
                    72..80 => Deed::CashAgain,
                    80..92 => Deed::Order,
                    92..96 => Deed::Reprint,
                    _ => Deed::Drawer,
                };
                self.at(at, Happening::Deed { till, deed });
            }
        }
        if chance(&mut self.day, 40) {
            let at = morning + Millis(self.day.random_range(0..OPEN.0));
            self.at(at, Happening::Office);
        }
    }

    /// A cashier acts, several times at once when the shop is full.
    pub fn deed(&mut self, till: usize, deed: Deed) -> Step {
        let times = match self.day.random_range(0..10) {
            0 => 4,
            1 | 2 => 2,
            _ => 1,
        };
        for _ in 0..times {
            let among = match chance(&mut self.day, 60) {
                true => self.members.len().min(REGULARS),
                false => self.members.len(),
            };
            let member = self.members[self.day.random_range(0..among)];
            let facts = self.tills[till].act(deed, member)?;
            self.deeds += facts.len() as u64;
            facts.into_iter().for_each(|fact| self.oracle.did(fact));
            if self.tills[till].has_died() {
                return self.till_down(till, Millis::minutes(1));
            }
            if self.tills[till].running.is_none() {
                return Ok(());
            }
            self.check_shown(till)?;
        }
        self.poll(till)
    }

    /// Head office registers a member or changes the rules.
    pub fn office_acts(&mut self) -> Step {
        let Some(ledger) = self.authority.ledger() else {
            return Ok(());
        };
        let tenant = self.authority.tenant();
        let Some(newest) = ledger.policies(tenant)?.pop() else {
            return Ok(());
        };
        let now = self.now();
        let operations = match self.day.random_range(0..100) {
            0..25 => vec![self.office.new_rules(&newest, now)],
            25..35 => {
                let till = self.seats[self.day.random_range(0..self.seats.len())];
                let device = self.tills[till].identity.device;
                self.office
                    .lose(&self.oracle.books.leases.held_by(device), now)
            }
            _ => self.office.register(&newest, now),
        };
        if operations.is_empty() {
            return Ok(());
        }
        let (_, turned) = self.authority.say(operations)?;
        self.take(turned)?;
        self.members = self.oracle.books.owed.keys().copied().collect();
        Ok(())
    }

    /// Makes everything well and waits until nobody has anything to tell anybody.
    pub fn come_together(&mut self) -> Step {
        self.heal()?;
        let latest = self.now() + HEALED_WITHIN;
        let is_together = self.run_until(latest, World::is_together)?;
        must(is_together, Invariant::Converges, || self.who_is_apart())
    }

    fn is_together(&self) -> bool {
        self.authority.is_up()
            && !self.turn_is_due
            && self.tills.iter().all(|till| self.has_come(till))
            && self
                .tills
                .iter()
                .all(|till| till.retired || self.has_handed_over(till))
    }

    /// Whether a terminal is where it belongs: at the server's head, or stopped as forked.
    fn has_come(&self, till: &Till) -> bool {
        till.retired || till.is_settled(self.mark()) || till.doubtful && till.is_stopped()
    }

    fn who_is_apart(&self) -> String {
        let apart = self.tills.iter().find(|till| !self.has_come(till));
        apart.map_or_else(
            || "the server does not come up".to_owned(),
            |till| {
                let status = till.running.as_ref().map(|running| running.handle.status());
                let (device, position) = (till.identity.device, till.position());
                format!("{device}: {status:?}, {position:?}, log at {}", self.head)
            },
        )
    }

    /// Terminals whose disk was copied or set back are not used any more.
    fn replace_doubtful(&mut self) -> Step {
        let mut lost = Vec::new();
        for seat in 0..self.seats.len() {
            if self.tills[self.seats[seat]].doubtful {
                let fresh = self.enrol()?;
                self.seats[seat] = fresh;
            }
        }
        for till in 0..self.tills.len() {
            if self.tills[till].doubtful && !self.tills[till].retired {
                self.tills[till].stop();
                self.hang_up(till);
                self.tills[till].retired = true;
                let device = self.tills[till].identity.device;
                lost.extend(self.oracle.books.leases.held_by(device));
            }
        }
        lost.sort_unstable();
        lost.dedup();
        let lost = self.office.lose(&lost, self.now());
        if lost.is_empty() {
            return Ok(());
        }
        let (_, turned) = self.authority.say(lost)?;
        self.take(turned)
    }
}
