//! The project's own commands. `cargo xtask run` and `cargo xtask test` are the two of the README;
//! the others are parts of these, for people who are in the middle of something.

mod abilities;
mod advisories;
mod bench;
mod child;
mod codegen;
mod error;
mod interface;
mod licences;
mod machine;
mod pages;
mod peers;
mod python;
mod run;
mod say;
mod screens;
mod simulate;
mod slips;
mod soak;
mod stages;
mod test;
mod tidy;
mod tree;
mod unsteady;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::error::Error;

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Command {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Install what is missing, build, and open the app in training mode.
    ///
    /// Without a display, or with --headless, do the job itself on a virtual one: drive a top-up by
    /// QR code and one by cash through the real window and keep what they leave behind.
    Run(Run),
    /// Install what is missing, build, and run every check and test.
    Test(Test),
    /// Take a picture of every screen and state of the window in every language, theme and size of
    /// type; fail where one of them breaks a rule of accessibility or does not fit.
    Screens {
        /// Where the pictures go, a folder for each look, with index.html beside them.
        #[arg(long, value_name = "DIR", default_value = "target/screens")]
        out: PathBuf,
    },
    /// Measure start, memory, keys, search, cash, settling, receipts and the ledger server against
    /// baselines of the same run.
    Bench(Bench),
    /// Run terminals, server and network in virtual time under a seed, with everything that can go
    /// wrong; docs/simulation.md says what must hold.
    Simulate(simulate::Simulate),
    /// Simulate seed after seed for a time and count the terminal-years.
    Soak(soak::Soak),
    /// Let independent kits of WeChat Pay, Alipay and EMVCo speak with the simulated gateways and
    /// judge what our own client sends; installs them into target/peers.
    Peers,
    /// Check the rules of the house that no compiler knows.
    Tidy,
    /// Check the licences of every dependency.
    Licences,
    /// Check security advisories against the crates we build on, where they can be reached.
    Advisories,
    /// Write what is generated from the Rust code: the window's types and the HTTP API document.
    Codegen {
        /// Write nothing; fail where the committed files differ.
        #[arg(long)]
        check: bool,
    },
}

/// What `run` was asked to do.
#[derive(Debug, Args)]
struct Run {
    /// Use a virtual display, even if there is a real one.
    #[arg(long)]
    headless: bool,
    /// Where a headless run leaves screenshots, receipts, the payment QR and summary.json.
    #[arg(long, value_name = "DIR", default_value = "target/run")]
    out: PathBuf,
    /// Further arguments of the app, for example `-- --shop salon --lang en`.
    #[arg(last = true)]
    app: Vec<String>,
}

/// What `test` was asked to do.
#[derive(Debug, Args)]
struct Test {
    /// Run only the stages whose name contains one of these words.
    #[arg(value_name = "STAGE")]
    only: Vec<String>,
}

/// What `bench` was asked to do.
#[derive(Debug, Args)]
struct Bench {
    /// Take only these measurements: window, felt, search, cash, settle, receipt, gateways, ledger.
    /// Memory is measured with the window.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The same, one by one.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Measure the ledger only on these books (postgres, sqlite); may be given twice.
    #[arg(long, value_name = "BOOKS")]
    books: Vec<String>,
    /// Rows in the journal of the ledger's large shop; a million if nothing is said.
    #[arg(long, value_name = "COUNT")]
    rows: Option<u64>,
    /// The summary.json of an earlier run; a figure that is worse by more than 5 % fails this one.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Small sizes and few rounds: shows that everything works, and no figure worth keeping.
    #[arg(long)]
    quick: bool,
}

fn main() -> ExitCode {
    let outcome = match Command::parse().job {
        Job::Run(options) => run::run(&options),
        Job::Test(options) => test::test(&options.only),
        Job::Screens { out } => screens::screens(&out),
        Job::Bench(options) => bench::bench(&options),
        Job::Simulate(options) => simulate::simulate(&options),
        Job::Soak(options) => soak::soak(&options),
        Job::Peers => peers::peers(),
        Job::Tidy => tidy::report(),
        Job::Licences => licences::report(),
        Job::Advisories => advisories::report().map(drop),
        Job::Codegen { check } => codegen::codegen(check),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Reported) => ExitCode::FAILURE,
        Err(error) => {
            say::wrong(&error);
            ExitCode::FAILURE
        }
    }
}
