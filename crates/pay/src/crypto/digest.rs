//! Digests and message authentication.

use openssl::hash::{MessageDigest, hash};
use openssl::pkey::PKey;
use openssl::sign::Signer;

use super::CryptoError;

/// MD5, where a gateway asks for it. Proves nothing by itself.
pub fn md5(bytes: &[u8]) -> Result<[u8; 16], CryptoError> {
    digest(MessageDigest::md5(), bytes)
}

/// SHA-1, as the hash of bill files.
pub fn sha1(bytes: &[u8]) -> Result<[u8; 20], CryptoError> {
    digest(MessageDigest::sha1(), bytes)
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> Result<[u8; 32], CryptoError> {
    digest(MessageDigest::sha256(), bytes)
}

/// HMAC with SHA-256.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Result<[u8; 32], CryptoError> {
    let mac = PKey::hmac(key)
        .and_then(|key| {
            let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
            signer.sign_oneshot_to_vec(message)
        })
        .map_err(|error| CryptoError::library(&error))?;
    Ok(mac.try_into().expect("SHA-256 has 32 bytes"))
}

/// Compares in constant time, so that a guess cannot be improved byte by byte.
pub fn is_same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && openssl::memcmp::eq(left, right)
}

fn digest<const N: usize>(kind: MessageDigest, bytes: &[u8]) -> Result<[u8; N], CryptoError> {
    let digest = hash(kind, bytes).map_err(|error| CryptoError::library(&error))?;
    Ok(<[u8; N]>::try_from(&*digest).expect("each digest has its own fixed length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_known_texts() {
        let check = |actual: Vec<u8>, expected: &str| assert_eq!(hex::encode(&actual), expected);
        check(
            md5(b"abc").expect("md5").to_vec(),
            "900150983cd24fb0d6963f7d28e17f72",
        );
        check(
            sha1(b"abc").expect("sha1").to_vec(),
            "a9993e364706816aba3e25717850c26c9cd0d89d",
        );
        check(
            sha256(b"abc").expect("sha256").to_vec(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        );
        // RFC 4231, test case 2.
        check(
            hmac_sha256(b"Jefe", b"what do ya want for nothing?")
                .expect("hmac")
                .to_vec(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        );
    }

    #[test]
    fn comparison_knows_lengths_and_contents() {
        let check = |left: &[u8], right: &[u8], expected| {
            assert_eq!(is_same(left, right), expected, "{left:?} {right:?}");
        };
        check(b"", b"", true);
        check(b"ab", b"ab", true);
        check(b"ab", b"ac", false);
        check(b"ab", b"abc", false);
    }
}
