//! Slips as ESC/POS, read by a parser that is not ours and knows nothing of our renderer. It is
//! installed into `target/slips` by its own tool from `peers/slips`; nothing of it is committed.

use std::fs;
use std::process::Command;

use crate::child;
use crate::error::Error;
use crate::stages::Count;
use crate::tree;

/// What the parser is installed from.
const PACKAGE: [&str; 2] = ["package.json", "package-lock.json"];

/// Prints every sample slip for every kind of printer and lets the parser compare them with what was
/// laid out. The example was built with the tests.
///
/// # Errors
/// Where the parser cannot be installed, or reads something else than was laid out.
pub fn report() -> Result<Count, Error> {
    let place = tree::root().join("target/slips");
    let slips = place.join("printed");
    if slips.exists() {
        fs::remove_dir_all(&slips).map_err(|source| Error::file(&slips, source))?;
    }
    fs::create_dir_all(&place).map_err(|source| Error::file(&place, source))?;
    for file in PACKAGE {
        let (from, to) = (
            tree::root().join("peers/slips").join(file),
            place.join(file),
        );
        fs::copy(&from, &to).map_err(|source| Error::file(&from, source))?;
    }
    let mut install = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    install
        // The package can drive USB printers, for which its installation would build a library.
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&place);
    child::run("slips npm", &mut install)?;
    let mut print = Command::new(tree::built("debug", "examples/receipts")?);
    print.arg(&slips);
    child::run("slips print", &mut print)?;
    let mut decode = Command::new("node");
    decode
        .arg(tree::root().join("peers/slips/decode.cjs"))
        .arg(&slips)
        .env("NODE_PATH", place.join("node_modules"));
    let output = child::run("slips decode", &mut decode)?;
    let read = output.iter().filter(|line| line.starts_with("ok ")).count();
    Ok(Count {
        passed: u32::try_from(read).unwrap_or(u32::MAX),
        ..Count::default()
    })
}
