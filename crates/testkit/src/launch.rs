//! How a test starts the app.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::display::Display;
use crate::fault::Fault;
use crate::process::Group;
use crate::wait::{PATIENCE, until};

/// Program, arguments and environment of one start of the app.
#[derive(Debug, Clone)]
pub struct Launch {
    pub(crate) binary: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
}

impl Launch {
    /// The app without arguments.
    pub fn of(binary: impl Into<PathBuf>) -> Launch {
        // Tests see the same screens wherever they run.
        let environment = [
            ("LANG", "C.UTF-8"),
            ("TZ", "Asia/Shanghai"),
            ("GTK_THEME", "Adwaita"),
        ];
        Launch {
            binary: binary.into(),
            arguments: Vec::new(),
            environment: environment
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        }
    }

    /// The app in training mode.
    pub fn training(binary: impl Into<PathBuf>) -> Launch {
        Launch::of(binary).with(["--training"])
    }

    /// With its files in `folder`.
    #[must_use]
    pub fn in_folder(self, folder: &Path) -> Launch {
        self.with([OsStr::new("--data"), folder.as_os_str()])
    }

    /// With further arguments.
    #[must_use]
    pub fn with<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Launch {
        let texts = arguments
            .into_iter()
            .map(|text| text.as_ref().to_string_lossy().into_owned());
        self.arguments.extend(texts);
        self
    }

    /// With a variable in its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Launch {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts it on `display` as a person does: nobody drives it.
    ///
    /// # Errors
    /// Where the program cannot be started.
    pub fn alone(&self, display: &Display) -> Result<Group, Fault> {
        Group::start(self.command(display).stdout(Stdio::null()))
    }

    /// Starts it on `display` as a person does and waits until it has ended: how, and with what
    /// words.
    ///
    /// # Errors
    /// Where the program cannot be started, or stays.
    pub async fn to_its_end(&self, display: &Display) -> Result<(ExitStatus, String), Fault> {
        let mut app = Group::start(self.command(display).stdout(Stdio::piped()))?;
        let output = app.child().stdout.take();
        let mut output = output.expect("standard output is piped");
        // What does not fit the pipe would keep the program from ending.
        let words = tokio::task::spawn_blocking(move || {
            let mut words = String::new();
            output.read_to_string(&mut words).map(|_| words)
        });
        let status = until("the app to end", PATIENCE * 2, || {
            let status = app.child().try_wait();
            async move { status.map_err(|error| unread(&error)) }
        })
        .await?;
        let words = words.await.map_err(|error| unread(&error))?;
        Ok((status, words.map_err(|error| unread(&error))?))
    }

    fn command(&self, display: &Display) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(&self.arguments)
            .env("DISPLAY", display.name())
            .env_remove("WAYLAND_DISPLAY")
            .env("GDK_BACKEND", "x11")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }
}

fn unread(error: &dyn std::error::Error) -> Fault {
    Fault::Unexpected(format!("the app's end: {error}"))
}
