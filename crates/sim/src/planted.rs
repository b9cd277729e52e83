//! Which bug is caught by what: the table of docs/simulation.md.

use crate::bug::Bug;
use crate::payments::{PaymentPlan, run_payments};
use crate::plan::Plan;
use crate::run::run;

/// The head of the table.
pub const TABLE_HEAD: &str = "\
| Bug | Planted in | What goes wrong | Caught as | Seed |
|---|---|---|---|---|
";

/// Seeds tried for each bug.
const SEEDS: u64 = 8;

/// Days of a try.
const DAYS: u32 = 3;

/// Terminals of a try.
const TERMINALS: usize = 3;

/// Members who come to top up on each day of a try, where payments are tried.
const VISITS: u32 = 12;

/// The simulator itself could not go on.
type Failed = Box<dyn std::error::Error + Send + Sync>;

/// The line of the table for `bug`, by the first seed that catches it; `None` when none does.
///
/// # Errors
/// The simulator itself cannot go on.
pub fn caught(bug: Bug) -> Result<Option<String>, Failed> {
    for seed in 1..=SEEDS {
        if let Some(line) = caught_by(bug, seed)? {
            return Ok(Some(line));
        }
    }
    Ok(None)
}

/// The line of the table for `bug` when `seed` catches it.
///
/// # Errors
/// The simulator itself cannot go on.
pub fn caught_by(bug: Bug, seed: u64) -> Result<Option<String>, Failed> {
    let violation = match bug.is_of_payments() {
        true => {
            let plan = PaymentPlan {
                seed,
                days: DAYS,
                visits: VISITS,
                bug: Some(bug),
            };
            run_payments(&plan)?.violation
        }
        false => {
            let mut plan = Plan::of_seed(seed, DAYS, TERMINALS);
            plan.bug = Some(bug);
            run(&plan)?.violation
        }
    };
    Ok(violation.map(|violation| {
        let (name, place, what) = (bug.name(), bug.place(), bug.what());
        format!(
            "| `{name}` | {place} | {what} | {} | {seed} |",
            violation.invariant
        )
    }))
}
