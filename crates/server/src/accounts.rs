//! The accounts at payment gateways: where those of a server come from, and the keeping of those
//! that are entered in the window of a shop whose server lives in the same process.

mod sealed;
mod terminals;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use qiantai_pay::SecretText;
use qiantai_pay::channels::shouqianba;
use qiantai_pay::credentials::Credentials;
use qiantai_pay::crypto::CryptoError;
use qiantai_pay::set_up::SetUpForm;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::gateways::GatewaySettings;
use sealed::SealedFile;
use terminals::KeptTerminals;

/// What the gateways of a server are opened from.
#[derive(Clone, Default)]
pub enum AccountSource {
    /// From nothing that could be looked at: they are simulated.
    #[default]
    Nowhere,
    /// From the settings file, with what it refers to.
    Settings(Arc<[GatewaySettings]>, Credentials),
    /// From what was entered in the window.
    Kept(Arc<KeptAccounts>),
}

/// Accounts that were entered in the window, in one file of the shop's folder, sealed with a key that
/// is made of the ledger's: whoever opens the one opens the other, and a copy of the file alone
/// opens to nobody.
pub struct KeptAccounts {
    file: SealedFile,
    terminals: Arc<KeptTerminals>,
    /// Held from the reading to the writing of a change.
    pub(crate) changing: tokio::sync::Mutex<()>,
}

/// What was filled in for a gateway, by place. `Debug` says the places alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Filled(BTreeMap<String, SecretText>);

/// Where the terminal of one account is kept.
pub(crate) type Terminals = Arc<dyn shouqianba::TerminalStore>;

/// What was filled in, by the name of the gateway.
pub type FilledAccounts = BTreeMap<String, Filled>;

/// Why accounts are not read or kept. Nothing of them is quoted.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The operating system.
    #[error("the file of the payment accounts: {0}")]
    Io(#[from] io::Error),
    /// Another key sealed it, or it was changed since.
    #[error("the file of the payment accounts is damaged, or sealed with the key of other books")]
    Damaged,
    /// The cryptographic library.
    #[error("the payment accounts cannot be sealed: {0}")]
    Crypto(#[from] CryptoError),
}

/// Beside the ledger.
const FILE: &str = "payment-accounts";

/// The first bytes of the file; sealed with the rest.
const MARK: &[u8] = b"qiantai payment accounts 1\n";

impl KeptAccounts {
    /// The accounts in `folder`, of the books that open with `ledger_key`.
    ///
    /// # Errors
    /// See [`KeptError`]; nothing is read yet.
    pub fn new(folder: &Path, ledger_key: &[u8; 32]) -> Result<KeptAccounts, KeptError> {
        Ok(KeptAccounts {
            file: SealedFile::new(folder.join(FILE), ledger_key, MARK)?,
            terminals: Arc::new(KeptTerminals::new(folder, ledger_key)?),
            changing: tokio::sync::Mutex::default(),
        })
    }

    /// What was filled in so far.
    ///
    /// # Errors
    /// See [`KeptError`].
    pub fn read(&self) -> Result<FilledAccounts, KeptError> {
        let Some(opened) = self.file.read()? else {
            return Ok(BTreeMap::new());
        };
        let accounts: BTreeMap<String, BTreeMap<String, SecretText>> =
            serde_json::from_slice(&opened).map_err(|_| KeptError::Damaged)?;
        let filled = accounts.into_iter().map(|(name, it)| (name, Filled(it)));
        Ok(filled.collect())
    }

    /// Keeps `accounts` instead of what was there, whole or not at all.
    ///
    /// # Errors
    /// See [`KeptError`]; what was there is there still.
    pub fn write(&self, accounts: &FilledAccounts) -> Result<(), KeptError> {
        let texts: BTreeMap<&str, BTreeMap<&str, &str>> = accounts
            .iter()
            .map(|(name, filled)| (name.as_str(), filled.exposed()))
            .collect();
        let plain = Zeroizing::new(serde_json::to_vec(&texts).map_err(io::Error::other)?);
        self.file.write(&plain)
    }

    /// The settings of the account of that name, with what is filled in by nobody.
    ///
    /// # Errors
    /// See [`KeptError`].
    pub(crate) fn settings(
        &self,
        name: &str,
        form: &SetUpForm,
        filled: &Filled,
    ) -> Result<Value, KeptError> {
        let mut settings = filled.settings(form);
        if name == shouqianba::ID.0 {
            settings["device_id"] = self.terminals.device_id(&settings)?.into();
        }
        Ok(settings)
    }

    /// Where the terminal of the account of that name is kept, of a gateway that has terminals.
    pub(crate) fn terminal(&self, name: &str, settings: &Value) -> Option<Terminals> {
        let is_one = name == shouqianba::ID.0;
        is_one.then(|| self.terminals.of(settings))
    }
}

impl Filled {
    /// The text in a field.
    pub fn get(&self, place: &str) -> Option<&str> {
        self.0.get(place).map(SecretText::expose)
    }

    /// The same with what was entered since; an empty text takes out what was there.
    #[must_use]
    pub fn with(mut self, entered: BTreeMap<String, String>) -> Filled {
        for (place, text) in entered {
            let text = Zeroizing::new(text);
            match text.trim() {
                "" => self.0.remove(&place),
                text => self.0.insert(place, SecretText::new(text)),
            };
        }
        self
    }

    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The settings of the channel.
    pub fn settings(&self, form: &SetUpForm) -> Value {
        form.settings(|place| self.get(place))
    }

    fn exposed(&self) -> BTreeMap<&str, &str> {
        let texts = self.0.iter();
        texts
            .map(|(place, text)| (place.as_str(), text.expose()))
            .collect()
    }
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(key: &str) -> FilledAccounts {
        let entered = [("private_key", key), ("mchid", "1900000109")];
        let entered = entered.map(|(place, text)| (place.to_owned(), text.to_owned()));
        let filled = Filled::default().with(entered.into());
        [("wechat".to_owned(), filled)].into()
    }

    #[test]
    fn accounts_are_kept_sealed_and_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = KeptAccounts::new(folder.path(), &[1; 32]).expect("a key");
        assert!(kept.read().expect("no file yet").is_empty());
        for key in ["5ec2e7 key", "an0ther key"] {
            kept.write(&accounts(key)).expect("writes");
            assert_eq!(kept.read().expect("reads"), accounts(key));
            let bytes = std::fs::read(folder.path().join(FILE)).expect("a file");
            let holds = |text: &str| {
                bytes
                    .windows(text.len())
                    .any(|part| part == text.as_bytes())
            };
            assert!(!holds(key) && !holds("private_key") && !holds("1900000109"));
        }
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("a folder").count(),
            1
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let about = std::fs::metadata(folder.path().join(FILE)).expect("a file");
            assert_eq!(about.permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn what_another_key_sealed_or_somebody_changed_is_damaged() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = KeptAccounts::new(folder.path(), &[1; 32]).expect("a key");
        kept.write(&accounts("5ec2e7")).expect("writes");
        let other = KeptAccounts::new(folder.path(), &[2; 32]).expect("a key");
        assert!(matches!(other.read(), Err(KeptError::Damaged)));
        let path = folder.path().join(FILE);
        let whole = std::fs::read(&path).expect("a file");
        for at in [0, MARK.len(), whole.len() - 1] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).expect("writes");
            assert!(matches!(kept.read(), Err(KeptError::Damaged)), "{at}");
        }
        for length in [0, MARK.len() + 3, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).expect("writes");
            assert!(matches!(kept.read(), Err(KeptError::Damaged)), "{length}");
        }
    }

    #[test]
    fn an_empty_text_takes_out_and_nothing_is_printed() {
        let filled = accounts("5ec2e7").remove("wechat").expect("an account");
        assert_eq!(format!("{filled:?}"), r#"{"mchid", "private_key"}"#);
        let entered = [("private_key", " "), ("mchid", " 1900000110\n")];
        let entered = entered.map(|(place, text)| (place.to_owned(), text.to_owned()));
        let filled = filled.with(entered.into());
        assert_eq!(filled.get("private_key"), None);
        assert_eq!(filled.get("mchid"), Some("1900000110"));
    }
}
