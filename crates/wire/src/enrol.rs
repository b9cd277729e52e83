//! The code by which a terminal is enrolled, and what the terminal keeps of it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use qiantai_core::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::text::Base64;

/// Every code begins with it; the digit is the version.
const PREFIX: &str = "QTE1";

/// Bytes at the end that tell a code which was cut or mistyped.
const CHECK_LEN: usize = 4;

/// Longest address of a server, in bytes.
const SERVER_LEN_MAX: usize = 255;

/// What lets one terminal into one store, once, for a few minutes. Whoever reads it first may use
/// it: it is shown to the terminal and to nobody else.
///
/// As text: `QTE1`, then in base 64 for addresses, without padding, the CBOR list of server,
/// authority or null, secret, and end in Unix seconds, and the first four bytes of its SHA-256.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrolCode {
    /// Address of the server, with scheme.
    pub server: String,
    /// SHA-256 of the authority's certificate (DER) that signs for the server; `None` when the
    /// machine's own trust decides, or nothing is encrypted.
    pub authority: Option<[u8; 32]>,
    /// What the server knows the invitation by.
    pub secret: [u8; 16],
    /// Last instant of validity.
    pub expires_at: Timestamp,
}

/// Where a server is and how it proves itself, as a terminal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerPlace {
    /// Its address, with scheme.
    pub url: String,
    /// The certificate (DER) of the only authority that is believed; `None` when the machine's own
    /// trust decides.
    pub authority: Option<Base64>,
}

/// Why a text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnrolCodeError {
    /// It does not begin as codes do.
    #[error("an enrolment code begins with {PREFIX}")]
    NotOne,
    /// A part is missing or wrong.
    #[error("the code is damaged; a part is missing or wrong")]
    Damaged,
}

impl EnrolCode {
    /// The invitation as [`JoinRequest`](crate::api::JoinRequest) carries it.
    pub fn invite(&self) -> String {
        invite_text(&self.secret)
    }
}

/// An invitation's secret as [`JoinRequest`](crate::api::JoinRequest) carries it.
pub fn invite_text(secret: &[u8; 16]) -> String {
    hex::encode(secret)
}

/// The secret of an invitation; none where the text is no invitation.
pub fn invite_secret(text: &str) -> Option<[u8; 16]> {
    let mut secret = [0; 16];
    hex::decode_to_slice(text, &mut secret).ok()?;
    Some(secret)
}

impl fmt::Debug for EnrolCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnrolCode({}, secret redacted)", self.server)
    }
}

impl fmt::Display for EnrolCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = encode(self);
        let check = Sha256::digest(&bytes);
        bytes.extend_from_slice(&check[..CHECK_LEN]);
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for EnrolCode {
    type Err = EnrolCodeError;

    /// Takes a code however its lines were broken on the way.
    fn from_str(text: &str) -> Result<EnrolCode, EnrolCodeError> {
        let text: String = text.split_whitespace().collect();
        let text = text.strip_prefix(PREFIX).ok_or(EnrolCodeError::NotOne)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let bytes = bytes.ok_or(EnrolCodeError::Damaged)?;
        let (body, check) = bytes
            .split_last_chunk::<CHECK_LEN>()
            .ok_or(EnrolCodeError::Damaged)?;
        if Sha256::digest(body)[..CHECK_LEN] != check[..] {
            return Err(EnrolCodeError::Damaged);
        }
        decode(body).map_err(|_| EnrolCodeError::Damaged)
    }
}

fn encode(code: &EnrolCode) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes);
    let written = encoder
        .array(4)
        .and_then(|to| to.str(&code.server))
        .and_then(|to| match &code.authority {
            Some(fingerprint) => to.bytes(fingerprint),
            None => to.null(),
        })
        .and_then(|to| to.bytes(&code.secret))
        .and_then(|to| to.i64(code.expires_at.ms().div_euclid(1_000)));
    written.expect("a vector takes every byte");
    bytes
}

fn decode(bytes: &[u8]) -> Result<EnrolCode, minicbor::decode::Error> {
    let damaged = || minicbor::decode::Error::message("not a code");
    let mut decoder = Decoder::new(bytes);
    if decoder.array()? != Some(4) {
        return Err(damaged());
    }
    let server = decoder.str()?.to_owned();
    let authority = match decoder.datatype()? {
        Type::Null => {
            decoder.null()?;
            None
        }
        _ => Some(decoder.bytes()?.try_into().map_err(|_| damaged())?),
    };
    let secret = decoder.bytes()?.try_into().map_err(|_| damaged())?;
    let seconds = decoder.i64()?.checked_mul(1_000).ok_or_else(damaged)?;
    if decoder.position() != bytes.len() || server.len() > SERVER_LEN_MAX {
        return Err(damaged());
    }
    Ok(EnrolCode {
        server,
        authority,
        secret,
        expires_at: Timestamp::from_ms(seconds),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(authority: Option<[u8; 32]>) -> EnrolCode {
        EnrolCode {
            server: "https://192.168.1.10:7810".to_owned(),
            authority,
            secret: [7; 16],
            expires_at: Timestamp::from_ms(1_795_240_800_000),
        }
    }

    #[test]
    fn a_code_comes_back_as_it_was() {
        for authority in [None, Some([9; 32])] {
            let text = code(authority).to_string();
            assert!(text.len() < 140, "{text}");
            assert_eq!(text.parse(), Ok(code(authority)));
            let (one, other) = text.split_at(50);
            assert_eq!(format!(" {one}\r\n{other}\n").parse(), Ok(code(authority)));
        }
        // Whoever writes another terminal can check theirs against it.
        assert_eq!(
            code(None).to_string(),
            "QTE1hHgZaHR0cHM6Ly8xOTIuMTY4LjEuMTA6NzgxMPZQBwcHBwcHBwcHBwcHBwcHBxprATNgNDcYIA"
        );
        assert_eq!(code(None).invite(), "07".repeat(16));
        assert!(!format!("{:?}", code(None)).contains("0707"));
    }

    #[test]
    fn what_is_no_code_is_told() {
        let check = |text: &str, expected| {
            assert_eq!(text.parse::<EnrolCode>(), Err(expected), "{text}");
        };
        let text = code(Some([9; 32])).to_string();
        check("", EnrolCodeError::NotOne);
        check("https://pay.example", EnrolCodeError::NotOne);
        check(&text.replace("QTE1", "QTE2"), EnrolCodeError::NotOne);
        check("QTE1", EnrolCodeError::Damaged);
        check(&text[..text.len() - 1], EnrolCodeError::Damaged);
        check(&text[..40], EnrolCodeError::Damaged);
        check(&format!("{text}A"), EnrolCodeError::Damaged);
        check(
            &text.to_lowercase().replace("qte1", "QTE1"),
            EnrolCodeError::Damaged,
        );
        // Every character counts.
        for place in PREFIX.len()..text.len() {
            let mut other = text.clone();
            let symbol = if &text[place..=place] == "A" {
                "B"
            } else {
                "A"
            };
            other.replace_range(place..=place, symbol);
            assert_ne!(other.parse::<EnrolCode>(), text.parse(), "at {place}");
        }
    }
}
