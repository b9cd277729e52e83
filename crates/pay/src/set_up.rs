//! The set-up of a channel: the fields that a person fills in, and what is wrong with what stands
//! in them before anything is sent. Nothing here quotes a key.

use qiantai_core::clock::{Millis, Timestamp};
use serde_json::{Map, Value};

use crate::channels;
use crate::crypto::{Certificate, CryptoError, PrivateKey, VerifyKey};

/// The form of a channel.
pub struct SetUpForm {
    /// Its fields in the order of the screen. None where the channel is set up by files alone.
    pub fields: &'static [FormField],
    pub(crate) finish: fn(&mut Map<String, Value>),
    pub(crate) examine: fn(&Settings<'_>, Timestamp) -> Result<(), SetUpFault>,
}

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormField {
    /// Where it stands in the settings, such as `public_keys.0.key`.
    pub place: &'static str,
    /// What is entered.
    pub kind: FieldKind,
    /// False where most shops leave it empty.
    pub needed: bool,
}

/// What is entered into a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A number, a name or an address; no secret.
    Plain,
    /// One line that nobody may see.
    Secret,
    /// A private key, as a file of text or its content.
    Key,
    /// A public key or certificate, as a file of text or its content; no secret.
    Certificate,
    /// A binary file, in base64.
    File,
}

impl FormField {
    pub(crate) const fn needed(place: &'static str, kind: FieldKind) -> FormField {
        FormField {
            place,
            kind,
            needed: true,
        }
    }

    pub(crate) const fn optional(place: &'static str, kind: FieldKind) -> FormField {
        FormField {
            place,
            kind,
            needed: false,
        }
    }
}

/// Steps that need no gateway, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStep {
    /// Everything is filled in, and numbers have their form.
    Filled,
    /// Our own keys can be read.
    OwnKey,
    /// Our key fits our certificate, and that names our merchant.
    OwnCertificate,
    /// Our certificate holds now.
    Dates,
    /// The gateway's keys can be read and are the gateway's.
    GatewayKey,
}

impl KeyStep {
    /// Every step, in order.
    pub const ALL: [KeyStep; 5] = [
        KeyStep::Filled,
        KeyStep::OwnKey,
        KeyStep::OwnCertificate,
        KeyStep::Dates,
        KeyStep::GatewayKey,
    ];
}

/// A step that failed, and by which field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place} {fault}")]
pub struct SetUpFault {
    /// The step.
    pub step: KeyStep,
    /// The field, as [`FormField::place`] writes it.
    pub place: String,
    /// What is wrong with it.
    pub fault: KeyFault,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// There is nothing in it.
    #[error("is missing")]
    Missing,
    /// Key mode and certificate mode are both filled in.
    #[error("belongs to key mode, and certificate mode is filled in too; leave one of them")]
    TwoModes,
    /// A number or name of another form than the gateway gives out.
    #[error("does not have the form that the gateway gives out")]
    Malformed,
    /// No private key, or one with a password.
    #[error("is no private key, or one with a password")]
    NotAPrivateKey,
    /// No public key.
    #[error("is no public key")]
    NotAPublicKey,
    /// No certificate.
    #[error("is no certificate")]
    NotACertificate,
    /// No PKCS#12 file, or the password is not its own.
    #[error("is no PKCS#12 file with key and certificate, or the password is not its own")]
    NotAKeyStore,
    /// A key of another kind than RSA, or too short.
    #[error("is no RSA key, or one that is too short")]
    WeakKey,
    /// A symmetric key that is not 32 bytes long.
    #[error("has {0} bytes; exactly 32 are needed")]
    NotThirtyTwo(usize),
    /// The private key is not the one that the certificate names.
    #[error("does not fit the certificate: it is another key")]
    NotOfCertificate,
    /// The certificate names another merchant.
    #[error("is the certificate of merchant {0}")]
    OfAnother(String),
    /// The certificate holds only in so many days.
    #[error("is not valid yet; it will be in {0} days")]
    NotYetValid(i64),
    /// The certificate ended so many days ago.
    #[error("ended {0} days ago")]
    Expired(i64),
    /// Our own public key stands where the gateway's belongs.
    #[error("is our own public key; the gateway's is needed")]
    OwnKey,
    /// The cryptographic library cannot use it.
    #[error("cannot be used")]
    NotUsable,
}

impl From<CryptoError> for KeyFault {
    fn from(error: CryptoError) -> KeyFault {
        match error {
            CryptoError::NotAPrivateKey => KeyFault::NotAPrivateKey,
            CryptoError::NotAVerifyKey => KeyFault::NotAPublicKey,
            CryptoError::NotACertificate => KeyFault::NotACertificate,
            CryptoError::NotAKeyStore | CryptoError::KeyStoreLacks(_) => KeyFault::NotAKeyStore,
            CryptoError::NotRsa | CryptoError::KeyTooShort(_) => KeyFault::WeakKey,
            CryptoError::NotThirtyTwoBytes(length) => KeyFault::NotThirtyTwo(length),
            CryptoError::NonceLength(_) | CryptoError::DoesNotDecrypt | CryptoError::Library(_) => {
                KeyFault::NotUsable
            }
        }
    }
}

/// The form of the channel of that name; `None` for one that nobody sets up.
pub fn form(channel: &str) -> Option<&'static SetUpForm> {
    let mut forms = channels::FORMS.iter();
    forms.find(|(id, _)| id.0 == channel).map(|(_, form)| *form)
}

impl SetUpForm {
    /// The settings of what was filled in, by place. Empty fields and places of no field are left
    /// out.
    pub fn settings<'a>(&self, filled: impl Fn(&str) -> Option<&'a str>) -> Value {
        let mut settings = Value::Object(Map::new());
        for field in self.fields {
            let text = filled(field.place).map(str::trim);
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                let parts: Vec<&str> = field.place.split('.').collect();
                put(&mut settings, &parts, text);
            }
        }
        if let Some(settings) = settings.as_object_mut() {
            (self.finish)(settings);
        }
        settings
    }

    /// Goes through every step that needs no gateway, up to the first fault. Texts must stand in
    /// place: see [`crate::credentials`].
    ///
    /// # Errors
    /// See [`SetUpFault`].
    pub fn examine(&self, settings: &Value, now: Timestamp) -> Result<(), SetUpFault> {
        (self.examine)(&Settings(settings), now)
    }
}

fn put(node: &mut Value, parts: &[&str], text: &str) {
    let Some((first, rest)) = parts.split_first() else {
        *node = Value::String(text.to_owned());
        return;
    };
    match first.parse::<usize>() {
        Ok(index) => {
            if !node.is_array() {
                *node = Value::Array(Vec::new());
            }
            if let Some(items) = node.as_array_mut() {
                items.resize(items.len().max(index + 1), Value::Null);
                put(&mut items[index], rest, text);
            }
        }
        Err(_) => {
            if !node.is_object() {
                *node = Value::Object(Map::new());
            }
            if let Some(fields) = node.as_object_mut() {
                put(fields.entry(*first).or_insert(Value::Null), rest, text);
            }
        }
    }
}

/// Settings with every text in place.
pub(crate) struct Settings<'a>(&'a Value);

/// What a step finds.
pub(crate) type Found<T> = Result<T, SetUpFault>;

pub(crate) fn fault(step: KeyStep, place: &str, fault: impl Into<KeyFault>) -> SetUpFault {
    SetUpFault {
        step,
        place: place.to_owned(),
        fault: fault.into(),
    }
}

impl<'a> Settings<'a> {
    /// The text at a place; `None` where there is none or an empty one.
    pub(crate) fn text(&self, place: &str) -> Option<&'a str> {
        let pointer = format!("/{}", place.replace('.', "/"));
        let text = self.0.pointer(&pointer)?.as_str()?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// How many items a list has.
    pub(crate) fn count(&self, place: &str) -> usize {
        let items = self.0.get(place).and_then(Value::as_array);
        items.map_or(0, Vec::len)
    }

    /// Whether a switch is on.
    pub(crate) fn is_on(&self, place: &str) -> bool {
        self.0.get(place).and_then(Value::as_bool) == Some(true)
    }

    /// The text at a place that must be filled in.
    pub(crate) fn filled(&self, place: &str) -> Found<&'a str> {
        let missing = || fault(KeyStep::Filled, place, KeyFault::Missing);
        self.text(place).ok_or_else(missing)
    }

    /// A private key.
    pub(crate) fn private_key(&self, place: &str) -> Found<PrivateKey> {
        let text = self.filled(place)?;
        PrivateKey::from_text(text).map_err(|error| fault(KeyStep::OwnKey, place, error))
    }

    /// A public key of the gateway's, and not the one of our own `private` key.
    pub(crate) fn gateway_key(&self, place: &str, private: &PrivateKey) -> Found<()> {
        let wrong = |error: KeyFault| fault(KeyStep::GatewayKey, place, error);
        let text = self.filled(place)?;
        let key = VerifyKey::from_text(text).map_err(|error| wrong(error.into()))?;
        match private.belongs_to(&key) {
            true => Err(wrong(KeyFault::OwnKey)),
            false => Ok(()),
        }
    }

    /// Our own certificate, which names `private`.
    pub(crate) fn own_certificate(&self, place: &str, private: &PrivateKey) -> Found<Certificate> {
        let wrong = |error: KeyFault| fault(KeyStep::OwnCertificate, place, error);
        let read = Certificate::from_pem(self.filled(place)?);
        let certificate = read.map_err(|error| wrong(error.into()))?;
        let key = certificate.verify_key();
        let key = key.map_err(|error| wrong(error.into()))?;
        match private.belongs_to(&key) {
            true => Ok(certificate),
            false => Err(wrong(KeyFault::NotOfCertificate)),
        }
    }
}

/// Whether a certificate holds.
pub(crate) fn holds(
    certificate: &Certificate,
    step: KeyStep,
    place: &str,
    now: Timestamp,
) -> Found<()> {
    let days = |span: Millis| span.0.div_euclid(Millis::days(1).0);
    if now < certificate.not_before() {
        let left = days(certificate.not_before() - now);
        return Err(fault(step, place, KeyFault::NotYetValid(left)));
    }
    if now > certificate.not_after() {
        let since = days(now - certificate.not_after());
        return Err(fault(step, place, KeyFault::Expired(since)));
    }
    Ok(())
}

/// What a number must be.
pub(crate) fn formed(is_formed: bool, place: &str) -> Found<()> {
    match is_formed {
        true => Ok(()),
        false => Err(fault(KeyStep::Filled, place, KeyFault::Malformed)),
    }
}
