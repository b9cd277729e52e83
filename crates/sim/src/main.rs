//! `qiantai-sim`: one seed, many seeds, or the planted bugs. Started by `cargo xtask simulate` and
//! `cargo xtask soak`.

mod shop_days;
mod workers;

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use qiantai_sim::{Bug, Plan, Report, Violation, run, shrink};

use workers::side_by_side;

/// Runs while a failing plan is made smaller.
const SHRINK_RUNS: u32 = 60;

/// After so many runs a soak says how far it is.
const TOLD_EVERY: u64 = 100;

/// Days in a year.
const YEAR: u64 = 365;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Terminals, server and network in virtual time, under a seed.
#[derive(Debug, Parser)]
struct Command {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Run one seed.
    Simulate(Simulate),
    /// Run many seeds on every core for a time.
    Soak(Soak),
    /// Run shop days of payments under one seed.
    Payments(shop_days::Payments),
    /// Run many shop days of payments, seed after seed, on every core.
    SoakPayments(shop_days::SoakPayments),
    /// Print the table of rates of docs/simulation.md.
    Rates,
    /// Plant each bug in turn, or those of these names, and print the table of
    /// docs/simulation.md.
    Bugs {
        /// Only these.
        only: Vec<Bug>,
    },
}

#[derive(Debug, Args)]
struct Simulate {
    /// Of every die.
    #[arg(long)]
    seed: u64,
    /// Days of virtual time.
    #[arg(long, default_value_t = 30)]
    days: u32,
    /// Terminals of the store.
    #[arg(long, default_value_t = 3)]
    terminals: usize,
    /// Only these faults of the seed's plan, by number; `none` for none.
    #[arg(long, value_delimiter = ',')]
    faults: Option<Vec<String>>,
    /// Plant this bug.
    #[arg(long)]
    bug: Option<Bug>,
    /// Do not look for a smaller run that fails too.
    #[arg(long)]
    no_shrink: bool,
}

#[derive(Debug, Args)]
struct Soak {
    /// How long, in minutes.
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// First seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs at one time; all cores by default.
    #[arg(long)]
    jobs: Option<usize>,
}

fn main() -> ExitCode {
    let outcome = match Command::parse().job {
        Job::Simulate(options) => simulate(&options),
        Job::Soak(options) => soak(&options),
        Job::Payments(options) => shop_days::payments(&options),
        Job::SoakPayments(options) => shop_days::soak(&options),
        Job::Rates => rates(),
        Job::Bugs { only } => bugs(&only),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nothing is left to tell it to when even this fails.
            let _untold = writeln!(io::stderr(), "the simulator cannot go on: {error}");
            ExitCode::from(2)
        }
    }
}

fn plan_of(options: &Simulate) -> Result<Plan, Failed> {
    let mut plan = Plan::of_seed(options.seed, options.days, options.terminals);
    if let Some(kept) = &options.faults {
        let named = kept.iter().filter(|text| *text != "none");
        let numbers = named
            .map(|text| text.parse())
            .collect::<Result<Vec<usize>, _>>()?;
        plan = plan.only(&numbers);
    }
    plan.bug = options.bug;
    Ok(plan)
}

fn simulate(options: &Simulate) -> Result<bool, Failed> {
    let plan = plan_of(options)?;
    let mut out = io::stdout().lock();
    let Plan {
        seed,
        days,
        terminals,
        ..
    } = &plan;
    writeln!(out, "seed {seed}, {days} days, {terminals} terminals")?;
    let report = run(&plan)?;
    write!(out, "{}", text_of(&report))?;
    let Some(violation) = report.violation else {
        writeln!(out, "no violation")?;
        return Ok(true);
    };
    writeln!(out, "VIOLATION: {violation}")?;
    if !options.no_shrink {
        out.flush()?;
        let (smaller, violation) = shrink(&plan, &violation, SHRINK_RUNS);
        writeln!(out, "smaller: {}", again(&smaller, &violation))?;
    }
    Ok(false)
}

fn text_of(report: &Report) -> String {
    let count: u64 = report.faults.values().sum();
    let kinds: Vec<String> = report
        .faults
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    format!(
        "faults injected: {count} ({})\noperations: {} ({} by cashiers), requests: {}\ndigest: {}\n",
        kinds.join(", "),
        report.operations,
        report.deeds,
        report.requests,
        report.digest,
    )
}

/// How to see the smaller failure again.
fn again(plan: &Plan, violation: &Violation) -> String {
    let kept: Vec<String> = plan
        .faults
        .iter()
        .map(|fault| fault.number.to_string())
        .collect();
    let kept = if kept.is_empty() {
        "none".to_owned()
    } else {
        kept.join(",")
    };
    let bug = plan
        .bug
        .map_or_else(String::new, |bug| format!(" --bug {}", bug.name()));
    let mut text = format!("{violation}\n");
    for fault in &plan.faults {
        text += &format!(
            "  fault {} at {}: {:?}\n",
            fault.number, fault.at, fault.misfortune
        );
    }
    let Plan {
        seed,
        days,
        terminals,
        ..
    } = plan;
    text + &format!(
        "again: cargo xtask simulate --seed {seed} --days {days} --terminals {terminals} \
         --faults {kept}{bug}"
    )
}

fn soak(options: &Soak) -> Result<bool, Failed> {
    let end = Instant::now() + Duration::from_secs(options.minutes * 60);
    let (next, is_failed) = (AtomicU64::new(options.seed), AtomicBool::new(false));
    let tally = Mutex::new(Tally::default());
    let work = || -> Result<(), Failed> {
        while Instant::now() < end && !is_failed.load(Ordering::SeqCst) {
            let plan = plan_of_soak(next.fetch_add(1, Ordering::SeqCst));
            let report = run(&plan)?;
            tally.lock().map_err(|_| "a run panicked")?.count(&report)?;
            if let Some(violation) = report.violation
                && !is_failed.swap(true, Ordering::SeqCst)
            {
                writeln!(io::stdout(), "VIOLATION\n{}", again(&plan, &violation))?;
                let (smaller, violation) = shrink(&plan, &violation, SHRINK_RUNS);
                writeln!(io::stdout(), "smaller:\n{}", again(&smaller, &violation))?;
            }
        }
        Ok(())
    };
    side_by_side(options.jobs, work)?;
    let tally = tally.into_inner().map_err(|_| "a run panicked")?;
    writeln!(io::stdout(), "{tally}")?;
    Ok(!is_failed.load(Ordering::SeqCst))
}

/// What a soak ran through.
#[derive(Default)]
struct Tally {
    days: u64,
    runs: u64,
    operations: u64,
    faults: u64,
}

impl Tally {
    /// A soak that is ended early has told how far it came.
    fn count(&mut self, report: &Report) -> io::Result<()> {
        self.days += report.terminal_days;
        self.runs += 1;
        self.operations += report.operations;
        self.faults += report.faults.values().sum::<u64>();
        match self.runs.is_multiple_of(TOLD_EVERY) {
            true => writeln!(io::stdout(), "so far {self}"),
            false => Ok(()),
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (years, tenths) = (self.days / YEAR, self.days % YEAR * 10 / YEAR);
        write!(
            f,
            "terminal-years: {years}.{tenths} in {} runs, {} operations, {} faults injected",
            self.runs, self.operations, self.faults
        )
    }
}

/// Seeds take turns at few and many terminals, short and long.
fn plan_of_soak(seed: u64) -> Plan {
    let terminals = [2, 3, 4];
    let days = [10, 20, 30];
    let pick =
        |choices: &[u32], by: u64| choices[usize::try_from(by).unwrap_or_default() % choices.len()];
    let count = usize::try_from(pick(&terminals, seed)).unwrap_or(2);
    Plan::of_seed(seed, pick(&days, seed / 3), count)
}

fn rates() -> Result<bool, Failed> {
    writeln!(io::stdout(), "{}", qiantai_sim::rate_table())?;
    Ok(true)
}

fn bugs(only: &[Bug]) -> Result<bool, Failed> {
    let mut out = io::stdout().lock();
    let mut all_caught = true;
    write!(out, "{}", qiantai_sim::TABLE_HEAD)?;
    let wanted = |bug: &&Bug| only.is_empty() || only.contains(bug);
    for bug in Bug::ALL.iter().filter(wanted) {
        match qiantai_sim::caught(*bug)? {
            Some(caught) => writeln!(out, "{caught}")?,
            None => {
                all_caught = false;
                writeln!(out, "NOT CAUGHT: {}", bug.name())?;
            }
        }
    }
    Ok(all_caught)
}
