//! `qiantai-server serve`: from the open port to the last request finished or refused.

use std::sync::Arc;

use qiantai_pay::channels::training::{TrainingChannel, TrainingConfig};
use qiantai_pay::credentials::Credentials;
use qiantai_pay::transport::{NetworkTransport, Patience};
use qiantai_pay::{SharedKey, SystemSurroundings};
use qiantai_server::Channels;
use qiantai_server::gateways::Gateways;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::settings::Settings;
use crate::{AnyError, books, say, serving};

/// Serves until told to stop. From then on new connections are refused, open requests have the
/// patience of the settings to finish, and what is queued is written before the books are closed.
pub(crate) async fn serve(settings: &Settings) -> Result<(), AnyError> {
    settings.check()?;
    let mut signals = Signals::heard()?;
    let listener = TcpListener::bind(settings.listen()?).await?;
    let address = listener.local_addr()?;
    let upkeep = match settings.upkeep_listen()? {
        Some(address) => Some(TcpListener::bind(address).await?),
        None => None,
    };
    let base = settings.public_url()?;
    let base = base.unwrap_or_else(|| format!("http://{address}"));
    let opened = books::open_to_write(&settings.books()?, base.clone())?;
    let (channels, gateways) = channels(settings, base)?;
    let server = serving(&opened, channels)?;
    server.start();
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
    say(&format!("listening on http://{address}"))?;

    let (stop, mut stopping) = watch::channel(false);
    let requests = axum::serve(listener, server.network_service(settings.limits()?));
    let requests = requests
        .with_graceful_shutdown(async move {
            // Its sender lives until the requests have ended.
            drop(stopping.wait_for(|stop| *stop).await);
        })
        .into_future();
    tokio::pin!(requests);
    tokio::select! {
        ended = &mut requests => ended?,
        () = signals.told_to_stop() => {
            tracing::info!("stopping: open requests are finished, new ones refused");
            server.end_streams();
            stop.send_replace(true);
            match tokio::time::timeout(settings.stop_patience()?, &mut requests).await {
                Ok(ended) => ended?,
                Err(_) => tracing::warn!("connections stayed open and are cut"),
            }
        }
    }
    server.stop().await;
    tracing::info!("stopped: everything that was taken is written");
    Ok(())
}

fn channels(settings: &Settings, base: String) -> Result<(Channels, Option<Gateways>), AnyError> {
    let Some((base_url, key_file, merchant)) = settings.training()? else {
        // A gateway on the internet cannot post to an address that only this house knows.
        let tables = settings.pay_tables();
        let credentials = Credentials::new(tables.folder());
        let gateways = Gateways::open(tables.all()?, credentials, settings.public_url()?)?;
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
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn heard() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn told_to_stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "fails where signals are caught early"
    )]
    fn heard() -> std::io::Result<Signals> {
        Ok(Signals)
    }

    async fn told_to_stop(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "the stop signal cannot be heard; end the process instead");
            std::future::pending::<()>().await;
        }
    }
}
