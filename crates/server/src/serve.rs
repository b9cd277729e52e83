//! `qiantai-server serve`: from the open port to the last request finished or refused.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use qiantai_pay::channels::training::{TrainingChannel, TrainingConfig};
use qiantai_pay::transport::{NetworkTransport, Patience};
use qiantai_pay::{SharedKey, SystemSurroundings};
use qiantai_server::gateways::Gateways;
use qiantai_server::tls::{Authority, Door};
use qiantai_server::{Channels, Clock, Server, SteadyClock, SystemClock, network, tree_head};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::cli::Serve;
use crate::key_store::credentials;
use crate::settings::{Protection, Settings};
use crate::{AnyError, books, say, serving_by};

/// How often it is looked whether the certificate must be renewed, or was.
const DOOR_LOOKED_AT: Duration = Duration::from_secs(60);

/// Serves until told to stop. From then on new connections are refused, open requests have the
/// patience of the settings to finish, and what is queued is written before the books are closed.
pub(crate) async fn serve(asked: &Serve, settings: &Settings) -> Result<(), AnyError> {
    settings.check()?;
    let told = settings.told_address()?;
    let mut signals = Signals::heard()?;
    let listener = TcpListener::bind(settings.listen()?).await?;
    let address = listener.local_addr()?;
    let upkeep = match settings.upkeep_listen()? {
        Some(address) => Some(TcpListener::bind(address).await?),
        None => None,
    };
    let door = door(settings, address)?;
    let scheme = if door.is_some() { "https" } else { "http" };
    let base = told.unwrap_or_else(|| format!("{scheme}://{address}"));
    let opened = books::open_to_write(&settings.books()?, base.clone())?;
    let (channels, gateways) = channels(settings, base)?;
    let clock = SteadyClock::of_machine().believed_if(asked.believe_clock);
    let server = serving_by(clock, &opened, channels)?;
    server.end_future().await;
    server.start();
    if let Some(folder) = settings.tree_heads() {
        // Ends with the process.
        tokio::spawn(tree_head::keep(server.clone(), folder));
    }
    if let Some(gateways) = gateways {
        // Ends with the process.
        tokio::spawn(gateways.keep(server.clone()));
    }
    if let Some(listener) = upkeep {
        say(&format!("upkeep on http://{}", listener.local_addr()?))?;
        let router = server.upkeep_router();
        // Ends with the process: it tells to the last that the server is not ready any more.
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "metrics and probes are not answered any more");
            }
        });
    }
    if let Some(door) = &door {
        // Ends with the process.
        tokio::spawn(keep_door(Arc::clone(door), server.clone()));
    }
    say(&format!("listening on {scheme}://{address}"))?;

    let (stop, mut stopping) = watch::channel(false);
    let authority = door.as_deref().map(Door::authority).transpose()?.flatten();
    let router = server.network_router(settings.limits()?, authority);
    let requests = network::serve(listener, door, router, async move {
        // Its sender lives until the requests have ended.
        drop(stopping.wait_for(|stop| *stop).await);
    });
    tokio::pin!(requests);
    tokio::select! {
        () = &mut requests => {}
        () = signals.told_to_stop() => {
            tracing::info!("stopping: open requests are finished, new ones refused");
            server.end_streams();
            stop.send_replace(true);
            match tokio::time::timeout(settings.stop_patience()?, &mut requests).await {
                Ok(()) => {}
                Err(_) => tracing::warn!("connections stayed open and are cut"),
            }
        }
    }
    server.stop().await;
    tracing::info!("stopped: everything that was taken is written");
    Ok(())
}

/// What encrypts connections to `address`; none where nobody else can listen, or where it was said
/// that nothing shall.
fn door(settings: &Settings, address: SocketAddr) -> Result<Option<Arc<Door>>, AnyError> {
    let now = SystemClock.now();
    let door = match settings.protection()? {
        Protection::Plain => {
            if !address.ip().is_loopback() {
                tracing::warn!(
                    %address,
                    "connections are not encrypted: whoever is on the network reads tokens and \
                     names of members, unless something before this server encrypts"
                );
            }
            return Ok(None);
        }
        Protection::Own(folder) => {
            let authority = Authority::open_or_make(&folder, now)?;
            Door::of_authority(authority, settings.names(address)?, now)?
        }
        Protection::Given { certificate, key } => Door::of_files(certificate, key, now)?,
    };
    Ok(Some(Arc::new(door)))
}

/// Shows a new certificate in time.
async fn keep_door(door: Arc<Door>, server: Server) {
    loop {
        tokio::time::sleep(DOOR_LOOKED_AT).await;
        let (looked, now) = (Arc::clone(&door), server.now());
        let renewed = tokio::task::spawn_blocking(move || looked.renew(now)).await;
        match renewed {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => tracing::info!("a new certificate is shown"),
            Ok(Err(error)) => tracing::error!(%error, "the certificate cannot be renewed"),
            Err(error) => tracing::error!(%error, "the certificate cannot be renewed"),
        }
    }
}

fn channels(settings: &Settings, base: String) -> Result<(Channels, Option<Gateways>), AnyError> {
    let Some((base_url, key_file, merchant)) = settings.training()? else {
        // A gateway on the internet cannot post to an address that only this house knows.
        let tables = settings.pay_tables();
        let sources = credentials(tables.folder());
        let gateways = Gateways::open(tables.all()?, sources, settings.public_url()?)?;
        return Ok((gateways.channels(), Some(gateways)));
    };
    let config = TrainingConfig {
        base_url,
        merchant,
        key: SharedKey::from_hex(&std::fs::read_to_string(key_file)?)?,
    };
    let transport = Arc::new(NetworkTransport::new(Patience::default())?);
    let gateway = TrainingChannel::new(config, transport, Arc::new(SystemSurroundings))?;
    Ok((Channels::all_through(Arc::new(gateway), Some(base)), None))
}

/// Signals to stop, caught from here on: one that comes while the books open stops as well.
#[cfg(unix)]
pub(crate) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(crate) fn heard() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    pub(crate) async fn told_to_stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "fails where signals are caught early"
    )]
    pub(crate) fn heard() -> std::io::Result<Signals> {
        Ok(Signals)
    }

    pub(crate) async fn told_to_stop(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "the stop signal cannot be heard; end the process instead");
            std::future::pending::<()>().await;
        }
    }
}
