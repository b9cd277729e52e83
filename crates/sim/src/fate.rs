//! Misfortunes, and how things are made well again.

use qiantai_core::Millis;
use rand::RngExt;

use crate::halt::{Invariant, Step, must};
use crate::plan::Misfortune;
use crate::sale::Deed;
use crate::world::{Happening, World};

/// Sales at a cloned disk and at the one it was cloned from.
const DEEDS_OF_CLONES: i64 = 3;

impl World {
    /// A fault begins.
    pub fn begin(&mut self, index: usize) -> Step {
        let fault = self.plan.faults[index].clone();
        if self.healing {
            return Ok(());
        }
        *self.injected.entry(fault.misfortune.name()).or_default() += 1;
        self.active.insert(index);
        self.after(fault.span, Happening::Ends(index));
        let seat = |till: usize| self.seats[till];
        match fault.misfortune {
            Misfortune::Storm { .. } => Ok(()),
            Misfortune::Cut { till } | Misfortune::Deaf { till } => {
                let hit = seat(till);
                self.break_streams(|end| end.till == hit)
            }
            Misfortune::TillDies { till, writes, side } => {
                if let Some(running) = &self.tills[seat(till)].running {
                    running.log.trap.set(writes, side);
                }
                Ok(())
            }
            Misfortune::ServerDies { writes, side } => {
                if let Some(ledger) = self.authority.ledger() {
                    ledger.trap.set(writes, side);
                }
                Ok(())
            }
            Misfortune::TillClock { till, off } => {
                self.tills[seat(till)].clock.set_off(off);
                Ok(())
            }
            Misfortune::ServerClock { off } => {
                self.authority.clock.set_off(off);
                Ok(())
            }
            Misfortune::TillDiskFull { till } => {
                let till = seat(till);
                self.tills[till].fill_disk(true)
            }
            Misfortune::ServerDiskFull => self.authority.fill_disk(true),
            Misfortune::Cloned { till } => self.clone_disk(seat(till), fault.span),
            Misfortune::RolledBack { till } => self.copy_disk(index, seat(till)),
            Misfortune::Restored { joins } => self.back_up(index, joins),
        }
    }

    /// A fault ends.
    pub fn end(&mut self, index: usize) -> Step {
        if !self.active.remove(&index) {
            return Ok(());
        }
        match self.plan.faults[index].misfortune {
            Misfortune::TillDiskFull { till } => {
                let till = self.seats[till];
                self.tills[till].fill_disk(false)
            }
            Misfortune::ServerDiskFull => self.authority.fill_disk(false),
            Misfortune::RolledBack { till } => self.roll_back(index, till),
            Misfortune::Restored { .. } => self.restore(index),
            _ => Ok(()),
        }
    }

    fn clone_disk(&mut self, original: usize, span: Millis) -> Step {
        if self.tills[original].doubtful || self.tills[original].running.is_none() {
            return Ok(());
        }
        self.doubt(original)?;
        let copy = self.add_clone(original)?;
        for till in [original, copy] {
            for _ in 0..DEEDS_OF_CLONES {
                let later = Millis(self.day.random_range(0..span.0.max(1)));
                let deed = Deed::Cash;
                self.after(later, Happening::Deed { till, deed });
            }
        }
        Ok(())
    }

    fn copy_disk(&mut self, index: usize, till: usize) -> Step {
        if self.tills[till].doubtful || self.tills[till].running.is_none() {
            return Ok(());
        }
        let copy = self.tills[till].copy_disk()?;
        self.doubt(till)?;
        self.copies.insert(index, copy);
        Ok(())
    }

    /// The disk goes back to what it was when the fault began.
    fn roll_back(&mut self, index: usize, seat: usize) -> Step {
        let Some(copy) = self.copies.remove(&index) else {
            return Ok(());
        };
        let till = self.seats[seat];
        self.tills[till].stop();
        self.tills[till].put_disk(&copy)?;
        self.till_up(till)?;
        let later = Millis::seconds(self.day.random_range(1..60));
        let deed = Deed::Cash;
        self.after(later, Happening::Deed { till, deed });
        Ok(())
    }

    /// From here on the device may be found forked.
    fn doubt(&mut self, till: usize) -> Step {
        let device = self.tills[till].identity.device;
        self.tills[till].doubtful = true;
        if let Some(running) = &self.tills[till].running {
            let head = running.store.log_head()?;
            self.oracle.doubtful.insert(device, head.device_seq);
        }
        Ok(())
    }

    /// A terminal is switched on.
    pub fn till_up(&mut self, till: usize) -> Step {
        let terminal = &mut self.tills[till];
        if terminal.running.is_some() || terminal.retired {
            return Ok(());
        }
        match terminal.start(self.plan.seed) {
            Ok(()) => {
                self.poll(till)?;
                self.check_shown(till)
            }
            // There is no room to open the store: somebody will make some.
            Err(_) if terminal.disk_full => {
                self.after(Millis::minutes(5), Happening::TillUp { till });
                Ok(())
            }
            Err(halt) => Err(halt),
        }
    }

    /// A terminal dies.
    pub fn till_down(&mut self, till: usize, span: Millis) -> Step {
        self.tills[till].die()?;
        self.hang_up(till);
        let more = Millis::seconds(self.day.random_range(0..600));
        let span = if self.healing {
            Millis::seconds(5)
        } else {
            Millis(span.0 + more.0)
        };
        self.after(span, Happening::TillUp { till });
        Ok(())
    }

    /// Forgets what a terminal that is off had under way; its requests may still arrive.
    pub fn hang_up(&mut self, till: usize) {
        let gone: Vec<u64> = self
            .streams
            .iter()
            .filter(|(_, end)| end.till == till)
            .map(|(stream, _)| *stream)
            .collect();
        for stream in gone {
            self.streams.remove(&stream);
            self.authority.close_stream(stream);
        }
    }

    /// The server is switched on.
    pub fn server_up(&mut self) -> Step {
        if self.authority.is_up() {
            return Ok(());
        }
        self.authority.start()?;
        let head = self.authority.head()?.map(|head| head.server_seq);
        let written = self.oracle.books.log.len() as u64;
        must(head == Some(written), Invariant::NothingLost, || {
            format!("after a crash the log ends at {head:?}, {written} were written")
        })?;
        self.after_restoration()
    }

    /// The server dies.
    pub fn server_down(&mut self, span: Millis) -> Step {
        self.head = self.oracle.books.log.len() as u64;
        self.turn_is_due = false;
        self.authority.die()?;
        self.break_streams(|_| true)?;
        let more = Millis::seconds(self.day.random_range(0..300));
        let span = if self.healing {
            Millis::seconds(5)
        } else {
            Millis(span.0 + more.0)
        };
        self.after(span, Happening::ServerUp);
        Ok(())
    }

    /// Ends every fault and switches everything on.
    pub fn heal(&mut self) -> Step {
        self.healing = true;
        let active: Vec<usize> = self.active.iter().copied().collect();
        active.into_iter().try_for_each(|index| self.end(index))?;
        self.server_up()?;
        if let Some(ledger) = self.authority.ledger() {
            ledger.trap.clear();
        }
        for till in 0..self.tills.len() {
            self.till_up(till)?;
            if let Some(running) = &self.tills[till].running {
                running.log.trap.clear();
            }
        }
        (0..self.tills.len()).try_for_each(|till| self.joins_again(till))
    }
}
