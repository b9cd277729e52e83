//! Why a test could not go on.

use std::path::PathBuf;

use fantoccini::error::{CmdError, ErrorStatus};

/// Why a test could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A program of the system could not be started.
    #[error("cannot start {program}: {source} (`cargo xtask test` installs it)")]
    Start {
        /// Its name.
        program: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A program was started and did not become ready.
    #[error("{program} did not become ready: {why}")]
    NotReady {
        /// Its name.
        program: String,
        /// What it said or did.
        why: String,
    },
    /// A condition did not come true in time.
    #[error("waited {seconds} s in vain for {what}")]
    InVain {
        /// The condition in words.
        what: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The window's driver refused a command.
    #[error("WebDriver: {0}")]
    Driver(#[from] CmdError),
    /// The window did not open.
    #[error("the window did not open: {0}")]
    Session(#[from] fantoccini::error::NewSessionError),
    /// The counter refused a call.
    #[error("{command}: {answer}")]
    Refused {
        /// The command.
        command: String,
        /// The error as the window would get it.
        answer: serde_json::Value,
    },
    /// The customer's phone did not answer as expected.
    #[error("the customer's phone: {0}")]
    Phone(String),
    /// A file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Something seen is not what it should be.
    #[error("{0}")]
    Unexpected(String),
}

impl Fault {
    /// Whether a control went away, or was drawn anew, while something was done with it.
    pub fn is_gone(&self) -> bool {
        matches!(self, Fault::Driver(error)
            if error.is_stale_element_reference() || error.is_no_such_element())
    }

    /// Whether something else, such as a dialog that just opened, would have taken a click.
    pub fn is_covered(&self) -> bool {
        matches!(self, Fault::Driver(CmdError::Standard(answer))
            if answer.error == ErrorStatus::ElementClickIntercepted)
    }

    /// Whether the driver never answered when it was asked to open the app.
    pub fn is_unanswered(&self) -> bool {
        use fantoccini::error::NewSessionError::{FailedC, Lost};
        matches!(self, Fault::Session(FailedC(_) | Lost(_)))
    }

    /// A failed file operation on `path`.
    pub fn file(path: impl Into<PathBuf>, source: std::io::Error) -> Fault {
        Fault::File {
            path: path.into(),
            source,
        }
    }
}

impl From<reqwest::Error> for Fault {
    fn from(error: reqwest::Error) -> Fault {
        Fault::Phone(error.to_string())
    }
}
