//! Days of payments: the server's engine and ledger against the gateways' own protocols, with
//! customers, cashiers and misfortunes by the rates of docs/simulation.md.

mod bank;
mod books;
pub mod bugs;
mod desk;
mod people;
mod rates;
mod screen;
mod street;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use rates::table as rate_table;

use crate::bug::Bug;
use crate::halt::{Halt, Invariant, Violation};
use crate::run::{disk, words};
use crate::time::START;
use street::Street;

/// A run of shop days.
#[derive(Clone, Debug)]
pub struct PaymentPlan {
    /// Of every die.
    pub seed: u64,
    /// Days of virtual time.
    pub days: u32,
    /// Members who come to top up, a day.
    pub visits: u32,
    /// A bug to plant.
    pub bug: Option<Bug>,
}

/// What a run brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentReport {
    /// Days lived.
    pub days: u64,
    /// Orders opened.
    pub orders: u64,
    /// Attempts begun.
    pub attempts: u64,
    /// Calls to gateways.
    pub calls: u64,
    /// How orders ended, as of the last audit.
    pub ends: BTreeMap<&'static str, u64>,
    /// What happened, by name.
    pub happened: BTreeMap<&'static str, u64>,
    /// SHA-256 of what became of orders and attempts; empty when the run was cut short.
    pub digest: String,
    /// What should have held.
    pub violation: Option<Violation>,
}

/// Runs `plan`.
///
/// # Errors
/// The simulator itself cannot go on, for example for lack of room.
pub fn run_payments(
    plan: &PaymentPlan,
) -> Result<PaymentReport, Box<dyn std::error::Error + Send + Sync>> {
    let folder = tempfile::Builder::new()
        .prefix("qiantai-sim")
        .tempdir_in(disk())?;
    let mut street = None;
    let lived = catch_unwind(AssertUnwindSafe(|| {
        street.insert(Street::open(plan, folder.path())?).live()
    }));
    let mut report = street.as_ref().map(Street::report).unwrap_or_default();
    let at = street.as_ref().map_or(START, Street::now);
    let violation = match lived {
        Ok(Ok(())) => None,
        Ok(Err(Halt::Violated(invariant, detail))) => Some((invariant, detail)),
        // A planted bug may break the product in ways that only show as errors.
        Ok(Err(Halt::Broken(error))) if plan.bug.is_some() => {
            Some((Invariant::KeepsWorking, error.to_string()))
        }
        Ok(Err(Halt::Broken(error))) => return Err(error),
        Err(panic) => Some((Invariant::KeepsWorking, words(panic.as_ref()))),
    };
    report.violation = violation.map(|(invariant, detail)| Violation {
        invariant,
        at,
        detail,
    });
    Ok(report)
}
