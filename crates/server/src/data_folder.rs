//! The data folder of a stand-alone server: the ledger and, beside it, the file with its key.
//!
//! The key protects copies of the ledger file alone, such as backups. Whoever reads the whole
//! folder as its owner reads the books: keep the folder to the service's own account.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use qiantai_sqlite::{FolderLock, FolderLockError};
use zeroize::Zeroizing;

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// There is a ledger already; nothing was touched.
    #[error("{0} holds a ledger already")]
    Exists(PathBuf),
    /// Another process serves it, or is making it; nothing was opened.
    #[error("another process works in {0}; end it first")]
    InUse(PathBuf),
    /// There is no key file.
    #[error("{0} has no ledger.key; make a ledger with `qiantai-server init`")]
    NoKey(PathBuf),
    /// The key file is not 64 hexadecimal digits.
    #[error("{0} is not a key")]
    BadKey(PathBuf),
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The ledger's file.
pub fn ledger_path(folder: &Path) -> PathBuf {
    folder.join("ledger.db")
}

/// The file with its key.
pub fn key_path(folder: &Path) -> PathBuf {
    folder.join("ledger.key")
}

/// The folder with the own certificate authority.
pub fn tls_path(folder: &Path) -> PathBuf {
    folder.join("tls")
}

/// Has an existing folder to ourselves until the lock is dropped. Taken before anything is opened
/// by whoever writes the books; an enrolment code is a row of its own and may be made beside a server.
///
/// # Errors
/// See [`DataFolderError`].
pub fn lock(folder: &Path) -> Result<FolderLock, DataFolderError> {
    FolderLock::take(folder).map_err(|error| match error {
        FolderLockError::InUse(folder) => DataFolderError::InUse(folder),
        FolderLockError::Io(error) if error.kind() == io::ErrorKind::NotFound => {
            DataFolderError::NoKey(folder.to_owned())
        }
        FolderLockError::Io(error) => error.into(),
    })
}

/// Makes the folder with a fresh key, and has it to ourselves as [`lock`] does.
///
/// # Errors
/// See [`DataFolderError`].
pub fn create(folder: &Path) -> Result<([u8; 32], FolderLock), DataFolderError> {
    fs::create_dir_all(folder)?;
    let alone = lock(folder)?;
    if ledger_path(folder).exists() || key_path(folder).exists() {
        return Err(DataFolderError::Exists(folder.to_owned()));
    }
    let key = fresh_key()?;
    write_key(folder, &key)?;
    Ok((key, alone))
}

/// 32 random bytes.
///
/// # Errors
/// The operating system has none.
pub fn fresh_key() -> io::Result<[u8; 32]> {
    let mut key = [0_u8; 32];
    getrandom::fill(&mut key).map_err(io::Error::from)?;
    Ok(key)
}

/// Writes the key of a folder that has none; its owner alone may read it.
///
/// # Errors
/// See [`DataFolderError`].
pub fn write_key(folder: &Path, key: &[u8; 32]) -> Result<(), DataFolderError> {
    Ok(write_key_file(&key_path(folder), key)?)
}

/// Writes a key to a file that does not exist yet; its owner alone may read it.
///
/// # Errors
/// The file exists or cannot be written.
pub fn write_key_file(path: &Path, key: &[u8; 32]) -> io::Result<()> {
    let text = Zeroizing::new(hex::encode(key));
    write_private(path, text.as_bytes())
}

/// Writes a file that does not exist yet; its owner alone may read it.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Reads the key of an existing folder.
///
/// # Errors
/// See [`DataFolderError`].
pub fn read_key(folder: &Path) -> Result<[u8; 32], DataFolderError> {
    match read_key_file(&key_path(folder)) {
        Err(DataFolderError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
            Err(DataFolderError::NoKey(folder.to_owned()))
        }
        other => other,
    }
}

/// Reads a key from a file.
///
/// # Errors
/// See [`DataFolderError`].
pub fn read_key_file(path: &Path) -> Result<[u8; 32], DataFolderError> {
    let text = Zeroizing::new(fs::read_to_string(path)?);
    let mut key = [0_u8; 32];
    match hex::decode_to_slice(text.trim(), &mut key) {
        Ok(()) => Ok(key),
        Err(_) => Err(DataFolderError::BadKey(path.to_owned())),
    }
}
