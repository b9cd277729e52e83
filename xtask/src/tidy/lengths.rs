//! Files and functions that one can still hold in one's head.

use super::Finding;
use super::source::{Kind, Source};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 100;

/// Made from the migrations, whole.
const SCHEMA_SNAPSHOT: &str = "/schema.sql";

const CODE: [&str; 8] = [
    ".rs", ".ts", ".mjs", ".js", ".svelte", ".css", ".sql", ".html",
];

pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = source.text.lines().count();
    let is_written = source.ends(&CODE) && !source.path.ends_with(SCHEMA_SNAPSHOT);
    if is_written && lines > FILE_LINES_MAX {
        findings.push(Finding {
            path: source.path.clone(),
            line: 0,
            message: format!("{lines} lines; split it at a seam, {FILE_LINES_MAX} is the most"),
        });
    }
    findings.extend(long_functions(source));
    findings
}

fn long_functions(source: &Source) -> Vec<Finding> {
    let tokens = &source.tokens;
    let mut findings = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        if pair[0].text != "fn" || pair[1].kind != Kind::Word {
            continue;
        }
        let Some(last_line) = end_of_body(source, at) else {
            continue;
        };
        let lines = last_line - pair[0].line + 1;
        if lines > FUNCTION_LINES_MAX {
            findings.push(Finding {
                path: source.path.clone(),
                line: pair[0].line,
                message: format!(
                    "`{}` has {lines} lines; give its parts names of their own, {FUNCTION_LINES_MAX} is the most",
                    pair[1].text
                ),
            });
        }
    }
    findings
}

/// The line on which the body of the function that starts at token `at` ends; `None` without a body.
fn end_of_body(source: &Source, mut at: usize) -> Option<usize> {
    let tokens = &source.tokens;
    loop {
        let token = tokens.get(at)?;
        match token.kind {
            Kind::Open { close } if token.text == "{" => return Some(tokens[close].line),
            Kind::Open { close } => at = close + 1,
            Kind::Sign if token.text == ";" => return None,
            _ => at += 1,
        }
    }
}
