//! Calls by which a manager changes the shop from a terminal. Their answer becomes the server's own
//! word in the manager's name, so the bearer token is not enough: the terminal signs the call with
//! the key that signs its operations, over a challenge of the server's, which is good for one call.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use minicbor::Encoder;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::SignatureWrong;
use crate::operation::cose;

/// Header with the signature of a call.
pub const CALL_HEADER: &str = "qiantai-call";

/// Parameter of [`ErrorCode::CallUnsigned`](crate::ErrorCode::CallUnsigned) with what is to be signed
/// with the call, as base64url.
pub const CHALLENGE_PARAM: &str = "challenge";

/// What the signature covers besides the call: it is none of an operation, and none of an operation
/// is one of a call.
const CONTEXT: &[u8] = b"qiantai call";

/// What the server says, once, to be signed with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge(pub [u8; 16]);

impl Challenge {
    /// As the parameter says it.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What the parameter says; `None` when that is no challenge.
    pub fn read(text: &str) -> Option<Challenge> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Challenge)
    }
}

/// What is asked, of whom, by whom.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// HTTP method in capitals.
    pub method: &'a str,
    /// Path as this interface knows it, without scheme, host or query.
    pub path: &'a str,
    /// The body as it is sent.
    pub body: &'a [u8],
    /// Who asks.
    pub device: Uuid,
    /// What the server said.
    pub challenge: Challenge,
}

impl Call<'_> {
    /// The value of [`CALL_HEADER`].
    pub fn sign(&self, key: &SigningKey) -> String {
        URL_SAFE_NO_PAD.encode(self.signed(key))
    }

    /// The bytes in it: COSE_Sign1.
    pub fn signed(&self, key: &SigningKey) -> Vec<u8> {
        cose::seal(CONTEXT, &self.payload(), key)
    }

    /// Whether the value of the header is this call's by this key.
    ///
    /// # Errors
    /// It is another's, or another call's.
    pub fn verify(&self, header: &[u8], key: &VerifyingKey) -> Result<(), SignatureWrong> {
        let bytes = URL_SAFE_NO_PAD.decode(header).map_err(|_| SignatureWrong)?;
        let (payload, signature) = cose::open(&bytes).map_err(|_| SignatureWrong)?;
        if payload != self.payload() {
            return Err(SignatureWrong);
        }
        let content = cose::signed_content(CONTEXT, payload);
        let signature = Signature::from_bytes(&signature);
        let verified = key.verify_strict(&content, &signature);
        verified.map_err(|_| SignatureWrong)
    }

    /// Deterministic CBOR: `{0: method, 1: path, 2: SHA-256 of the body, 3: device, 4: challenge}`.
    pub fn payload(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut map = Encoder::new(&mut bytes);
        let body: [u8; 32] = Sha256::digest(self.body).into();
        let written = (|| {
            map.map(5)?;
            map.u8(0)?.str(self.method)?;
            map.u8(1)?.str(self.path)?;
            map.u8(2)?.bytes(&body)?;
            map.u8(3)?.bytes(self.device.as_bytes())?;
            map.u8(4)?.bytes(&self.challenge.0)?;
            Ok::<_, minicbor::encode::Error<_>>(())
        })();
        written.expect("bytes in memory take whatever is written");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SignedOperation;

    const CALL: Call = Call {
        method: "POST",
        path: "/v1/rules",
        body: b"{}",
        device: Uuid::from_u128(7),
        challenge: Challenge([9; 16]),
    };

    #[test]
    fn a_signature_is_of_one_call_by_one_terminal() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let header = CALL.sign(&key);
        let check = |call: Call, key: &SigningKey, expected: bool| {
            let verified = call.verify(header.as_bytes(), &key.verifying_key());
            assert_eq!(verified.is_ok(), expected, "{call:?}");
        };
        check(CALL, &key, true);
        check(CALL, &SigningKey::from_bytes(&[2; 32]), false);
        for other in [
            Call {
                method: "PUT",
                ..CALL
            },
            Call {
                path: "/v1/invitations",
                ..CALL
            },
            Call {
                body: b"{ }",
                ..CALL
            },
            Call {
                device: Uuid::from_u128(8),
                ..CALL
            },
            Call {
                challenge: Challenge([8; 16]),
                ..CALL
            },
        ] {
            check(other, &key, false);
        }
        for header in ["", "x", "=", &header[1..], &format!("{header}A")] {
            let verified = CALL.verify(header.as_bytes(), &key.verifying_key());
            assert!(verified.is_err(), "{header}");
        }
    }

    /// The same key signs operations.
    #[test]
    fn a_call_is_no_operation_and_an_operation_no_call() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let as_operation = SignedOperation::from(CALL.signed(&key));
        assert!(as_operation.verify(&key.verifying_key()).is_err());
        let of_operation = cose::seal(&[], &CALL.payload(), &key);
        let header = URL_SAFE_NO_PAD.encode(of_operation);
        let verified = CALL.verify(header.as_bytes(), &key.verifying_key());
        assert!(verified.is_err());
    }

    #[test]
    fn a_challenge_is_sixteen_bytes() {
        let challenge = Challenge([7; 16]);
        assert_eq!(Challenge::read(&challenge.text()), Some(challenge));
        for text in ["", "AAAA", "not base64", &"A".repeat(40)] {
            assert_eq!(Challenge::read(text), None, "{text}");
        }
    }
}
