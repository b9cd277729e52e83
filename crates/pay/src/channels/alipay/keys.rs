//! The keys of one shop at Alipay, in key mode or certificate mode.

use std::sync::{PoisonError, RwLock};

use qiantai_core::clock::Timestamp;

use super::certificate::{
    Signer, cert_sn, configured_signer, downloaded_signer, root_cert_sn, rsa_certificates,
};
use super::signature::{SignedAnswer, SignedNotice};
use super::{AlipayConfig, ID};
use crate::channels::exchange::wrong;
use crate::credentials::Expiry;
use crate::crypto::{Certificate, PrivateKey, VerifyKey};
use crate::registry::OpenError;

/// Certificates kept beside the configured ones; Alipay has one or two at a time.
const DOWNLOADED_MAX: usize = 8;

/// Our key, and what Alipay's signatures are checked with.
#[derive(Debug)]
pub(super) struct Keys {
    pub private: PrivateKey,
    pub trust: Trust,
}

/// What Alipay is trusted by.
#[derive(Debug)]
pub(super) enum Trust {
    /// Bare public keys; each of them is good.
    PublicKeys(Vec<VerifyKey>),
    /// Certificates, found by the name in the answer.
    Certificates(CertificateTrust),
}

#[derive(Debug)]
pub(super) struct CertificateTrust {
    /// Goes with every request.
    pub app_cert_sn: String,
    /// Goes with every request.
    pub root_cert_sn: String,
    app_ends_at: Timestamp,
    roots: Vec<Certificate>,
    configured: Vec<Signer>,
    downloaded: RwLock<Vec<Signer>>,
}

/// Whether an answer is Alipay's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Genuine,
    Forged,
    /// Signed with a certificate that we do not hold; its name.
    UnknownCertificate(String),
}

impl Keys {
    pub(super) fn of(config: &AlipayConfig) -> Result<Keys, OpenError> {
        let private = PrivateKey::from_text(config.private_key.expose())
            .map_err(|error| wrong(ID, format!("private_key: {error}")))?;
        let has_certificates = config.app_certificate.is_some()
            || config.alipay_root_certificates.is_some()
            || !config.alipay_certificates.is_empty();
        let trust = match (config.alipay_public_keys.is_empty(), has_certificates) {
            (false, false) => public_keys(config, &private)?,
            (true, true) => Trust::Certificates(CertificateTrust::of(config, &private)?),
            (true, false) | (false, true) => {
                let problem = "set either alipay_public_keys, or app_certificate, \
                               alipay_certificates and alipay_root_certificates";
                return Err(wrong(ID, problem));
            }
        };
        Ok(Keys { private, trust })
    }

    /// Our own certificate; Alipay's are fetched anew before they end.
    pub(super) fn expiries(&self) -> Vec<Expiry> {
        match &self.trust {
            Trust::PublicKeys(_) => Vec::new(),
            Trust::Certificates(trust) => vec![Expiry {
                credential: "app_certificate".to_owned(),
                at: trust.app_ends_at,
            }],
        }
    }

    /// Whether an answer that comes now is Alipay's.
    pub(super) fn judge(&self, answer: &SignedAnswer<'_>, now: Timestamp) -> Verdict {
        let is_genuine = match &self.trust {
            Trust::PublicKeys(keys) => keys.iter().any(|key| answer.is_signed_by(key)),
            Trust::Certificates(trust) => {
                let Some(sn) = &answer.cert_sn else {
                    return Verdict::Forged;
                };
                match trust.find(sn) {
                    Some(signer) => signer.holds_at(now) && answer.is_signed_by(&signer.key),
                    None => return Verdict::UnknownCertificate(sn.clone()),
                }
            }
        };
        if is_genuine {
            Verdict::Genuine
        } else {
            Verdict::Forged
        }
    }

    /// Whether a notice that comes now is Alipay's. In certificate mode it may name its certificate;
    /// one that does not is tried with each that holds.
    pub(super) fn is_genuine_notice(&self, notice: &SignedNotice, now: Timestamp) -> bool {
        match &self.trust {
            Trust::PublicKeys(keys) => keys.iter().any(|key| notice.is_signed_by(key)),
            Trust::Certificates(trust) => {
                let named = notice.fields.get("alipay_cert_sn");
                trust.all().iter().any(|signer| {
                    named.is_none_or(|sn| signer.sn == sn)
                        && signer.holds_at(now)
                        && notice.is_signed_by(&signer.key)
                })
            }
        }
    }
}

fn public_keys(config: &AlipayConfig, private: &PrivateKey) -> Result<Trust, OpenError> {
    let keys = config
        .alipay_public_keys
        .iter()
        .map(|text| VerifyKey::from_text(text))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong(ID, format!("alipay_public_keys: {error}")))?;
    if keys.iter().any(|key| private.belongs_to(key)) {
        let problem = "alipay_public_keys holds our own public key; Alipay's is needed, which \
                       the open platform shows after ours is set there";
        return Err(wrong(ID, problem));
    }
    Ok(Trust::PublicKeys(keys))
}

impl CertificateTrust {
    fn of(config: &AlipayConfig, private: &PrivateKey) -> Result<CertificateTrust, OpenError> {
        let missing = |field: &str| wrong(ID, format!("certificate mode lacks {field}"));
        let app = config.app_certificate.as_deref();
        let app = app.ok_or_else(|| missing("app_certificate"))?;
        let bundle = config.alipay_root_certificates.as_deref();
        let bundle = bundle.ok_or_else(|| missing("alipay_root_certificates"))?;
        if config.alipay_certificates.is_empty() {
            return Err(missing("alipay_certificates"));
        }
        let broken = |field: &str, error| wrong(ID, format!("{field}: {error}"));
        let app = Certificate::from_pem(app).map_err(|error| broken("app_certificate", error))?;
        let app_key = app
            .verify_key()
            .map_err(|error| broken("app_certificate", error))?;
        if !private.belongs_to(&app_key) {
            return Err(wrong(ID, "app_certificate does not belong to private_key"));
        }
        Ok(CertificateTrust {
            app_ends_at: app.not_after(),
            app_cert_sn: cert_sn(&app).map_err(|error| broken("app_certificate", error))?,
            root_cert_sn: root_cert_sn(bundle)
                .map_err(|error| broken("alipay_root_certificates", error))?,
            roots: rsa_certificates(bundle),
            configured: config
                .alipay_certificates
                .iter()
                .map(|pem| configured_signer(pem))
                .collect::<Result<_, _>>()
                .map_err(|error| broken("alipay_certificates", error))?,
            downloaded: RwLock::new(Vec::new()),
        })
    }

    /// Takes a certificate that the gateway sent for `sn`, if it can be believed.
    pub(super) fn take(&self, pem: &str, sn: &str, now: Timestamp) -> bool {
        let Some(signer) = downloaded_signer(pem, sn, &self.roots, now) else {
            return false;
        };
        let mut downloaded = self
            .downloaded
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if downloaded.len() == DOWNLOADED_MAX {
            downloaded.remove(0);
        }
        downloaded.push(signer);
        true
    }

    fn find(&self, sn: &str) -> Option<Signer> {
        self.all().into_iter().find(|signer| signer.sn == sn)
    }

    fn all(&self) -> Vec<Signer> {
        let downloaded = self
            .downloaded
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        self.configured
            .iter()
            .chain(&*downloaded)
            .cloned()
            .collect()
    }
}
