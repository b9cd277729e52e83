//! What a cashier feels in the real window: from a key to the results that it finds, and from a key
//! to another screen, beside a key in a field of the same window that asks nobody.

use std::path::Path;

use qiantai_testkit::{Cashier, Display, Key, Launch, PATIENCE, Window, Words, until};
use serde_json::{Value, json};

use crate::figure::{Figure, Goal, Report, Series, Unit, say};
use crate::window::make_shop;
use crate::{Outcome, Scale};

/// From a key to results at a million members (shared goal of search).
const RESULTS_P99_US_MAX: u64 = 50_000;
const SCREEN_P99_US_MAX: u64 = 100_000;
/// A screen that changed nothing for so long shows everything.
const SCREEN_AT_REST_MS: u64 = 250;
const LANGUAGE: &str = "zh-CN";
const BASELINE: &str = "a letter in a bare field of the same window";

/// What is put into the page.
const PROBE: &str = include_str!("felt.js");

/// What people type: initials of frequent surnames with a frequent given name.
const INITIALS: [&str; 8] = ["zw", "wf", "lj", "cy", "yl", "hm", "zxy", "lxh"];
/// The counter, where queries are typed, and the screens beside it.
const COUNTER: Key = Key::F6;
const SCREENS: [Key; 3] = [Key::F7, Key::F8, Key::F9];

/// Measures keys in the window of a shop that is made first.
pub async fn measure(app: &Path, folder: &Path, scale: Scale) -> Outcome<Report> {
    let shop = folder.join("shop");
    let members = scale.counter_members;
    say(format_args!("    making a shop of {members} members"));
    make_shop(app, &shop, members).await?;
    let display = Display::start()?;
    let launch = Launch::training(app).in_folder(&shop);
    let window = Window::open(&display, &launch).await?;
    let words = Words::of(LANGUAGE)?;
    let cashier = Cashier {
        window: &window,
        words: &words,
    };
    cashier.sign_in().await?;
    cashier.open_shift().await?;
    window.run(PROBE).await?;

    // In turn, so that a busy machine slows all of them.
    let (mut results, mut letters, mut screens) = (Vec::new(), Vec::new(), Vec::new());
    let queries = queries(scale.key_presses);
    for (turn, query) in queries.iter().enumerate() {
        results.extend(search(&window, query).await?);
        letters.push(letter(&window).await?);
        if screens.len() < scale.screen_changes {
            let away = SCREENS[turn % SCREENS.len()];
            screens.push(change(&window, away).await?);
            screens.push(change(&window, COUNTER).await?);
        }
    }
    window.close().await?;
    Ok(report(members, results, &letters, screens))
}

/// Texts to be typed, so many keys in all: initials and last digits in turn.
fn queries(keys: usize) -> Vec<String> {
    let mut queries = Vec::new();
    let mut typed = 0;
    for turn in 0_usize.. {
        if typed >= keys {
            break;
        }
        // Steps through all last four digits without a pattern.
        let digits = || format!("{:04}", turn * 7_919 % 10_000);
        let query = match turn % 2 {
            0 => INITIALS[turn / 2 % INITIALS.len()].to_owned(),
            _ => digits(),
        };
        typed += query.len();
        queries.push(query);
    }
    queries
}

/// What each key of a query took, until its results were painted.
async fn search(window: &Window, query: &str) -> Outcome<Vec<u64>> {
    let mut took = Vec::new();
    for key in query.chars() {
        arm(window, "search", 0).await?;
        window.type_text(&key.to_string()).await?;
        took.push(taken(window, &format!("results for {query:?}")).await?);
    }
    window.press(Key::Escape).await?;
    until("an empty search box", PATIENCE, || async {
        let text = window
            .run("return document.querySelector('search input').value")
            .await?;
        Ok((text == "").then_some(()))
    })
    .await?;
    Ok(took)
}

/// What a key took in a field that asks nobody.
async fn letter(window: &Window) -> Outcome<u64> {
    window.run("window.__felt.bare()").await?;
    arm(window, "#felt-bare", 0).await?;
    window.type_text("z").await?;
    let took = taken(window, "a letter in a bare field").await?;
    window.run("window.__felt.end()").await?;
    // Ends what a scanner might have begun.
    window.press(Key::Escape).await?;
    Ok(took)
}

/// What a change of screens took.
async fn change(window: &Window, key: Key) -> Outcome<u64> {
    arm(window, "main", SCREEN_AT_REST_MS).await?;
    window.press(key).await?;
    taken(window, "another screen").await
}

async fn arm(window: &Window, place: &str, rest_ms: u64) -> Outcome<()> {
    let place = json!(place);
    let script = format!("window.__felt.arm({place}, {rest_ms})");
    window.run(&script).await?;
    Ok(())
}

async fn taken(window: &Window, what: &str) -> Outcome<u64> {
    let taken = until(what, PATIENCE, || async {
        let taken: Value = window.run("return window.__felt.taken()").await?;
        Ok(taken.as_u64())
    });
    Ok(taken.await?)
}

fn report(members: u32, results: Vec<u64>, letters: &[u64], screens: Vec<u64>) -> Report {
    let baseline = || Series::of(letters.iter().copied());
    let results = Figure {
        name: "results",
        what: format!("from a key to its results on the screen, with {members} members"),
        unit: Unit::Micros,
        measured: Series::of(results),
        baseline_what: BASELINE,
        baseline: baseline(),
        goal: Some(Goal::P99(RESULTS_P99_US_MAX)),
    };
    let screens = Figure {
        name: "screens",
        what: "from a key to another screen with all that it shows".to_owned(),
        unit: Unit::Micros,
        measured: Series::of(screens),
        baseline_what: BASELINE,
        baseline: baseline(),
        goal: Some(Goal::P99(SCREEN_P99_US_MAX)),
    };
    Report {
        name: "felt",
        figures: vec![results, screens],
        facts: serde_json::Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_no_scans_and_as_many_keys_as_wanted() {
        for keys in [1, 24, 600] {
            let queries = queries(keys);
            let typed: usize = queries.iter().map(String::len).sum();
            assert!((keys..keys + 4).contains(&typed), "{typed} for {keys}");
            // So many keys in a quick rhythm would be taken for a scan.
            assert!(queries.iter().all(|query| query.len() < 6));
        }
    }
}
