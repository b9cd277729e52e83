//! RSA: signatures with SHA-256 (PKCS#1 v1.5), and OAEP with SHA-1 as WeChat Pay uses it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{HasPublic, Id, PKey, PKeyRef, Private, Public};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{Signer, Verifier};
use openssl::x509::X509;
use zeroize::Zeroizing;

use super::CryptoError;

/// Shortest accepted key. Gateways issue 2048 bits today; old merchant keys have 1024.
const RSA_BITS_MIN: u32 = 1024;

/// Our own RSA key. `Debug` hides it; the library wipes it on drop.
#[derive(Clone)]
pub struct PrivateKey(PKey<Private>);

impl PrivateKey {
    /// Reads a key without password: PEM (PKCS#8 or PKCS#1), or the base64 text between the PEM
    /// lines alone, which is what gateways' own tools hand out.
    pub fn from_text(text: &str) -> Result<PrivateKey, CryptoError> {
        let text = text.trim();
        let key = if text.starts_with("-----") {
            // Without the callback the library would ask for a password on the terminal.
            PKey::private_key_from_pem_callback(text.as_bytes(), |_| Err(ErrorStack::get()))
        } else {
            let der = bare_der(text).ok_or(CryptoError::NotAPrivateKey)?;
            PKey::private_key_from_pkcs8(&der)
                .or_else(|_| PKey::from_rsa(Rsa::private_key_from_der(&der)?))
        };
        PrivateKey::of(key.map_err(|_| CryptoError::NotAPrivateKey)?)
    }

    pub(super) fn of(key: PKey<Private>) -> Result<PrivateKey, CryptoError> {
        check_rsa(&key)?;
        Ok(PrivateKey(key))
    }

    /// Signs by RSA-SHA256 (PKCS#1 v1.5).
    pub fn sign_sha256(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Signer::new(MessageDigest::sha256(), &self.0)
            .and_then(|mut signer| signer.sign_oneshot_to_vec(message))
            .map_err(|error| CryptoError::library(&error))
    }

    /// As [`PrivateKey::sign_sha256`], in base64.
    pub fn sign_sha256_base64(&self, message: &[u8]) -> Result<String, CryptoError> {
        Ok(BASE64.encode(self.sign_sha256(message)?))
    }

    /// Decrypts RSA-OAEP with SHA-1.
    pub fn decrypt_oaep_sha1(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let rsa = self.0.rsa().map_err(|error| CryptoError::library(&error))?;
        let mut plaintext = Zeroizing::new(vec![0; rsa.size() as usize]);
        let length = rsa
            .private_decrypt(ciphertext, &mut plaintext, Padding::PKCS1_OAEP)
            .map_err(|_| CryptoError::DoesNotDecrypt)?;
        plaintext.truncate(length);
        Ok(plaintext)
    }

    /// The key that verifies what this one signs.
    pub fn verify_key(&self) -> Result<VerifyKey, CryptoError> {
        self.0
            .public_key_to_der()
            .and_then(|der| PKey::public_key_from_der(&der))
            .map(VerifyKey)
            .map_err(|error| CryptoError::library(&error))
    }

    /// True when `key` verifies what this one signs: they belong together.
    pub fn belongs_to(&self, key: &VerifyKey) -> bool {
        self.0.public_eq(&key.0)
    }

    /// The key as unencrypted PKCS#8 PEM, for a TLS library to use as client key.
    pub fn to_pem(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        self.0
            .private_key_to_pem_pkcs8()
            .map(Zeroizing::new)
            .map_err(|error| CryptoError::library(&error))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(hidden)")
    }
}

/// The other side's RSA key, from a public key or a certificate.
#[derive(Clone)]
pub struct VerifyKey(PKey<Public>);

impl VerifyKey {
    /// Reads a PEM certificate (its key; dates are not looked at), a PEM public key, or the
    /// base64 text of a public key alone.
    pub fn from_text(text: &str) -> Result<VerifyKey, CryptoError> {
        let text = text.trim();
        let key = if text.starts_with("-----BEGIN CERTIFICATE-----") {
            X509::from_pem(text.as_bytes()).and_then(|certificate| certificate.public_key())
        } else if text.starts_with("-----BEGIN RSA PUBLIC KEY-----") {
            Rsa::public_key_from_pem_pkcs1(text.as_bytes()).and_then(PKey::from_rsa)
        } else if text.starts_with("-----") {
            PKey::public_key_from_pem(text.as_bytes())
        } else {
            let der = bare_der(text).ok_or(CryptoError::NotAVerifyKey)?;
            PKey::public_key_from_der(&der)
        };
        VerifyKey::of(key.map_err(|_| CryptoError::NotAVerifyKey)?)
    }

    pub(super) fn of(key: PKey<Public>) -> Result<VerifyKey, CryptoError> {
        check_rsa(&key)?;
        Ok(VerifyKey(key))
    }

    /// True when `signature` over `message` is by this key (RSA-SHA256, PKCS#1 v1.5).
    pub fn verify_sha256(&self, message: &[u8], signature: &[u8]) -> bool {
        Verifier::new(MessageDigest::sha256(), &self.0)
            .and_then(|mut verifier| verifier.verify_oneshot(signature, message))
            .unwrap_or(false)
    }

    /// As [`VerifyKey::verify_sha256`] for a signature in base64; other texts do not verify.
    pub fn verify_sha256_base64(&self, message: &[u8], signature: &str) -> bool {
        BASE64
            .decode(signature)
            .is_ok_and(|signature| self.verify_sha256(message, &signature))
    }
}

impl PartialEq for VerifyKey {
    fn eq(&self, other: &VerifyKey) -> bool {
        self.0.public_eq(&other.0)
    }
}

impl Eq for VerifyKey {}

impl fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyKey(RSA, {} bits)", self.0.bits())
    }
}

fn check_rsa<T: HasPublic>(key: &PKeyRef<T>) -> Result<(), CryptoError> {
    if key.id() != Id::RSA {
        return Err(CryptoError::NotRsa);
    }
    if key.bits() < RSA_BITS_MIN {
        return Err(CryptoError::KeyTooShort(key.bits()));
    }
    Ok(())
}

pub(super) fn bare_der(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let plain: Zeroizing<String> =
        Zeroizing::new(text.chars().filter(|c| !c.is_ascii_whitespace()).collect());
    BASE64.decode(plain.as_bytes()).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use openssl::ec::{EcGroup, EcKey};
    use openssl::nid::Nid;
    use openssl::symm::Cipher;

    use super::*;

    fn rsa(bits: u32) -> Rsa<Private> {
        Rsa::generate(bits).expect("a key")
    }

    fn text(pem: Vec<u8>) -> String {
        String::from_utf8(pem).expect("PEM is text")
    }

    /// What stands between the lines of a PEM text.
    fn bare(pem: &str) -> String {
        pem.lines().filter(|l| !l.starts_with("-----")).collect()
    }

    #[test]
    fn keys_are_read_in_every_form_and_sign_for_each_other() {
        let key = rsa(2048);
        let pkey = PKey::from_rsa(key.clone()).expect("a key");
        let pkcs8 = text(pkey.private_key_to_pem_pkcs8().expect("PEM"));
        let pkcs1 = text(key.private_key_to_pem().expect("PEM"));
        let public = text(pkey.public_key_to_pem().expect("PEM"));
        let public_pkcs1 = text(key.public_key_to_pem_pkcs1().expect("PEM"));
        let signature = PrivateKey::from_text(&pkcs8)
            .and_then(|key| key.sign_sha256_base64(b"text"))
            .expect("signs");
        for private in [&pkcs8, &pkcs1, &bare(&pkcs8), &bare(&pkcs1)] {
            let read = PrivateKey::from_text(&format!("\n{private}\n")).expect("a key");
            assert_eq!(read.sign_sha256_base64(b"text"), Ok(signature.clone()));
            assert_eq!(format!("{read:?}"), "PrivateKey(hidden)");
            let verify = VerifyKey::from_text(&public).expect("a key");
            assert!(read.belongs_to(&verify));
            assert_eq!(read.verify_key(), Ok(verify));
        }
        for public in [&public, &public_pkcs1, &bare(&public)] {
            let read = VerifyKey::from_text(public).expect("a key");
            assert!(read.verify_sha256_base64(b"text", &signature));
            assert!(!read.verify_sha256_base64(b"texts", &signature));
            assert!(!read.verify_sha256_base64(b"text", ""));
            assert!(!read.verify_sha256_base64(b"text", "no base64"));
        }
    }

    #[test]
    fn what_is_no_usable_key_is_refused_and_not_quoted() {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
        let curve = PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key");
        let curve = text(curve.private_key_to_pem_pkcs8().expect("PEM"));
        let short = PKey::from_rsa(rsa(512)).expect("a key");
        let short = text(short.private_key_to_pem_pkcs8().expect("PEM"));
        let locked = rsa(1024)
            .private_key_to_pem_passphrase(Cipher::aes_256_cbc(), b"secret")
            .expect("PEM");
        let check = |key: &str, expected: CryptoError| {
            assert_eq!(PrivateKey::from_text(key).map(|_| ()), Err(expected));
        };
        check("", CryptoError::NotAPrivateKey);
        check("5ec2e7", CryptoError::NotAPrivateKey);
        check(&text(locked), CryptoError::NotAPrivateKey);
        check(&curve, CryptoError::NotRsa);
        check(&short, CryptoError::KeyTooShort(512));
        for text in ["", "5ec2e7", curve.as_str()] {
            assert_eq!(VerifyKey::from_text(text), Err(CryptoError::NotAVerifyKey));
        }
    }

    #[test]
    fn oaep_opens_what_was_sealed_for_the_key() {
        let key = rsa(2048);
        let mut sealed = vec![0; key.size() as usize];
        key.public_encrypt(b"name", &mut sealed, Padding::PKCS1_OAEP)
            .expect("seals");
        let read = PrivateKey::of(PKey::from_rsa(key).expect("a key")).expect("RSA");
        let opened = read.decrypt_oaep_sha1(&sealed).expect("opens");
        assert_eq!(&opened[..], b"name");
        sealed[9] ^= 1;
        for wrong in [&sealed[..], b"", &[0; 300]] {
            assert_eq!(
                read.decrypt_oaep_sha1(wrong),
                Err(CryptoError::DoesNotDecrypt)
            );
        }
    }
}
