//! `bench`: measures the product against baselines taken in the same run, round by round in turn,
//! so that a busy or slow machine slows both. Started by `cargo xtask bench`.

mod against;
mod bare_commit;
mod cash;
mod felt;
mod figure;
mod gateways;
mod kills;
mod ledger;
mod members;
mod memory;
mod receipt;
mod screen;
mod search;
mod settle;
mod shop;
mod start;
mod window;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::against::Earlier;
use crate::figure::Report;
use crate::ledger::{Books, LedgerScale};

/// Anything that goes wrong ends the run and is told in words.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Measures the product against baselines taken in the same run.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Arguments {
    /// What else is done with real processes; without it, figures are taken.
    #[command(subcommand)]
    job: Option<Job>,
    /// The app, built for release; needed to measure windows.
    #[arg(long)]
    app: Option<PathBuf>,
    /// The empty window, built alike; needed to measure windows.
    #[arg(long)]
    empty: Option<PathBuf>,
    /// The ledger server, built alike; needed to measure the ledger.
    #[arg(long)]
    server: Option<PathBuf>,
    /// Where the figures go, and the files that are measured with.
    #[arg(long, required = true)]
    out: Option<PathBuf>,
    /// Take only this measurement; may be given several times.
    #[arg(long, value_enum)]
    only: Vec<Measurement>,
    /// Measure the ledger only on these books; may be given twice.
    #[arg(long, value_enum)]
    books: Vec<Books>,
    /// Rows in the journal of the large shop.
    #[arg(long)]
    rows: Option<u64>,
    /// The summary of an earlier run; a figure that is worse by more than 5 % fails this one.
    #[arg(long)]
    against: Option<PathBuf>,
    /// Small sizes and few rounds: shows that everything works, and no figure worth keeping.
    #[arg(long)]
    quick: bool,
}

/// What takes no figures.
#[derive(Debug, Subcommand)]
enum Job {
    /// Kill terminals and their server again and again, and compare the books with what was taken.
    Kills(kills::Kills),
    /// A terminal that sells until it is killed.
    #[command(hide = true)]
    SellUntilKilled(kills::Seat),
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measurement {
    /// From starting the app to a usable window, and the memory that it then takes.
    Window,
    /// Keys in the real window: results on the screen, and changes of screens.
    Felt,
    /// Finding members in the terminal's store.
    Search,
    /// A top-up in cash, durable.
    Cash,
    /// From a payment's notice to the settled order.
    Settle,
    /// A receipt as PDF and ESC/POS.
    Receipt,
    /// Signatures and notices of WeChat Pay's own protocol.
    Gateways,
    /// Top-ups applied by the server on both databases.
    Ledger,
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// Members of the shop whose window opens.
    window_members: u32,
    /// Starts of each window.
    starts: usize,
    /// Members of the shop in whose window keys are pressed.
    counter_members: u32,
    /// Keys that search.
    key_presses: usize,
    /// Changes of screens.
    screen_changes: usize,
    /// Members in the store that is searched.
    search_members: u32,
    /// Searches of each kind.
    searches: usize,
    /// Searches of each kind in a store that was just opened.
    cold_searches: usize,
    /// Top-ups in cash, settled payments and receipts.
    sales: usize,
    /// Signed exchanges.
    exchanges: usize,
    /// Notices, a third of them one by one and the others at their rate.
    notices: usize,
    /// Top-ups for the ledger server.
    ledger: LedgerScale,
}

const FULL: Scale = Scale {
    window_members: 100_000,
    starts: 15,
    counter_members: 1_000_000,
    key_presses: 600,
    screen_changes: 150,
    search_members: 1_000_000,
    searches: 2_000,
    cold_searches: 20,
    sales: 300,
    exchanges: 2_000,
    notices: 900,
    ledger: LedgerScale {
        tills: 8,
        small_members: 5_000,
        small_rows: 10_000,
        large_members: 100_000,
        large_rows: 1_000_000,
        rounds: 7,
        per_round: 256,
        per_call: 128,
        at_half: 3_000,
        online: 300,
        pgbench: (4, 20),
        commits: 300,
        buffers_mib: 1_024,
    },
};

const QUICK: Scale = Scale {
    window_members: 500,
    starts: 2,
    counter_members: 2_000,
    key_presses: 24,
    screen_changes: 8,
    search_members: 20_000,
    searches: 100,
    cold_searches: 2,
    sales: 10,
    exchanges: 50,
    notices: 150,
    ledger: LedgerScale {
        tills: 8,
        small_members: 500,
        small_rows: 1_000,
        large_members: 2_000,
        large_rows: 10_000,
        rounds: 3,
        per_round: 128,
        per_call: 128,
        at_half: 200,
        online: 30,
        pgbench: (1, 8),
        commits: 50,
        buffers_mib: 128,
    },
};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.job {
        Some(Job::Kills(options)) => kills::kills(&options).await,
        Some(Job::SellUntilKilled(seat)) => kills::sell(seat).await,
        None => run(&arguments).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            figure::say(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Outcome<()> {
    let mut scale = if arguments.quick { QUICK } else { FULL };
    if let Some(rows) = arguments.rows {
        scale.ledger.large_rows = rows;
    }
    let earlier = arguments.against.as_deref();
    let earlier = earlier.map(|path| Earlier::read(path, arguments.quick));
    let earlier = earlier.transpose()?;
    let out = arguments.out.as_deref().ok_or("say where the figures go")?;
    std::fs::create_dir_all(out)?;
    // Beside the figures and not in a folder for temporary files, which may be memory.
    let files = tempfile::tempdir_in(out)?;
    let mut summary = serde_json::Map::new();
    let mut worse = 0;
    for measurement in Measurement::value_variants() {
        if !arguments.only.is_empty() && !arguments.only.contains(measurement) {
            continue;
        }
        let folder = files.path().join(format!("{measurement:?}"));
        std::fs::create_dir_all(&folder)?;
        for report in measure(*measurement, arguments, scale, &folder).await? {
            report.show();
            worse += earlier
                .as_ref()
                .map_or(0, |earlier| earlier.compare(&report));
            let whole = report.json(arguments.quick);
            write(out, report.name, &whole)?;
            summary.insert(report.name.to_owned(), whole["figures"].clone());
        }
    }
    let summary = json!({ "quick": arguments.quick, "measurements": summary });
    write(out, "summary", &summary)?;
    match worse {
        0 => Ok(()),
        worse => Err(format!("{worse} figures are worse than they were").into()),
    }
}

async fn measure(
    measurement: Measurement,
    arguments: &Arguments,
    scale: Scale,
    folder: &Path,
) -> Outcome<Vec<Report>> {
    match measurement {
        Measurement::Window => {
            let binaries = window::Binaries {
                app: given(arguments.app.as_deref(), "--app")?,
                empty: given(arguments.empty.as_deref(), "--empty")?,
            };
            window::measure(&binaries, folder, scale).await
        }
        Measurement::Felt => {
            let app = given(arguments.app.as_deref(), "--app")?;
            Ok(vec![felt::measure(&app, folder, scale).await?])
        }
        Measurement::Search => Ok(vec![search::measure(folder, scale)?]),
        Measurement::Cash => Ok(vec![cash::measure(folder, scale).await?]),
        Measurement::Settle => Ok(vec![settle::measure(folder, scale).await?]),
        Measurement::Receipt => Ok(vec![receipt::measure(scale)?]),
        Measurement::Gateways => Ok(vec![gateways::measure(folder, scale).await?]),
        Measurement::Ledger => {
            let server = given(arguments.server.as_deref(), "--server")?;
            let mut reports = Vec::new();
            for books in Books::value_variants() {
                if arguments.books.is_empty() || arguments.books.contains(books) {
                    let folder = folder.join(format!("{books:?}"));
                    std::fs::create_dir_all(&folder)?;
                    reports.push(ledger::measure(&server, *books, &folder, scale.ledger).await?);
                }
            }
            Ok(reports)
        }
    }
}

/// The program that a measurement needs.
fn given(program: Option<&Path>, flag: &str) -> Outcome<PathBuf> {
    let program = program.ok_or_else(|| format!("this measurement needs {flag}"))?;
    Ok(std::path::absolute(program)?)
}

fn write(folder: &Path, name: &str, value: &Value) -> Outcome<()> {
    let text = serde_json::to_string_pretty(value)?;
    Ok(std::fs::write(
        folder.join(name).with_extension("json"),
        text,
    )?)
}
