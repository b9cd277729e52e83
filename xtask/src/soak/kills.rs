//! Terminals and the server of a shop in processes of their own, killed at any moment.

use std::process::Command;

use crate::child::{self, cargo};
use crate::error::Error;
use crate::machine::{self, Need};
use crate::{run, say, tree};

const BUILD: [&str; 9] = [
    "build",
    "--package",
    "qiantai-bench",
    "--package",
    "qiantai-server",
    "--bin",
    "bench",
    "--bin",
    "qiantai-server",
];
const BOOKS: [&str; 2] = ["sqlite", "postgres"];

/// Kills for so many rounds on each of `only`, or on both.
///
/// # Errors
/// Where it does not build, or the books do not hold what was taken.
pub fn kills(rounds: u32, seed: u64, only: &[String]) -> Result<(), Error> {
    // PostgreSQL is among the needs of tests.
    machine::prepare(Need::Tests)?;
    say::line("Building terminals and server (minutes the first time)");
    child::run("kills build", &mut cargo(&BUILD))?;
    for books in BOOKS {
        if only.is_empty() || only.iter().any(|one| one == books) {
            let mut kills = Command::new(tree::built("debug", "bench")?);
            kills
                .args(["kills", "--books", books])
                .args(["--rounds", &rounds.to_string(), "--seed", &seed.to_string()])
                .arg("--server")
                .arg(tree::built("debug", "qiantai-server")?)
                .arg("--folder")
                .arg(tree::root().join("target/kills"));
            run::finish("kills", &mut kills)?;
        }
    }
    Ok(())
}
