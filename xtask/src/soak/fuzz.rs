//! The fuzz targets of `fuzz/`, each for a time. They need no nightly compiler: libFuzzer's
//! coverage works on the stable one, only the sanitizers do not, and a parser in safe Rust shows
//! what is wrong by panicking.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::child::{self, cargo};
use crate::error::Error;
use crate::{say, tree};

const FUZZER: [&str; 2] = ["cargo-fuzz", "0.13.2"];

/// An input that takes longer is a finding, in seconds.
const INPUT_MOST_S: u32 = 20;

/// Runs the targets in `only`, or all of them, for `minutes` each.
///
/// # Errors
/// Where the fuzzer cannot be installed, a target does not build, or one finds something.
pub fn fuzz(only: &[String], minutes: u64) -> Result<(), Error> {
    let targets = targets()?;
    if let Some(unknown) = only.iter().find(|name| !targets.contains(name)) {
        let why = format!(
            "there is no fuzz target {unknown}, only {}",
            targets.join(", ")
        );
        return Err(Error::Machine(why));
    }
    say::line("Building the fuzz targets (minutes the first time)");
    let fuzzer = fuzzer()?;
    let fuzz = |arguments: &[&str]| {
        let mut command = Command::new(&fuzzer);
        command
            .arg("fuzz")
            .args(arguments)
            .current_dir(tree::root());
        command
    };
    child::run("fuzz build", &mut fuzz(&["build", "-s", "none"]))?;
    let mut executions_all = 0;
    for target in targets {
        if !only.is_empty() && !only.contains(&target) {
            continue;
        }
        let grown = tree::root().join("target/fuzz").join(&target);
        fs::create_dir_all(&grown).map_err(|source| Error::file(&grown, source))?;
        let mut run = fuzz(&["run", "-s", "none", &target]);
        run.arg(&grown)
            .arg(corpus().join(&target))
            .arg("--")
            .arg(format!("-max_total_time={}", minutes * 60))
            .arg(format!("-timeout={INPUT_MOST_S}"))
            .arg("-print_final_stats=1");
        let output = child::run(&format!("fuzz {target}"), &mut run)?;
        let executions = executions(&target, &output)?;
        executions_all += executions;
        say::line(format_args!(
            "{target}: {executions} executions, no finding"
        ));
    }
    say::line(format_args!(
        "fuzz targets: {executions_all} executions, no finding"
    ));
    Ok(())
}

fn corpus() -> std::path::PathBuf {
    tree::root().join("fuzz/corpus")
}

/// Every target, by name.
fn targets() -> Result<Vec<String>, Error> {
    let folder = tree::root().join("fuzz/fuzz_targets");
    let wrong = |source| Error::file(&folder, source);
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        let name = path.file_stem().map(|stem| stem.to_string_lossy());
        names.extend(name.map(std::borrow::Cow::into_owned));
    }
    names.sort();
    Ok(names)
}

/// The fuzzer's program: the machine's own, or one below `target`.
fn fuzzer() -> Result<std::path::PathBuf, Error> {
    let [name, version] = FUZZER;
    let answers = |program: &Path| {
        let asked = Command::new(program).args(["fuzz", "--version"]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let own = Path::new(&file).to_owned();
    if answers(&own) {
        return Ok(own);
    }
    let folder = tree::root().join("target/fuzzer");
    let installed = folder.join("bin").join(file);
    if !answers(&installed) {
        let mut install = cargo(&["install", name, "--version", version, "--locked", "--root"]);
        child::run("fuzz install", install.arg(&folder))?;
    }
    Ok(installed)
}

fn executions(target: &str, output: &[String]) -> Result<u64, Error> {
    let said = output
        .iter()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    said.and_then(|number| number.trim().parse().ok())
        .ok_or_else(|| Error::unreadable(target, "it told no number of executions"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_a_corpus() {
        for target in targets().expect("the list of targets") {
            let inputs = fs::read_dir(corpus().join(&target))
                .expect("every target has a corpus")
                .count();
            assert!(inputs > 0, "{target}");
        }
    }

    #[test]
    fn the_number_of_executions_is_read() {
        let output = ["#1 INITED", "stat::number_of_executed_units: 7342"].map(str::to_owned);
        assert_eq!(executions("codes", &output).expect("a count"), 7_342);
        assert!(executions("codes", &output[..1]).is_err());
    }
}
