//! Words that must not reach the repository: unfinished work, paths of one machine, floats in the
//! window's money.

use super::Finding;
use super::source::Source;

const UNFINISHED: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];
/// Beginnings of absolute paths that only exist on somebody's machine.
const ONE_MACHINE: [&str; 5] = [
    concat!("/wo", "rk/"),
    concat!("/fa", "rm/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Use", "rs/"),
];
const SCRIPT_FLOATS: [&str; 3] = ["parseFloat(", ".toFixed(", "Number.parseFloat"];

pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let script = source.is_in(&["ui/src/"]) && source.ends(&[".ts", ".svelte"]);
    for (index, line) in source.text.lines().enumerate() {
        let message = if UNFINISHED.iter().any(|word| has_word(line, word)) {
            "a mark of unfinished work: finish it, or open an issue"
        } else if ONE_MACHINE.iter().any(|path| has_path(line, path)) {
            "a path of one machine: take it from the environment or make it relative"
        } else if script && SCRIPT_FLOATS.iter().any(|call| line.contains(call)) {
            "money is whole fen in the window too: send text to the counter, format fen with integers"
        } else {
            continue;
        };
        findings.push(Finding {
            path: source.path.clone(),
            line: index + 1,
            message: message.to_owned(),
        });
    }
    findings
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

/// Whether an absolute path begins like this, so not `network/work/`.
fn has_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || "_.-/}".contains(c))
    })
}
