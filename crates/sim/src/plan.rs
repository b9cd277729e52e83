//! What will go wrong, decided before the run begins, so that a part of it can be left out.

use qiantai_core::risk_floor::RiskFloor;
use qiantai_core::{Millis, Money, Timestamp};
use rand::RngExt;

use crate::bug::Bug;
use crate::dice::{Dice, dice};
use crate::run::AUDIT_EVERY;
use crate::time::START;
use crate::trap::Side;

/// Every so many seeds the shop has a risk floor.
const FLOOR_EVERY: u64 = 4;

/// Tight enough that every cap of it is met within a day.
const FLOOR: RiskFloor = RiskFloor {
    per_transaction: Money::from_yuan(120),
    per_member_day: Money::from_yuan(150),
    per_device: Money::from_yuan(300),
    count: 5,
    hours: 12,
};

/// Every so many seeds backups are restored.
const RESTORED_EVERY: u64 = 5;

/// A run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Of every die.
    pub seed: u64,
    /// Days of virtual time.
    pub days: u32,
    /// Terminals of the store.
    pub terminals: usize,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What terminals may take beyond their leases without a manager.
    pub floor: RiskFloor,
    /// A bug to plant.
    pub bug: Option<Bug>,
}

/// Something that goes wrong at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its number in the seed's full plan.
    pub number: usize,
    /// When.
    pub at: Timestamp,
    /// For how long, where that means anything.
    pub span: Millis,
    /// What.
    pub misfortune: Misfortune,
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfortune {
    /// The line of a terminal loses, doubles, delays and reorders.
    Storm {
        /// Which terminal.
        till: usize,
        /// Messages lost, in percent.
        loss: u32,
        /// Messages delivered twice, in percent.
        double: u32,
        /// Longest delay.
        delay: Millis,
    },
    /// The line of a terminal is cut.
    Cut {
        /// Which terminal.
        till: usize,
    },
    /// Live events of a terminal break; calls go on.
    Deaf {
        /// Which terminal.
        till: usize,
    },
    /// A terminal dies at one of its next writes and starts again later.
    TillDies {
        /// Which terminal.
        till: usize,
        /// At which write from now.
        writes: u32,
        /// Before or after it.
        side: Side,
    },
    /// The server dies at one of its next writes and starts again later.
    ServerDies {
        /// At which write from now.
        writes: u32,
        /// Before or after it.
        side: Side,
    },
    /// The clock of a terminal is set.
    TillClock {
        /// Which terminal.
        till: usize,
        /// How far off it is then.
        off: Millis,
    },
    /// The clock of the server is set.
    ServerClock {
        /// How far off it is then.
        off: Millis,
    },
    /// The disk of a terminal is full.
    TillDiskFull {
        /// Which terminal.
        till: usize,
    },
    /// The disk of the server is full.
    ServerDiskFull,
    /// The disk of a terminal is copied, and both go on.
    Cloned {
        /// Which terminal.
        till: usize,
    },
    /// The disk of a terminal is set back to a copy made at the beginning of the span.
    RolledBack {
        /// Which terminal.
        till: usize,
    },
    /// The disk of the server is lost, and a backup restored that was made at the beginning of the
    /// span.
    Restored {
        /// Whether a terminal joins in between.
        joins: bool,
    },
}

impl Misfortune {
    /// The place at the counter that it hits, if it hits one.
    pub fn seat(&self) -> Option<usize> {
        match self {
            Misfortune::Storm { till, .. }
            | Misfortune::Cut { till }
            | Misfortune::Deaf { till }
            | Misfortune::TillDies { till, .. }
            | Misfortune::TillClock { till, .. }
            | Misfortune::TillDiskFull { till }
            | Misfortune::Cloned { till }
            | Misfortune::RolledBack { till } => Some(*till),
            Misfortune::ServerDies { .. }
            | Misfortune::ServerClock { .. }
            | Misfortune::ServerDiskFull
            | Misfortune::Restored { .. } => None,
        }
    }

    /// One word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Misfortune::Storm { .. } => "storm",
            Misfortune::Cut { .. } => "cut",
            Misfortune::Deaf { .. } => "deaf",
            Misfortune::TillDies { .. } => "terminal crash",
            Misfortune::ServerDies { .. } => "server crash",
            Misfortune::TillClock { .. } => "terminal clock",
            Misfortune::ServerClock { .. } => "server clock",
            Misfortune::TillDiskFull { .. } => "terminal disk full",
            Misfortune::ServerDiskFull => "server disk full",
            Misfortune::Cloned { .. } => "cloned disk",
            Misfortune::RolledBack { .. } => "rolled-back disk",
            Misfortune::Restored { .. } => "restored backup",
        }
    }
}

impl Plan {
    /// The full plan of a seed.
    pub fn of_seed(seed: u64, days: u32, terminals: usize) -> Plan {
        let mut faults = Vec::new();
        for day in 0..days {
            for till in 0..terminals {
                let mut dice = dice(
                    seed,
                    "faults of a terminal",
                    u64::from(day) << 8 | till as u64,
                );
                for _ in 0..dice.random_range(0..3) {
                    let misfortune = of_till(&mut dice, till);
                    faults.push(fault(&mut dice, day, misfortune));
                }
            }
            let mut dice = dice(seed, "faults of the server", u64::from(day));
            for _ in 0..dice.random_range(0..2) {
                let misfortune = of_server(&mut dice);
                faults.push(fault(&mut dice, day, misfortune));
            }
        }
        // The last ones: where none is, the others have their numbers and dice all the same.
        faults.extend(restorations(seed, days));
        for (number, fault) in faults.iter_mut().enumerate() {
            fault.number = number;
        }
        Plan {
            seed,
            days,
            terminals,
            faults,
            floor: match seed % FLOOR_EVERY {
                0 => FLOOR,
                _ => RiskFloor::default(),
            },
            bug: None,
        }
    }

    /// Only the faults with these numbers.
    #[must_use]
    pub fn only(mut self, numbers: &[usize]) -> Plan {
        self.faults.retain(|fault| numbers.contains(&fault.number));
        self
    }
}

/// At most one between two audits: a terminal that is put away after an audit has told everything to
/// the books that every later backup is made of.
fn restorations(seed: u64, days: u32) -> Vec<Fault> {
    if !seed.is_multiple_of(RESTORED_EVERY) {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for first in (0..days).step_by(AUDIT_EVERY as usize) {
        let mut dice = dice(seed, "restored backups", u64::from(first));
        let last = (first + AUDIT_EVERY).min(days) - 1;
        let (made, lost) = (
            dice.random_range(first..=last),
            dice.random_range(first..=last),
        );
        let moment = |dice: &mut Dice, day: u32| {
            START + Millis::days(i64::from(day)) + Millis(dice.random_range(0..OPEN.0))
        };
        let (one, other) = (moment(&mut dice, made), moment(&mut dice, lost));
        faults.push(Fault {
            number: 0,
            at: one.min(other),
            span: one.max(other) - one.min(other),
            misfortune: Misfortune::Restored {
                joins: dice.random_range(0..2) == 0,
            },
        });
    }
    faults
}

fn fault(dice: &mut Dice, day: u32, misfortune: Misfortune) -> Fault {
    let at = START + Millis::days(i64::from(day)) + Millis(dice.random_range(0..OPEN.0));
    let span = match dice.random_range(0..10) {
        // Now and then an outage runs over the night.
        0 => Millis::hours(dice.random_range(10..40)),
        1..4 => Millis::minutes(dice.random_range(30..240)),
        _ => Millis::seconds(dice.random_range(5..900)),
    };
    Fault {
        number: 0,
        at,
        span,
        misfortune,
    }
}

/// How long the shop is open.
pub const OPEN: Millis = Millis::hours(13);

fn of_till(dice: &mut Dice, till: usize) -> Misfortune {
    match dice.random_range(0..100) {
        0..25 => Misfortune::Storm {
            till,
            loss: dice.random_range(0..60),
            double: dice.random_range(0..60),
            delay: Millis::seconds(dice.random_range(1..45)),
        },
        25..45 => Misfortune::Cut { till },
        45..52 => Misfortune::Deaf { till },
        52..78 => Misfortune::TillDies {
            till,
            writes: dice.random_range(1..6),
            side: side(dice),
        },
        78..86 => Misfortune::TillClock {
            till,
            off: clock(dice),
        },
        86..94 => Misfortune::TillDiskFull { till },
        94..97 => Misfortune::Cloned { till },
        _ => Misfortune::RolledBack { till },
    }
}

fn of_server(dice: &mut Dice) -> Misfortune {
    match dice.random_range(0..100) {
        0..70 => Misfortune::ServerDies {
            writes: dice.random_range(1..6),
            side: side(dice),
        },
        70..85 => Misfortune::ServerClock { off: clock(dice) },
        _ => Misfortune::ServerDiskFull,
    }
}

fn side(dice: &mut Dice) -> Side {
    match dice.random_range(0..2) {
        0 => Side::Before,
        _ => Side::After,
    }
}

/// Right again, a little off, a day off, in 1970, in 2099.
fn clock(dice: &mut Dice) -> Millis {
    match dice.random_range(0..6) {
        0 => Millis(0),
        1 | 2 => Millis::seconds(dice.random_range(-600..600)),
        3 => Millis::hours(dice.random_range(-48..48)),
        4 => Timestamp::from_ms(0) - START,
        _ => Millis::days(365 * 73),
    }
}
