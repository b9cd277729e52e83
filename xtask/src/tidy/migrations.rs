//! Migrations that have been committed are never edited: `migrations/checksums.txt` holds the
//! SHA-256 of each, in the form of `sha256sum`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::{say, tree};

use super::Finding;

const CHECKSUMS: &str = "migrations/checksums.txt";

/// Finds migrations that changed, are not listed, or leave a gap in their numbers.
pub fn check(names: &[String]) -> Result<Vec<Finding>, Error> {
    let listed = listed()?;
    let mut findings = Vec::new();
    let mut found = |path: &str, message: &str| {
        findings.push(Finding {
            path: path.to_owned(),
            line: 0,
            message: message.to_owned(),
        });
    };
    let present = migrations(names);
    for name in &present {
        match listed.get(name.as_str()) {
            None => found(
                name,
                "a migration without a checksum: run `cargo xtask codegen`",
            ),
            Some(sum) if *sum != checksum(name)? => {
                found(
                    name,
                    "a committed migration was edited: restore it and add a new one",
                );
            }
            Some(_) => {}
        }
    }
    for name in listed.keys().filter(|name| !present.contains(name)) {
        found(name, "a committed migration is gone: restore it");
    }
    for name in out_of_order(&present) {
        found(
            &name,
            "its number leaves a gap or stands twice; number them 0001, 0002, …",
        );
    }
    Ok(findings)
}

/// Adds the checksums of new migrations; those already listed stay as they are.
///
/// # Errors
/// Where a file cannot be read or written.
pub fn add_new() -> Result<(), Error> {
    let mut sums = listed()?;
    for name in migrations(&tree::files()?) {
        if let Entry::Vacant(place) = sums.entry(name) {
            say::line(format_args!("  {CHECKSUMS}: {}", place.key()));
            let sum = checksum(place.key())?;
            place.insert(sum);
        }
    }
    let mut text = String::new();
    for (name, sum) in &sums {
        writeln!(text, "{sum}  {name}").expect("writing to a string cannot fail");
    }
    let path = tree::root().join(CHECKSUMS);
    std::fs::write(&path, text).map_err(|source| Error::file(path, source))
}

/// Files called `migrations/<database>/NNNN_<name>.sql`.
fn migrations(names: &[String]) -> Vec<String> {
    names
        .iter()
        .filter(|name| number(name).is_some())
        .cloned()
        .collect()
}

fn number(path: &str) -> Option<u32> {
    let name = path.strip_prefix("migrations/")?.split('/').nth(1)?;
    let (number, rest) = name.split_once('_')?;
    if number.len() == 4 && rest.ends_with(".sql") {
        number.parse().ok()
    } else {
        None
    }
}

fn out_of_order(paths: &[String]) -> Vec<String> {
    let mut next: BTreeMap<&str, u32> = BTreeMap::new();
    let mut wrong = Vec::new();
    for path in paths {
        let (folder, number) = (
            path.rsplit_once('/').map_or("", |(folder, _)| folder),
            number(path).unwrap_or(0),
        );
        let expected = next.entry(folder).or_insert(1);
        if number != *expected {
            wrong.push(path.clone());
        }
        *expected = number + 1;
    }
    wrong
}

fn listed() -> Result<BTreeMap<String, String>, Error> {
    if !tree::root().join(CHECKSUMS).exists() {
        return Ok(BTreeMap::new());
    }
    tree::read(CHECKSUMS)?
        .lines()
        .map(|line| {
            let (sum, name) = line
                .split_once("  ")
                .ok_or_else(|| Error::unreadable(CHECKSUMS, line))?;
            Ok((name.to_owned(), sum.to_owned()))
        })
        .collect()
}

fn checksum(name: &str) -> Result<String, Error> {
    let digest = Sha256::digest(tree::read(name)?.as_bytes());
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_and_twins_are_found() {
        for (numbers, wrong) in [
            (vec!["0001_a.sql", "0002_b.sql"], 0),
            (vec!["0001_a.sql", "0003_b.sql"], 1),
            (vec!["0001_a.sql", "0001_b.sql"], 1),
            (vec!["0002_a.sql"], 1),
        ] {
            let paths: Vec<String> = numbers
                .iter()
                .map(|name| format!("migrations/terminal/{name}"))
                .collect();
            assert_eq!(out_of_order(&paths).len(), wrong, "{paths:?}");
        }
    }
}
