//! Where the keys of a channel come from, and when they end.
//!
//! Settings of a channel are JSON. In place of any text in them may stand a reference, an object
//! with one field: `{"file": PATH}`, `{"file_base64": PATH}` for binary files such as .pfx,
//! `{"env": NAME}`, or `{"key_store": NAME}`. [`Credentials::resolve`] puts the texts in place, so
//! that a channel need not know where they were. Nothing here logs a text or quotes it in an error.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use qiantai_core::clock::{Millis, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::secret::SecretText;

/// The operating system's key store, as the host offers it.
pub trait KeyStoreSource: Send + Sync {
    /// The text kept under a name; `Ok(None)` when there is none. The error says in plain words
    /// why the key store cannot be read.
    fn read(&self, name: &str) -> Result<Option<SecretText>, String>;
}

/// The places that texts are taken from.
#[derive(Clone, Default)]
pub struct Credentials {
    folder: PathBuf,
    key_store: Option<Arc<dyn KeyStoreSource>>,
}

/// Largest file that can hold a key.
const FILE_BYTES_MAX: u64 = 256 * 1024;

impl Credentials {
    /// Takes files from `folder` where their paths are relative, and has no key store.
    pub fn new(folder: impl Into<PathBuf>) -> Credentials {
        Credentials {
            folder: folder.into(),
            key_store: None,
        }
    }

    /// The same with the host's key store.
    #[must_use]
    pub fn with_key_store(self, key_store: Arc<dyn KeyStoreSource>) -> Credentials {
        Credentials {
            key_store: Some(key_store),
            ..self
        }
    }

    /// Settings with every reference replaced by its text.
    pub fn resolve(&self, settings: &Value) -> Result<Value, CredentialError> {
        self.resolved(settings, "")
    }

    fn resolved(&self, value: &Value, place: &str) -> Result<Value, CredentialError> {
        let below = |name: &str| match place {
            "" => name.to_owned(),
            place => format!("{place}.{name}"),
        };
        match value {
            Value::Object(fields) => {
                if let Some((source, name)) = reference(fields) {
                    let text = self.text(source, name);
                    return text
                        .map(|text| Value::String(text.expose().to_owned()))
                        .map_err(|problem| CredentialError {
                            place: place.to_owned(),
                            problem,
                        });
                }
                let resolved = fields
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), self.resolved(value, &below(name))?)));
                resolved.collect::<Result<_, _>>().map(Value::Object)
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, value)| self.resolved(value, &below(&index.to_string())))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            other => Ok(other.clone()),
        }
    }

    fn text(&self, source: Source, name: &str) -> Result<SecretText, CredentialProblem> {
        let text = match source {
            Source::File => self.file(name).and_then(|bytes| {
                let text = std::str::from_utf8(&bytes);
                text.map(SecretText::new)
                    .map_err(|_| CredentialProblem::NotText(name.to_owned()))
            })?,
            Source::FileBase64 => SecretText::new(BASE64.encode(self.file(name)?)),
            Source::Env => std::env::var(name)
                .map(SecretText::new)
                .map_err(|_| CredentialProblem::NoVariable(name.to_owned()))?,
            Source::KeyStore => {
                let store = self.key_store.as_ref();
                let store = store.ok_or(CredentialProblem::NoKeyStore)?;
                let text = store.read(name).map_err(CredentialProblem::KeyStore)?;
                text.ok_or_else(|| CredentialProblem::NotKept(name.to_owned()))?
            }
        };
        let trimmed = text.expose().trim();
        if trimmed.is_empty() {
            return Err(CredentialProblem::Empty(name.to_owned()));
        }
        Ok(SecretText::new(trimmed))
    }

    fn file(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, CredentialProblem> {
        let path = self.folder.join(Path::new(name));
        let unreadable = |error: std::io::Error| CredentialProblem::Unreadable {
            path: path.clone(),
            cause: error.kind().to_string(),
        };
        let file = File::open(&path).map_err(unreadable)?;
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(FILE_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(CredentialProblem::TooLarge(path));
        }
        Ok(bytes)
    }
}

#[derive(Clone, Copy)]
enum Source {
    File,
    FileBase64,
    Env,
    KeyStore,
}

fn reference(fields: &serde_json::Map<String, Value>) -> Option<(Source, &str)> {
    let mut fields = fields.iter();
    let (Some((source, name)), None) = (fields.next(), fields.next()) else {
        return None;
    };
    let source = match source.as_str() {
        "file" => Source::File,
        "file_base64" => Source::FileBase64,
        "env" => Source::Env,
        "key_store" => Source::KeyStore,
        _ => return None,
    };
    Some((source, name.as_str()?))
}

/// A reference that leads to no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct CredentialError {
    /// The setting that holds the reference, such as `public_keys.0.key`.
    pub place: String,
    /// What is wrong with it.
    pub problem: CredentialProblem,
}

/// Why a reference leads to no text. Never quotes a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialProblem {
    /// The file is missing or may not be read.
    #[error("the file {} cannot be read: {cause}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The system's cause.
        cause: String,
    },
    /// The file is too large for a key.
    #[error("the file {} is too large for a key", .0.display())]
    TooLarge(PathBuf),
    /// The file is binary.
    #[error("the file {0} is not text; use file_base64 for binary files")]
    NotText(String),
    /// The environment variable is not set, or is not text.
    #[error("the environment variable {0} is not set")]
    NoVariable(String),
    /// The host offers no key store.
    #[error("there is no key store on this machine")]
    NoKeyStore,
    /// The key store cannot be read.
    #[error("the key store cannot be read: {0}")]
    KeyStore(String),
    /// The key store has no such entry.
    #[error("the key store has no entry {0}")]
    NotKept(String),
    /// There is nothing in it.
    #[error("{0} is empty")]
    Empty(String),
}

/// Settings with references, watched for texts that change while the server runs.
pub struct WatchedSettings {
    settings: Value,
    in_force: Option<[u8; 32]>,
}

impl WatchedSettings {
    /// Settings that are in force nowhere yet.
    pub fn new(settings: Value) -> WatchedSettings {
        WatchedSettings {
            settings,
            in_force: None,
        }
    }

    /// The resolved settings with their mark, when they differ from those in force. Reads every
    /// file, variable and entry anew.
    pub fn changed(
        &self,
        credentials: &Credentials,
    ) -> Result<Option<(Value, SettingsMark)>, CredentialError> {
        let resolved = credentials.resolve(&self.settings)?;
        let text = Zeroizing::new(resolved.to_string());
        let mark: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        Ok((self.in_force != Some(mark)).then_some((resolved, SettingsMark(mark))))
    }

    /// Notes that a channel was opened with the settings of this mark. Settings that no channel
    /// opens with are offered again: somebody may be copying files right now.
    pub fn took_effect(&mut self, mark: SettingsMark) {
        self.in_force = Some(mark.0);
    }
}

/// Stands for one set of resolved settings; tells nothing about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingsMark([u8; 32]);

/// A certificate that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// Which one, as it is named in the settings.
    pub credential: String,
    /// Its last instant.
    pub at: Timestamp,
}

impl Expiry {
    /// Whole days from `now` to its end, below nothing after it.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        (self.at - now).0.div_euclid(86_400_000)
    }
}

/// How long before its end a certificate is warned of.
pub const WARNING: Millis = Millis::days(31);

/// Those that end within [`WARNING`] or have ended, soonest first.
pub fn ending_soon(mut expiries: Vec<Expiry>, now: Timestamp) -> Vec<Expiry> {
    expiries.retain(|expiry| expiry.at <= now + WARNING);
    expiries.sort_by_key(|expiry| expiry.at);
    expiries
}
