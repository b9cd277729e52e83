//! Signatures of API v2: all parameters in order, then the key.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::crypto::{CryptoError, hmac_sha256, is_same, md5};
use crate::secret::SecretText;

/// How the text is digested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignType {
    /// MD5.
    Md5,
    /// HMAC with SHA-256, by the same key.
    HmacSha256,
}

impl SignType {
    /// As it stands in messages.
    pub const fn name(self) -> &'static str {
        match self {
            SignType::Md5 => "MD5",
            SignType::HmacSha256 => "HMAC-SHA256",
        }
    }

    /// The type of that name.
    pub fn of(name: &str) -> Option<SignType> {
        [SignType::Md5, SignType::HmacSha256]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    /// Signs parameters; a `sign` among them is left out.
    pub fn sign(
        self,
        params: &BTreeMap<String, String>,
        key: &SecretText,
    ) -> Result<String, CryptoError> {
        let text = string_to_sign(params, key);
        Ok(match self {
            SignType::Md5 => hex::encode_upper(md5(text.as_bytes())?),
            SignType::HmacSha256 => {
                hex::encode_upper(hmac_sha256(key.expose().as_bytes(), text.as_bytes())?)
            }
        })
    }

    /// True when the parameters carry this type's signature by the key.
    pub fn verifies(self, params: &BTreeMap<String, String>, key: &SecretText) -> bool {
        let Some(stated) = params.get("sign") else {
            return false;
        };
        self.sign(params, key)
            .is_ok_and(|own| is_same(own.as_bytes(), stated.as_bytes()))
    }
}

/// What the signature covers. Holds the key.
pub fn string_to_sign(params: &BTreeMap<String, String>, key: &SecretText) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(1024));
    for (name, value) in params {
        if name != "sign" && !value.is_empty() {
            text.push_str(name);
            text.push('=');
            text.push_str(value);
            text.push('&');
        }
    }
    text.push_str("key=");
    text.push_str(key.expose());
    text
}
