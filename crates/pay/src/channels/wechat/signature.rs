//! Signatures of API v3, in both directions.

use http::HeaderMap;
use qiantai_core::clock::{Millis, Timestamp};

use super::keyring::PlatformKeys;
use crate::crypto::{CryptoError, PrivateKey, VerifyKey};
use crate::notice::CLOCK_TOLERANCE;

/// Name of the scheme in both directions.
pub const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";
/// Time of an answer or notice, in seconds.
pub const TIMESTAMP: &str = "Wechatpay-Timestamp";
/// Nonce of an answer or notice.
pub const NONCE: &str = "Wechatpay-Nonce";
/// Signature of an answer or notice.
pub const SIGNATURE: &str = "Wechatpay-Signature";
/// Name of the key: of an answer's own, or in a request the one wished for.
pub const SERIAL: &str = "Wechatpay-Serial";
/// A signature that begins so is false on purpose: the gateway tests us.
const PROBE: &str = "WECHATPAY/SIGNTEST/";

/// What a request's signature covers. `target` is the path with the query exactly as sent.
pub fn request_message(
    method: &str,
    target: &str,
    seconds: i64,
    nonce: &str,
    body: &[u8],
) -> Vec<u8> {
    let mut message = format!("{method}\n{target}\n{seconds}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    message
}

/// What an answer's or notice's signature covers.
pub fn answer_message(seconds: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    let mut message = format!("{seconds}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    message
}

/// The five fields of the `Authorization` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Merchant number.
    pub mchid: String,
    /// Serial number of the merchant API certificate.
    pub serial_no: String,
    /// Time of the request, in seconds since 1970.
    pub seconds: i64,
    /// Nonce of the request.
    pub nonce: String,
    /// Signature in base64.
    pub signature: String,
}

/// Who signs, when.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    /// Merchant number.
    pub mchid: &'a str,
    /// Serial number of the merchant API certificate.
    pub serial_no: &'a str,
    /// Its key.
    pub key: &'a PrivateKey,
    /// The time now.
    pub now: Timestamp,
    /// A nonce that was never used.
    pub nonce: &'a str,
}

impl Authorization {
    /// Signs a request.
    pub fn sign(
        signer: Signer<'_>,
        method: &str,
        target: &str,
        body: &[u8],
    ) -> Result<Authorization, CryptoError> {
        let seconds = signer.now.ms().div_euclid(1_000);
        let message = request_message(method, target, seconds, signer.nonce, body);
        Ok(Authorization {
            mchid: signer.mchid.to_owned(),
            serial_no: signer.serial_no.to_owned(),
            seconds,
            nonce: signer.nonce.to_owned(),
            signature: signer.key.sign_sha256_base64(&message)?,
        })
    }

    /// The header's text.
    pub fn header(&self) -> String {
        let Authorization {
            mchid,
            serial_no,
            seconds,
            nonce,
            signature,
        } = self;
        format!(
            "{SCHEME} mchid=\"{mchid}\",nonce_str=\"{nonce}\",signature=\"{signature}\",\
             timestamp=\"{seconds}\",serial_no=\"{serial_no}\""
        )
    }

    /// Reads a header's text, the fields in any order; `None` unless each stands there once.
    pub fn read(header: &str) -> Option<Authorization> {
        let fields = header.strip_prefix(SCHEME)?.strip_prefix(' ')?;
        let mut found: [Option<&str>; 5] = [None; 5];
        const NAMES: [&str; 5] = ["mchid", "serial_no", "timestamp", "nonce_str", "signature"];
        for field in fields.split(',') {
            let (name, value) = field.trim().split_once('=')?;
            let value = value.strip_prefix('"')?.strip_suffix('"')?;
            let place = NAMES.iter().position(|known| *known == name)?;
            if found[place].replace(value).is_some() {
                return None;
            }
        }
        let [mchid, serial_no, seconds, nonce, signature] = found;
        Some(Authorization {
            mchid: mchid?.to_owned(),
            serial_no: serial_no?.to_owned(),
            seconds: seconds?.parse().ok()?,
            nonce: nonce?.to_owned(),
            signature: signature?.to_owned(),
        })
    }

    /// True when the signature holds; the clock is not looked at.
    pub fn verifies(&self, key: &VerifyKey, method: &str, target: &str, body: &[u8]) -> bool {
        let message = request_message(method, target, self.seconds, &self.nonce, body);
        key.verify_sha256_base64(&message, &self.signature)
    }
}

/// The signature headers of an answer or notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Time as it stands there.
    pub timestamp: String,
    /// Nonce.
    pub nonce: String,
    /// Name of the key.
    pub serial: String,
    /// Signature in base64.
    pub signature: String,
}

/// Why a message is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// A header is missing or no text.
    #[error("the header {0} is missing")]
    MissingHeader(&'static str),
    /// More than five minutes from now, either way.
    #[error("signed at {signed_at}, more than five minutes from now")]
    Stale {
        /// The time in the header.
        signed_at: Timestamp,
    },
    /// A key that is not held, or holds no longer.
    #[error("signed with the unknown key {0}")]
    UnknownKey(String),
    /// False on purpose.
    #[error("a probe with a false signature")]
    Probe,
    /// Not the gateway's signature over these bytes.
    #[error("the signature does not hold")]
    WrongSignature,
}

impl Seal {
    /// Reads the headers.
    pub fn read(headers: &HeaderMap) -> Result<Seal, SealError> {
        let text = |name: &'static str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
                .ok_or(SealError::MissingHeader(name))
        };
        Ok(Seal {
            timestamp: text(TIMESTAMP)?,
            nonce: text(NONCE)?,
            serial: text(SERIAL)?,
            signature: text(SIGNATURE)?,
        })
    }

    /// Verifies over the raw bytes, before anything in them is read.
    pub fn verify(
        &self,
        keys: &PlatformKeys,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), SealError> {
        let signed_at = self.signed_at()?;
        // Stamps are whole seconds; so is the comparison.
        let off = Millis((whole_seconds(now) - signed_at).0.saturating_abs());
        if off > CLOCK_TOLERANCE {
            return Err(SealError::Stale { signed_at });
        }
        let key = keys
            .find(&self.serial, now)
            .ok_or_else(|| SealError::UnknownKey(self.serial.clone()))?;
        self.check(key, body)
    }

    /// Verifies by a key that was found already; the clock is not looked at.
    pub fn check(&self, key: &VerifyKey, body: &[u8]) -> Result<(), SealError> {
        if self.signature.starts_with(PROBE) {
            return Err(SealError::Probe);
        }
        let message = answer_message(&self.timestamp, &self.nonce, body);
        if key.verify_sha256_base64(&message, &self.signature) {
            Ok(())
        } else {
            Err(SealError::WrongSignature)
        }
    }

    fn signed_at(&self) -> Result<Timestamp, SealError> {
        let seconds: i64 = self
            .timestamp
            .parse()
            .map_err(|_| SealError::MissingHeader(TIMESTAMP))?;
        Ok(Timestamp::from_ms(seconds.saturating_mul(1_000)))
    }
}

fn whole_seconds(at: Timestamp) -> Timestamp {
    at - Millis(at.ms().rem_euclid(1_000))
}
