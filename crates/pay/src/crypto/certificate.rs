//! X.509 certificates: the fields that protocols name keys by.

use std::fmt;

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::x509::{X509, X509NameRef, X509VerifyResult};
use qiantai_core::clock::{Millis, Timestamp};

use super::rsa::bare_der;
use super::{CryptoError, VerifyKey};

/// A certificate. It says who a key belongs to; whether to believe it is each channel's matter.
#[derive(Clone)]
pub struct Certificate {
    x509: X509,
    not_before: Timestamp,
    not_after: Timestamp,
}

/// One part of a distinguished name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameEntry {
    /// Short name of the attribute, such as `CN`.
    pub attribute: String,
    /// Its value.
    pub value: String,
}

impl Certificate {
    /// Reads the first certificate of a PEM text, or the base64 text between its lines alone.
    pub fn from_pem(pem: &str) -> Result<Certificate, CryptoError> {
        if pem.contains("-----BEGIN") {
            return Certificate::of(X509::from_pem(pem.as_bytes()));
        }
        let der = bare_der(pem).ok_or(CryptoError::NotACertificate)?;
        Certificate::from_der(&der)
    }

    /// Reads a certificate in DER.
    pub fn from_der(der: &[u8]) -> Result<Certificate, CryptoError> {
        Certificate::of(X509::from_der(der))
    }

    /// Every certificate of a PEM bundle in the order of the file, each read or not: a bundle may
    /// hold some that no strict reader accepts.
    pub fn bundle(pem: &str) -> Vec<Result<Certificate, CryptoError>> {
        const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
        pem.split(BEGIN)
            .skip(1)
            .map(|rest| Certificate::from_pem(&format!("{BEGIN}{rest}")))
            .collect()
    }

    pub(super) fn of(x509: Result<X509, ErrorStack>) -> Result<Certificate, CryptoError> {
        let read = || {
            let x509 = x509?;
            let not_before = instant(x509.not_before())?;
            let not_after = instant(x509.not_after())?;
            Ok(Certificate {
                x509,
                not_before,
                not_after,
            })
        };
        read().map_err(|_: ErrorStack| CryptoError::NotACertificate)
    }

    /// The serial number in hexadecimal, upper case, whole bytes.
    pub fn serial_hex(&self) -> Result<String, CryptoError> {
        let number = self.x509.serial_number().to_bn();
        let text = number.and_then(|number| Ok(number.to_hex_str()?.to_string()));
        text.map_err(|error| CryptoError::library(&error))
    }

    /// The serial number in decimal.
    pub fn serial_decimal(&self) -> Result<String, CryptoError> {
        let number = self.x509.serial_number().to_bn();
        let text = number.and_then(|number| Ok(number.to_dec_str()?.to_string()));
        text.map_err(|error| CryptoError::library(&error))
    }

    /// Who issued it, in the order of the encoding (usually country first).
    pub fn issuer(&self) -> Result<Vec<NameEntry>, CryptoError> {
        entries(self.x509.issuer_name())
    }

    /// Whom it names, in the order of the encoding.
    pub fn subject(&self) -> Result<Vec<NameEntry>, CryptoError> {
        entries(self.x509.subject_name())
    }

    /// Long name of the algorithm it is signed by, such as `sha256WithRSAEncryption`; `None` for
    /// one that the library does not know.
    pub fn signature_algorithm(&self) -> Option<&'static str> {
        let algorithm = self.x509.signature_algorithm().object().nid();
        algorithm.long_name().ok()
    }

    /// Its key.
    pub fn verify_key(&self) -> Result<VerifyKey, CryptoError> {
        let key = self.x509.public_key();
        VerifyKey::of(key.map_err(|_| CryptoError::NotAVerifyKey)?)
    }

    /// First instant at which it holds.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Last instant at which it holds.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// True between its two dates.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }

    /// True when `issuer` names itself as this one's issuer and its key signed it. Dates are not
    /// looked at.
    pub fn is_issued_by(&self, issuer: &Certificate) -> bool {
        issuer.x509.issued(&self.x509) == X509VerifyResult::OK
            && issuer
                .x509
                .public_key()
                .and_then(|key| self.x509.verify(&key))
                .unwrap_or(false)
    }

    /// The certificate as PEM.
    pub fn to_pem(&self) -> Result<Vec<u8>, CryptoError> {
        let pem = self.x509.to_pem();
        pem.map_err(|error| CryptoError::library(&error))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("serial", &self.serial_hex())
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

fn entries(name: &X509NameRef) -> Result<Vec<NameEntry>, CryptoError> {
    name.entries()
        .map(|entry| {
            let attribute = entry.object().nid().short_name();
            Ok(NameEntry {
                attribute: attribute
                    .map_err(|error| CryptoError::library(&error))?
                    .to_owned(),
                value: entry
                    .data()
                    .to_string()
                    .map_err(|error| CryptoError::library(&error))?,
            })
        })
        .collect()
}

fn instant(time: &Asn1TimeRef) -> Result<Timestamp, ErrorStack> {
    let since_epoch = Asn1Time::from_unix(0)?.diff(time)?;
    let seconds = i64::from(since_epoch.days) * 86_400 + i64::from(since_epoch.secs);
    Ok(Timestamp::from_ms(0) + Millis::seconds(seconds))
}
