//! One process on one data folder: two counters would each append to the terminal's log, and two
//! servers would each believe to be the one writer.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Stays when the lock is given back: removing it would let one process lock the file that is gone
/// and the next one the file that is new.
const FILE: &str = "in-use.lock";

/// The right to work in a data folder, which one process has at a time. It ends with the value, and
/// with the process however that ends.
#[derive(Debug)]
pub struct FolderLock {
    /// The operating system's lock lives as long as this handle.
    _file: File,
}

/// Why a data folder is not ours to work in. Nothing in it was opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum FolderLockError {
    /// Another process works in it.
    #[error("another process works in {0}")]
    InUse(PathBuf),
    /// The folder is missing, or cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl FolderLock {
    /// Takes the right to work in `folder`, which must exist. To be called before anything in it is
    /// opened.
    ///
    /// # Errors
    /// See [`FolderLockError`].
    pub fn take(folder: &Path) -> Result<FolderLock, FolderLockError> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join(FILE))?;
        match file.try_lock() {
            Ok(()) => Ok(FolderLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(FolderLockError::InUse(folder.to_owned())),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_the_folder_until_it_lets_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        let first = FolderLock::take(path).expect("nobody is there");
        for _ in 0..2 {
            let second = FolderLock::take(path);
            assert!(
                matches!(&second, Err(FolderLockError::InUse(at)) if at == path),
                "{second:?}"
            );
        }
        drop(first);
        FolderLock::take(path).expect("nobody is there any more");
    }

    #[test]
    fn a_folder_that_is_missing_is_not_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("missing");
        let refused = FolderLock::take(&missing);
        assert!(
            matches!(&refused, Err(FolderLockError::Io(error)) if error.kind() == io::ErrorKind::NotFound),
            "{refused:?}"
        );
        assert!(!missing.exists());
    }
}
