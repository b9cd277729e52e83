//! `cargo xtask simulate`: one seed of the simulation of docs/simulation.md.

use std::process::Command;

use clap::Args;

use crate::child::{self, cargo};
use crate::error::Error;
use crate::{run, say, tree};

const BUILD: [&str; 4] = ["build", "--release", "--package", "qiantai-sim"];

/// What `simulate` was asked to do.
#[derive(Debug, Args)]
pub struct Simulate {
    /// Of every die; the same seed gives the same run and the same digest.
    #[arg(long)]
    seed: u64,
    /// Days of virtual time.
    #[arg(long, default_value_t = 30)]
    days: u32,
    /// Terminals of the store.
    #[arg(long, default_value_t = 3)]
    terminals: u32,
    /// Only these faults of the seed's plan, by number, or `none`.
    #[arg(long)]
    faults: Option<String>,
    /// Plant this bug, to see it caught.
    #[arg(long)]
    bug: Option<String>,
    /// Do not look for a smaller run that fails too.
    #[arg(long)]
    no_shrink: bool,
}

/// Simulates one seed; prints faults, operations, digest and any violation.
///
/// # Errors
/// Where it does not build, or something that must hold does not.
pub fn simulate(options: &Simulate) -> Result<(), Error> {
    let mut command = built()?;
    let numbers = [
        ("--seed", options.seed.to_string()),
        ("--days", options.days.to_string()),
        ("--terminals", options.terminals.to_string()),
    ];
    command.arg("simulate");
    for (name, value) in numbers {
        command.arg(name).arg(value);
    }
    for (name, value) in [("--faults", &options.faults), ("--bug", &options.bug)] {
        if let Some(value) = value {
            command.arg(name).arg(value);
        }
    }
    if options.no_shrink {
        command.arg("--no-shrink");
    }
    run::finish("simulate", &mut command)
}

/// The simulator, built for release.
///
/// # Errors
/// Where it does not build.
pub fn built() -> Result<Command, Error> {
    say::line("Building the simulator for release");
    child::run("simulator build", &mut cargo(&BUILD))?;
    Ok(Command::new(tree::built("release", "qiantai-sim")?))
}
