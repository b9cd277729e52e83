//! Signatures of requests and notices.

use crate::crypto::{CryptoError, VerifyKey, is_same, md5};

/// The signature of a request: MD5 over the exact body and the key, in hexadecimal.
pub fn sign(body: &[u8], key: &str) -> Result<String, CryptoError> {
    let signed = [body, key.as_bytes()].concat();
    Ok(hex::encode(md5(&signed)?))
}

/// The header `Authorization` of a request.
pub fn authorization(sn: &str, body: &[u8], key: &str) -> Result<String, CryptoError> {
    Ok(format!("{sn} {}", sign(body, key)?))
}

/// True when the header signs the body with this key; small and capital letters are the same.
pub fn is_signed(authorization: &str, sn: &str, body: &[u8], key: &str) -> bool {
    let Some((found_sn, found)) = authorization.split_once(' ') else {
        return false;
    };
    let found = found.to_ascii_lowercase();
    sign(body, key).is_ok_and(|sign| found_sn == sn && is_same(found.as_bytes(), sign.as_bytes()))
}

/// True when the header of a notice signs its raw body. The signature may stand behind a number
/// and a space.
pub fn is_genuine_notice(authorization: &str, body: &[u8], key: &VerifyKey) -> bool {
    let signature = authorization.trim().rsplit(' ').next().unwrap_or_default();
    key.verify_sha256_base64(body, signature)
}
