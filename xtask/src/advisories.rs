//! Security advisories against the crates we build on, by cargo-deny and as `deny.toml` says, and
//! against the window's packages. Where a database cannot be reached they are left out, and a line
//! says so.

mod packages;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::child::{self, cargo};
use crate::error::Error;
use crate::stages::Count;
use crate::{say, tree};

/// What reads `deny.toml` here; an installed one of the same minor version serves as well.
const CHECKER: &str = "cargo-deny";
const CHECKER_VERSION: &str = "0.20.2";
/// Where the checker is installed if it is not on this machine: once for a clone, which takes
/// minutes.
const CHECKER_ROOT: &str = "target/xtask/cargo-deny";
/// How long a database may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Checks every crate and package, or says why that is not possible here.
///
/// # Errors
/// Where an advisory stands against a package, or against a crate and `deny.toml` does not accept it.
pub fn report() -> Result<Count, Error> {
    let (packages, crates) = (packages::report(), crates());
    let (packages, crates) = (packages?, crates?);
    Ok(Count {
        passed: packages.passed + crates.passed,
        left_out: packages.left_out + crates.left_out,
        ..Count::default()
    })
}

fn crates() -> Result<Count, Error> {
    for url in databases()? {
        if !is_reachable(&url) {
            return Ok(left_out(format_args!("{url} cannot be reached")));
        }
    }
    let checker = match installed() {
        Some(checker) => checker,
        None => match install() {
            Ok(checker) => checker,
            // What the database's network gives, the registry's may not.
            Err(error) => return Ok(left_out(format_args!("no {CHECKER}: {error}"))),
        },
    };
    if let Err(error) = check(&checker, "advisory database", &["fetch", "db"]) {
        return Ok(left_out(error));
    }
    let arguments = [
        "--workspace",
        "--locked",
        "--offline",
        "check",
        "advisories",
    ];
    check(&checker, "advisories", &arguments)?;
    say::line("Security advisories: none that deny.toml does not accept");
    Ok(Count::ONE)
}

fn left_out(why: impl std::fmt::Display) -> Count {
    say::line(format_args!("Security advisories: NOT CHECKED HERE: {why}"));
    Count::LEFT_OUT
}

fn check(checker: &PathBuf, step: &str, arguments: &[&str]) -> Result<(), Error> {
    let mut command = Command::new(checker);
    command
        .args(["--color", "never"])
        .args(arguments)
        .current_dir(tree::root());
    child::run(step, &mut command).map(drop)
}

#[derive(Deserialize)]
struct Deny {
    advisories: Advisories,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Advisories {
    db_urls: Vec<String>,
}

fn databases() -> Result<Vec<String>, Error> {
    let deny: Deny = toml::from_str(&tree::read("deny.toml")?)
        .map_err(|error| Error::unreadable("deny.toml", error))?;
    Ok(deny.advisories.db_urls)
}

/// Whether the repository at `url` answers, by whatever way this machine's git takes to it.
fn is_reachable(url: &str) -> bool {
    let asked = Command::new("git")
        .args(["ls-remote", "--exit-code", url, "HEAD"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut asked) = asked else {
        return false;
    };
    let until = Instant::now() + PATIENCE;
    loop {
        match asked.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Instant::now() < until => thread::sleep(BETWEEN_LOOKS),
            Ok(None) | Err(_) => break,
        }
    }
    if let Err(error) = asked.kill().and_then(|()| asked.wait()) {
        say::line(format_args!("git ls-remote does not end: {error}"));
    }
    false
}

/// The checker on this machine, if it is one that understands our `deny.toml`.
fn installed() -> Option<PathBuf> {
    [PathBuf::from(CHECKER), own()].into_iter().find(|path| {
        let said = Command::new(path).arg("--version").output();
        said.is_ok_and(|said| is_fit(&String::from_utf8_lossy(&said.stdout)))
    })
}

/// Whether the checker's answer to `--version` names our minor version.
fn is_fit(said: &str) -> bool {
    let minor = |version: &str| {
        version
            .trim()
            .rsplit_once('.')
            .map(|(minor, _)| minor.to_owned())
    };
    said.strip_prefix(CHECKER)
        .is_some_and(|version| minor(version) == minor(CHECKER_VERSION))
}

fn own() -> PathBuf {
    let program = format!("bin/{CHECKER}{}", std::env::consts::EXE_SUFFIX);
    tree::root().join(CHECKER_ROOT).join(program)
}

fn install() -> Result<PathBuf, Error> {
    say::line(format_args!(
        "Installing {CHECKER} {CHECKER_VERSION}, once for this clone"
    ));
    let version = format!("{CHECKER}@{CHECKER_VERSION}");
    let arguments = [
        "install",
        "--locked",
        // Half the time to build, and the check itself takes seconds.
        "--debug",
        "--root",
        CHECKER_ROOT,
        &version,
    ];
    child::run("install cargo-deny", &mut cargo(&arguments))?;
    Ok(own())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checker_is_fit_by_its_minor_version() {
        for (said, expected) in [
            ("cargo-deny 0.20.2\n", true),
            ("cargo-deny 0.20.0\n", true),
            ("cargo-deny 0.18.9\n", false),
            ("cargo-deny 1.20.2\n", false),
            ("cargo-audit 0.20.2\n", false),
            ("", false),
        ] {
            assert_eq!(is_fit(said), expected, "{said}");
        }
    }

    #[test]
    fn a_database_that_is_not_there_is_not_reachable() {
        let nowhere = tempfile::tempdir().expect("a folder");
        assert!(!is_reachable(&nowhere.path().to_string_lossy()));
    }
}
