//! `cargo xtask test`: every check and test, from the cheapest to the longest.

use crate::child::{self, cargo, npm};
use crate::error::Error;
use crate::machine::{self, Need};
use crate::stages::{Count, Stages};
use crate::unsteady::{self, Failures};
use crate::{abilities, advisories, codegen, interface, licences, pages, say, slips, tidy};

/// How long one binary of tests may take, in the words of coreutils' `timeout`: several times what
/// the longest takes on two busy cores.
const BINARY_WITHIN: &str = "25m";

/// Runs every stage, or only those whose name contains a word of `only`.
///
/// # Errors
/// Where a stage failed.
pub fn test(only: &[String]) -> Result<(), Error> {
    let mut stages = Stages::new(only);
    stages.run("machine", || {
        machine::prepare(Need::Tests).map(|()| Count::ONE)
    });
    stages.run("tidy", || tidy::report().map(|()| Count::ONE));
    stages.run("licences", || licences::report().map(|()| Count::ONE));
    stages.run("advisories", advisories::report);
    stages.run("format", || one("format", &["fmt", "--all", "--check"]));
    stages.run("ui packages", || pages::install().map(|()| Count::ONE));
    stages.run("ui format", ui_format);
    stages.run("ui check", ui_check);
    stages.run("ui pages", || {
        pages::build()?;
        pages::build_probe()?;
        pages::build_demo()?;
        Ok(Count::ONE)
    });
    stages.run("lints", || {
        one(
            "lints",
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ],
        )
    });
    stages.run("build", || {
        one("build", &["test", "--workspace", "--no-run"])
    });
    stages.run("codegen", || {
        codegen::check_with_built_writer().map(|()| Count::ONE)
    });
    stages.run("interface", interface::report);
    stages.run("slips", slips::report);
    stages.run("tests", tests);
    stages.close()
}

fn one(step: &str, arguments: &[&str]) -> Result<Count, Error> {
    child::run(step, &mut cargo(arguments)).map(|_| Count::ONE)
}

fn ui_format() -> Result<Count, Error> {
    let mut prettier = npm(&["exec", "--no", "--", "prettier", "--check", "."]);
    child::run("ui format", &mut prettier).map(|_| Count::ONE)
}

/// Types, accessibility hints and unit tests of the window.
fn ui_check() -> Result<Count, Error> {
    let output = child::run("ui check", &mut npm(&["run", "check"]))?;
    counted("the UI's tests", vitest(&output))
}

/// Each test binary is ended after [`BINARY_WITHIN`]: a test that hangs fails, and the names of those
/// that took long are the last lines of its output.
fn tests() -> Result<Count, Error> {
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast"]);
    if cfg!(target_os = "linux") {
        let runner = format!("target.'cfg(unix)'.runner='timeout {BINARY_WITHIN}'");
        command.args(["--config", &runner]);
    }
    command.arg("--");
    let lacking = abilities::lacking();
    for part_of_name in &lacking {
        command.args(["--skip", part_of_name]);
    }
    let ended = child::run_to_its_end("tests", &mut command)?;
    let mut count = counted("cargo test", libtest(&ended.output))?;
    count.left_out = u32::try_from(lacking.len()).unwrap_or(u32::MAX);
    if ended.status.success() {
        return Ok(count);
    }
    let failures = Failures::read(&ended.output);
    child::show_end(if failures.words.is_empty() {
        &ended.output
    } else {
        &failures.words
    });
    let Ok(unsteady) = unsteady::again(&failures) else {
        say::line(format_args!("failed: {}", failures.tests.join(", ")));
        return Err(ended.failed("tests"));
    };
    Ok(Count {
        passed: count.passed + unsteady,
        failed: 0,
        unsteady,
        ..count
    })
}

/// A run that executed nothing is a failure, whatever its exit status.
fn counted(what: &str, count: Count) -> Result<Count, Error> {
    match count {
        Count { passed: 0, .. } => Err(Error::unreadable(what, "no test was run")),
        count => Ok(count),
    }
}

/// Adds up the closing lines of Rust's test binaries.
pub fn libtest(output: &[String]) -> Count {
    let mut count = Count::default();
    for line in output
        .iter()
        .filter(|line| line.starts_with("test result:"))
    {
        count.passed += before(line, "passed");
        count.failed += before(line, "failed");
    }
    count
}

/// Reads vitest's line `Tests  2 failed | 40 passed (42)`.
fn vitest(output: &[String]) -> Count {
    let line = output
        .iter()
        .map(|line| line.trim())
        .find(|line| line.starts_with("Tests "));
    line.map_or_else(Count::default, |line| Count {
        passed: before(line, "passed"),
        failed: before(line, "failed"),
        ..Count::default()
    })
}

/// The number written before `word` in `line`; 0 if there is none.
fn before(line: &str, word: &str) -> u32 {
    let words: Vec<&str> = line
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words
        .windows(2)
        .find(|pair| pair[1] == word)
        .and_then(|pair| pair[0].parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests_of_reading {
    use super::*;

    #[test]
    fn closing_lines_are_added_up() {
        let output = [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s",
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
        ]
        .map(str::to_owned);
        assert_eq!(
            libtest(&output),
            Count {
                passed: 7,
                failed: 2,
                ..Count::default()
            }
        );
    }

    #[test]
    fn the_ui_tests_are_counted() {
        for (line, expected) in [
            (
                "      Tests  12 passed (12)",
                Count {
                    passed: 12,
                    failed: 0,
                    ..Count::default()
                },
            ),
            (
                "      Tests  1 failed | 11 passed (12)",
                Count {
                    passed: 11,
                    failed: 1,
                    ..Count::default()
                },
            ),
            ("   no such line", Count::default()),
        ] {
            assert_eq!(vitest(&[line.to_owned()]), expected);
        }
    }
}
