//! Python packages that only checks need: in folders of their own below `target`, by pip.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::child;
use crate::error::Error;
use crate::tree;

/// Installs what a list of the tree names, unless it is there, and gives the program that sees it.
///
/// # Errors
/// Where Python has no `venv`, or the packages cannot be had.
pub fn install(place: &Path, requirements: &str) -> Result<PathBuf, Error> {
    let python = place.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    if !python.exists() {
        let mut make = Command::new("python3");
        make.args(["-m", "venv"]).arg(place);
        child::run("python", &mut make)?;
    }
    let mut install = Command::new(&python);
    install
        .args(["-m", "pip", "install", "--quiet"])
        .args(["--disable-pip-version-check", "-r"])
        .arg(tree::root().join(requirements));
    child::run("pip", &mut install)?;
    Ok(python)
}
