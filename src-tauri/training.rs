//! Training mode: the simulated gateway and the customer's phone in this process, and the folder
//! that the next start throws away.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use qiantai_pay::channels::training::{TrainingChannel, TrainingConfig};
use qiantai_pay::{Channel, SharedKey, SystemSurroundings};
use qiantai_paysim::gateway::Merchant;
use qiantai_paysim::serve::ListenError;
use qiantai_paysim::{Gateway, RouterTransport, Simulator, TransportSink, serve};
use qiantai_server::Channels;

const MERCHANT: &str = "1900000001";
/// As the phone shows it.
const MERCHANT_NAME: &str = "前台练习店";
/// Never resolved: requests go to the gateway's router, and notices to the server's, without a
/// socket.
const GATEWAY_URL: &str = "http://gateway.training";
const SERVER_URL: &str = "http://server.training";
/// As long as a real gateway may take; the phone page can make this one slow.
const PATIENCE: Duration = Duration::from_secs(10);

/// The simulated gateway, running.
pub struct TrainingGateway {
    simulator: Simulator,
    channel: Arc<dyn Channel>,
    phone_url: String,
}

/// Why the simulated gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// The operating system gives no random numbers.
    #[error("no random numbers: {0}")]
    Chance(#[from] getrandom::Error),
    /// The phone page cannot listen.
    #[error("the customer's phone: {0}")]
    Phone(#[from] ListenError),
    /// The channel refuses its own settings.
    #[error("the training channel: {0}")]
    Channel(String),
}

impl TrainingGateway {
    /// Starts the gateway and the phone page, which only this machine can reach.
    pub async fn start() -> Result<TrainingGateway, TrainingError> {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes)?;
        let (seed, key) = bytes.split_at(32);
        let key = SharedKey::from_bytes(key.to_vec())
            .map_err(|error| TrainingError::Channel(error.to_string()))?;
        let mut gateway = Gateway::new(
            seed.try_into()
                .expect("the first half of 64 bytes is 32 bytes"),
        );
        gateway.add_merchant(
            MERCHANT,
            Merchant {
                name: MERCHANT_NAME.to_owned(),
                key: key.clone(),
            },
        );
        let simulator = Simulator::new(gateway, Arc::new(SystemSurroundings));
        let router = serve::router(simulator.clone());
        let phone_url = listen(router.clone()).await?;
        let channel = channel(key, router)?;
        Ok(TrainingGateway {
            simulator,
            channel,
            phone_url,
        })
    }

    /// The payment channels by which a server reaches the gateway.
    pub fn channels(&self) -> Channels {
        Channels::all_through(Arc::clone(&self.channel), Some(SERVER_URL.to_owned()))
    }

    /// Address of the customer's phone.
    pub fn phone_url(&self) -> &str {
        &self.phone_url
    }

    /// Delivers the gateway's notices to `server` for as long as the runtime lives.
    pub fn notify(&self, server: Router) {
        let simulator = self.simulator.clone();
        let sink = TransportSink(Arc::new(RouterTransport::new(server, PATIENCE)));
        tokio::spawn(async move { simulator.run_notices(&sink).await });
    }
}

fn channel(key: SharedKey, router: Router) -> Result<Arc<dyn Channel>, TrainingError> {
    let config = TrainingConfig {
        base_url: GATEWAY_URL.into(),
        merchant: MERCHANT.into(),
        key,
    };
    let transport = Arc::new(RouterTransport::new(router, PATIENCE));
    TrainingChannel::new(config, transport, Arc::new(SystemSurroundings))
        .map(|channel| Arc::new(channel) as Arc<dyn Channel>)
        .map_err(|error| TrainingError::Channel(error.to_string()))
}

async fn listen(router: Router) -> Result<String, ListenError> {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (listener, address) = serve::listen(anywhere, false).await?;
    tokio::spawn(async move {
        if let Err(error) = serve::serve(listener, router, std::future::pending()).await {
            tracing::error!(%error, "the customer's phone stopped");
        }
    });
    Ok(format!("http://{address}/phone"))
}

/// The training folder of this start.
pub fn own_folder() -> PathBuf {
    let home = dirs::data_local_dir().unwrap_or_else(std::env::temp_dir);
    let shared = home.join("qiantai").join("training");
    // Two starts at once do not share a folder: each has one of its own, named by its process.
    shared.join(std::process::id().to_string())
}

/// Makes the training folder `own` anew, and removes those of starts that have ended.
///
/// # Errors
/// Where a folder cannot be removed or made.
pub fn make_empty(own: &Path) -> io::Result<()> {
    own.parent().map_or(Ok(()), remove_ended)?;
    if own.exists() {
        std::fs::remove_dir_all(own)?;
    }
    std::fs::create_dir_all(own)
}

/// Removes the training folders whose application has ended.
fn remove_ended(shared: &Path) -> io::Result<()> {
    if !shared.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(shared)? {
        let path = entry?.path();
        if !is_running(&path) {
            std::fs::remove_dir_all(&path)?;
        }
    }
    Ok(())
}

/// Whether the process for which a training folder is named still runs.
#[cfg(target_os = "linux")]
fn is_running(folder: &Path) -> bool {
    folder
        .file_name()
        .is_some_and(|id| Path::new("/proc").join(id).exists())
}

/// Elsewhere a folder in use cannot be told, so it is kept for a day.
#[cfg(not(target_os = "linux"))]
fn is_running(folder: &Path) -> bool {
    let age = folder
        .metadata()
        .and_then(|about| about.modified())
        .map(|at| at.elapsed());
    !matches!(age, Ok(Ok(age)) if age > Duration::from_secs(86_400))
}
