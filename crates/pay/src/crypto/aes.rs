//! AES with 256-bit keys: GCM of WeChat Pay v3, ECB of its older refund notices.

use std::fmt;

use openssl::symm::{self, Cipher};
use zeroize::Zeroizing;

use super::CryptoError;

/// Length of a GCM nonce.
pub const GCM_NONCE_BYTES: usize = 12;
/// Length of the GCM tag that ends a sealed text.
pub const GCM_TAG_BYTES: usize = 16;

/// A 256-bit key. `Debug` hides it, and its memory is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct Aes256Key(Zeroizing<[u8; 32]>);

impl Aes256Key {
    /// Takes the key's bytes; refuses any other length than 32.
    pub fn from_bytes(bytes: &[u8]) -> Result<Aes256Key, CryptoError> {
        let key =
            <[u8; 32]>::try_from(bytes).map_err(|_| CryptoError::NotThirtyTwoBytes(bytes.len()))?;
        Ok(Aes256Key(Zeroizing::new(key)))
    }

    /// Opens `data ‖ tag` sealed by AES-256-GCM.
    pub fn open_gcm(
        &self,
        nonce: &[u8],
        associated_data: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        check_nonce(nonce)?;
        let length = sealed
            .len()
            .checked_sub(GCM_TAG_BYTES)
            .ok_or(CryptoError::DoesNotDecrypt)?;
        let (data, tag) = sealed.split_at(length);
        let cipher = Cipher::aes_256_gcm();
        symm::decrypt_aead(cipher, &*self.0, Some(nonce), associated_data, data, tag)
            .map_err(|_| CryptoError::DoesNotDecrypt)
    }

    /// Seals by AES-256-GCM: `data ‖ tag`. A nonce must never be used twice with one key.
    pub fn seal_gcm(
        &self,
        nonce: &[u8],
        associated_data: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        check_nonce(nonce)?;
        let mut tag = [0; GCM_TAG_BYTES];
        let cipher = Cipher::aes_256_gcm();
        let nonce = Some(nonce);
        let mut sealed = symm::encrypt_aead(
            cipher,
            &*self.0,
            nonce,
            associated_data,
            plaintext,
            &mut tag,
        )
        .map_err(|error| CryptoError::library(&error))?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Encrypts by AES-256-ECB with PKCS#7 padding, which hides little and proves nothing: for the
    /// other side of a protocol that wants it.
    pub fn encrypt_ecb(&self, plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        symm::encrypt(Cipher::aes_256_ecb(), &*self.0, None, plaintext)
            .map_err(|error| CryptoError::library(&error))
    }

    /// Decrypts AES-256-ECB with PKCS#7 padding. The cipher proves nothing about the sender.
    pub fn decrypt_ecb(&self, ciphertext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        symm::decrypt(Cipher::aes_256_ecb(), &*self.0, None, ciphertext)
            .map_err(|_| CryptoError::DoesNotDecrypt)
    }
}

impl fmt::Debug for Aes256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aes256Key(hidden)")
    }
}

fn check_nonce(nonce: &[u8]) -> Result<(), CryptoError> {
    if nonce.len() == GCM_NONCE_BYTES {
        Ok(())
    } else {
        Err(CryptoError::NonceLength(nonce.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Aes256Key {
        Aes256Key::from_bytes(b"0123456789abcdef0123456789abcdef").expect("32 bytes")
    }

    #[test]
    fn only_32_bytes_are_a_key_and_debug_hides_them() {
        for length in [0, 16, 31, 33, 64] {
            assert_eq!(
                Aes256Key::from_bytes(&vec![b'k'; length]),
                Err(CryptoError::NotThirtyTwoBytes(length))
            );
        }
        assert_eq!(format!("{:?}", key()), "Aes256Key(hidden)");
    }

    #[test]
    fn gcm_opens_only_what_was_sealed() {
        let nonce = b"abcdefghijkl";
        let sealed = key().seal_gcm(nonce, b"ad", b"text").expect("seals");
        let check = |nonce: &[u8], data: &[u8], sealed: &[u8], expected| {
            assert_eq!(key().open_gcm(nonce, data, sealed), expected);
        };
        check(nonce, b"ad", &sealed, Ok(b"text".to_vec()));
        check(nonce, b"", &sealed, Err(CryptoError::DoesNotDecrypt));
        check(nonce, b"ad", &sealed[1..], Err(CryptoError::DoesNotDecrypt));
        check(nonce, b"ad", &sealed[..9], Err(CryptoError::DoesNotDecrypt));
        check(nonce, b"ad", b"", Err(CryptoError::DoesNotDecrypt));
        check(b"short", b"ad", &sealed, Err(CryptoError::NonceLength(5)));
    }

    #[test]
    fn ecb_opens_what_it_sealed() {
        let sealed = key().encrypt_ecb(b"hello").expect("seals");
        // wechatpay-php, tests/Crypto/AesEcbTest.php.
        assert_eq!(hex::encode(&sealed), "a59c096412eecb79830021104f861307");
        assert_eq!(key().decrypt_ecb(&sealed), Ok(b"hello".to_vec()));
        assert_eq!(
            key().decrypt_ecb(&sealed[1..]),
            Err(CryptoError::DoesNotDecrypt)
        );
    }
}
