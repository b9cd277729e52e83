//! What UnionPay signs: the hexadecimal digest of sorted pairs, hashed once more by the signature.

use qiantai_core::clock::Timestamp;

use super::super::trust::chains_to;
use crate::crypto::{Certificate, CryptoError, PrivateKey, sha256};
use crate::pairs::Pairs;

/// Whose certificates sign answers; the third part of their common name.
const COMPANY: &str = "中国银联股份有限公司";

/// The text whose digest is signed.
pub fn text_to_sign(params: &Pairs) -> String {
    params.text_to_sign(&["signature"])
}

/// The digest that is signed: SHA-256 in hexadecimal, lower case.
pub fn digest_hex(params: &Pairs) -> Result<String, CryptoError> {
    Ok(hex::encode(sha256(text_to_sign(params).as_bytes())?))
}

/// Signs a request: the `signature` parameter.
pub fn sign(params: &Pairs, key: &PrivateKey) -> Result<String, CryptoError> {
    key.sign_sha256_base64(digest_hex(params)?.as_bytes())
}

/// The certificate that an answer or notice carries, if its signature is by that certificate's
/// key. Whether the certificate is UnionPay's is [`is_unionpay`]'s matter.
pub fn signer(fields: &Pairs) -> Option<Certificate> {
    let certificate = Certificate::from_pem(fields.get("signPubKeyCert")?).ok()?;
    let digest = digest_hex(fields).ok()?;
    let is_signed = certificate
        .verify_key()
        .ok()?
        .verify_sha256_base64(digest.as_bytes(), fields.get("signature")?);
    is_signed.then_some(certificate)
}

/// True when the certificate names UnionPay, holds now and was issued by one of the `trusted`.
pub fn is_unionpay(certificate: &Certificate, trusted: &[Certificate], now: Timestamp) -> bool {
    let names_unionpay = certificate.subject().is_ok_and(|subject| {
        subject
            .iter()
            .filter(|entry| entry.attribute == "CN")
            .any(|entry| entry.value.split('@').nth(2) == Some(COMPANY))
    });
    names_unionpay && chains_to(certificate, &[], trusted, now)
}
