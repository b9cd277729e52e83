//! Certificate mode: how certificates are named, and which of Alipay's are believed.

use qiantai_core::clock::Timestamp;

use super::super::trust::chains_to;
use crate::crypto::{Certificate, CryptoError, VerifyKey, md5};

/// Begin of the common name of every certificate that Alipay signs answers with. Merchants'
/// certificates come from the same authority, so the issuer alone proves nothing.
const ALIPAY: &str = "支付宝(中国)网络技术有限公司";

/// `app_cert_sn` and `alipay_cert_sn`: MD5 of the issuer's name, most specific part first, and the
/// serial number in decimal.
pub fn cert_sn(certificate: &Certificate) -> Result<String, CryptoError> {
    let issuer: Vec<String> = certificate
        .issuer()?
        .iter()
        .rev()
        .map(|entry| format!("{}={}", entry.attribute, entry.value))
        .collect();
    let named = issuer.join(",") + &certificate.serial_decimal()?;
    Ok(hex::encode(md5(named.as_bytes())?))
}

/// `alipay_root_cert_sn`: the names of the bundle's RSA certificates, in its order. The bundle
/// holds certificates of other kinds, one of which no strict reader accepts: they are skipped.
/// Fails when no RSA certificate is left.
pub fn root_cert_sn(bundle: &str) -> Result<String, CryptoError> {
    let names: Vec<String> = rsa_certificates(bundle)
        .iter()
        .map(cert_sn)
        .collect::<Result<_, _>>()?;
    if names.is_empty() {
        return Err(CryptoError::NotACertificate);
    }
    Ok(names.join("_"))
}

/// The bundle's certificates that are signed by RSA and can be read.
pub(super) fn rsa_certificates(bundle: &str) -> Vec<Certificate> {
    let is_rsa = |certificate: &Certificate| {
        certificate
            .signature_algorithm()
            .is_some_and(|name| name.ends_with("WithRSAEncryption") || name == "rsassaPss")
    };
    Certificate::bundle(bundle)
        .into_iter()
        .flatten()
        .filter(is_rsa)
        .collect()
}

/// One of Alipay's certificates: its name, its key, and how long it holds.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    pub sn: String,
    pub key: VerifyKey,
    from: Timestamp,
    until: Timestamp,
}

impl Signer {
    pub(super) fn holds_at(&self, now: Timestamp) -> bool {
        self.from <= now && now <= self.until
    }
}

/// Takes a certificate file of Alipay's, configured by hand: the first certificate is the one.
pub(super) fn configured_signer(pem: &str) -> Result<Signer, CryptoError> {
    signer_of(&Certificate::from_pem(pem)?)
}

/// Takes a certificate that the gateway sent: only when it is named `sn`, is Alipay's by its name,
/// holds now and chains to one of `roots`.
pub(super) fn downloaded_signer(
    pem: &str,
    sn: &str,
    roots: &[Certificate],
    now: Timestamp,
) -> Option<Signer> {
    let mut chain = Certificate::bundle(pem).into_iter().flatten();
    let leaf = chain.next()?;
    let between: Vec<Certificate> = chain.collect();
    let subject = leaf.subject().ok()?;
    let is_alipay = subject
        .iter()
        .any(|entry| entry.attribute == "CN" && entry.value.starts_with(ALIPAY));
    let signer = signer_of(&leaf).ok()?;
    let is_believed = is_alipay && signer.sn == sn && chains_to(&leaf, &between, roots, now);
    is_believed.then_some(signer)
}

fn signer_of(certificate: &Certificate) -> Result<Signer, CryptoError> {
    Ok(Signer {
        sn: cert_sn(certificate)?,
        key: certificate.verify_key()?,
        from: certificate.not_before(),
        until: certificate.not_after(),
    })
}
