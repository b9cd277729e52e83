//! The work tree: where it is, and which files belong to it.

use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::MetadataCommand;

use crate::error::Error;

/// The root of the work tree.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in a folder of the work tree")
        .to_owned()
}

/// A program that cargo built, by its profile's folder (`debug`, `release`) and its name, which for
/// an example begins with `examples/`. What the project downloads, measures or logs stays in
/// `target` below the root, wherever cargo builds.
///
/// # Errors
/// Where cargo does not say where it builds.
pub fn built(profile: &str, name: &str) -> Result<PathBuf, Error> {
    built_by(&metadata(), profile, name)
}

fn metadata() -> MetadataCommand {
    let mut metadata = MetadataCommand::new();
    metadata.current_dir(root()).no_deps();
    metadata
}

/// `CARGO_TARGET_DIR` and cargo's configuration may name another folder than `target`.
fn built_by(metadata: &MetadataCommand, profile: &str, name: &str) -> Result<PathBuf, Error> {
    let told = metadata.exec();
    let told = told.map_err(|error| Error::unreadable("cargo metadata", error))?;
    let folder = told.target_directory.into_std_path_buf().join(profile);
    Ok(folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_where_cargo_builds_them() {
        let elsewhere = tempfile::tempdir().expect("a temporary folder");
        let mut metadata = metadata();
        metadata.env("CARGO_TARGET_DIR", elsewhere.path());
        for (profile, name) in [("debug", "qiantai"), ("release", "examples/empty_window")] {
            let found = built_by(&metadata, profile, name).expect("cargo answers");
            let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
            assert_eq!(found, elsewhere.path().join(profile).join(file));
        }
    }
}
