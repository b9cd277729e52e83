//! Names that say nothing about what a thing is.

use super::Finding;
use super::source::{Kind, Source};

/// Endings that could stand behind any noun.
const VAGUE: [&str; 7] = [
    "Manager", "Helper", "Helpers", "Util", "Utils", "Data", "Info",
];

const RUST_DECLARES: [&str; 5] = ["struct", "enum", "trait", "type", "union"];
const SCRIPT_DECLARES: [&str; 4] = ["class ", "interface ", "type ", "enum "];

pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut judge = |name: &str, line: usize| {
        if let Some(ending) = VAGUE.iter().find(|ending| name.ends_with(**ending)) {
            findings.push(Finding {
                path: source.path.clone(),
                line,
                message: format!(
                    "`{name}`: `{ending}` says nothing; use the field's own noun (domain.md), \
                     or the verb for what it does"
                ),
            });
        }
    };
    for pair in source.tokens.windows(2) {
        if RUST_DECLARES.contains(&pair[0].text.as_str()) && pair[1].kind == Kind::Word {
            judge(&pair[1].text, pair[1].line);
        }
    }
    if source.ends(&[".ts", ".svelte"]) {
        for (index, line) in source.text.lines().enumerate() {
            let line = line.trim_start().trim_start_matches("export ");
            for keyword in SCRIPT_DECLARES {
                if let Some(rest) = line.strip_prefix(keyword) {
                    let name = rest
                        .split(|c: char| !c.is_alphanumeric())
                        .next()
                        .unwrap_or("");
                    judge(name, index + 1);
                }
            }
        }
    }
    findings
}

/// Files and folders with vague names.
pub fn of_paths(paths: &[String]) -> Vec<Finding> {
    paths
        .iter()
        .filter(|path| path.split('/').any(is_vague_part))
        .map(|path| Finding {
            path: path.clone(),
            line: 0,
            message: "a vague name; call the file after the one thing that is in it".into(),
        })
        .collect()
}

fn is_vague_part(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().to_lowercase();
    let last = stem.rsplit(['_', '-']).next().unwrap_or_default();
    VAGUE.iter().any(|word| word.to_lowercase() == last)
}
