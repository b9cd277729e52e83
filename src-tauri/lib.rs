//! The desktop host: the counter's window, the desktop's key store, and in training the server,
//! the gateway and the customer's phone in the same process.
//!
//! Without the feature `desktop` everything is here except the window, and no web view is needed.

mod host;
mod keys;
mod log;
pub mod options;
mod remote;
mod settings;
mod training;
#[cfg(feature = "desktop")]
mod window;

use std::process::ExitCode;
use std::sync::Arc;

use qiantai_counter::desk::Desk;
use qiantai_counter::surroundings;

use crate::host::Machine;
use crate::options::Options;

/// Opens the counter and returns when it was closed.
pub fn run(options: Options) -> ExitCode {
    log::start();
    match open(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the counter did not open");
            ExitCode::FAILURE
        }
    }
}

/// Why the counter did not open. Trouble with the shop's files is not here: the window says it.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error("no folder: {0}")]
    Folder(std::io::Error),
    #[error("no threads: {0}")]
    Threads(std::io::Error),
    #[cfg(feature = "desktop")]
    #[error("no window: {0}")]
    Window(#[from] tauri::Error),
}

fn open(options: Options) -> Result<(), OpenError> {
    let wishes = settings::Wishes::of(&options);
    let machine = Arc::new(Machine::new(options).map_err(OpenError::Folder)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(OpenError::Threads)?;
    let desk = Desk::new(
        Arc::clone(&machine) as _,
        Arc::new(surroundings::Machine::new()),
    );
    let events = desk.subscribe();
    // The files open while the window does.
    runtime.spawn(settings::start(Arc::clone(&desk), wishes));
    let outcome = show(&runtime, &machine, desk, events);
    runtime.block_on(machine.stop());
    outcome
}

#[cfg(feature = "desktop")]
fn show(
    runtime: &tokio::runtime::Runtime,
    machine: &Machine,
    desk: Arc<Desk>,
    events: window::Events,
) -> Result<(), OpenError> {
    use qiantai_counter::boot::Host;

    tauri::async_runtime::set(runtime.handle().clone());
    // In a folder that is not ours the web view leaves nothing either.
    let elsewhere = match machine.claim() {
        Ok(()) => None,
        Err(_) => Some(tempfile::tempdir().map_err(OpenError::Folder)?),
    };
    let folder = match &elsewhere {
        None => machine.folder().join("window"),
        Some(elsewhere) => elsewhere.path().to_owned(),
    };
    Ok(window::show(window::Pane {
        counter: desk,
        events,
        folder,
    })?)
}

/// Without a window the shop's files stay open until the process is told to end.
#[cfg(not(feature = "desktop"))]
fn show(
    runtime: &tokio::runtime::Runtime,
    _machine: &Machine,
    _desk: Arc<Desk>,
    _events: tokio::sync::broadcast::Receiver<qiantai_counter::view::event::CounterEvent>,
) -> Result<(), OpenError> {
    let told = runtime.block_on(tokio::signal::ctrl_c());
    told.map_err(OpenError::Threads)
}
