//! The desktop host: the counter's window, the desktop's key store, and in training the server,
//! the gateway and the customer's phone in the same process.
//!
//! Without the feature `desktop` everything is here except the window, and no web view is needed.

mod bell;
#[cfg(feature = "desktop")]
mod customer;
mod host;
mod keys;
mod log;
pub mod options;
mod own_shop;
#[cfg(feature = "desktop")]
mod practice;
mod remote;
mod settings;
mod training;
#[cfg(feature = "desktop")]
mod voice;
#[cfg(feature = "desktop")]
mod window;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use qiantai_counter::desk::Desk;
use qiantai_counter::surroundings;

use crate::host::{Machine, NoMachine};
use crate::options::Options;

/// Said by a second start on the same folder.
const OPEN_ALREADY: &str = "前台已经打开，窗口已在最前面。\n\
    Qiantai is open on this folder already; its window is in front now.";

/// Said besides where the clock was to be believed.
const NOT_BELIEVED: &str = "没有按 --believe-clock 启动：请先关闭前台，再启动一次。\n\
    It was not started with --believe-clock: close it first, and start it again.";

/// Opens the counter and returns when it was closed. Where its window is open already, that comes
/// to the front instead.
pub fn run(options: Options) -> ExitCode {
    log::start();
    let open_already = match options.believe_clock {
        true => format!("{OPEN_ALREADY}\n{NOT_BELIEVED}"),
        false => OPEN_ALREADY.to_owned(),
    };
    match open(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(OpenError::Machine(NoMachine::OpenAlready)) => {
            if let Err(error) = writeln!(std::io::stdout(), "{open_already}") {
                tracing::debug!(%error, "nobody reads what is said");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(%error, "the counter did not open");
            ExitCode::FAILURE
        }
    }
}

/// Why the counter did not open. Trouble with the shop's files is not here: the window says it.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error(transparent)]
    Machine(#[from] NoMachine),
    #[cfg(feature = "desktop")]
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
    let surroundings = surroundings_of(&options);
    let machine = Arc::new(Machine::new(options)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(OpenError::Threads)?;
    let desk = Desk::new(Arc::clone(&machine) as _, Arc::new(surroundings));
    let events = desk.subscribe();
    // The files open while the window does.
    runtime.spawn(settings::start(Arc::clone(&desk), wishes));
    let outcome = show(&runtime, &machine, desk, events);
    runtime.block_on(machine.stop());
    outcome
}

#[cfg(target_os = "linux")]
fn surroundings_of(options: &Options) -> surroundings::Machine {
    surroundings::Machine::with_usb(surroundings::UsbPorts {
        class: options.usb_class.clone(),
        devices: options.usb_devices.clone(),
    })
}

#[cfg(not(target_os = "linux"))]
fn surroundings_of(_options: &Options) -> surroundings::Machine {
    surroundings::Machine::new()
}

#[cfg(feature = "desktop")]
fn show(
    runtime: &tokio::runtime::Runtime,
    machine: &Machine,
    desk: Arc<Desk>,
    events: window::Events,
) -> Result<(), OpenError> {
    use qiantai_counter::api::CounterApi;
    use qiantai_counter::boot::Host;
    use tokio::sync::watch;

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
    let (feed, followed) = (watch::Sender::new(None), watch::Sender::new(None));
    let display = window::Fed {
        feed: feed.subscribe(),
        followed: followed.clone(),
    };
    let counter: Arc<dyn CounterApi> = Arc::clone(&desk) as _;
    runtime.spawn(customer::run(
        counter,
        desk.subscribe(),
        followed.subscribe(),
        feed,
    ));
    Ok(window::show(window::Pane {
        counter: desk,
        events,
        folder,
        bell: machine.take_bell(),
        display,
    })?)
}

/// Without a window the shop's files stay open until the process is told to end.
#[cfg(not(feature = "desktop"))]
fn show(
    runtime: &tokio::runtime::Runtime,
    machine: &Machine,
    _desk: Arc<Desk>,
    _events: tokio::sync::broadcast::Receiver<qiantai_counter::view::event::CounterEvent>,
) -> Result<(), OpenError> {
    if let Some(bell) = machine.take_bell() {
        runtime.spawn(bell.answer(|| false));
    }
    let told = runtime.block_on(tokio::signal::ctrl_c());
    told.map_err(OpenError::Threads)
}
