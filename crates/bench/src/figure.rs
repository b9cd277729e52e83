//! What was measured, beside its baseline and its goal.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool answers on standard output"
)]

use std::fmt::Display;
use std::time::Duration;

use serde_json::{Map, Value, json};

/// A line of result or progress.
pub fn say(line: impl Display) {
    println!("{line}");
}

/// Everything that one measurement found.
pub struct Report {
    /// Names its file.
    pub name: &'static str,
    /// The figures.
    pub figures: Vec<Figure>,
    /// Sizes and circumstances.
    pub facts: Map<String, Value>,
}

/// One quantity, measured in turn with its baseline.
pub struct Figure {
    /// Names it within its report.
    pub name: &'static str,
    /// In words.
    pub what: String,
    /// How it is counted.
    pub unit: Unit,
    /// The product.
    pub measured: Series,
    /// What it is compared with, in words.
    pub baseline_what: &'static str,
    /// What it is compared with.
    pub baseline: Series,
    /// What it should keep to.
    pub goal: Option<Goal>,
}

/// How a quantity is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Millionths of a second.
    Micros,
    /// 1024 bytes.
    Kibibytes,
    /// How many in a second.
    PerSecond,
}

/// What a figure should keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Per cent of the baseline, median by median.
    RatioPercent(u64),
    /// Per cent of the baseline at least, median by median.
    RatioPercentMin(u64),
    /// Half take no more.
    Median(u64),
    /// Of a hundred, ninety-nine take no more.
    P99(u64),
}

/// What was measured, in ascending order; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series(Vec<u64>);

impl Report {
    /// Prints every figure.
    pub fn show(&self) {
        for figure in &self.figures {
            figure.show(self.name);
        }
        for (name, value) in &self.facts {
            say(format_args!("    {name}: {value}"));
        }
    }

    /// Everything, for programs.
    pub fn json(&self, quick: bool) -> Value {
        let figures: Vec<Value> = self.figures.iter().map(Figure::json).collect();
        json!({ "name": self.name, "quick": quick, "figures": figures, "facts": self.facts })
    }
}

impl Figure {
    /// Median of the measured in per cent of the baseline's.
    pub fn ratio_percent(&self) -> u64 {
        let baseline = self.baseline.median().max(1);
        (self.measured.median() * 100 + baseline / 2) / baseline
    }

    /// Whether the goal is met; none without a goal.
    pub fn met(&self) -> Option<bool> {
        self.goal.map(|goal| match goal {
            Goal::RatioPercent(most) => self.ratio_percent() <= most,
            Goal::RatioPercentMin(least) => self.ratio_percent() >= least,
            Goal::Median(most) => self.measured.median() <= most,
            Goal::P99(most) => self.measured.p99() <= most,
        })
    }

    fn show(&self, report: &str) {
        let verdict = match self.met() {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "",
        };
        let goal = match self.goal {
            Some(Goal::RatioPercent(most)) => format!("goal ≤ {}", ratio(most)),
            Some(Goal::RatioPercentMin(least)) => format!("goal ≥ {}", ratio(least)),
            Some(Goal::Median(most)) => format!("goal median ≤ {}", self.unit.show(most)),
            Some(Goal::P99(most)) => format!("goal p99 ≤ {}", self.unit.show(most)),
            None => "no goal".to_owned(),
        };
        say(format_args!("{report} · {}: {}", self.name, self.what));
        self.show_series("measured", &self.measured);
        self.show_series("baseline", &self.baseline);
        say(format_args!(
            "    {:.<10} {} of {}; {goal} {verdict}",
            "ratio ",
            ratio(self.ratio_percent()),
            self.baseline_what
        ));
    }

    fn show_series(&self, label: &str, series: &Series) {
        let unit = self.unit;
        say(format_args!(
            "    {:.<10} min {}  median {}  p99 {}  max {}  ({} rounds)",
            format!("{label} "),
            unit.show(series.min()),
            unit.show(series.median()),
            unit.show(series.p99()),
            unit.show(series.max()),
            series.0.len()
        ));
    }

    fn json(&self) -> Value {
        let goal = self.goal.map(|goal| match goal {
            Goal::RatioPercent(most) => json!({ "ratio_percent_max": most }),
            Goal::RatioPercentMin(least) => json!({ "ratio_percent_min": least }),
            Goal::Median(most) => json!({ "median_max": most }),
            Goal::P99(most) => json!({ "p99_max": most }),
        });
        json!({
            "name": self.name,
            "what": self.what,
            "unit": self.unit.name(),
            "measured": self.measured.json(),
            "baseline": self.baseline.json(),
            "baseline_what": self.baseline_what,
            "ratio_percent": self.ratio_percent(),
            "goal": goal,
            "met": self.met(),
        })
    }
}

impl Series {
    /// Spans of time, in microseconds.
    pub fn of_times(times: impl IntoIterator<Item = Duration>) -> Series {
        Series::of(times.into_iter().map(micros))
    }

    /// Numbers in any order, at least one.
    pub fn of(values: impl IntoIterator<Item = u64>) -> Series {
        let mut values: Vec<u64> = values.into_iter().collect();
        assert!(!values.is_empty(), "a series has at least one round");
        values.sort_unstable();
        Series(values)
    }

    /// The least.
    pub fn min(&self) -> u64 {
        self.0[0]
    }

    /// Half are no more.
    pub fn median(&self) -> u64 {
        self.rank(50)
    }

    /// Ninety-nine of a hundred are no more.
    pub fn p99(&self) -> u64 {
        self.rank(99)
    }

    /// The most.
    pub fn max(&self) -> u64 {
        self.0[self.0.len() - 1]
    }

    /// The nearest rank: the least value that `percent` of a hundred do not pass.
    fn rank(&self, percent: usize) -> u64 {
        self.0[(self.0.len() * percent).div_ceil(100).max(1) - 1]
    }

    fn json(&self) -> Value {
        json!({
            "rounds": self.0.len(),
            "min": self.min(),
            "median": self.median(),
            "p99": self.p99(),
            "max": self.max(),
        })
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Micros => "microseconds",
            Unit::Kibibytes => "KiB",
            Unit::PerSecond => "per second",
        }
    }

    fn show(self, value: u64) -> String {
        match self {
            Unit::Micros if value < 10_000 => format!("{value} µs"),
            Unit::Micros => format!("{}.{} ms", value / 1_000, value % 1_000 / 100),
            Unit::Kibibytes => format!("{}.{} MiB", value / 1_024, value % 1_024 * 10 / 1_024),
            Unit::PerSecond => format!("{value} /s"),
        }
    }
}

/// A ratio as it is read.
pub fn ratio(percent: u64) -> String {
    format!("{}.{:02}×", percent / 100, percent % 100)
}

/// Microseconds that a thousand take of which so many are done in a second.
pub fn per_thousand(per_second: u64) -> u64 {
    1_000_000_000 / per_second.max(1)
}

/// Whole microseconds.
pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_told_by_nearest_ranks() {
        for (values, expected) in [
            (vec![7], [7, 7, 7, 7]),
            (vec![3, 1, 2], [1, 2, 3, 3]),
            ((1..=100).collect(), [1, 50, 99, 100]),
            ((1..=1_000).rev().collect(), [1, 500, 990, 1_000]),
        ] {
            let series = Series::of(values);
            let told = [series.min(), series.median(), series.p99(), series.max()];
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn a_goal_is_met_or_missed() {
        for (measured, baseline, goal, expected) in [
            (125, 100, Goal::RatioPercent(125), (125, true)),
            (126, 100, Goal::RatioPercent(125), (126, false)),
            (300, 100, Goal::RatioPercentMin(300), (300, true)),
            (299, 100, Goal::RatioPercentMin(300), (299, false)),
            (20, 10, Goal::Median(20), (200, true)),
            (21, 10, Goal::Median(20), (210, false)),
            (8_000, 2, Goal::P99(8_000), (400_000, true)),
            (8_001, 0, Goal::P99(8_000), (800_100, false)),
        ] {
            let figure = Figure {
                name: "case",
                what: String::new(),
                unit: Unit::Micros,
                measured: Series::of([measured]),
                baseline_what: "",
                baseline: Series::of([baseline]),
                goal: Some(goal),
            };
            let (ratio, met) = (figure.ratio_percent(), figure.met());
            assert_eq!((ratio, met), (expected.0, Some(expected.1)));
        }
    }

    #[test]
    fn quantities_read_naturally() {
        for (unit, value, expected) in [
            (Unit::Micros, 850, "850 µs"),
            (Unit::Micros, 412_345, "412.3 ms"),
            (Unit::Kibibytes, 150_000, "146.4 MiB"),
            (Unit::PerSecond, 12_345, "12345 /s"),
        ] {
            assert_eq!(unit.show(value), expected);
        }
        assert_eq!([8_000, 0].map(per_thousand), [125_000, 1_000_000_000]);
        assert_eq!(ratio(105), "1.05×");
    }
}
