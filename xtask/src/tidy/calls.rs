//! Calls and types that have no place in a crate, each with what stands there instead.

use super::Finding;
use super::source::Source;

struct Ban {
    /// The words and signs that follow each other.
    pattern: &'static [&'static str],
    /// The pattern as people write it.
    written: &'static str,
    /// Where it is banned.
    folders: &'static [&'static str],
    scope: Scope,
    instead: &'static str,
}

#[derive(PartialEq, Eq)]
enum Scope {
    /// Tests may do it.
    Product,
    /// Only tests are meant.
    Tests,
    Everywhere,
}

/// Code that a seeded simulation runs: time and randomness are arguments.
const PURE: &[&str] = &[
    "crates/core/",
    "crates/wire/",
    "crates/sync/",
    "crates/server/src/writer",
    "crates/server/src/db",
];
/// Code through which money flows.
const MONEY: &[&str] = &[
    "crates/core/",
    "crates/wire/",
    "crates/store/",
    "crates/sync/",
    "crates/pay/",
    "crates/counter/",
    "crates/server/",
];
const TESTS: &[&str] = &["crates/", "tests/", "src-tauri/"];

const TIME: &str = "take the time as an argument";
const CHANCE: &str = "take the random bytes or the id as an argument";
const NO_FLOAT: &str = "money is `Money` in fen, rates are basis points or `rust_decimal`";
const NO_SLEEP: &str = "wait for the condition itself, with a deadline";

const BANS: &[Ban] = &[
    product(
        &["SystemTime", ":", ":", "now"],
        "SystemTime::now",
        PURE,
        TIME,
    ),
    product(&["Instant", ":", ":", "now"], "Instant::now", PURE, TIME),
    product(
        &["OffsetDateTime", ":", ":", "now_utc"],
        "OffsetDateTime::now_utc",
        PURE,
        TIME,
    ),
    product(&["rand", ":", ":", "rng"], "rand::rng", PURE, CHANCE),
    product(&["thread_rng"], "thread_rng", PURE, CHANCE),
    product(
        &["getrandom", ":", ":", "fill"],
        "getrandom::fill",
        PURE,
        CHANCE,
    ),
    product(&["Uuid", ":", ":", "now_v7"], "Uuid::now_v7", PURE, CHANCE),
    product(&["Uuid", ":", ":", "new_v4"], "Uuid::new_v4", PURE, CHANCE),
    Ban {
        pattern: &["f32"],
        written: "f32",
        folders: MONEY,
        scope: Scope::Everywhere,
        instead: NO_FLOAT,
    },
    Ban {
        pattern: &["f64"],
        written: "f64",
        folders: MONEY,
        scope: Scope::Everywhere,
        instead: NO_FLOAT,
    },
    tests(&["thread", ":", ":", "sleep"], "thread::sleep"),
    tests(&["time", ":", ":", "sleep"], "time::sleep"),
];

const fn product(
    pattern: &'static [&'static str],
    written: &'static str,
    folders: &'static [&'static str],
    instead: &'static str,
) -> Ban {
    Ban {
        pattern,
        written,
        folders,
        scope: Scope::Product,
        instead,
    }
}

const fn tests(pattern: &'static [&'static str], written: &'static str) -> Ban {
    Ban {
        pattern,
        written,
        folders: TESTS,
        scope: Scope::Tests,
        instead: NO_SLEEP,
    }
}

pub fn check(source: &Source) -> Vec<Finding> {
    BANS.iter()
        .filter(|ban| source.is_in(ban.folders))
        .flat_map(|ban| broken(ban, source))
        .collect()
}

fn broken(ban: &Ban, source: &Source) -> Vec<Finding> {
    let product = source.lines_with(ban.pattern, false);
    let mut lines = match ban.scope {
        Scope::Product => product,
        Scope::Everywhere => source.lines_with(ban.pattern, true),
        Scope::Tests => {
            let all = source.lines_with(ban.pattern, true);
            all.into_iter()
                .filter(|line| !product.contains(line))
                .collect()
        }
    };
    lines.dedup();
    lines
        .into_iter()
        .map(|line| Finding {
            path: source.path.clone(),
            line,
            message: format!("`{}` is banned here: {}", ban.written, ban.instead),
        })
        .collect()
}
