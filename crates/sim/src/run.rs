//! One run from its first morning to its last audit.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use crate::halt::{Halt, Invariant, Step, Violation};
use crate::plan::Plan;
use crate::world::World;

/// Days between two audits.
pub const AUDIT_EVERY: u32 = 3;

/// What a run brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Faults that began, by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Operations in the server's log.
    pub operations: u64,
    /// Of them, what cashiers did.
    pub deeds: u64,
    /// Requests carried.
    pub requests: u64,
    /// Days lived, over all terminals.
    pub terminal_days: u64,
    /// SHA-256 of what happened and where everything ended; empty when the run was cut short.
    pub digest: String,
    /// What should have held.
    pub violation: Option<Violation>,
}

/// Runs `plan`.
///
/// # Errors
/// The simulator itself cannot go on, for example for lack of room.
pub fn run(plan: &Plan) -> Result<Report, Box<dyn std::error::Error + Send + Sync>> {
    let folder = tempfile::Builder::new()
        .prefix("qiantai-sim")
        .tempdir_in(disk())?;
    let mut report = Report::default();
    let mut world = None;
    let lived = catch_unwind(AssertUnwindSafe(|| {
        let world = world.insert(World::new(plan.clone(), folder.path())?);
        live(world, &mut report)
    }));
    let now = world.as_ref().map_or(crate::time::START, World::now);
    if let Some(world) = &world {
        report.faults.clone_from(&world.injected);
        report.operations = world.oracle.books.log.len() as u64;
        report.deeds = world.deeds;
        report.requests = world.carried;
    }
    let violation = |invariant, detail| Violation {
        invariant,
        at: now,
        detail,
    };
    match lived {
        Ok(Ok(())) => {}
        Ok(Err(Halt::Violated(invariant, detail))) => {
            report.violation = Some(violation(invariant, detail));
        }
        // A planted bug may break the product in ways that only show as errors.
        Ok(Err(Halt::Broken(error))) if plan.bug.is_some() => {
            report.violation = Some(violation(Invariant::KeepsWorking, error.to_string()));
        }
        Ok(Err(Halt::Broken(error))) => return Err(error),
        Err(panic) => {
            report.violation = Some(violation(Invariant::KeepsWorking, words(panic.as_ref())));
        }
    }
    Ok(report)
}

fn live(world: &mut World, report: &mut Report) -> Step {
    for today in 0..world.plan.days {
        let is_last = today + 1 == world.plan.days;
        let audit = is_last || today % AUDIT_EVERY == AUDIT_EVERY - 1;
        world.live_a_day(today, audit)?;
        report.terminal_days += world.plan.terminals as u64;
    }
    report.digest = world.digest()?;
    Ok(())
}

/// Memory where the system offers it as a disk: nothing here must survive a power cut of the
/// machine that simulates.
pub fn disk() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    }
}

/// What a panic said.
pub fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_default())
}
