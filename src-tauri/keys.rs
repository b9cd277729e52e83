//! Where the key of the vault is held: the desktop's key store, or a file where there is none.

use std::path::{Path, PathBuf};

use qiantai_keystore::{KeyStore, KeyStoreError};
use qiantai_store::vault::{FileKeyHolder, KeyHolder, KeyHolderError};

/// Under which the key stands in the desktop's key store.
const SERVICE: &str = "org.qiantai.desktop";

/// Holds the key of one data folder.
///
/// A new key goes to the desktop's key store. Only where that does not answer it goes to the file
/// `kek.key` (docs: adr 0004); from then on the file is what counts for this folder, so that a key
/// store which comes and goes never looks like a lost key.
pub struct TerminalKeys {
    file: FileKeyHolder,
    path: PathBuf,
    desktop: Result<KeyStore, String>,
}

impl TerminalKeys {
    /// The holder for the files in `folder`.
    pub fn of(folder: &Path) -> TerminalKeys {
        TerminalKeys {
            file: FileKeyHolder::new(folder),
            path: folder.join("kek.key"),
            desktop: KeyStore::open(SERVICE).map_err(|error: KeyStoreError| error.to_string()),
        }
    }

    /// Looked at each time: a key that went to the file in this run must be found there in this run.
    fn has_file(&self) -> bool {
        self.path.exists()
    }

    fn desktop(&self) -> Result<&KeyStore, KeyHolderError> {
        self.desktop.as_ref().map_err(|why| refused(why.clone()))
    }

    fn store_on_desktop(&self, name: &str, key: &[u8; 32]) -> Result<(), KeyHolderError> {
        self.desktop()?.write(name, key).map_err(refused)
    }
}

impl KeyHolder for TerminalKeys {
    fn load(&self, name: &str) -> Result<Option<[u8; 32]>, KeyHolderError> {
        if self.has_file() {
            return self.file.load(name);
        }
        let secret = self.desktop()?.read(name).map_err(refused)?;
        Ok(secret.and_then(|secret| secret.as_slice().try_into().ok()))
    }

    fn store(&self, name: &str, key: &[u8; 32]) -> Result<(), KeyHolderError> {
        if self.has_file() {
            return self.file.store(name, key);
        }
        match self.store_on_desktop(name, key) {
            Ok(()) => Ok(()),
            Err(error) => {
                tracing::warn!(%error, "no key store on this desktop; the key lies in kek.key, mode 0600");
                self.file.store(name, key)
            }
        }
    }
}

fn refused(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> KeyHolderError {
    KeyHolderError::Unavailable(error.into())
}

#[cfg(all(test, target_os = "linux"))]
mod key_store_tests;

#[cfg(test)]
mod tests {
    use super::*;

    /// A key that the file took in this run is found, and replaced, there in this run.
    #[test]
    fn the_file_counts_from_the_moment_it_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = TerminalKeys {
            file: FileKeyHolder::new(folder.path()),
            path: folder.path().join("kek.key"),
            desktop: Err("no key store here".into()),
        };
        assert!(keys.load("shop").is_err(), "nobody holds a key");
        for key in [[1; 32], [2; 32]] {
            keys.store("shop", &key).expect("the file takes it");
            assert_eq!(keys.load("shop").expect("the file has it"), Some(key));
        }
    }
}
