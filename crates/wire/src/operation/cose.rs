//! The COSE_Sign1 layer: protected header `{1: -8}` (EdDSA), no unprotected header, no tag.

use coset::iana::Algorithm;
use coset::{
    CborSerializable, CoseSign1, CoseSign1Builder, Header, HeaderBuilder, ProtectedHeader,
    SignatureContext, sig_structure_data,
};
use ed25519_dalek::{SIGNATURE_LENGTH, Signer, SigningKey};

use super::{DecodeError, OPERATION_MAX};

/// Signs `payload`; `external` is covered and not in it.
pub fn seal(external: &[u8], payload: &[u8], key: &SigningKey) -> Vec<u8> {
    let signature = key.sign(&signed_content(external, payload)).to_bytes();
    envelope(payload, &signature)
}

/// Takes the payload and the signature out. The signature is not checked.
pub fn open(bytes: &[u8]) -> Result<(&[u8], [u8; SIGNATURE_LENGTH]), DecodeError> {
    if bytes.len() > OPERATION_MAX {
        return Err(DecodeError::TooLong(bytes.len()));
    }
    let sign1 = CoseSign1::from_slice(bytes).map_err(|_| DecodeError::NotSigned)?;
    let payload = sign1.payload.ok_or(DecodeError::NotSigned)?;
    let signature = <[u8; SIGNATURE_LENGTH]>::try_from(sign1.signature.as_slice())
        .map_err(|_| DecodeError::NotSigned)?;
    if envelope(&payload, &signature) != bytes {
        return Err(DecodeError::NotSigned);
    }
    // The form is fixed: the signature with its two bytes of head ends the message, and the
    // payload stands before it.
    let end = bytes.len() - SIGNATURE_LENGTH - 2;
    Ok((&bytes[end - payload.len()..end], signature))
}

/// What the signature covers (RFC 9052 §4.4).
pub fn signed_content(external: &[u8], payload: &[u8]) -> Vec<u8> {
    sig_structure_data(
        SignatureContext::CoseSign1,
        ProtectedHeader {
            original_data: None,
            header: protected(),
        },
        None,
        external,
        payload,
    )
}

fn envelope(payload: &[u8], signature: &[u8; SIGNATURE_LENGTH]) -> Vec<u8> {
    let mut sign1 = CoseSign1Builder::new()
        .protected(protected())
        .payload(payload.to_vec())
        .build();
    sign1.signature = signature.to_vec();
    sign1
        .to_vec()
        .expect("byte strings and a fixed header always encode")
}

fn protected() -> Header {
    HeaderBuilder::new().algorithm(Algorithm::EdDSA).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{1: -8}`.
    const PROTECTED: [u8; 3] = [0xa1, 0x01, 0x27];

    #[test]
    fn the_form_is_fixed() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let bytes = seal(&[], b"abc", &key);
        assert_eq!(bytes[..2], [0x84, 0x43]);
        assert_eq!(bytes[2..5], PROTECTED);
        assert_eq!(bytes[5..7], [0xa0, 0x43]);
        let (payload, signature) = open(&bytes).unwrap();
        assert_eq!(payload, b"abc");
        assert_eq!(bytes[bytes.len() - 64..], signature);

        let mut tagged = vec![0xd2];
        tagged.extend_from_slice(&bytes);
        assert_eq!(open(&tagged), Err(DecodeError::NotSigned));
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(open(&longer), Err(DecodeError::NotSigned));
        assert_eq!(
            open(&[0; OPERATION_MAX + 1]),
            Err(DecodeError::TooLong(OPERATION_MAX + 1))
        );
    }
}
