//! The counter's window, and in training the customer's phone beside it.

use std::path::PathBuf;
use std::sync::Arc;

use qiantai_counter::api::{CounterApi, dispatch};
use qiantai_counter::error::CallError;
use qiantai_counter::view::event::CounterEvent;
use serde_json::Value;
use tauri::{
    App, AppHandle, Emitter, Manager, State, WebviewUrl, WebviewWindowBuilder, WindowEvent,
};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;

use crate::bell::Bell;
use crate::customer::{self, Display, Feed, FollowedOrder};
use crate::practice::{self, Practice};
use crate::voice::{self, Speaker};

/// Label of the counter's window; the capabilities name it.
pub const COUNTER: &str = "counter";
/// Label of the customer's phone; no capability names it, so it can call nothing.
const PHONE: &str = "phone";
/// Set for a window that WebDriver drives: WebDriver waits for frames of the accelerated painter.
pub(crate) const DRIVEN: &str = "TAURI_WEBVIEW_AUTOMATION";
/// Event by which the counter speaks unasked.
const EVENT: &str = "counter";

/// What the counter says unasked.
pub type Events = broadcast::Receiver<CounterEvent>;

/// What a window needs.
pub struct Pane {
    /// Serves the calls.
    pub counter: Arc<dyn CounterApi>,
    /// What the counter says unasked.
    pub events: Events,
    /// Where the web view keeps its files.
    pub folder: PathBuf,
    /// Rung by a second start on the same folder.
    pub bell: Option<Bell>,
    /// The customer's display.
    pub display: Fed,
}

/// Both ends of what the customer's display shows.
pub struct Fed {
    /// What it shows.
    pub feed: watch::Receiver<Option<Feed>>,
    /// The order that the counter's window shows.
    pub followed: watch::Sender<FollowedOrder>,
}

/// Opens the window and returns when it was closed.
///
/// # Errors
/// Where the desktop gives no window.
pub fn show(pane: Pane) -> tauri::Result<()> {
    let Pane {
        counter,
        events,
        folder,
        bell,
        display,
    } = pane;
    let exit = tauri::Builder::default()
        .manage(counter)
        .manage(display.followed)
        .manage(Display::of(display.feed.clone()))
        .manage(Speaker::default())
        .manage(Practice::default())
        .invoke_handler(tauri::generate_handler![
            call,
            open_phone,
            practice::open_training,
            customer::show_customer,
            customer::follow_customer,
            voice::announce,
            voice::has_voice,
            voice::try_voice
        ])
        .setup(move |app| {
            counter_window(app, folder.clone())?;
            tauri::async_runtime::spawn(customer::keep(app.handle().clone(), folder, display.feed));
            tauri::async_runtime::spawn(pass_on(app.handle().clone(), events));
            if let Some(bell) = bell {
                tauri::async_runtime::spawn(answer(app.handle().clone(), bell));
            }
            Ok(())
        })
        .on_window_event(|window, event| {
            // The other windows are nothing without the counter's.
            if window.label() == COUNTER && matches!(event, WindowEvent::Destroyed) {
                window.app_handle().exit(0);
            }
        })
        .build(tauri::generate_context!())?
        .run_return(|_, _| {});
    tracing::info!(exit, "window closed");
    Ok(())
}

fn counter_window(app: &App, folder: PathBuf) -> tauri::Result<()> {
    let window = WebviewWindowBuilder::new(app, COUNTER, WebviewUrl::App("index.html".into()))
        .title("前台 Qiantai")
        // Maximised where the desktop can, and within its bars until then and whenever it is not:
        // the smallest common counter PC has 1366×768 with them.
        .inner_size(1366.0, 768.0)
        .min_inner_size(1024.0, 660.0)
        .prevent_overflow()
        .maximized(true)
        .data_directory(folder)
        .build()?;
    #[cfg(target_os = "linux")]
    if std::env::var_os(DRIVEN).is_none() {
        paint_without_gpu(&window)?;
    }
    #[cfg(not(target_os = "linux"))]
    drop(window);
    Ok(())
}

/// Forms and lists are painted as fast without a graphics card. Without one, as on many counter
/// PCs, WebKitGTK would emulate one, at some 70 MiB; with one, it would depend on drivers that may
/// fail (docs: adr 18).
#[cfg(target_os = "linux")]
fn paint_without_gpu(window: &tauri::WebviewWindow) -> tauri::Result<()> {
    use webkit2gtk::{HardwareAccelerationPolicy, SettingsExt, WebViewExt};
    window.with_webview(|view| {
        if let Some(settings) = view.inner().settings() {
            settings.set_hardware_acceleration_policy(HardwareAccelerationPolicy::Never);
        }
    })
}

/// Brings the counter to the front whenever a second start rings.
async fn answer(app: AppHandle, bell: Bell) {
    let fell = bell.answer(|| match to_front(&app) {
        Ok(there) => there,
        Err(error) => {
            tracing::warn!(%error, "the window did not come to the front");
            false
        }
    });
    if let Err(error) = fell.await {
        tracing::warn!(%error, "a second start will not find this window");
    }
}

/// Whether there was a window to bring.
fn to_front(app: &AppHandle) -> tauri::Result<bool> {
    let Some(counter) = app.get_webview_window(COUNTER) else {
        return Ok(false);
    };
    counter.show()?;
    counter.unminimize()?;
    counter.set_focus()?;
    Ok(true)
}

/// Passes on what the counter says for as long as it speaks.
async fn pass_on(app: AppHandle, mut events: Events) {
    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            // The window missed something: the two events after which it asks for everything anew.
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "the window was too slow for the counter's events");
                send(&app, &CounterEvent::Boot);
                CounterEvent::Session
            }
            Err(RecvError::Closed) => return,
        };
        send(&app, &event);
    }
}

fn send(app: &AppHandle, event: &CounterEvent) {
    if let Err(error) = app.emit_to(COUNTER, EVENT, event) {
        tracing::warn!(%error, "an event did not reach the window");
    }
}

/// The one command of the window: a use case by its name.
#[tauri::command]
async fn call(
    counter: State<'_, Arc<dyn CounterApi>>,
    name: String,
    payload: Option<Value>,
) -> Result<Value, CallError> {
    dispatch(counter.as_ref(), &name, payload.unwrap_or_default()).await
}

/// Training only: the customer's phone in a window of its own.
#[tauri::command]
async fn open_phone(
    app: AppHandle,
    counter: State<'_, Arc<dyn CounterApi>>,
) -> Result<(), CallError> {
    let training = counter.boot_status(()).await?.training;
    let training = training.ok_or_else(|| CallError::unknown_command("open_phone"))?;
    let opened = match app.get_webview_window(PHONE) {
        Some(phone) => phone.set_focus(),
        None => phone_window(&app, &training.phone_url),
    };
    opened.map_err(|error| {
        tracing::error!(%error, "the customer's phone did not open");
        CallError::internal()
    })
}

fn phone_window(app: &AppHandle, address: &str) -> tauri::Result<()> {
    let address = address
        .parse()
        .map_err(|_| tauri::Error::InvalidWebviewUrl("phone page"))?;
    WebviewWindowBuilder::new(app, PHONE, WebviewUrl::External(address))
        .title("顾客手机 Customer's phone")
        .inner_size(420.0, 800.0)
        .incognito(true)
        .build()?;
    Ok(())
}
