//! schemathesis against a real server and the committed OpenAPI document. It is installed into
//! `target/interface`; where it cannot be had the stage is left out, and a line says so.

use std::process::Command;

use crate::child::{self, cargo};
use crate::error::Error;
use crate::stages::Count;
use crate::{python, say, tree};

const REQUIREMENTS: &str = "peers/interface.txt";
/// Requests made up for each address in a test: it takes seconds.
const EXAMPLES_OF_TEST: u64 = 20;
/// The same requests each time.
const SEED_OF_TEST: u64 = 1;

/// The short round of the tests, with a server that is built already.
///
/// # Errors
/// Where the server fails, or answers otherwise than its document says.
pub fn report() -> Result<Count, Error> {
    match python::install(&tree::root().join("target/interface"), REQUIREMENTS) {
        Ok(_) => ask(EXAMPLES_OF_TEST, SEED_OF_TEST).map(|()| Count::ONE),
        Err(error) => {
            say::line(format_args!("NOT POSSIBLE HERE: no schemathesis: {error}"));
            Ok(Count::LEFT_OUT)
        }
    }
}

/// A round of any length, from an empty folder.
///
/// # Errors
/// As [`report`], or where schemathesis cannot be had.
pub fn soak(examples: u64, seed: u64) -> Result<(), Error> {
    let build = ["build", "--package", "qiantai-server"];
    child::run("server", &mut cargo(&build))?;
    ask(examples, seed)
}

fn ask(examples: u64, seed: u64) -> Result<(), Error> {
    let root = tree::root();
    let python = python::install(&root.join("target/interface"), REQUIREMENTS)?;
    let mut command = Command::new(python);
    command
        .arg(root.join("peers/interface.py"))
        .arg(tree::built("debug", "qiantai-server")?)
        .arg(examples.to_string())
        .arg(seed.to_string())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONIOENCODING", "utf-8");
    let output = child::run("interface", &mut command)?;
    let is_told = |line: &&String| line.contains("generated") || line.starts_with("signed calls");
    for line in output.iter().filter(is_told) {
        say::line(format_args!("  {}", line.trim()));
    }
    Ok(())
}
