//! `qiantai-sim payments` and `soak-payments`: shop days of payments, one seed or many.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use clap::Args;
use qiantai_sim::{Bug, PaymentPlan, PaymentReport, run_payments};

use crate::Failed;
use crate::workers::side_by_side;

/// Days of one run: the longer the books, the slower every day.
const DAYS_OF_A_RUN: u32 = 10;

/// Members who come to top up, a day.
const VISITS: u32 = 12;

/// One seed.
#[derive(Debug, Args)]
pub struct Payments {
    /// Of every die.
    #[arg(long)]
    seed: u64,
    /// Days of virtual time.
    #[arg(long, default_value_t = DAYS_OF_A_RUN)]
    days: u32,
    /// Members who come to top up, a day.
    #[arg(long, default_value_t = VISITS)]
    visits: u32,
    /// Plant this bug.
    #[arg(long)]
    bug: Option<Bug>,
}

/// Many seeds.
#[derive(Debug, Args)]
pub struct SoakPayments {
    /// Shop days in all.
    #[arg(long, default_value_t = 1_000)]
    days: u64,
    /// First seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs at one time; all cores by default.
    #[arg(long)]
    jobs: Option<usize>,
}

/// Runs one seed.
pub fn payments(options: &Payments) -> Result<bool, Failed> {
    let plan = PaymentPlan {
        seed: options.seed,
        days: options.days,
        visits: options.visits,
        bug: options.bug,
    };
    let report = run_payments(&plan)?;
    let mut out = io::stdout().lock();
    write!(out, "{}", text_of(&report))?;
    writeln!(out, "digest: {}", report.digest)?;
    match &report.violation {
        None => writeln!(out, "no violation")?,
        Some(violation) => writeln!(out, "VIOLATION: {violation}")?,
    }
    Ok(report.violation.is_none())
}

/// Runs seed after seed until so many days are lived; the first violation ends it.
pub fn soak(options: &SoakPayments) -> Result<bool, Failed> {
    let (began, runs) = (
        Instant::now(),
        options.days.div_ceil(u64::from(DAYS_OF_A_RUN)),
    );
    let (next, is_failed) = (AtomicU64::new(0), AtomicBool::new(false));
    let sum = Mutex::new(PaymentReport::default());
    let work = || -> Result<(), Failed> {
        loop {
            let number = next.fetch_add(1, Ordering::SeqCst);
            if number >= runs || is_failed.load(Ordering::SeqCst) {
                return Ok(());
            }
            let plan = PaymentPlan {
                seed: options.seed + number,
                days: DAYS_OF_A_RUN,
                visits: VISITS,
                bug: None,
            };
            let report = run_payments(&plan)?;
            if let Some(violation) = &report.violation {
                is_failed.store(true, Ordering::SeqCst);
                writeln!(
                    io::stdout(),
                    "VIOLATION: {violation}\nagain: cargo run --package qiantai-sim -- payments \
                     --seed {} --days {DAYS_OF_A_RUN}",
                    plan.seed
                )?;
            }
            let mut sum = sum.lock().map_err(|_| "a run panicked")?;
            add(&mut sum, &report);
            let lived = sum.days;
            drop(sum);
            if lived.is_multiple_of(100) {
                let seconds = began.elapsed().as_secs();
                writeln!(io::stdout(), "{lived} shop days in {seconds} s")?;
            }
        }
    };
    side_by_side(options.jobs, work)?;
    let sum = sum.into_inner().map_err(|_| "a run panicked")?;
    write!(io::stdout(), "{}", text_of(&sum))?;
    Ok(!is_failed.load(Ordering::SeqCst))
}

fn add(sum: &mut PaymentReport, report: &PaymentReport) {
    sum.days += report.days;
    sum.orders += report.orders;
    sum.attempts += report.attempts;
    sum.calls += report.calls;
    for (all, one) in [
        (&mut sum.ends, &report.ends),
        (&mut sum.happened, &report.happened),
    ] {
        for (name, count) in one {
            *all.entry(name).or_default() += count;
        }
    }
}

fn text_of(report: &PaymentReport) -> String {
    let list = |counts: &BTreeMap<&'static str, u64>| {
        let lines = counts
            .iter()
            .map(|(name, count)| format!("  {count:>7} {name}\n"));
        lines.collect::<String>()
    };
    format!(
        "{} shop days, {} orders, {} attempts, {} calls to gateways\nhow orders ended:\n{}what \
         happened:\n{}",
        report.days,
        report.orders,
        report.attempts,
        report.calls,
        list(&report.ends),
        list(&report.happened)
    )
}
