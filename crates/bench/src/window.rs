//! The app's window beside an empty one of the same making: how soon it can be used, and how much
//! memory it takes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use qiantai_testkit::{Display, Fault, Launch, Window, until};
use serde_json::{Value, json};

use crate::figure::{Figure, Goal, Report, Series, Unit, say};
use crate::screen::Screen;
use crate::start::{Start, Subject};
use crate::{Outcome, Scale};

const USABLE_PERCENT_MAX: u64 = 125;
const MEMORY_PERCENT_MAX: u64 = 130;
/// A first start makes the shop and all its members.
const FIRST_START_WITHIN: Duration = Duration::from_secs(7_200);
const BASELINE: &str = "an empty Tauri window";

/// The two programs.
pub struct Binaries {
    /// The app.
    pub app: PathBuf,
    /// The empty window.
    pub empty: PathBuf,
}

/// Measures starts of the app in turn with starts of the empty window.
pub async fn measure(binaries: &Binaries, folder: &Path, scale: Scale) -> Outcome<Vec<Report>> {
    let shop = folder.join("shop");
    say(format_args!(
        "    making a shop of {} members",
        scale.window_members
    ));
    make_shop(&binaries.app, &shop, scale.window_members).await?;
    tokio::task::block_in_place(|| starts(binaries, folder, &shop, scale))
}

/// The first start: makes the shop's files, and is closed as a person closes a window.
pub async fn make_shop(app: &Path, shop: &Path, members: u32) -> Outcome<()> {
    let display = Display::start()?;
    let launch = Launch::training(app)
        .in_folder(shop)
        .with(["--members", &members.to_string()]);
    let window = Window::open(&display, &launch).await?;
    until("the shop to be made", FIRST_START_WITHIN, || async {
        let status: Value = window.call("boot_status", Value::Null).await?;
        match status["state"]["kind"].as_str() {
            Some("opening") => Ok(None),
            Some("ready") => Ok(Some(())),
            _ => Err(Fault::Unexpected(format!("{}", status["state"]))),
        }
    })
    .await?;
    Ok(window.close().await?)
}

fn starts(binaries: &Binaries, folder: &Path, shop: &Path, scale: Scale) -> Outcome<Vec<Report>> {
    let memory = folder.join("display");
    std::fs::create_dir_all(&memory)?;
    let screen = Screen::start(&memory)?;
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let app = Subject {
        binary: binaries.app.clone(),
        arguments: vec!["--training".to_owned(), "--data".to_owned(), text(shop)],
    };
    let empty = Subject {
        binary: binaries.empty.clone(),
        arguments: vec![text(&folder.join("empty"))],
    };
    // The first starts also fill the system's caches.
    let app_picture = app.picture(&screen)?;
    let empty_picture = empty.picture(&screen)?;
    if app_picture.is_like(&empty_picture) {
        return Err("the app's window shows nothing".into());
    }
    let (mut of_app, mut of_empty) = (Vec::new(), Vec::new());
    for _ in 0..scale.starts {
        of_app.push(app.measure(&screen, &app_picture)?);
        of_empty.push(empty.measure(&screen, &empty_picture)?);
    }
    Ok(reports(&of_app, &of_empty, scale.window_members))
}

fn reports(app: &[Start], empty: &[Start], members: u32) -> Vec<Report> {
    let usable = Figure {
        name: "usable",
        what: format!("from the start to the sign-in screen, with {members} members"),
        unit: Unit::Micros,
        measured: times(app),
        baseline_what: BASELINE,
        baseline: times(empty),
        goal: Some(Goal::RatioPercent(USABLE_PERCENT_MAX)),
    };
    let share = Figure {
        name: "all_processes",
        what: format!("proportional memory of all processes, with {members} members"),
        unit: Unit::Kibibytes,
        measured: totals(app),
        baseline_what: BASELINE,
        baseline: totals(empty),
        goal: Some(Goal::RatioPercent(MEMORY_PERCENT_MAX)),
    };
    let mut by_process = serde_json::Map::new();
    by_process.insert("app_kib".to_owned(), json!(last(app)));
    by_process.insert("empty_kib".to_owned(), json!(last(empty)));
    vec![
        Report {
            name: "window",
            figures: vec![usable],
            facts: serde_json::Map::new(),
        },
        Report {
            name: "memory",
            figures: vec![share],
            facts: by_process,
        },
    ]
}

fn times(starts: &[Start]) -> Series {
    Series::of_times(starts.iter().map(|start| start.usable))
}

fn totals(starts: &[Start]) -> Series {
    Series::of(starts.iter().map(|start| start.memory_kib.values().sum()))
}

fn last(starts: &[Start]) -> Option<&BTreeMap<String, u64>> {
    starts.last().map(|start| &start.memory_kib)
}
