//! A display without a screen.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::eye::Eye;
use crate::fault::Fault;
use crate::process::Group;

/// What Xvfb calls the file of a display's memory.
const MEMORY: &str = "Xvfb_screen0";

/// An X display of its own, gone when this is dropped.
#[derive(Debug)]
pub struct Display {
    name: String,
    eye: Eye,
    _server: Group,
    _folder: Option<TempDir>,
}

impl Display {
    /// Starts a display of 1366×768, the smallest common counter PC.
    ///
    /// # Errors
    /// Where Xvfb is not installed or finds no free display.
    pub fn start() -> Result<Display, Fault> {
        Display::of_size(1366, 768)
    }

    /// Starts a display whose memory is the file `Xvfb_screen0` in `folder`, an X window dump that
    /// always shows the present.
    ///
    /// # Errors
    /// Where Xvfb is not installed or finds no free display.
    pub fn with_memory_in(folder: &Path, width: u32, height: u32) -> Result<Display, Fault> {
        Display::launch(folder, None, width, height)
    }

    /// Starts a display of the given size in pixels.
    ///
    /// # Errors
    /// Where Xvfb is not installed or finds no free display.
    pub fn of_size(width: u32, height: u32) -> Result<Display, Fault> {
        let own = TempDir::new().map_err(|source| Fault::file(std::env::temp_dir(), source))?;
        let folder = own.path().to_owned();
        Display::launch(&folder, Some(own), width, height)
    }

    fn launch(
        folder: &Path,
        own: Option<TempDir>,
        width: u32,
        height: u32,
    ) -> Result<Display, Fault> {
        let screen = format!("{width}x{height}x24");
        let mut command = Command::new("Xvfb");
        command
            .args(["-screen", "0", &screen, "-fbdir"])
            .arg(folder);
        let eye = Eye::on(folder.join(MEMORY));
        Display::of_server(command, own, |_| eye)
    }

    /// Starts the X server `command` and waits until it has a display, which the eye looks at.
    pub(crate) fn of_server(
        mut command: Command,
        own: Option<TempDir>,
        eye: impl FnOnce(&str) -> Eye,
    ) -> Result<Display, Fault> {
        let program = command.get_program().to_string_lossy().into_owned();
        let not_ready = |why| Fault::NotReady { program, why };
        command
            .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut server = Group::start(&mut command)?;
        let output = server
            .child()
            .stdout
            .take()
            .expect("standard output is piped");
        let mut number = String::new();
        // It chooses a free display, and writes its number once it accepts windows.
        let read = BufReader::new(output).read_line(&mut number);
        let number = match (read, number.trim().parse::<u32>()) {
            (Err(error), _) => return Err(not_ready(error.to_string())),
            (_, Err(_)) => return Err(not_ready(format!("{number:?}"))),
            (_, Ok(number)) => number,
        };
        let name = format!(":{number}");
        Ok(Display {
            eye: eye(&name),
            name,
            _server: server,
            _folder: own,
        })
    }

    /// An eye on it.
    pub fn eye(&self) -> Eye {
        self.eye.clone()
    }

    /// Its name, for the environment variable `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.name
    }
}
