//! `qiantai-paysim`: the simulated gateway as a process.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use qiantai_core::clock::Timestamp;
use qiantai_pay::transport::{NetworkTransport, Patience};
use qiantai_pay::{SharedKey, Surroundings, SystemSurroundings};
use qiantai_paysim::gateway::Merchant;
use qiantai_paysim::tls::{Front, HOST, Showing, TestAuthority};
use qiantai_paysim::{Gateway, Simulator, TransportSink, accounts, serve};

/// Simulated payment gateway with the customer's phone at /phone. For practice and tests: no
/// real money moves.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
    /// File with the key shared with the merchant: at least 32 bytes in hexadecimal.
    #[arg(long)]
    key_file: PathBuf,
    /// Merchant number.
    #[arg(long, default_value = "1900000001")]
    merchant: String,
    /// Name of the shop on the phone.
    #[arg(long, default_value = "前台练习店")]
    merchant_name: String,
    /// Repeat a run: 64 hexadecimal digits. Tokens are then known to whoever knows the seed.
    #[arg(long)]
    seed: Option<String>,
    /// Open an account of each official protocol too, and write their settings into this folder.
    #[arg(long, value_name = "DIR")]
    accounts: Option<PathBuf>,
    /// Listen even where other machines can connect.
    #[arg(long)]
    allow_remote: bool,
    /// Serve behind TLS as https://localhost, by an authority of its own, whose certificate is
    /// written into this folder as authority.pem.
    #[arg(long, value_name = "DIR")]
    tls: Option<PathBuf>,
    /// The certificate to show there.
    #[arg(long, value_enum, default_value = "good", requires = "tls")]
    tls_shows: Showing,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let mut gateway = Gateway::new(seed(arguments.seed.as_deref())?);
    let key = read_key(&arguments.key_file)?;
    let name = arguments.merchant_name;
    let (listener, address) = serve::listen(arguments.listen, arguments.allow_remote).await?;
    let now = SystemSurroundings.now();
    let front = match &arguments.tls {
        Some(folder) => Some(front(folder, arguments.tls_shows, now)?),
        None => None,
    };
    let base_url = match front {
        Some(_) => format!("https://{HOST}:{}", address.port()),
        None => format!("http://{address}"),
    };
    if let Some(folder) = &arguments.accounts {
        accounts::open_all(&mut gateway, &name, &base_url, folder, now)?;
    }
    gateway.add_merchant(&arguments.merchant, Merchant { name, key });
    let simulator = Simulator::new(gateway, Arc::new(SystemSurroundings));
    let sink = TransportSink(Arc::new(NetworkTransport::new(Patience::default())?));
    let notices = simulator.clone();
    let notices = tokio::spawn(async move { notices.run_notices(&sink).await });
    // The one line on standard output tells whoever started the process where it listens.
    writeln!(std::io::stdout(), "{base_url}")?;
    tracing::info!(%address, phone = %format!("{base_url}/phone"), "simulated gateway ready");

    let router = serve::router(simulator);
    match front {
        Some(front) => serve::serve_tls(listener, router, front, stop_signal()).await?,
        None => serve::serve(listener, router, stop_signal()).await?,
    }
    notices.abort();
    Ok(())
}

fn front(folder: &Path, showing: Showing, now: Timestamp) -> Result<Front, Box<dyn Error>> {
    let mut authority = TestAuthority::draw(rand::random(), now);
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("authority.pem"), authority.pem())?;
    Ok(authority.front(showing, now))
}

fn seed(text: Option<&str>) -> Result<[u8; 32], Box<dyn Error>> {
    let Some(text) = text else {
        return Ok(rand::random());
    };
    let mut seed = [0; 32];
    hex::decode_to_slice(text, &mut seed).map_err(|_| "--seed must be 64 hexadecimal digits")?;
    Ok(seed)
}

fn read_key(path: &Path) -> Result<SharedKey, Box<dyn Error>> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read the key file {}: {error}", path.display()))?;
    Ok(SharedKey::from_hex(&text)?)
}

async fn stop_signal() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::error!(%error, "cannot wait for the stop signal; stopping");
    }
}
