//! `qiantai-server`: the ledger server as a process.

mod books;
mod cli;
mod enrol;
mod exposure;
mod import;
mod keep;
mod key_store;
mod pay;
mod pay_tables;
mod review;
mod serve;
mod settings;
mod terminals;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use qiantai_server::db::Ledger;
use qiantai_server::sample::{self, SeededShop};
use qiantai_server::tls::Authority;
use qiantai_server::{Channels, Clock, Server, SteadyClock, SystemClock, adopt};

use books::Opened;
use cli::{Adopt, Cli, Command, Init, LogFormat};
use pay_tables::PayTables;
use settings::{Place, Settings, SettingsError};

type AnyError = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let mut cli = Cli::parse();
    let account = match (&cli.command, &cli.told.config) {
        // Not settings of the server.
        (Command::Pay(_), Some(path)) if path.extension().is_some_and(|end| end == "json") => {
            cli.told.config.take()
        }
        _ => None,
    };
    let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let settings = Settings::gather(&cli.told, &environment);
    let settings = match settings.and_then(|settings| start_log(&settings).map(|()| settings)) {
        Ok(settings) => settings,
        Err(error) => {
            // The log is one of the settings that were refused.
            return match writeln!(io::stderr(), "qiantai-server: {error}") {
                Ok(()) | Err(_) => ExitCode::FAILURE,
            };
        }
    };
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(AnyError::from)
        .and_then(|runtime| runtime.block_on(run(cli.command, settings, account)));
    match done {
        Ok(Ending::Well) => ExitCode::SUCCESS,
        Ok(Ending::Bad) => ExitCode::from(BAD),
        Err(error) => {
            tracing::error!(%error, "qiantai-server ends");
            ExitCode::FAILURE
        }
    }
}

/// How a command ended that did what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing is wrong.
    Well,
    /// What it looked at is not as it should be.
    Bad,
}

/// The exit status of [`Ending::Bad`]; 1 is a command that could not do what it was asked.
const BAD: u8 = 2;

async fn run(
    command: Command,
    settings: Settings,
    account: Option<PathBuf>,
) -> Result<Ending, AnyError> {
    let books = || settings.books();
    match command {
        Command::Config => {
            settings.check()?;
            say(settings.shown().trim_end())?;
            Ok(Ending::Well)
        }
        Command::Openapi => {
            io::stdout().write_all(qiantai_server::openapi().as_bytes())?;
            Ok(Ending::Well)
        }
        Command::Pay(asked) => {
            let tables = match account {
                Some(path) => PayTables::of_account(&path)?,
                None => settings.pay_tables().clone(),
            };
            pay::pay(asked, &tables).await
        }
        Command::Credential(asked) => keep::blocking(move || key_store::credential(asked)).await,
        Command::Serve(asked) => serve::serve(&asked, &settings).await.map(|()| Ending::Well),
        Command::Verify(asked) => {
            let books = books()?;
            keep::blocking(move || keep::verify(&asked, &books)).await
        }
        Command::Doctor => {
            let books = books()?;
            let authority = settings.authority_folder();
            let heads = settings.tree_heads();
            let look = move || keep::doctor(&books, authority.as_deref(), heads.as_deref());
            keep::blocking(look).await
        }
        Command::Backup(asked) => {
            let books = books()?;
            keep::blocking(move || keep::backup(&asked, &books)).await
        }
        Command::Restore(asked) => {
            let books = books()?;
            keep::blocking(move || keep::restore(&asked, &books)).await
        }
        Command::ImportReceipts(asked) => import::receipts(&asked, &books()?).await,
        Command::ImportCopy(asked) => import::copy(&asked, &books()?).await,
        Command::Init(asked) => init(&asked, &settings).await,
        Command::Adopt(asked) => move_books(&asked, &books()?).await,
        Command::Terminals(asked) => {
            let books = books()?;
            keep::blocking(move || terminals::terminals(&asked, &books)).await
        }
        Command::Quarantine(asked) => review::quarantine(&asked, books()?).await,
        Command::Leases(asked) => exposure::leases(&asked, books()?).await,
        Command::Enrol(asked) => enrol::enrol(&asked, &settings).await,
    }
}

async fn init(asked: &Init, settings: &Settings) -> Result<Ending, AnyError> {
    let opened = books::make(&settings.books()?)?;
    if let Some(folder) = settings.authority_folder() {
        Authority::open_or_make(&folder, SystemClock.now())?;
    }
    let server = serving(&opened, Channels::default())?;
    for kind in asked.sample.into_iter().flat_map(cli::SampleChoice::kinds) {
        let shop = sample::seed(&server, kind, asked.members, asked.seed).await?;
        say(&seeded(&shop))?;
    }
    server.stop().await;
    Ok(Ending::Well)
}

async fn move_books(asked: &Adopt, books: &Place) -> Result<Ending, AnyError> {
    let Place::Database(url) = books else {
        return Err("books are moved to a database: give --database-url".into());
    };
    for moved in adopt::adopt_folder(&asked.from, url).await? {
        let (name, operations) = (moved.name, moved.operations);
        let digest = hex::encode(moved.digest);
        say(&format!("{name} operations={operations} digest={digest}"))?;
    }
    Ok(Ending::Well)
}

pub(crate) fn serving(opened: &Opened, channels: Channels) -> Result<Server, AnyError> {
    serving_by(SteadyClock::of_machine(), opened, channels)
}

pub(crate) fn serving_by(
    clock: impl Clock + 'static,
    opened: &Opened,
    channels: Channels,
) -> Result<Server, AnyError> {
    let ledger: Arc<dyn Ledger> = Arc::clone(&opened.ledger) as _;
    Ok(Server::on_ledger(ledger, Arc::new(clock), channels)?)
}

fn seeded(shop: &SeededShop) -> String {
    format!(
        "{} {} members={}",
        shop.store_code, shop.store_name, shop.members
    )
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn start_log(settings: &Settings) -> Result<(), SettingsError> {
    let log = tracing_subscriber::fmt()
        .with_env_filter(settings.log_filter()?)
        .with_writer(io::stderr);
    match settings.log_format()? {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}
