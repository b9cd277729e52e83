//! Why a run ends before its time.

use std::error::Error;
use std::fmt;

use qiantai_core::Timestamp;

/// What must hold (docs: simulation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invariant {
    /// Every debit has its credit, and cash in hand equals drawers, members and suspense.
    MoneyConserved,
    /// What was done once is posted once.
    PostedOnce,
    /// What the cashier saw done, or the server acknowledged, is in the books.
    NothingLost,
    /// Device chains and the tenant's chain have no gap, and their hashes fit.
    ChainsGapless,
    /// No lot, balance or sum is below the floor.
    FloorKept,
    /// Bonus and tier are what the rules give.
    PromiseKept,
    /// Replaying the log gives the same digest.
    ReplayIdentical,
    /// Every terminal has the server's rows once the network heals.
    Converges,
    /// What a terminal shows counts each own operation exactly once, at every step.
    OverlayExact,
    /// The server doubts no device without reason, and every forked one.
    ForksFound,
    /// Nobody is charged again while an earlier charge of the order can still be paid.
    OneCharge,
    /// What gateways keep for the shop is what the ledger says, to the fen.
    GatewayAgrees,
    /// Every order ends credited once, unpaid, with its money sent back, or in an open case.
    OrdersEnd,
    /// What leases hold is frozen, to the fen, so that leases and available are the balance.
    LeasesHeld,
    /// No terminal draws on a lease more than it was granted, nor on one that is not its own.
    LeasesKept,
    /// Nothing panics or fails in a way that nobody planned.
    KeepsWorking,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Invariant::MoneyConserved => "money is conserved",
            Invariant::PostedOnce => "each operation posts once",
            Invariant::NothingLost => "nothing is lost",
            Invariant::ChainsGapless => "chains are gapless",
            Invariant::FloorKept => "nothing is below the floor",
            Invariant::PromiseKept => "bonus and tier are as promised",
            Invariant::ReplayIdentical => "replay gives the same digest",
            Invariant::Converges => "every terminal converges",
            Invariant::OverlayExact => "the overlay counts once",
            Invariant::ForksFound => "forks are found, and only forks",
            Invariant::OneCharge => "one charge at a time",
            Invariant::GatewayAgrees => "gateways and ledger agree",
            Invariant::OrdersEnd => "every order ends",
            Invariant::LeasesHeld => "leases and available are the balance",
            Invariant::LeasesKept => "no lease is spent twice",
            Invariant::KeepsWorking => "everything keeps working",
        })
    }
}

/// Something that must hold did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What should have held.
    pub invariant: Invariant,
    /// When it was found, in true time.
    pub at: Timestamp,
    /// What was found.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.invariant, self.at, self.detail)
    }
}

/// Why a step of a run ended it.
#[derive(Debug)]
pub enum Halt {
    /// What must hold did not: its time is filled in where the run ends.
    Violated(Invariant, String),
    /// The simulator itself cannot go on.
    Broken(Box<dyn Error + Send + Sync>),
}

impl<E: Error + Send + Sync + 'static> From<E> for Halt {
    fn from(error: E) -> Halt {
        Halt::Broken(Box::new(error))
    }
}

/// The outcome of a step.
pub type Step<T = ()> = Result<T, Halt>;

/// Ends the run unless `holds`.
pub fn must(holds: bool, invariant: Invariant, detail: impl FnOnce() -> String) -> Step {
    match holds {
        true => Ok(()),
        false => Err(Halt::Violated(invariant, detail())),
    }
}
