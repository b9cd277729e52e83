//! `cargo xtask soak`: what takes hours to show. Terminals in virtual time over many seeds, shop
//! days of payments, processes that are killed, requests made up against the interface's document, and
//! the fuzz targets.

mod fuzz;
mod kills;

use clap::{Args, ValueEnum};

use crate::error::Error;
use crate::{interface, run, simulate};

/// What `soak` was asked to do.
#[derive(Debug, Args)]
pub struct Soak {
    /// Only these parts; by default all of them, one after another.
    #[arg(value_enum, value_name = "PART")]
    only: Vec<Part>,
    /// How long terminals are simulated, in minutes.
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// Shop days of payments.
    #[arg(long, default_value_t = 1_000)]
    days: u64,
    /// How long each fuzz target runs, in minutes.
    #[arg(long, default_value_t = 10)]
    fuzz_minutes: u64,
    /// Requests that are made up for each address of the interface.
    #[arg(long, default_value_t = 2_000)]
    examples: u64,
    /// Only this fuzz target; may be given several times.
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Rounds in which processes are killed, on each database.
    #[arg(long, default_value_t = 200)]
    rounds: u32,
    /// Kill only on these books (postgres, sqlite); may be given twice.
    #[arg(long, value_name = "BOOKS")]
    books: Vec<String>,
    /// First seed; the seeds after it follow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs at one time; as many as there are cores by default.
    #[arg(long)]
    jobs: Option<u64>,
}

/// What can be soaked by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Terminals, server and the network between them.
    Terminals,
    /// Payments by the gateways' own protocols.
    Payments,
    /// Real terminals and the real server, killed at any moment with their lines cut.
    Kills,
    /// The HTTP interface, against its document.
    Api,
    /// Readers of bytes from outside.
    Fuzz,
}

/// Does each part and prints its figures; the first violation or finding ends it.
///
/// # Errors
/// Where something does not build, or something that must hold does not.
pub fn soak(options: &Soak) -> Result<(), Error> {
    let wants = |part| options.only.is_empty() || options.only.contains(&part);
    if wants(Part::Terminals) {
        simulator(options, "soak", ("--minutes", options.minutes))?;
    }
    if wants(Part::Payments) {
        simulator(options, "soak-payments", ("--days", options.days))?;
    }
    if wants(Part::Kills) {
        kills::kills(options.rounds, options.seed, &options.books)?;
    }
    if wants(Part::Api) {
        interface::soak(options.examples, options.seed)?;
    }
    if wants(Part::Fuzz) {
        fuzz::fuzz(&options.target, options.fuzz_minutes)?;
    }
    Ok(())
}

fn simulator(options: &Soak, job: &str, extent: (&str, u64)) -> Result<(), Error> {
    let mut command = simulate::built()?;
    command.arg(job);
    let numbers = [
        (extent.0, Some(extent.1)),
        ("--seed", Some(options.seed)),
        ("--jobs", options.jobs),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            command.arg(name).arg(number.to_string());
        }
    }
    run::finish(job, &mut command)
}
