//! `qiantai-server`: the ledger server as a process.

mod books;
mod cli;
mod keep;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use qiantai_pay::channels::training::{TrainingChannel, TrainingConfig};
use qiantai_pay::transport::{NetworkTransport, Patience};
use qiantai_pay::{SharedKey, SystemSurroundings};
use qiantai_server::db::Ledger;
use qiantai_server::db::sqlite::SqliteLedger;
use qiantai_server::embedded::STOP_PATIENCE;
use qiantai_server::sample::{self, SeededShop};
use qiantai_server::{Channels, Server, SystemClock, adopt, data_folder};
use tokio::net::TcpListener;

use books::Opened;
use cli::{Cli, Command, LogFormat, Serve};

type AnyError = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.log);
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(AnyError::from)
        .and_then(|runtime| runtime.block_on(run(cli.command)));
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

async fn run(command: Command) -> Result<Ending, AnyError> {
    match command {
        Command::Verify(of) => keep::blocking(move || keep::verify(&of.books)).await,
        Command::Doctor(of) => keep::blocking(move || keep::doctor(&of.books)).await,
        Command::Backup(of) => keep::blocking(move || keep::backup(&of)).await,
        Command::Restore(of) => keep::blocking(move || keep::restore(&of)).await,
        Command::Init(init) => {
            let opened = books::make(&init.books)?;
            let server = serving(&opened, Channels::default())?;
            for kind in init.sample.into_iter().flat_map(cli::SampleChoice::kinds) {
                say(&seeded(
                    &sample::seed(&server, kind, init.members, init.seed).await?,
                ))?;
            }
            server.stop().await;
            Ok(Ending::Well)
        }
        Command::Serve(options) => {
            serve(options).await?;
            Ok(Ending::Well)
        }
        Command::Invite(invite) => {
            let opened = books::open_beside(&invite.books)?;
            let server = serving(&opened, Channels::default())?;
            say(&server.invite(&invite.store)?)?;
            server.stop().await;
            Ok(Ending::Well)
        }
        Command::Adopt(options) => {
            let _alone = data_folder::lock(&options.from)?;
            let key = data_folder::read_key(&options.from)?;
            let from = SqliteLedger::open(&data_folder::ledger_path(&options.from), Some(key))?;
            for moved in adopt::adopt(&from, &options.database_url).await? {
                let (name, operations) = (moved.name, moved.operations);
                let digest = hex::encode(moved.digest);
                say(&format!("{name} operations={operations} digest={digest}"))?;
            }
            Ok(Ending::Well)
        }
        Command::Openapi => {
            io::stdout().write_all(qiantai_server::openapi().as_bytes())?;
            Ok(Ending::Well)
        }
    }
}

async fn serve(options: Serve) -> Result<(), AnyError> {
    let listener = TcpListener::bind(options.listen).await?;
    let address = listener.local_addr()?;
    let opened = books::open_to_write(&options.books, public_url(&options, address))?;
    let server = serving(&opened, channels(&options, address)?)?;
    server.start();
    say(&format!("listening on http://{address}"))?;
    let stopping = server.clone();
    let told = Arc::new(tokio::sync::Notify::new());
    let tell = Arc::clone(&told);
    let requests = axum::serve(listener, server.router()).with_graceful_shutdown(async move {
        until_told_to_stop().await;
        tracing::info!("stopping: open requests are finished, new ones refused");
        stopping.end_streams();
        told.notify_one();
    });
    let requests = requests.into_future();
    tokio::pin!(requests);
    tokio::select! {
        ended = &mut requests => ended?,
        () = tell.notified() => {
            if tokio::time::timeout(STOP_PATIENCE, &mut requests).await.is_err() {
                tracing::warn!("connections stayed open and are cut");
            }
        }
    }
    server.stop().await;
    Ok(())
}

fn serving(opened: &Opened, channels: Channels) -> Result<Server, AnyError> {
    let ledger: Arc<dyn Ledger> = Arc::clone(&opened.ledger) as _;
    Ok(Server::on_ledger(ledger, Arc::new(SystemClock), channels)?)
}

fn public_url(options: &Serve, address: SocketAddr) -> String {
    let given = options.public_url.clone();
    given.unwrap_or_else(|| format!("http://{address}"))
}

fn channels(options: &Serve, address: SocketAddr) -> Result<Channels, AnyError> {
    let (Some(base_url), Some(key_file)) = (&options.training_gateway, &options.training_key_file)
    else {
        return Ok(Channels::default());
    };
    let config = TrainingConfig {
        base_url: base_url.clone(),
        merchant: options.training_merchant.clone(),
        key: SharedKey::from_hex(&std::fs::read_to_string(key_file)?)?,
    };
    let transport = Arc::new(NetworkTransport::new(Patience::default())?);
    let gateway = TrainingChannel::new(config, transport, Arc::new(SystemSurroundings))?;
    let base = public_url(options, address);
    Ok(Channels::all_through(Arc::new(gateway), Some(base)))
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

fn start_log(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("QIANTAI_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

#[cfg(unix)]
async fn until_told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate =
        signal(SignalKind::terminate()).expect("SIGTERM is a signal that can be caught");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn until_told_to_stop() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::error!(%error, "the stop signal cannot be heard; end the process instead");
        std::future::pending::<()>().await;
    }
}
