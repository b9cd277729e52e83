//! PostgreSQL is asked only what distributed databases that speak its protocol also take (docs: adr
//! 0015). Beyond the standard `ON CONFLICT`, `RETURNING`, `unnest` and partial indexes are used:
//! those take them too.

use super::Finding;
use super::source::{Kind, Source};

const MIGRATIONS: &str = "migrations/server-postgres/";
const STATEMENTS: &str = "crates/server/src/db";
/// Its statements never reach PostgreSQL.
const OF_THE_FILE: &str = "crates/server/src/db/sqlite.rs";

/// Each is missing in at least one of them, or means something else there.
const NOT_EVERYWHERE: [&str; 31] = [
    "TRIGGER",
    "FUNCTION",
    "PROCEDURE",
    "CREATE RULE",
    "EXTENSION",
    "DO $$",
    "EXCLUDE",
    "DEFERRABLE",
    "SEQUENCE",
    "SERIAL",
    "BIGSERIAL",
    "NEXTVAL",
    "SETVAL",
    "INHERITS",
    "TABLESPACE",
    "UNLOGGED",
    "CREATE TEMP",
    "CREATE TEMPORARY",
    "LOCK TABLE",
    "LISTEN",
    "UNLISTEN",
    "NOTIFY",
    "PG_NOTIFY",
    "PG_ADVISORY_LOCK",
    "PG_ADVISORY_XACT_LOCK",
    "PG_ADVISORY_UNLOCK",
    "PG_TRY_ADVISORY_LOCK",
    "PG_TRY_ADVISORY_XACT_LOCK",
    "PREPARE TRANSACTION",
    "CTID",
    "XMIN",
];

pub fn check(source: &Source) -> Vec<Finding> {
    if source.is_in(&[MIGRATIONS]) {
        let lines = source.text.lines().enumerate();
        let code = lines.map(|(index, line)| (index + 1, without_comment(line).to_uppercase()));
        return code.filter_map(|line| found(source, line)).collect();
    }
    if !source.is_in(&[STATEMENTS]) || source.is_in(&[OF_THE_FILE]) {
        return Vec::new();
    }
    // In Rust the words of SQL are written in capitals, and its functions are not.
    let literals = source.tokens.iter().filter(|token| {
        let is_code = token.kind == Kind::Literal && !token.in_test;
        is_code && token.text.starts_with(['"', 'r'])
    });
    let code = literals.map(|token| (token.line, with_functions(&token.text)));
    code.filter_map(|line| found(source, line)).collect()
}

fn found(source: &Source, (line, code): (usize, String)) -> Option<Finding> {
    let word = NOT_EVERYWHERE.iter().find(|word| has(&code, word))?;
    Some(Finding {
        path: source.path.clone(),
        line,
        message: format!(
            "{word}: not every distributed database with PostgreSQL's protocol takes it; guard it in \
             code, or use what the others use"
        ),
    })
}

fn without_comment(line: &str) -> &str {
    line.split("--").next().unwrap_or(line)
}

/// Functions and system columns in capitals as well.
fn with_functions(text: &str) -> String {
    let mut code = text.to_owned();
    for word in ["pg_", "nextval", "setval", "ctid", "xmin"] {
        if code.contains(word) {
            code = code.to_uppercase();
        }
    }
    code
}

fn has(code: &str, word: &str) -> bool {
    let of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(of_a_name) && !after.is_some_and(of_a_name)
    })
}
