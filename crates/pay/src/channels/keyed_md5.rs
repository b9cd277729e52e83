//! The oldest signature still in use: MD5 over sorted pairs and a key.

use crate::crypto::{CryptoError, md5};
use crate::pairs::Pairs;

/// Sorted pairs without `sign`, then `&key=` and the key. Contains the key: never to be logged.
pub fn keyed_text(params: &Pairs, key: &str) -> String {
    format!("{}&key={key}", params.text_to_sign(&["sign"]))
}

/// MD5 of [`keyed_text`] in hexadecimal, upper case.
pub fn keyed_md5_upper(params: &Pairs, key: &str) -> Result<String, CryptoError> {
    let digest = md5(keyed_text(params, key).as_bytes())?;
    Ok(hex::encode_upper(digest))
}
