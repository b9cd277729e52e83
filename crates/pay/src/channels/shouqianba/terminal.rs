//! The terminal's number and key, kept across restarts.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use qiantai_core::clock::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::secret::SecretText;

/// An activated terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Its number at the gateway.
    pub sn: String,
    /// Its key of today.
    pub key: SecretText,
    /// The key before: when the answer to a change was lost, either may be the one in force.
    pub previous_key: Option<SecretText>,
    /// When the key was last changed.
    pub changed_at: Timestamp,
}

/// Where a terminal is kept.
pub trait TerminalStore: Send + Sync {
    /// The terminal that was saved last; `None` before the first activation.
    fn load(&self) -> Result<Option<Terminal>, TerminalStoreError>;

    /// Saves the terminal. When this returns, a loss of power does not lose it.
    fn save(&self, terminal: &Terminal) -> Result<(), TerminalStoreError>;
}

impl Terminal {
    /// As it is kept, with its keys in clear.
    pub fn written(&self) -> Zeroizing<Vec<u8>> {
        let saved = Saved {
            sn: self.sn.clone(),
            key: self.key.expose().to_owned(),
            previous_key: self
                .previous_key
                .as_ref()
                .map(|key| key.expose().to_owned()),
            changed_at_ms: self.changed_at.ms(),
        };
        Zeroizing::new(serde_json::to_vec(&saved).expect("texts and a number"))
    }

    /// Reads what [`Terminal::written`] wrote; `None` for anything else.
    pub fn read(bytes: &[u8]) -> Option<Terminal> {
        let saved: Saved = serde_json::from_slice(bytes).ok()?;
        Some(Terminal {
            sn: saved.sn,
            key: SecretText::new(saved.key),
            previous_key: saved.previous_key.map(SecretText::new),
            changed_at: Timestamp::from_ms(saved.changed_at_ms),
        })
    }
}

/// A terminal that cannot be read or saved. Quotes no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the terminal file cannot be used: {0}")]
pub struct TerminalStoreError(pub String);

/// A file that only its owner may read, replaced as a whole.
#[derive(Clone, Debug)]
pub struct TerminalFile {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    sn: String,
    key: String,
    previous_key: Option<String>,
    changed_at_ms: i64,
}

impl TerminalFile {
    /// Uses this path; its folder must exist.
    pub fn new(path: impl Into<PathBuf>) -> TerminalFile {
        TerminalFile { path: path.into() }
    }
}

impl TerminalStore for TerminalFile {
    fn load(&self) -> Result<Option<Terminal>, TerminalStoreError> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(TerminalStoreError(error.to_string())),
        };
        // The usual error would quote what stands where a key should be.
        let terminal = Terminal::read(text.as_bytes())
            .ok_or_else(|| TerminalStoreError("not a terminal file".to_owned()))?;
        Ok(Some(terminal))
    }

    fn save(&self, terminal: &Terminal) -> Result<(), TerminalStoreError> {
        replace(&self.path, &terminal.written())
            .map_err(|error| TerminalStoreError(error.to_string()))
    }
}

/// Writes beside the file, makes that durable, then puts it in the file's place.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&beside, path)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    // Windows makes the rename durable by itself and opens no folders as files.
    if cfg!(unix) {
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}
