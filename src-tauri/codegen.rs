//! Writes, or with `--check` compares, what is generated from the Rust code and committed.
//! Started by `cargo xtask codegen`.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool answers on standard output"
)]

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const BINDINGS: &str = "ui/src/bindings";
const OPENAPI: &str = "docs/openapi.json";

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    match generate(Path::new(env!("CARGO_MANIFEST_DIR")), check) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(stale) => {
            println!("{stale} files are stale: run `cargo xtask codegen` and commit them");
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Brings every generated file under `root` up to date, or counts those that are not.
fn generate(root: &Path, check: bool) -> io::Result<u32> {
    let mut stale = 0;
    let mut wanted = BTreeSet::new();
    for (name, content) in files() {
        let path = root.join(&name);
        let present = std::fs::read_to_string(&path).ok();
        if present.as_deref() != Some(content.as_str()) {
            stale += 1;
            if check {
                println!("stale: {name}");
            } else {
                std::fs::write(&path, content)?;
                println!("written: {name}");
            }
        }
        wanted.insert(path);
    }
    for path in bindings(root)?
        .into_iter()
        .filter(|path| !wanted.contains(path))
    {
        stale += 1;
        if check {
            println!("no longer generated: {}", path.display());
        } else {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(if check { stale } else { 0 })
}

/// Every generated file: its path from the root, and its content.
fn files() -> Vec<(String, String)> {
    let mut files: Vec<_> = qiantai_counter::codegen::typescript()
        .into_iter()
        .map(|(name, content)| (format!("{BINDINGS}/{name}"), content))
        .collect();
    files.push((OPENAPI.to_owned(), qiantai_server::openapi()));
    files
}

fn bindings(root: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = root.join(BINDINGS);
    std::fs::create_dir_all(&folder)?;
    std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect()
}
