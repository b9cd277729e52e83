//! The operating system's key store: Secret Service, Keychain or Credential Manager.

use std::sync::Arc;

use keyring_core::api::CredentialStore;
use keyring_core::{Entry, Error};
use zeroize::Zeroizing;

pub use keyring_core::Error as KeyStoreError;

/// The key store of the user who runs this program, under the name of one service.
#[derive(Clone)]
pub struct KeyStore {
    store: Arc<CredentialStore>,
    service: &'static str,
}

impl KeyStore {
    /// Reaches the key store. Blocks.
    ///
    /// # Errors
    /// Where there is none that answers.
    pub fn open(service: &'static str) -> Result<KeyStore, Error> {
        let store = system()?;
        Ok(KeyStore { store, service })
    }

    fn entry(&self, name: &str) -> Result<Entry, Error> {
        self.store.build(self.service, name, None)
    }

    /// What is kept under a name; `None` where there is nothing. Blocks.
    ///
    /// # Errors
    /// Where the key store does not answer, or stays locked.
    pub fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        match self.entry(name)?.get_secret() {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps `secret` under a name, instead of what was there. Blocks.
    ///
    /// # Errors
    /// Where the key store does not take it: Windows takes 2,560 bytes.
    pub fn write(&self, name: &str, secret: &[u8]) -> Result<(), Error> {
        self.entry(name)?.set_secret(secret)
    }

    /// Takes out what is kept under a name; false where there was nothing. Blocks.
    ///
    /// # Errors
    /// Where the key store does not answer.
    pub fn remove(&self, name: &str) -> Result<bool, Error> {
        match self.entry(name)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(target_os = "linux")]
fn system() -> Result<Arc<CredentialStore>, Error> {
    Ok(dbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(target_os = "macos")]
fn system() -> Result<Arc<CredentialStore>, Error> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn system() -> Result<Arc<CredentialStore>, Error> {
    Ok(windows_native_keyring_store::Store::new()?)
}
