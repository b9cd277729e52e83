//! Keys that must not reach a log.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A symmetric key shared with a gateway. `Debug` hides it, and its memory is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedKey(Zeroizing<Vec<u8>>);

impl SharedKey {
    /// Shortest accepted key.
    pub const BYTES_MIN: usize = 32;

    /// Takes raw key bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<SharedKey, SharedKeyError> {
        let bytes = Zeroizing::new(bytes);
        if bytes.len() < SharedKey::BYTES_MIN {
            return Err(SharedKeyError::TooShort(bytes.len()));
        }
        Ok(SharedKey(bytes))
    }

    /// Reads a key written in hexadecimal; white space around it is ignored.
    pub fn from_hex(text: &str) -> Result<SharedKey, SharedKeyError> {
        SharedKey::from_bytes(hex::decode(text.trim()).map_err(|_| SharedKeyError::NotHex)?)
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

/// Why a key is refused. Says nothing about the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SharedKeyError {
    /// Not hexadecimal.
    #[error("the key is not hexadecimal")]
    NotHex,
    /// Fewer bytes than [`SharedKey::BYTES_MIN`].
    #[error("the key has {0} bytes; at least 32 are needed")]
    TooShort(usize),
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedKey(hidden)")
    }
}

impl<'de> Deserialize<'de> for SharedKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SharedKey, D::Error> {
        // The usual error would quote what stands where the key should be.
        let text = String::deserialize(deserializer)
            .map_err(|_| serde::de::Error::custom("the key is not a text"))?;
        let text = Zeroizing::new(text);
        SharedKey::from_hex(&text).map_err(serde::de::Error::custom)
    }
}

/// A secret that gateways hand out as text: an API key, a password, a private key in PEM. `Debug`
/// hides it, and its memory is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes the text as it is.
    pub fn new(text: impl Into<String>) -> SecretText {
        SecretText(Zeroizing::new(text.into()))
    }

    /// The text, for cryptography only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(hidden)")
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SecretText, D::Error> {
        // The usual error would quote what stands where the secret should be.
        String::deserialize(deserializer)
            .map(SecretText::new)
            .map_err(|_| serde::de::Error::custom("the secret is not a text"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_or_refused() {
        let check = |text: &str, expected: Result<usize, SharedKeyError>| {
            assert_eq!(
                SharedKey::from_hex(text).map(|key| key.expose().len()),
                expected,
                "{text}"
            );
        };
        check(&"0f".repeat(32), Ok(32));
        check(&format!("  {}\n", "Ab".repeat(40)), Ok(40));
        check("", Err(SharedKeyError::TooShort(0)));
        check(&"0f".repeat(31), Err(SharedKeyError::TooShort(31)));
        check("not a key", Err(SharedKeyError::NotHex));
    }

    #[test]
    fn a_key_is_hidden_in_debug_output_and_in_errors() {
        let key = SharedKey::from_hex(&"c0ffee".repeat(11)).expect("a good key");
        assert_eq!(format!("{key:?}"), "SharedKey(hidden)");
        for json in [
            "\"c0ffee\"",
            "\"c0ffee, no key\"",
            "[\"c0ffee\"]",
            "{\"c0ffee\": 1}",
        ] {
            let error = serde_json::from_str::<SharedKey>(json).expect_err("not a key");
            assert!(!error.to_string().contains("c0ffee"), "{error}");
        }
        let text: SecretText = serde_json::from_str("\"c0ffee\"").expect("a text");
        assert_eq!(format!("{text:?}"), "SecretText(hidden)");
        assert_eq!(text.expose(), "c0ffee");
        for json in ["[\"c0ffee\"]", "{\"c0ffee\": 1}", "12345"] {
            let error = serde_json::from_str::<SecretText>(json).expect_err("not a text");
            assert_eq!(error.to_string(), "the secret is not a text");
        }
    }
}
