//! A display without a screen.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
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
    memory: PathBuf,
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
            .args([
                "-displayfd",
                "1",
                "-nolisten",
                "tcp",
                "-noreset",
                "-screen",
                "0",
                &screen,
                "-fbdir",
            ])
            .arg(folder)
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
        // Xvfb chooses a free display, and writes its number once it accepts windows.
        BufReader::new(output)
            .read_line(&mut number)
            .map_err(|error| not_ready(error.to_string()))?;
        let number: u32 = number
            .trim()
            .parse()
            .map_err(|_| not_ready(format!("{number:?}")))?;
        Ok(Display {
            name: format!(":{number}"),
            memory: folder.join(MEMORY),
            _server: server,
            _folder: own,
        })
    }

    /// An eye on it.
    pub fn eye(&self) -> Eye {
        Eye::on(self.memory.clone())
    }

    /// Its name, for the environment variable `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn not_ready(why: String) -> Fault {
    Fault::NotReady {
        program: "Xvfb".into(),
        why,
    }
}
