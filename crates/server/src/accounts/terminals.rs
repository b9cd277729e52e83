//! The terminals that accounts were activated as, in one sealed file. Each is kept under what it was
//! activated with: the entry of another account leaves it alone, and what was activated once is
//! found again when the same is entered again.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use qiantai_pay::SecretText;
use qiantai_pay::channels::shouqianba::{Terminal, TerminalStore, TerminalStoreError};
use qiantai_pay::crypto::hmac_sha256;
use serde_json::Value;
use zeroize::Zeroizing;

use super::KeptError;
use super::sealed::SealedFile;

/// Beside the ledger.
const FILE: &str = "payment-terminals";

const MARK: &[u8] = b"qiantai payment terminals 1\n";

const DEVICE_MARK: &[u8] = b"qiantai payment terminals 1 device\n";

/// Half of a digest tells machines and contracts apart.
const DIGITS: usize = 24;

pub(super) struct KeptTerminals {
    file: SealedFile,
    device_key: Zeroizing<[u8; 32]>,
    /// Held from the reading to the writing of a change.
    changing: Mutex<()>,
}

/// By what each was activated with.
type Kept = BTreeMap<String, SecretText>;

impl KeptTerminals {
    pub(super) fn new(folder: &Path, ledger_key: &[u8; 32]) -> Result<KeptTerminals, KeptError> {
        Ok(KeptTerminals {
            file: SealedFile::new(folder.join(FILE), ledger_key, MARK)?,
            device_key: Zeroizing::new(hmac_sha256(ledger_key, DEVICE_MARK)?),
            changing: Mutex::default(),
        })
    }

    /// The name of this machine at the gateway. The same code gives the same name for ever, so that an
    /// activation whose answer was lost is repeated as the same terminal; another code gives another,
    /// so that it takes no terminal from the one that works.
    pub(super) fn device_id(&self, settings: &Value) -> Result<String, KeptError> {
        let of = ["vendor_sn", "app_id", "activation_code"];
        let text = Zeroizing::new(of.map(|place| said(settings, place)).join("\n"));
        let digest = hmac_sha256(&*self.device_key, text.as_bytes())?;
        Ok(format!("qiantai-{}", &hex::encode(digest)[..DIGITS]))
    }

    /// The place of the terminal that these settings stand for.
    pub(super) fn of(self: &Arc<Self>, settings: &Value) -> Arc<dyn TerminalStore> {
        let of = ["base_url", "vendor_sn", "app_id", "device_id"];
        Arc::new(KeptTerminal {
            all: Arc::clone(self),
            name: of.map(|place| said(settings, place)).join("\n"),
        })
    }

    /// A file that nobody can open costs an activation, and no account.
    fn read(&self) -> Result<Kept, TerminalStoreError> {
        let opened = match self.file.read() {
            Ok(opened) => opened,
            Err(KeptError::Damaged) => {
                tracing::error!("the file of the terminals is damaged; they are activated again");
                None
            }
            Err(error) => return Err(TerminalStoreError(error.to_string())),
        };
        let Some(opened) = opened else {
            return Ok(Kept::new());
        };
        // The usual error would quote what stands where a key should be.
        serde_json::from_slice(&opened)
            .map_err(|_| TerminalStoreError("it holds no terminals".to_owned()))
    }
}

fn said<'a>(settings: &'a Value, place: &str) -> &'a str {
    settings.get(place).and_then(Value::as_str).unwrap_or("")
}

struct KeptTerminal {
    all: Arc<KeptTerminals>,
    name: String,
}

impl TerminalStore for KeptTerminal {
    fn load(&self) -> Result<Option<Terminal>, TerminalStoreError> {
        let kept = self.all.read()?;
        let terminal = kept.get(&self.name).map(|text| {
            Terminal::read(text.expose().as_bytes())
                .ok_or_else(|| TerminalStoreError("it holds no terminal".to_owned()))
        });
        terminal.transpose()
    }

    fn save(&self, terminal: &Terminal) -> Result<(), TerminalStoreError> {
        let changing = self.all.changing.lock();
        let _alone = changing.unwrap_or_else(PoisonError::into_inner);
        let unkept = |error: &dyn std::fmt::Display| TerminalStoreError(error.to_string());
        let mut kept = self.all.read()?;
        let written = String::from_utf8(terminal.written().to_vec());
        let written = written.map_err(|error| unkept(&error.utf8_error()))?;
        kept.insert(self.name.clone(), SecretText::new(written));
        let texts: BTreeMap<&str, &str> = kept
            .iter()
            .map(|(name, text)| (name.as_str(), text.expose()))
            .collect();
        let plain = serde_json::to_vec(&texts).map_err(|error| unkept(&error))?;
        let written = self.all.file.write(&Zeroizing::new(plain));
        written.map_err(|error| unkept(&error))
    }
}

#[cfg(test)]
mod tests {
    use qiantai_core::Timestamp;
    use serde_json::json;

    use super::*;

    fn terminal(key: &str) -> Terminal {
        Terminal {
            sn: "100100000001".to_owned(),
            key: SecretText::new(key),
            previous_key: Some(SecretText::new("an older one")),
            changed_at: Timestamp::from_ms(1),
        }
    }

    #[test]
    fn each_account_has_a_terminal_of_its_own_that_nobody_reads() {
        let folder = tempfile::tempdir().expect("a folder");
        let all = KeptTerminals::new(folder.path(), &[1; 32]).expect("a key");
        let all = Arc::new(all);
        let account = |code: &str| {
            let mut settings = json!({"vendor_sn": "91", "app_id": "20", "activation_code": code});
            settings["device_id"] = all.device_id(&settings).expect("a name").into();
            settings
        };
        let (one, other) = (account("A1"), account("A2"));
        assert_ne!(one["device_id"], other["device_id"]);
        assert_eq!(one["device_id"], account("A1")["device_id"]);
        assert_eq!(all.of(&one).load(), Ok(None));
        for key in ["5ec2e7", "an0ther"] {
            all.of(&one).save(&terminal(key)).expect("writes");
            assert_eq!(all.of(&one).load(), Ok(Some(terminal(key))));
            let bytes = std::fs::read(folder.path().join(FILE)).expect("a file");
            let mut parts = bytes.windows(key.len());
            assert!(!parts.any(|part| part == key.as_bytes()));
        }
        all.of(&other)
            .save(&terminal("of the other"))
            .expect("writes");
        assert_eq!(all.of(&one).load(), Ok(Some(terminal("an0ther"))));

        // A file that was changed costs an activation.
        let path = folder.path().join(FILE);
        std::fs::write(&path, b"something else").expect("writes");
        assert_eq!(all.of(&one).load(), Ok(None));
        all.of(&one).save(&terminal("new")).expect("writes");
        assert_eq!(all.of(&one).load(), Ok(Some(terminal("new"))));
    }
}
