//! The rules of the house that no compiler knows. Each finding names what to do instead.
//!
//! What clippy holds (no `unwrap`, no `println!`, no float arithmetic, a reason on every exception)
//! is not repeated here.

mod calls;
mod crates;
mod imports;
mod lengths;
pub mod migrations;
mod names;
mod postgres;
mod source;
mod sql;
mod words;

use std::fmt;

use crate::error::Error;
use crate::{say, tree};

use source::Source;

/// A rule that is not kept.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// File, by its path from the root.
    pub path: String,
    /// Line, counted from 1; 0 stands for the whole file.
    pub line: usize,
    /// What is wrong, and what to do instead.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Every finding in the work tree.
///
/// # Errors
/// Where a file cannot be read.
pub fn check() -> Result<Vec<Finding>, Error> {
    let names = tree::files()?;
    let mut findings = Vec::new();
    for name in &names {
        if let Some(source) = Source::read(name)? {
            findings.extend(of_file(&source));
        }
    }
    findings.extend(names::of_paths(&names));
    findings.extend(crates::check()?);
    findings.extend(migrations::check(&names)?);
    Ok(findings)
}

fn of_file(source: &Source) -> Vec<Finding> {
    let rules = [
        lengths::check,
        names::check,
        calls::check,
        imports::check,
        sql::check,
        postgres::check,
        words::check,
    ];
    rules.iter().flat_map(|rule| rule(source)).collect()
}

/// Prints every finding.
///
/// # Errors
/// Where there is a finding.
pub fn report() -> Result<(), Error> {
    let findings = check()?;
    for finding in &findings {
        say::line(finding);
    }
    if findings.is_empty() {
        Ok(())
    } else {
        Err(Error::Reported)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_tidy() {
        let findings = check().expect("the work tree is readable");
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
    }

    /// A file, its text, and a part of the one finding in it.
    const CASES: &[(&str, &str, Option<&str>)] = &[
        (
            "crates/core/src/a.rs",
            "fn f() { Instant::now(); }",
            Some("Instant::now"),
        ),
        ("crates/print/src/a.rs", "fn f() { Instant::now(); }", None),
        (
            "crates/core/src/a.rs",
            "/// Instant::now()\nfn f() {}",
            None,
        ),
        (
            "crates/core/src/a.rs",
            "const A: &str = \"Instant::now()\";",
            None,
        ),
        (
            "crates/core/src/a.rs",
            "#[cfg(test)] mod t { fn f() { Instant::now(); } }",
            None,
        ),
        (
            "crates/sync/src/a.rs",
            "fn f() { let r = rand::rng(); }",
            Some("rand::rng"),
        ),
        (
            "crates/server/src/writer/a.rs",
            "fn f() { SystemTime::now(); }",
            Some("SystemTime"),
        ),
        ("crates/wire/src/a.rs", "struct A { b: f64 }", Some("Money")),
        ("crates/print/src/a.rs", "struct A { b: f64 }", None),
        (
            "crates/store/tests/main.rs",
            "fn f() { std::thread::sleep(d); }",
            Some("sleep"),
        ),
        (
            "crates/core/src/a.rs",
            "struct LotManager;",
            Some("LotManager"),
        ),
        ("crates/core/src/a.rs", "struct LotBook;", None),
        (
            "crates/core/src/a.rs",
            "enum MemberInfo { A }",
            Some("MemberInfo"),
        ),
        (
            "ui/src/a.ts",
            "export class PayHelper {}",
            Some("PayHelper"),
        ),
        (
            "crates/counter/src/a.rs",
            "const A: &str = \"SELECT a FROM b\";",
            Some("SQL"),
        ),
        (
            "crates/store/src/a.rs",
            "const A: &str = \"SELECT a FROM b\";",
            None,
        ),
        (
            "crates/server/src/db/a.rs",
            "const A: &str = \"SELECT a FROM b\";",
            None,
        ),
        (
            "crates/counter/src/a.rs",
            "/// SELECT a FROM b\nfn f() {}",
            None,
        ),
        (
            "crates/server/src/db/postgres/a.rs",
            "const A: &str = \"SELECT pg_advisory_xact_lock($1)\";",
            Some("PG_ADVISORY_XACT_LOCK"),
        ),
        (
            "crates/server/src/db/tables/a.rs",
            "const A: &str = \"LOCK TABLE head\";",
            Some("LOCK TABLE"),
        ),
        (
            "crates/server/src/db/postgres.rs",
            "const A: &str = \"who listens; ON CONFLICT (a) DO NOTHING\";",
            None,
        ),
        (
            "crates/server/src/db/sqlite.rs",
            "const A: &str = \"DROP TRIGGER a\";",
            None,
        ),
        (
            "migrations/server-postgres/a.sql",
            "-- no triggers\nCREATE TABLE a (b bigserial);",
            Some("BIGSERIAL"),
        ),
        (
            "migrations/server-postgres/a.sql",
            "CREATE INDEX a ON b (c) WHERE d <> 'lost'; -- no trigger",
            None,
        ),
        (
            "migrations/terminal/a.sql",
            "CREATE TRIGGER a BEFORE DELETE ON b;",
            None,
        ),
        (
            "crates/counter/src/a.rs",
            "use tauri::App;",
            Some("src-tauri"),
        ),
        ("src-tauri/a.rs", "use tauri::App;", None),
        (
            "crates/sync/src/a.rs",
            "use reqwest::Client;",
            Some("transport"),
        ),
        ("crates/sync/src/transport.rs", "use reqwest::Client;", None),
        (
            "crates/core/src/a.rs",
            "use serde::Serialize;",
            Some("wire"),
        ),
        (
            "ui/src/a.ts",
            "import { x } from \"@tauri-apps/api\";",
            Some("platform"),
        ),
        (
            "ui/src/platform/a.ts",
            "import { x } from \"@tauri-apps/api\";",
            None,
        ),
        ("ui/src/a.ts", "const x = parseFloat(y);", Some("fen")),
        ("a.md", concat!("TO", "DO: later"), Some("finish")),
        ("a.sh", concat!("cd /wo", "rk/main"), Some("one machine")),
        ("a.sh", "cd network/work", None),
    ];

    /// Every rule finds what it bans, and nothing in code that keeps it.
    #[test]
    fn each_rule_bites() {
        for (path, text, expected) in CASES {
            let source = Source::of(path, (*text).to_owned()).expect("the case is readable");
            let found: Vec<String> = of_file(&source).iter().map(ToString::to_string).collect();
            match expected {
                None => assert!(found.is_empty(), "{path}: {text}\n{found:?}"),
                Some(part) => assert!(
                    found.len() == 1 && found[0].contains(part),
                    "{path}: {text}\n{found:?}"
                ),
            }
        }
    }

    #[test]
    fn long_files_and_functions_are_found() {
        let long = "// a\n".repeat(601);
        let source = Source::of("crates/core/src/a.rs", long).expect("readable");
        assert!(of_file(&source)[0].message.contains("601 lines"));

        let body = format!("fn long() {{\n{}}}\n", "    a();\n".repeat(99));
        let source = Source::of("crates/core/src/a.rs", body).expect("readable");
        assert!(of_file(&source)[0].message.contains("`long` has 101 lines"));
    }
}
