//! `cargo xtask bench`: what the product takes, as ratios against baselines of the same run.

use std::process::Command;

use crate::child::{self, cargo};
use crate::error::Error;
use crate::machine::{self, Need};
use crate::{Bench, pages, run, say, tree};

/// What is built, all in one profile so that the comparison is fair.
const BUILD: [&str; 12] = [
    "build",
    "--release",
    "--package",
    "qiantai",
    "--package",
    "qiantai-bench",
    "--bin",
    "qiantai",
    "--bin",
    "bench",
    "--example",
    "empty_window",
];

/// Builds everything for release and measures it; figures go to `target/bench`.
///
/// # Errors
/// Where something is missing, does not build, or a measurement cannot be taken. A goal that is
/// missed is told and is no error: it may be the machine.
pub fn bench(options: &Bench) -> Result<(), Error> {
    machine::prepare(Need::Headless)?;
    pages::build()?;
    pages::build_probe()?;
    say::line("Building for release (many minutes the first time)");
    child::run("bench build", &mut cargo(&BUILD))?;
    let built = |name| tree::built("release", name);
    let mut bench = Command::new(built("bench")?);
    bench
        .arg("--app")
        .arg(built("qiantai")?)
        .arg("--empty")
        .arg(built("examples/empty_window")?)
        .arg("--out")
        .arg(tree::root().join("target/bench"));
    for name in &options.only {
        bench.arg("--only").arg(name);
    }
    if options.quick {
        bench.arg("--quick");
    }
    run::finish("bench", &mut bench)
}
