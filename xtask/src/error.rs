//! Why a command of the project stopped.

use std::path::{Path, PathBuf};

/// Why a command of the project stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The findings are already on the screen; only the exit status is left to say.
    #[error("see above")]
    Reported,
    /// A file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    /// A program could not be started.
    #[error("cannot start {program}: {source}")]
    Start {
        program: String,
        source: std::io::Error,
    },
    /// A program ended badly; the end of its output is on the screen.
    #[error("{step} failed ({status}); its whole output is in {log}", log = log.display())]
    Failed {
        step: String,
        status: String,
        log: PathBuf,
    },
    /// A program's answer or a file was not of the form we know.
    #[error("{what}: {why}")]
    Unreadable { what: String, why: String },
    /// The machine lacks something that we do not install ourselves.
    #[error("{0}")]
    Machine(String),
}

/// How much of a failed program's output is said again at the very end.
const LAST_WORDS_MAX: usize = 24;

impl Error {
    /// The error, and the end of the output of the program that failed: a machine that runs the
    /// tests for others may keep only the end of what it was shown.
    pub fn last_words(&self) -> Vec<String> {
        let mut words = vec![self.to_string()];
        if let Self::Failed { log, .. } = self {
            let output = std::fs::read_to_string(log).unwrap_or_default();
            let lines: Vec<&str> = output.lines().filter(|line| !line.is_empty()).collect();
            let end = lines.len().saturating_sub(LAST_WORDS_MAX);
            words.extend(lines[end..].iter().map(|line| format!("  {line}")));
        }
        words
    }

    /// A failed file operation on `path`.
    pub fn file(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::File {
            path: path.as_ref().to_owned(),
            source,
        }
    }

    /// Something read was not of the form we know.
    pub fn unreadable(what: impl ToString, why: impl ToString) -> Self {
        Self::Unreadable {
            what: what.to_string(),
            why: why.to_string(),
        }
    }
}
