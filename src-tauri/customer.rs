//! The customer's display: a window of its own that shows what it is sent and can ask for nothing
//! else (docs: adr 27).

mod feed;
mod screens;

pub use feed::{Feed, FollowedOrder, run};

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use qiantai_counter::view::customer::{CustomerDisplay, CustomerView};
use tauri::async_runtime::JoinHandle;
use tauri::ipc::Channel;
use tauri::{
    AppHandle, Manager, Monitor, PhysicalPosition, PhysicalSize, State, WebviewUrl, WebviewWindow,
    WebviewWindowBuilder,
};
use tokio::sync::watch;

use crate::window::COUNTER;
use screens::{Area, Place, Step, beside, step};

/// Label of the display; its capability names it.
const DISPLAY: &str = "customer";
/// No desktop tells everywhere that a screen was plugged in, so it is looked for.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// The display's end of the feed.
pub struct Display {
    feed: watch::Receiver<Option<Feed>>,
    /// Sends to the page that is shown; a page that was loaded anew takes over.
    sending: Mutex<Option<JoinHandle<()>>>,
}

impl Display {
    /// A display of `feed`.
    pub fn of(feed: watch::Receiver<Option<Feed>>) -> Display {
        Display {
            feed,
            sending: Mutex::default(),
        }
    }
}

/// The one command of the display: everything that it is to show, now and whenever it changes.
///
/// Not an event: whoever may listen hears every event, the counter's with names and numbers too.
#[tauri::command]
pub fn follow_customer(display: State<'_, Display>, views: Channel<CustomerView>) {
    let sending = tauri::async_runtime::spawn(send(display.feed.clone(), views));
    let before = display
        .sending
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .replace(sending);
    if let Some(before) = before {
        before.abort();
    }
}

/// The counter's window says which order is on its screen.
#[tauri::command]
pub fn show_customer(followed: State<'_, watch::Sender<FollowedOrder>>, order_id: FollowedOrder) {
    followed.send_if_modified(|before| {
        let changed = *before != order_id;
        *before = order_id;
        changed
    });
}

async fn send(mut feed: watch::Receiver<Option<Feed>>, views: Channel<CustomerView>) {
    feed.mark_changed();
    while feed.changed().await.is_ok() {
        let view = feed
            .borrow_and_update()
            .as_ref()
            .map(|feed| feed.view.clone());
        let Some(view) = view else { continue };
        if let Err(error) = views.send(view) {
            tracing::warn!(%error, "the customer's display was not reached");
            return;
        }
    }
}

/// Keeps the display where the settings and the screens want it. One that a person has closed stays
/// closed until they want it anew.
pub async fn keep(app: AppHandle, folder: PathBuf, mut feed: watch::Receiver<Option<Feed>>) {
    let mut place = Place::Nowhere;
    let mut told = false;
    loop {
        let wish = feed.borrow_and_update().as_ref().map(|feed| feed.display);
        match wanted(&app, wish).and_then(|wanted| put(&app, &folder, place, wanted)) {
            Ok(now) => (place, told) = (now, false),
            Err(error) => {
                // Tried again at the next look, and said once.
                if !told {
                    tracing::warn!(%error, "the customer's display is not where it should be");
                }
                told = true;
            }
        }
        let looks_again = told || wish == Some(CustomerDisplay::SecondScreen);
        tokio::select! {
            changed = feed.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(BETWEEN_LOOKS), if looks_again => {}
        }
    }
}

fn wanted(app: &AppHandle, wish: Option<CustomerDisplay>) -> tauri::Result<Place> {
    match wish {
        None | Some(CustomerDisplay::Off) => Ok(Place::Nowhere),
        Some(CustomerDisplay::Window) => Ok(Place::Window),
        Some(CustomerDisplay::SecondScreen) => {
            let Some(counter) = app.get_webview_window(COUNTER) else {
                return Ok(Place::Nowhere);
            };
            let own = counter.current_monitor()?;
            let all = app.available_monitors()?;
            let all: Vec<Area> = all.iter().map(Area::of).collect();
            let screen = beside(own.as_ref().map(Area::of), &all);
            Ok(screen.map_or(Place::Nowhere, Place::Screen))
        }
    }
}

/// Where the display is afterwards.
fn put(app: &AppHandle, folder: &Path, now: Place, wanted: Place) -> tauri::Result<Place> {
    let window = app.get_webview_window(DISPLAY);
    match (step(now, wanted, window.is_some()), window) {
        (Step::Close, Some(window)) => window.destroy()?,
        (Step::Move(place), Some(window)) => arrange(&window, place)?,
        (Step::Open(place), _) => {
            let window = build(app, folder, place)?;
            arrange(&window, place)?;
        }
        (Step::Stay, _) | (Step::Close | Step::Move(_), None) => {}
    }
    Ok(wanted)
}

const WIDTH: u32 = 1024;
const HEIGHT: u32 = 640;

/// A window that never takes the keyboard: what is typed and scanned stays the counter's, also
/// when the customer touches the screen. It is painted as the web view likes: a second page without
/// accelerated painting stays blank (WebKitGTK 2.50).
fn build(app: &AppHandle, folder: &Path, place: Place) -> tauri::Result<WebviewWindow> {
    let mut window =
        WebviewWindowBuilder::new(app, DISPLAY, WebviewUrl::App("customer.html".into()))
            .title("顾客屏 Customer display")
            .inner_size(f64::from(WIDTH), f64::from(HEIGHT))
            .focused(false)
            .focusable(false)
            .data_directory(folder.to_owned());
    if let Place::Screen(area) = place {
        let monitors = app.available_monitors()?;
        let monitor = monitors.iter().find(|monitor| Area::of(monitor) == area);
        let scale = monitor.map_or(1.0, Monitor::scale_factor);
        let corner = PhysicalPosition::new(area.left, area.top).to_logical::<f64>(scale);
        window = window.position(corner.x, corner.y).decorations(false);
    }
    window.build()
}

fn arrange(window: &WebviewWindow, place: Place) -> tauri::Result<()> {
    window.set_fullscreen(false)?;
    match place {
        Place::Screen(area) => {
            window.set_decorations(false)?;
            window.set_position(PhysicalPosition::new(area.left, area.top))?;
            window.set_size(PhysicalSize::new(area.width, area.height))?;
            window.set_fullscreen(true)
        }
        Place::Window | Place::Nowhere => {
            window.set_decorations(true)?;
            window.set_size(PhysicalSize::new(WIDTH, HEIGHT))
        }
    }
}
