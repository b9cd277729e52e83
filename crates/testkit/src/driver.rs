//! WebKitWebDriver, which opens the app and acts in its window.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};
use std::time::Duration;

use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::net::TcpStream;

use crate::display::Display;
use crate::fault::Fault;
use crate::launch::Launch;
use crate::process::Group;
use crate::wait::until;

const PROGRAM: &str = "WebKitWebDriver";
const READY_WITHIN: Duration = Duration::from_secs(10);
const TRIES: u32 = 5;
/// Longer than any script or page may take by WebDriver's own limits of half a minute.
const ANSWER_WITHIN: Duration = Duration::from_secs(90);

/// A running driver; it, the app and the app's web processes end when this is dropped.
#[derive(Debug)]
pub struct Driver {
    port: u16,
    group: Group,
}

impl Driver {
    /// Starts a driver for `display` with the environment of `launch`, which the app inherits.
    pub async fn start(display: &Display, launch: &Launch) -> Result<Driver, Fault> {
        let mut tries = 1;
        loop {
            match Driver::start_once(display, launch).await {
                // Somebody else may have taken the free port in between.
                Err(Fault::NotReady { .. }) if tries < TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    async fn start_once(display: &Display, launch: &Launch) -> Result<Driver, Fault> {
        let port = free_port()?;
        let mut command = Command::new(PROGRAM);
        command
            .arg(format!("--port={port}"))
            .arg("--host=127.0.0.1")
            .env("DISPLAY", display.name())
            .env_remove("WAYLAND_DISPLAY")
            .env("GDK_BACKEND", "x11")
            // Tauri opens its web view for the driver only if it is told to.
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .envs(launch.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let mut driver = Driver {
            port,
            group: Group::start(&mut command)?,
        };
        let address = (Ipv4Addr::LOCALHOST, port);
        let listening = until("the driver to listen", READY_WITHIN, || {
            let ended = driver.group.child().try_wait().ok().flatten();
            async move {
                match ended {
                    Some(status) => Err(not_ready(format!("it ended with {status}"))),
                    None => Ok(TcpStream::connect(address).await.ok()),
                }
            }
        });
        match listening.await {
            Ok(_stream) => Ok(driver),
            Err(fault) => Err(not_ready(fault.to_string())),
        }
    }

    /// A way to it on which a question without an answer is an error: an app that hangs must end its
    /// test, not keep it for ever.
    pub fn connector() -> TimeoutConnector<HttpConnector> {
        let mut connector = TimeoutConnector::new(HttpConnector::new());
        connector.set_connect_timeout(Some(READY_WITHIN));
        connector.set_read_timeout(Some(ANSWER_WITHIN));
        connector.set_reset_reader_on_write(true);
        connector
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its process, the parent of the app's.
    pub fn id(&self) -> u32 {
        self.group.id()
    }
}

fn free_port() -> Result<u16, Fault> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address
        .map(|address| address.port())
        .map_err(|error| not_ready(error.to_string()))
}

fn not_ready(why: String) -> Fault {
    Fault::NotReady {
        program: PROGRAM.into(),
        why,
    }
}
