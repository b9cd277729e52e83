//! `cargo xtask screens`: the window tests that walk through the screens, with a picture of every
//! screen and state in every look. The table of them is `tests/screens/table.toml`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::child::{self, cargo};
use crate::error::Error;
use crate::machine::{self, Need};
use crate::unsteady::Failures;
use crate::{abilities, pages, say, test, tree};

const TABLE: &str = "tests/screens/table.toml";
/// Shows all pictures, a row for each screen.
const INDEX: &str = "index.html";

/// Every screen and state, by the test that looks at it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    looks: Vec<String>,
    #[serde(rename = "test")]
    tests: Vec<Test>,
}

/// A test that walks through screens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    name: String,
    /// Looks at them in the first look only.
    #[serde(default)]
    plain: bool,
    /// Is run once for each look.
    #[serde(default)]
    brief: bool,
    /// Has the usual size of type in every look, and no pictures in another.
    #[serde(default)]
    one_size: bool,
    /// Its screens, and the parts of the window that each of them shows.
    shows: BTreeMap<String, Vec<String>>,
}

/// Takes every picture into `out`, from where earlier ones are removed.
///
/// # Errors
/// Where a screen breaks a rule of accessibility or does not fit, or is not on a picture.
pub fn screens(out: &Path) -> Result<(), Error> {
    machine::prepare(Need::Tests)?;
    let out = &absolute(out)?;
    let table = Table::read()?;
    let lacking = abilities::lacking();
    let is_possible = |test: &&Test| !lacking.iter().any(|part| test.name.contains(part));
    let tests: Vec<&Test> = table.tests.iter().filter(is_possible).collect();
    pages::build()?;
    pages::build_probe()?;
    pages::build_demo()?;
    table.clear(out)?;
    say::line("Building the tests (minutes the first time)");
    child::run("screens build", &mut walk(&["--no-run"]))?;

    let (brief, lasting): (Vec<&Test>, Vec<&Test>) = tests.iter().partition(|test| test.brief);
    let mut is_good = take("all", &lasting, out)?;
    for looks in &table.looks {
        is_good &= take(looks, &brief, out)?;
    }
    let missing = table.missing(&tests, out);
    for picture in &missing {
        say::line(format_args!("not taken: {}", picture.display()));
    }
    let index = out.join(INDEX);
    fs::write(&index, table.index(&tests)).map_err(|source| Error::file(&index, source))?;
    let taken: usize = tests.iter().map(|test| test.shows.len()).sum();
    say::line(format_args!(
        "{taken} screens and states in {} looks: {}",
        table.looks.len(),
        index.display()
    ));
    if is_good && missing.is_empty() {
        return Ok(());
    }
    Err(Error::Reported)
}

/// Runs `tests` in the looks that `wanted` names. Says what they found, and whether it was nothing.
fn take(wanted: &str, tests: &[&Test], out: &Path) -> Result<bool, Error> {
    say::line(format_args!("Walking through the screens, looks: {wanted}"));
    let mut command = walk(&["--no-fail-fast", "--", "--exact"]);
    command
        .args(tests.iter().map(|test| &test.name))
        .env("SCREENS", wanted)
        .env("SCREENS_OUT", out);
    let ended = child::run_to_its_end(&format!("screens {wanted}"), &mut command)?;
    let count = test::libtest(&ended.output);
    if ended.status.success() && usize::try_from(count.passed).ok() == Some(tests.len()) {
        return Ok(true);
    }
    let failures = Failures::read(&ended.output);
    child::show_end(if failures.words.is_empty() {
        &ended.output
    } else {
        &failures.words
    });
    Ok(false)
}

/// The window tests, built as `cargo xtask test` builds them.
fn walk(more: &[&str]) -> std::process::Command {
    let mut command = cargo(&["test", "--workspace", "--test", "main"]);
    command.args(more);
    command
}

fn absolute(out: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(out).map_err(|source| Error::file(out, source))
}

impl Table {
    fn read() -> Result<Table, Error> {
        let text = tree::read(TABLE)?;
        toml::from_str(&text).map_err(|error| Error::unreadable(TABLE, error))
    }

    /// Removes the pictures of an earlier run, and nothing else.
    fn clear(&self, out: &Path) -> Result<(), Error> {
        for looks in &self.looks {
            let folder = out.join(looks);
            if folder.exists() {
                fs::remove_dir_all(&folder).map_err(|source| Error::file(&folder, source))?;
            }
        }
        fs::create_dir_all(out).map_err(|source| Error::file(out, source))
    }

    fn looks_of(&self, test: &Test) -> Vec<&str> {
        let looks = self.looks.iter().map(String::as_str);
        let fits = |looks: &&str| !(test.one_size && names_a_size(looks));
        let count = if test.plain { 1 } else { self.looks.len() };
        looks.filter(fits).take(count).collect()
    }

    /// Pictures of `tests` that were to be taken and are not there.
    fn missing(&self, tests: &[&Test], out: &Path) -> Vec<PathBuf> {
        let mut missing = Vec::new();
        for test in tests {
            for (screen, looks) in test.shows.keys().flat_map(|screen| {
                self.looks_of(test)
                    .into_iter()
                    .map(move |looks| (screen, looks))
            }) {
                let picture = out.join(looks).join(screen).with_extension("png");
                if !picture.exists() {
                    missing.push(picture);
                }
            }
        }
        missing
    }

    /// A page with every picture, a row for each screen.
    fn index(&self, tests: &[&Test]) -> String {
        let mut page = String::from(HEAD);
        for test in tests {
            for screen in test.shows.keys() {
                put(&mut page, format_args!("<h2>{screen}</h2>\n<p>"));
                for looks in self.looks_of(test) {
                    put(
                        &mut page,
                        format_args!(
                            "<a href=\"{looks}/{screen}.png\">\
                             <img loading=\"lazy\" width=\"341\" height=\"192\" \
                             src=\"{looks}/{screen}.png\" alt=\"{looks}\"></a>\n"
                        ),
                    );
                }
                page.push_str("</p>\n");
            }
        }
        page
    }
}

/// Looks in the usual size of type do not name it: `en-dark`, and `en-dark-150`.
fn names_a_size(looks: &str) -> bool {
    looks.ends_with(|end: char| end.is_ascii_digit())
}

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
    <title>Screens</title>\n\
    <style>body { font: 14px sans-serif; margin: 2em } img { margin: 2px }</style>\n\
    <h1>Screens</h1>\n";

fn put(page: &mut String, what: std::fmt::Arguments<'_>) {
    page.write_fmt(what).expect("text takes text");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_was_not_taken_is_missed() {
        let table = Table::read().expect("the table is of its form");
        let out = tempfile::tempdir().expect("a temporary folder");
        let test = Test {
            name: "walk".into(),
            plain: true,
            brief: false,
            one_size: false,
            shows: BTreeMap::from([("one".into(), Vec::new()), ("two".into(), Vec::new())]),
        };
        let folder = out.path().join(&table.looks[0]);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("one.png"), "").expect("a picture");
        let missing = table.missing(&[&test], out.path());
        assert_eq!(missing, [folder.join("two.png")]);
        let page = table.index(&[&test]);
        assert!(page.contains("<h2>two</h2>"), "{page}");
        let in_one_size = Test {
            plain: false,
            one_size: true,
            ..test
        };
        let looks = table.looks_of(&in_one_size);
        assert_eq!(looks, ["zh-CN-light", "zh-CN-dark", "en-light", "en-dark"]);
        table.clear(out.path()).expect("it is cleared");
        assert!(!folder.exists());
    }
}
