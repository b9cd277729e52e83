//! `cargo xtask bench`: what the product takes, as ratios against baselines of the same run.

use std::process::Command;

use crate::child::{self, cargo};
use crate::error::Error;
use crate::machine::{self, Need};
use crate::{Bench, pages, run, say, tree};

/// What is built, all in one profile so that the comparison is fair.
const BUILD: [&str; 16] = [
    "build",
    "--release",
    "--package",
    "qiantai",
    "--package",
    "qiantai-bench",
    "--package",
    "qiantai-server",
    "--bin",
    "qiantai",
    "--bin",
    "bench",
    "--bin",
    "qiantai-server",
    "--example",
    "empty_window",
];

/// What of it the ledger needs, which has no window.
const BUILD_LEDGER: [&str; 10] = [
    "build",
    "--release",
    "--package",
    "qiantai-bench",
    "--package",
    "qiantai-server",
    "--bin",
    "bench",
    "--bin",
    "qiantai-server",
];

/// The measurement of the ledger server, which needs neither window nor app.
const LEDGER: &str = "ledger";

/// Builds everything for release and measures it; figures go to `target/bench`.
///
/// # Errors
/// Where something is missing, does not build, or a measurement cannot be taken. A goal that is
/// missed is told and is no error: it may be the machine.
pub fn bench(options: &Bench) -> Result<(), Error> {
    let only: Vec<&String> = options.names.iter().chain(&options.only).collect();
    let has_window = only.is_empty() || only.iter().any(|name| *name != LEDGER);
    // PostgreSQL is among the needs of tests.
    machine::prepare(Need::Tests)?;
    if has_window {
        pages::build()?;
        pages::build_probe()?;
    }
    say::line("Building for release (many minutes the first time)");
    let build: &[&str] = if has_window { &BUILD } else { &BUILD_LEDGER };
    child::run("bench build", &mut cargo(build))?;
    let built = |name| tree::built("release", name);
    let mut bench = Command::new(built("bench")?);
    bench
        .arg("--server")
        .arg(built("qiantai-server")?)
        .arg("--out")
        .arg(tree::root().join("target/bench"));
    if has_window {
        bench
            .arg("--app")
            .arg(built("qiantai")?)
            .arg("--empty")
            .arg(built("examples/empty_window")?);
    }
    for name in only {
        bench.arg("--only").arg(name);
    }
    for books in &options.books {
        bench.arg("--books").arg(books);
    }
    if let Some(rows) = options.rows {
        bench.arg("--rows").arg(rows.to_string());
    }
    if let Some(earlier) = &options.against {
        bench.arg("--against").arg(earlier);
    }
    if options.quick {
        bench.arg("--quick");
    }
    run::finish("bench", &mut bench)
}
