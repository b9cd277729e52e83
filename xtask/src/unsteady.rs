//! Tests that failed among the others, tried once more alone.
//!
//! A test that fails in the crowd and passes alone is not right, but the fault is in its waiting more
//! often than in what it proves. It is named in the closing table and is to be mended; only a test
//! that fails twice fails the run.

use crate::child::{self, cargo};
use crate::error::Error;
use crate::say;

/// What one run of `cargo test --no-fail-fast` said about failures.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// Cargo's own words for the test binaries that failed, such as `-p qiantai-core --test main`.
    pub targets: Vec<String>,
    /// The tests that failed, in the order of the run.
    pub tests: Vec<String>,
    /// What these tests printed.
    pub words: Vec<String>,
    /// How many binaries came to their closing line with a failed test. One that was ended before
    /// that has failed without saying by which test.
    pub closed: usize,
}

impl Failures {
    /// Reads the output of a run.
    ///
    /// A binary lists its failed tests twice under the line `failures:`, first with what they
    /// printed, then by name alone, each indented by four spaces.
    pub fn read(output: &[String]) -> Self {
        let mut failures = Self::default();
        let mut part = Part::Results;
        for line in output {
            match (part, line.as_str()) {
                (Part::Results, "failures:") => part = Part::Words,
                (Part::Words, "failures:") => part = Part::Names,
                (_, line) if line.starts_with("test result:") => {
                    failures.closed += usize::from(line.starts_with("test result: FAILED"));
                    part = Part::Results;
                }
                (Part::Words, line) => failures.words.push(line.to_owned()),
                (Part::Names, line) => {
                    let name = line.strip_prefix("    ").map(str::to_owned);
                    failures.tests.extend(name);
                }
                (Part::Results, line) => failures.targets.extend(target(line)),
            }
        }
        failures
    }
}

#[derive(Clone, Copy)]
enum Part {
    Results,
    Words,
    Names,
}

/// The target named by one line of cargo's closing list, or by its only error.
fn target(line: &str) -> Option<String> {
    let named = line.trim().strip_prefix('`')?.strip_suffix('`')?;
    named.starts_with("-p ").then(|| named.to_owned())
}

/// Runs the failed tests again, a binary at a time and one test after the other. Gives back how
/// many there were if all of them passed.
///
/// # Errors
/// Where one of them failed again, or a binary ended without naming the test that failed.
pub fn again(failures: &Failures) -> Result<u32, Error> {
    if failures.tests.is_empty() || failures.closed != failures.targets.len() {
        return Err(Error::Reported);
    }
    let mut passed = 0;
    for target in &failures.targets {
        let mut command = cargo(&["test"]);
        command.args(target.split(' '));
        command.args(["--", "--exact", "--test-threads", "1"]);
        command.args(&failures.tests);
        let output = child::run("tests again", &mut command)?;
        passed += super::test::libtest(&output).passed;
    }
    // Two binaries may have a test of one name, so there can be more than were asked for.
    if (passed as usize) < failures.tests.len() {
        return Err(Error::Reported);
    }
    for test in &failures.tests {
        say::line(format_args!(
            "unsteady: {test} failed among the others and passed alone"
        ));
    }
    Ok(passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn failures_are_read_with_their_words_and_targets() {
        let output = lines(
            "     Running tests/main.rs (target/debug/deps/main-1)\n\
             test cash::sums ... FAILED\n\
             test qr::waits ... ok\n\
             \n\
             failures:\n\
             \n\
             ---- cash::sums stdout ----\n\
             thread 'cash::sums' panicked at tests/cash.rs:3:5:\n\
             \n\
             failures:\n    cash::sums\n\
             \n\
             test result: FAILED. 1 passed; 1 failed; 0 ignored\n\
             \n\
             error: 1 target failed:\n    `-p qiantai-core --test main`",
        );
        let failures = Failures::read(&output);
        assert_eq!(failures.tests, ["cash::sums"]);
        assert_eq!(failures.targets, ["-p qiantai-core --test main"]);
        assert!(failures.words.iter().any(|line| line.contains("panicked")));
    }

    #[test]
    fn a_run_without_failures_has_none() {
        let output = lines("running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed");
        assert_eq!(Failures::read(&output), Failures::default());
    }

    #[test]
    fn a_binary_that_was_ended_is_no_reason_to_try_again() {
        let output = lines(
            "test a ... FAILED\nfailures:\nfailures:\n    a\ntest result: FAILED. 0 passed\n\
             test b ...\nerror: 2 targets failed:\n    `-p core --lib`\n    `-p qiantai --test main`",
        );
        assert!(again(&Failures::read(&output)).is_err());
    }
}
