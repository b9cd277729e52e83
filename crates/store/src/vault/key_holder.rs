//! Who keeps the key of the vault between two starts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::file::replace_with;

/// A place outside the data folder's databases that keeps named 32-byte keys: the key store of
/// the operating system, implemented by the host, or [`FileKeyHolder`].
pub trait KeyHolder: Send + Sync {
    /// The key of that name, or `None` when it was never stored or is gone.
    fn load(&self, name: &str) -> Result<Option<[u8; 32]>, KeyHolderError>;

    /// Keeps `key` under `name`, in place of an earlier one.
    fn store(&self, name: &str, key: &[u8; 32]) -> Result<(), KeyHolderError>;
}

/// Why a key holder did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum KeyHolderError {
    /// The key store is locked, not running, or denies access.
    #[error("{0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The key could not be written to its file; what the file held before is still there.
    #[error("the key cannot be written: {0}")]
    Unwritten(#[source] io::Error),
}

impl KeyHolderError {
    fn unreadable(error: io::Error) -> KeyHolderError {
        KeyHolderError::Unavailable(error.into())
    }
}

/// The fallback for machines without a key store: `kek.key` in the data folder, mode 0600. Whoever
/// can read that folder as this user can read the shop's books; the set-up screen says so.
pub struct FileKeyHolder {
    folder: PathBuf,
}

impl FileKeyHolder {
    /// Keeps its file in `folder`.
    pub fn new(folder: &Path) -> FileKeyHolder {
        FileKeyHolder {
            folder: folder.to_owned(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.join("kek.key")
    }
}

impl KeyHolder for FileKeyHolder {
    fn load(&self, name: &str) -> Result<Option<[u8; 32]>, KeyHolderError> {
        let text = match fs::read_to_string(self.path()) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(KeyHolderError::unreadable(error)),
        };
        restrict(&self.path()).map_err(KeyHolderError::unreadable)?;
        let Some((held_name, digits)) = text.trim_end().split_once(' ') else {
            return Ok(None);
        };
        let mut key = [0; 32];
        let readable = hex::decode_to_slice(digits, &mut key).is_ok();
        Ok((readable && held_name == name).then_some(key))
    }

    fn store(&self, name: &str, key: &[u8; 32]) -> Result<(), KeyHolderError> {
        let digits = Zeroizing::new(hex::encode(key));
        let line = Zeroizing::new(format!("{name} {}\n", digits.as_str()));
        replace_with(&self.folder, &self.path(), line.as_bytes()).map_err(KeyHolderError::Unwritten)
    }
}

/// A copied folder may have come with wider rights.
#[cfg(unix)]
fn restrict(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path)?.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

/// Elsewhere the folder's own access list decides.
#[cfg(not(unix))]
fn restrict(_path: &Path) -> io::Result<()> {
    Ok(())
}
