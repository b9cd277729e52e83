//! `cargo xtask soak`: the simulation over many seeds, on every core, for a given time.

use clap::Args;

use crate::error::Error;
use crate::{run, simulate};

/// What `soak` was asked to do.
#[derive(Debug, Args)]
pub struct Soak {
    /// How long, in minutes.
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// First seed; the seeds after it follow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs at one time; as many as there are cores by default.
    #[arg(long)]
    jobs: Option<u64>,
}

/// Simulates seed after seed and prints the terminal-years in total; the first violation ends it.
///
/// # Errors
/// Where it does not build, or something that must hold does not.
pub fn soak(options: &Soak) -> Result<(), Error> {
    let mut command = simulate::built()?;
    command.arg("soak");
    let numbers = [
        ("--minutes", Some(options.minutes)),
        ("--seed", Some(options.seed)),
        ("--jobs", options.jobs),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            command.arg(name).arg(number.to_string());
        }
    }
    run::finish("soak", &mut command)
}
