//! Signing and verifying training messages.
//!
//! A signature is HMAC-SHA256, in hexadecimal, over
//!
//! ```text
//! scope LF merchant LF timestamp LF nonce LF body
//! ```
//!
//! The timestamp counts milliseconds since 1970 UTC. The scope is `POST /path` for a request,
//! `ANSWER <nonce of the request>` for its answer and `NOTICE` for a notice, so that no message
//! can be passed off as another kind, nor an old answer as the answer to a new question.

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue};
use qiantai_core::clock::Timestamp;
use sha2::Sha256;

use crate::notice::CLOCK_TOLERANCE;
use crate::secret::SharedKey;

/// Header with the merchant number.
pub const MERCHANT: &str = "qiantai-merchant";
/// Header with the time of signing.
pub const TIMESTAMP: &str = "qiantai-timestamp";
/// Header with the nonce.
pub const NONCE: &str = "qiantai-nonce";
/// Header with the signature.
pub const SIGNATURE: &str = "qiantai-signature";

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// A request to this path.
    Request {
        /// Absolute path, without host or query.
        path: &'a str,
    },
    /// The answer to the request with this nonce.
    Answer {
        /// Nonce of the request.
        request_nonce: &'a str,
    },
    /// A notice from the gateway.
    Notice,
}

/// The signature's part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Merchant number.
    pub merchant: String,
    /// Time of signing.
    pub signed_at: Timestamp,
    /// Nonce.
    pub nonce: String,
}

/// An envelope as it arrived, with its signature not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedEnvelope {
    /// What the headers say.
    pub envelope: Envelope,
    signature: Vec<u8>,
}

/// Why a message is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Older or newer than five minutes.
    #[error("the message is stale")]
    Stale,
    /// Not made with the shared key over these bytes.
    #[error("the signature does not hold")]
    WrongSignature,
}

impl Envelope {
    /// The four headers that sign `body`. Fails when merchant or nonce cannot stand in a header.
    pub fn seal(
        &self,
        key: &SharedKey,
        scope: Scope<'_>,
        body: &[u8],
    ) -> Result<HeaderMap, http::header::InvalidHeaderValue> {
        let signature = hex::encode(mac(key, scope, self, body).finalize().into_bytes());
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(MERCHANT, HeaderValue::from_str(&self.merchant)?);
        headers.insert(TIMESTAMP, HeaderValue::from(self.signed_at.ms()));
        headers.insert(NONCE, HeaderValue::from_str(&self.nonce)?);
        headers.insert(SIGNATURE, HeaderValue::from_str(&signature)?);
        Ok(headers)
    }
}

impl SealedEnvelope {
    /// Reads the headers; the error names the first that is missing or unreadable.
    pub fn read(headers: &HeaderMap) -> Result<SealedEnvelope, &'static str> {
        let text = |name: &'static str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .ok_or(name)
        };
        let merchant = text(MERCHANT)?.to_owned();
        let signed_at = Timestamp::from_ms(text(TIMESTAMP)?.parse().map_err(|_| TIMESTAMP)?);
        let nonce = text(NONCE)?.to_owned();
        let signature = hex::decode(text(SIGNATURE)?).map_err(|_| SIGNATURE)?;
        Ok(SealedEnvelope {
            envelope: Envelope {
                merchant,
                signed_at,
                nonce,
            },
            signature,
        })
    }

    /// Checks time and signature over the raw bytes.
    pub fn verify(
        &self,
        key: &SharedKey,
        scope: Scope<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), SealError> {
        let age = now - self.envelope.signed_at;
        if age.0.unsigned_abs() > CLOCK_TOLERANCE.0.unsigned_abs() {
            return Err(SealError::Stale);
        }
        mac(key, scope, &self.envelope, body)
            .verify_slice(&self.signature)
            .map_err(|_| SealError::WrongSignature)
    }
}

fn mac(key: &SharedKey, scope: Scope<'_>, envelope: &Envelope, body: &[u8]) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.expose()).expect("HMAC takes keys of any length");
    let scope = match scope {
        Scope::Request { path } => format!("POST {path}"),
        Scope::Answer { request_nonce } => format!("ANSWER {request_nonce}"),
        Scope::Notice => "NOTICE".to_owned(),
    };
    let head = [
        &scope,
        &envelope.merchant,
        &envelope.signed_at.ms().to_string(),
        &envelope.nonce,
    ];
    for line in head {
        mac.update(line.as_bytes());
        mac.update(b"\n");
    }
    mac.update(body);
    mac
}
