//! The work tree: where it is, and which files belong to it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;

/// The root of the work tree.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in a folder of the work tree")
        .to_owned()
}

/// The files that belong to the project (tracked, or new and not ignored), by their paths from the root.
///
/// # Errors
/// Where git does not answer.
pub fn files() -> Result<Vec<String>, Error> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output()
        .map_err(|source| Error::Start {
            program: "git".into(),
            source,
        })?;
    if !output.status.success() {
        return Err(Error::unreadable(
            "git ls-files",
            String::from_utf8_lossy(&output.stderr),
        ));
    }
    let mut names: Vec<String> = String::from_utf8_lossy(&output.stdout)
        .split('\0')
        .filter(|name| !name.is_empty() && root().join(name).is_file())
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// The whole text of a file, by its path from the root.
///
/// # Errors
/// Where it cannot be read or is not UTF-8.
pub fn read(name: &str) -> Result<String, Error> {
    let path = root().join(name);
    std::fs::read_to_string(&path).map_err(|source| Error::file(path, source))
}
