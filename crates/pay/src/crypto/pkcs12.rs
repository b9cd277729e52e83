//! PKCS#12 files (.pfx, .p12): how gateways hand out a merchant's key with its certificate.

use openssl::pkcs12::Pkcs12;
use openssl::provider::Provider;

use super::{Certificate, CryptoError, PrivateKey};

/// A private key and the certificate that names it.
#[derive(Clone, Debug)]
pub struct KeyStore {
    /// The key.
    pub private_key: PrivateKey,
    /// Its certificate.
    pub certificate: Certificate,
}

impl KeyStore {
    /// Opens a PKCS#12 file. Gateways still encrypt theirs with RC2 and triple DES, which the
    /// library keeps apart: they are allowed for the time of this call only.
    pub fn from_pkcs12(file: &[u8], password: &str) -> Result<KeyStore, CryptoError> {
        let _legacy = Provider::try_load(None, "legacy", true)
            .map_err(|error| CryptoError::library(&error))?;
        let parsed = Pkcs12::from_der(file)
            .and_then(|file| file.parse2(password))
            .map_err(|_| CryptoError::NotAKeyStore)?;
        let key = parsed.pkey.ok_or(CryptoError::KeyStoreLacks("private key"));
        let certificate = parsed.cert.ok_or(CryptoError::KeyStoreLacks("certificate"));
        Ok(KeyStore {
            private_key: PrivateKey::of(key?)?,
            certificate: Certificate::of(Ok(certificate?))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use openssl::asn1::Asn1Time;
    use openssl::bn::BigNum;
    use openssl::hash::MessageDigest;
    use openssl::nid::Nid;
    use openssl::pkey::{PKey, Private};
    use openssl::rsa::Rsa;
    use openssl::x509::{X509, X509NameBuilder};
    use qiantai_core::clock::{Millis, Timestamp};

    use super::*;
    use crate::crypto::NameEntry;

    const FROM_UNIX_SECONDS: i64 = 1_767_225_600;

    fn key() -> PKey<Private> {
        PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key")
    }

    fn certificate(key: &PKey<Private>, serial: &str, issuer: &str) -> X509 {
        let name = |text: &str| {
            let mut name = X509NameBuilder::new().expect("a name");
            name.append_entry_by_text("C", "CN").expect("a country");
            name.append_entry_by_text("CN", text).expect("a name");
            name.build()
        };
        let mut builder = X509::builder().expect("a certificate");
        let until = Asn1Time::from_unix(FROM_UNIX_SECONDS + 86_400).expect("a time");
        let from = Asn1Time::from_unix(FROM_UNIX_SECONDS).expect("a time");
        let serial = BigNum::from_hex_str(serial).and_then(|number| number.to_asn1_integer());
        builder
            .set_serial_number(&serial.expect("a number"))
            .expect("set");
        builder.set_subject_name(&name("店")).expect("set");
        builder.set_issuer_name(&name(issuer)).expect("set");
        builder.set_not_before(&from).expect("set");
        builder.set_not_after(&until).expect("set");
        builder.set_pubkey(key).expect("set");
        builder.sign(key, MessageDigest::sha256()).expect("signs");
        builder.build()
    }

    fn file(key: &PKey<Private>, certificate: &X509, algorithm: Nid) -> Vec<u8> {
        let _legacy = Provider::try_load(None, "legacy", true).expect("the provider");
        let mut builder = Pkcs12::builder();
        builder.pkey(key).cert(certificate);
        builder.key_algorithm(algorithm).cert_algorithm(algorithm);
        let file = builder.build2("000000").expect("a file");
        file.to_der().expect("DER")
    }

    #[test]
    fn files_of_old_and_new_ciphers_open_with_their_password() {
        let key = key();
        let certificate = certificate(&key, "0abc", "店");
        let algorithms = [
            Nid::PBE_WITHSHA1AND40BITRC2_CBC,
            Nid::PBE_WITHSHA1AND3_KEY_TRIPLEDES_CBC,
            Nid::AES_256_CBC,
        ];
        for algorithm in algorithms {
            let file = file(&key, &certificate, algorithm);
            let store = KeyStore::from_pkcs12(&file, "000000").expect("opens");
            let verify_key = store.certificate.verify_key().expect("a key");
            assert!(store.private_key.belongs_to(&verify_key));
            let wrong = KeyStore::from_pkcs12(&file, "000001");
            assert_eq!(wrong.map(|_| ()), Err(CryptoError::NotAKeyStore));
        }
        let none = KeyStore::from_pkcs12(b"no file", "000000");
        assert_eq!(none.map(|_| ()), Err(CryptoError::NotAKeyStore));
    }

    #[test]
    fn a_certificate_tells_its_fields() {
        let key = key();
        let pem = certificate(&key, "0abc", "店").to_pem().expect("PEM");
        let pem = String::from_utf8(pem).expect("text");
        let read = Certificate::from_pem(&pem).expect("reads");
        let bare: String = pem.lines().filter(|l| !l.starts_with("-----")).collect();
        let between = Certificate::from_pem(&bare).expect("reads what stands between the lines");
        assert_eq!(between.to_pem(), read.to_pem());
        assert_eq!(read.serial_hex(), Ok("0ABC".to_owned()));
        assert_eq!(read.serial_decimal(), Ok("2748".to_owned()));
        let entry = |attribute: &str, value: &str| NameEntry {
            attribute: attribute.to_owned(),
            value: value.to_owned(),
        };
        let expected = vec![entry("C", "CN"), entry("CN", "店")];
        assert_eq!(read.issuer(), Ok(expected.clone()));
        assert_eq!(read.subject(), Ok(expected));
        assert_eq!(read.signature_algorithm(), Some("sha256WithRSAEncryption"));
        let from = Timestamp::from_ms(FROM_UNIX_SECONDS * 1_000);
        assert_eq!(read.not_before(), from);
        assert_eq!(read.not_after(), from + Millis::days(1));
        let check = |at, expected| assert_eq!(read.holds_at(at), expected, "{at}");
        check(from - Millis(1), false);
        check(from, true);
        check(from + Millis::days(1), true);
        check(from + Millis::days(1) + Millis(1), false);
    }

    #[test]
    fn only_the_issuer_s_key_issues() {
        let (ours, other) = (key(), key());
        let of = |x509| Certificate::of(Ok(x509)).expect("reads");
        let root = of(certificate(&ours, "01", "店"));
        let check = |issuer: X509, expected| {
            assert_eq!(root.is_issued_by(&of(issuer)), expected);
        };
        check(certificate(&ours, "01", "店"), true);
        check(certificate(&other, "01", "店"), false);
        let renamed = of(certificate(&ours, "02", "别家"));
        assert!(!renamed.is_issued_by(&root));
    }

    #[test]
    fn a_bundle_goes_on_after_what_it_cannot_read() {
        let key = key();
        let pem = certificate(&key, "0abc", "店").to_pem().expect("PEM");
        let pem = String::from_utf8(pem).expect("text");
        let broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        let bundle = Certificate::bundle(&format!("comment\n{pem}{broken}{pem}"));
        let read: Vec<bool> = bundle.iter().map(Result::is_ok).collect();
        assert_eq!(read, [true, false, true]);
        assert_eq!(
            bundle[1].as_ref().err(),
            Some(&CryptoError::NotACertificate)
        );
        assert!(Certificate::bundle("").is_empty());
        assert!(Certificate::from_der(b"").is_err());
    }
}
