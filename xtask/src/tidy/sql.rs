//! SQL has two rooms.

use super::Finding;
use super::source::{Kind, Source};

const ROOMS: [&str; 7] = [
    "crates/sqlite/",
    "crates/store/",
    "crates/server/src/db",
    "crates/server/tests/",
    "migrations/",
    // The least that a commit costs is measured without the product's code around it.
    "crates/bench/src/bare_commit.rs",
    // Names the statements in order to find them.
    "xtask/src/tidy",
];

const STATEMENTS: [&str; 8] = [
    "SELECT ",
    "INSERT INTO ",
    "INSERT OR ",
    "DELETE FROM ",
    "CREATE TABLE ",
    "CREATE INDEX ",
    "PRAGMA ",
    "BEGIN IMMEDIATE",
];

pub fn check(source: &Source) -> Vec<Finding> {
    if source.is_in(&ROOMS) {
        return Vec::new();
    }
    source
        .tokens
        .iter()
        .filter(|token| token.kind == Kind::Literal && !token.in_test)
        .filter(|token| {
            STATEMENTS
                .iter()
                .any(|statement| token.text.contains(statement))
        })
        .map(|token| Finding {
            path: source.path.clone(),
            line: token.line,
            message: "SQL outside the store and the server's db modules; add a named read there"
                .into(),
        })
        .collect()
}
