//! Credentials in the operating system's key store: the source, and the command that fills it.

use clap::Subcommand;
use qiantai_pay::credentials::Credentials;

use crate::{AnyError, Ending};

/// What is done with an entry.
#[derive(Debug, Subcommand)]
pub(crate) enum Credential {
    /// Keep a credential under a name, instead of what was there. It is read from standard input,
    /// where no list of processes shows it.
    Set {
        /// As settings name it: `{ key_store = "NAME" }`.
        name: String,
    },
    /// Take a credential out.
    Remove {
        /// Its name.
        name: String,
    },
    /// Say whether there is something under a name; nothing of it is shown.
    Has {
        /// Its name.
        name: String,
    },
}

/// The places of credentials on this machine; files begin in `folder`.
pub(crate) fn credentials(folder: &std::path::Path) -> Credentials {
    let credentials = Credentials::new(folder);
    #[cfg(feature = "key-store")]
    let credentials = credentials.with_key_store(std::sync::Arc::new(store::SystemKeyStore));
    credentials
}

#[cfg(not(feature = "key-store"))]
pub(crate) fn credential(_: Credential) -> Result<Ending, AnyError> {
    Err("this program was built without the key store".into())
}

#[cfg(feature = "key-store")]
pub(crate) fn credential(asked: Credential) -> Result<Ending, AnyError> {
    store::credential(asked)
}

#[cfg(feature = "key-store")]
mod store {
    use std::io::Read as _;

    use qiantai_keystore::{KeyStore, KeyStoreError};
    use qiantai_pay::SecretText;
    use qiantai_pay::credentials::KeyStoreSource;
    use zeroize::Zeroizing;

    use super::Credential;
    use crate::{AnyError, Ending, say};

    /// Under which the server's entries stand.
    const SERVICE: &str = "org.qiantai.server";

    /// As large as a file of a credential may be.
    const BYTES_MAX: u64 = 256 * 1024;

    /// Reached anew at every look, so that one which is unlocked or started later is found.
    pub(super) struct SystemKeyStore;

    impl KeyStoreSource for SystemKeyStore {
        fn read(&self, name: &str) -> Result<Option<SecretText>, String> {
            let said = |error: KeyStoreError| error.to_string();
            let kept = KeyStore::open(SERVICE).map_err(said)?;
            let Some(secret) = kept.read(name).map_err(said)? else {
                return Ok(None);
            };
            let text = std::str::from_utf8(&secret);
            let text = text.map_err(|_| format!("the entry {name} is not text"))?;
            Ok(Some(SecretText::new(text)))
        }
    }

    pub(super) fn credential(asked: Credential) -> Result<Ending, AnyError> {
        let kept = KeyStore::open(SERVICE)?;
        match asked {
            Credential::Set { name } => {
                let mut secret = Zeroizing::new(Vec::new());
                let input = std::io::stdin().lock();
                input.take(BYTES_MAX + 1).read_to_end(&mut secret)?;
                if secret.len() as u64 > BYTES_MAX {
                    return Err("that is too large for a credential".into());
                }
                if std::str::from_utf8(&secret).is_err() {
                    return Err("that is not text; give binary files in base64".into());
                }
                if secret.trim_ascii().is_empty() {
                    return Err("there was nothing on standard input".into());
                }
                kept.write(&name, secret.trim_ascii())?;
                say(&format!("{name} is kept in the key store"))?;
                Ok(Ending::Well)
            }
            Credential::Remove { name } => {
                let was_there = kept.remove(&name)?;
                told(&name, was_there, "is taken out")
            }
            Credential::Has { name } => {
                let is_there = kept.read(&name)?.is_some();
                told(&name, is_there, "is in the key store")
            }
        }
    }

    fn told(name: &str, is_there: bool, what: &str) -> Result<Ending, AnyError> {
        if is_there {
            say(&format!("{name} {what}"))?;
            return Ok(Ending::Well);
        }
        say(&format!("the key store has no entry {name}"))?;
        Ok(Ending::Bad)
    }
}
