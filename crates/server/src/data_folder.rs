//! The data folder of a stand-alone server: the ledger and, beside it, the file with its key.
//!
//! The key protects copies of the ledger file alone, such as backups. Whoever reads the whole
//! folder as its owner reads the books: keep the folder to the service's own account.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use qiantai_core::Timestamp;
use qiantai_sqlite::{FolderLock, FolderLockError};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::backup::{sync_folder, with_suffix};

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
    /// Its books are served from a database now; going on here would make a second history of them.
    #[error(
        "the books of {folder} were moved to {} at {}: serve them there. As they were then they \
         can still be read: `qiantai-server verify --data {folder}`", .moved.to, .moved.at()
    )]
    Moved {
        /// Where they were.
        folder: PathBuf,
        /// Where they are.
        moved: Moved,
    },
    /// The note about a move cannot be read; nothing was opened.
    #[error("{0} should say where the books were moved and cannot be read: {1}")]
    BadNote(PathBuf, serde_json::Error),
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// When and where books were moved, as a note in the folder says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    at_ms: i64,
    /// The database, without any password.
    pub to: String,
}

impl Moved {
    /// A move that ends at `at`.
    pub fn new(at: Timestamp, to: String) -> Moved {
        let at_ms = at.ms();
        Moved { at_ms, to }
    }

    /// When.
    pub fn at(&self) -> Timestamp {
        Timestamp::from_ms(self.at_ms)
    }

    /// The ledger's file after the move. A program that does not know the note finds none under the
    /// usual name.
    fn ledger_path(&self, folder: &Path) -> PathBuf {
        with_suffix(&ledger_path(folder), &format!(".adopted-{}", self.at_ms))
    }
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

fn note_path(folder: &Path) -> PathBuf {
    folder.join("adopted.json")
}

/// When and where the books of the folder were moved, if they were.
///
/// # Errors
/// See [`DataFolderError`].
pub fn moved(folder: &Path) -> Result<Option<Moved>, DataFolderError> {
    let path = note_path(folder);
    match fs::read(&path) {
        Ok(note) => match serde_json::from_slice(&note) {
            Ok(moved) => Ok(Some(moved)),
            Err(error) => Err(DataFolderError::BadNote(path, error)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Refuses a folder whose books were moved.
fn require_its_books(folder: &Path) -> Result<(), DataFolderError> {
    match moved(folder)? {
        None => Ok(()),
        Some(moved) => Err(DataFolderError::Moved {
            folder: folder.to_owned(),
            moved,
        }),
    }
}

/// Notes in the folder that its books are elsewhere: from here on nothing opens them to write.
///
/// # Errors
/// See [`DataFolderError`].
pub fn note_move(folder: &Path, moved: &Moved) -> Result<(), DataFolderError> {
    let path = note_path(folder);
    let part = with_suffix(&path, ".part");
    let mut file = fs::File::create(&part)?;
    file.write_all(&serde_json::to_vec(moved).map_err(io::Error::from)?)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&part, &path)?;
    Ok(sync_folder(&path)?)
}

/// The ledger's file of a folder, also of one whose books were moved, and its key: to read them.
///
/// # Errors
/// See [`DataFolderError`].
pub fn to_read(folder: &Path) -> Result<(PathBuf, [u8; 32]), DataFolderError> {
    let key = read_key_of(folder)?;
    let usual = ledger_path(folder);
    let aside = moved(folder)?.map(|moved| moved.ledger_path(folder));
    Ok((aside.filter(|path| path.exists()).unwrap_or(usual), key))
}

/// Puts the ledger of a folder whose books were moved under another name; no process has it open.
///
/// # Errors
/// See [`DataFolderError`].
pub fn put_aside(folder: &Path, moved: &Moved) -> Result<(), DataFolderError> {
    Ok(rename_ledger(
        &ledger_path(folder),
        &moved.ledger_path(folder),
    )?)
}

/// Renames a database file, if it is there, with what stands beside it while it is open.
pub(crate) fn rename_ledger(path: &Path, aside: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let from = with_suffix(path, suffix);
        if from.exists() {
            fs::rename(from, with_suffix(aside, suffix))?;
        }
    }
    sync_folder(path)
}

/// Has an existing folder to ourselves until the lock is dropped. Taken before anything is opened
/// by whoever writes the books; an enrolment code is a row of its own and may be made beside a server.
///
/// # Errors
/// See [`DataFolderError`].
pub fn lock(folder: &Path) -> Result<FolderLock, DataFolderError> {
    let alone = lock_to_move(folder)?;
    require_its_books(folder)?;
    Ok(alone)
}

/// The same, also when the books were moved.
///
/// # Errors
/// See [`DataFolderError`].
pub fn lock_to_move(folder: &Path) -> Result<FolderLock, DataFolderError> {
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

/// Reads the key of an existing folder whose books are in it.
///
/// # Errors
/// See [`DataFolderError`].
pub fn read_key(folder: &Path) -> Result<[u8; 32], DataFolderError> {
    require_its_books(folder)?;
    read_key_of(folder)
}

fn read_key_of(folder: &Path) -> Result<[u8; 32], DataFolderError> {
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
