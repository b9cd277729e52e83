//! Named stages run one after another, each timed and counted, with a table at the end.

use std::time::{Duration, Instant};

use crate::error::Error;
use crate::say;

/// What a stage found: how many checks passed and how many failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub passed: u32,
    pub failed: u32,
    /// Groups of checks that are not possible on this machine.
    pub left_out: u32,
    /// Of those that passed, how many did so only when they were tried again alone.
    pub unsteady: u32,
}

impl Count {
    /// A stage that is one check, and passed.
    pub const ONE: Self = Self {
        passed: 1,
        failed: 0,
        left_out: 0,
        unsteady: 0,
    };
    /// A stage that is not possible on this machine.
    pub const LEFT_OUT: Self = Self {
        passed: 0,
        failed: 0,
        left_out: 1,
        unsteady: 0,
    };
}

struct Ended {
    name: &'static str,
    time: Duration,
    count: Count,
    /// Said again below the table if it failed.
    last_words: Vec<String>,
}

/// Stages that were run so far.
pub struct Stages<'a> {
    only: &'a [String],
    began: Instant,
    ended: Vec<Ended>,
}

impl<'a> Stages<'a> {
    /// No stage yet. Only stages whose name contains a word of `only` will run, all if it is empty.
    pub fn new(only: &'a [String]) -> Self {
        Self {
            only,
            began: Instant::now(),
            ended: Vec::new(),
        }
    }

    /// Runs one stage. A failure is shown and counted, and the next stage runs all the same.
    pub fn run(&mut self, name: &'static str, work: impl FnOnce() -> Result<Count, Error>) {
        if !self.only.is_empty() && !self.only.iter().any(|word| name.contains(word.as_str())) {
            return;
        }
        say::line(format_args!("== {name}"));
        let began = Instant::now();
        let mut last_words = Vec::new();
        let count = work().unwrap_or_else(|error| {
            if !matches!(error, Error::Reported) {
                say::wrong(&error);
                last_words = error.last_words();
            }
            Count {
                failed: 1,
                ..Count::default()
            }
        });
        self.ended.push(Ended {
            name,
            time: began.elapsed(),
            count,
            last_words,
        });
    }

    /// Prints the table and the closing line.
    ///
    /// # Errors
    /// Where a stage failed, or none was run.
    pub fn close(self) -> Result<(), Error> {
        say::line("");
        for stage in &self.ended {
            let Ended {
                name, time, count, ..
            } = stage;
            let verdict = match count {
                Count { failed: 1.., .. } => "FAILED",
                Count { unsteady: 1.., .. } => "only when tried again alone, see above",
                Count { left_out: 1.., .. } => "not all possible here, see above",
                Count { .. } => "ok",
            };
            let time = say::span(*time);
            say::line(format_args!(
                "{name:<28} {time:>12}  {:>6} {verdict}",
                count.passed
            ));
        }
        say::line(format_args!(
            "{:<28} {:>12}",
            "in all",
            say::span(self.began.elapsed())
        ));
        for line in self.ended.iter().flat_map(|stage| &stage.last_words) {
            say::line(line);
        }
        let passed: u32 = self.ended.iter().map(|stage| stage.count.passed).sum();
        let failed: u32 = self.ended.iter().map(|stage| stage.count.failed).sum();
        say::line(format_args!("{passed} passed, {failed} failed"));
        if failed == 0 && passed > 0 {
            Ok(())
        } else {
            Err(Error::Reported)
        }
    }
}
