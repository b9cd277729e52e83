//! Figures beside those of an earlier run, by their ratios: a machine that was slower then had
//! slower baselines too.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::Outcome;
use crate::figure::{Figure, Goal, Report, ratio, say};

/// More is worse than it was; what is less is the machine's own unrest.
const WORSE_PERCENT: u64 = 5;

/// What an earlier run found: the ratio of each figure in per cent, by measurement and figure.
pub struct Earlier(BTreeMap<(String, String), u64>);

/// A figure beside its earlier self.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Within what the machine does by itself, or better.
    Kept,
    /// Worse by more.
    Worse,
}

impl Earlier {
    /// Reads the `summary.json` of an earlier run.
    ///
    /// A figure of small sizes says nothing beside one of large sizes, so `quick` must be alike.
    pub fn read(path: &Path, quick: bool) -> Outcome<Earlier> {
        let told = |why: &str| format!("{}: {why}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| told(&error.to_string()))?;
        let whole: Value = serde_json::from_str(&text).map_err(|error| told(&error.to_string()))?;
        if whole["quick"] != quick {
            return Err(told("was taken with other sizes").into());
        }
        let reports = whole["measurements"].as_object();
        let reports = reports.ok_or_else(|| told("has no measurements"))?;
        let mut ratios = BTreeMap::new();
        for (report, figures) in reports {
            for figure in figures.as_array().into_iter().flatten() {
                let (name, ratio) = (&figure["name"], &figure["ratio_percent"]);
                let (Some(name), Some(ratio)) = (name.as_str(), ratio.as_u64()) else {
                    return Err(told("has a figure without name or ratio").into());
                };
                ratios.insert((report.clone(), name.to_owned()), ratio);
            }
        }
        Ok(Earlier(ratios))
    }

    /// Says how each figure of `report` has changed, and how many are worse.
    pub fn compare(&self, report: &Report) -> usize {
        let mut worse = 0;
        for figure in &report.figures {
            let key = (report.name.to_owned(), figure.name.to_owned());
            let Some(&before) = self.0.get(&key) else {
                say(format_args!("{} · {}: was not measured then", key.0, key.1));
                continue;
            };
            let now = figure.ratio_percent();
            let verdict = judge(figure, before);
            say(format_args!(
                "{} · {}: {} then, {} now{}",
                key.0,
                key.1,
                ratio(before),
                ratio(now),
                if verdict == Verdict::Worse {
                    " WORSE"
                } else {
                    ""
                }
            ));
            worse += usize::from(verdict == Verdict::Worse);
        }
        worse
    }
}

fn judge(figure: &Figure, before: u64) -> Verdict {
    let now = figure.ratio_percent();
    let is_worse = match figure.goal {
        Some(Goal::RatioPercentMin(_)) => now * 100 < before * (100 - WORSE_PERCENT),
        _ => now * 100 > before * (100 + WORSE_PERCENT),
    };
    if is_worse {
        Verdict::Worse
    } else {
        Verdict::Kept
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::{Series, Unit};

    fn figure(percent: u64, goal: Option<Goal>) -> Figure {
        Figure {
            name: "start",
            what: String::new(),
            unit: Unit::Micros,
            measured: Series::of([percent * 10]),
            baseline_what: "",
            baseline: Series::of([1_000]),
            goal,
        }
    }

    #[test]
    fn five_per_cent_are_the_machine() {
        let more = Some(Goal::RatioPercentMin(1));
        for (before, now, goal, expected) in [
            (100, 105, None, Verdict::Kept),
            (100, 106, None, Verdict::Worse),
            (100, 10, None, Verdict::Kept),
            (100, 95, more, Verdict::Kept),
            (100, 94, more, Verdict::Worse),
            (100, 900, more, Verdict::Kept),
        ] {
            assert_eq!(
                judge(&figure(now, goal), before),
                expected,
                "{before} {now}"
            );
        }
    }

    #[test]
    fn an_earlier_run_is_read_as_it_was_written() -> Outcome<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("summary.json");
        let report = Report {
            name: "window",
            figures: vec![figure(120, None)],
            facts: serde_json::Map::new(),
        };
        let figures = report.json(false)["figures"].clone();
        let summary = json!({ "quick": false, "measurements": { "window": figures } });
        std::fs::write(&path, summary.to_string())?;

        let earlier = Earlier::read(&path, false)?;
        assert_eq!(earlier.compare(&report), 0);
        let slower = Report {
            figures: vec![figure(127, None)],
            ..report
        };
        assert_eq!(earlier.compare(&slower), 1);
        assert!(Earlier::read(&path, true).is_err(), "other sizes");
        for text in ["", "{}", r#"{"quick":false,"measurements":{"a":[{}]}}"#] {
            std::fs::write(&path, text)?;
            assert!(Earlier::read(&path, false).is_err(), "{text:?}");
        }
        Ok(())
    }
}
