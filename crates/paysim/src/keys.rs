//! Keys and certificates of the gateway and of its practice merchants. All come from a source of
//! randomness that is an argument, so that a run can be repeated; they protect nothing.

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, BigNumContext};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::rsa::RsaPrivateKeyBuilder;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Name, X509NameBuilder};
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_pay::crypto::{Certificate, PrivateKey};
use rand::Rng;
use rand_chacha::ChaCha20Rng;

const PRIME_BYTES: usize = 128;

/// An RSA key of 2048 bits.
#[derive(Clone, Debug)]
pub(crate) struct RsaKey {
    pub pkey: PKey<Private>,
    pub private: PrivateKey,
    pub private_pem: String,
    pub public_pem: String,
}

/// A certificate, with its text.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub pem: String,
    pub certificate: Certificate,
    pub x509: X509,
}

/// Whom a certificate names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub common_name: &'a str,
    pub organisation: &'a str,
    /// Serial number in hexadecimal.
    pub serial: &'a str,
}

impl RsaKey {
    /// The next key of this source.
    pub fn draw(rng: &mut ChaCha20Rng) -> RsaKey {
        draw(rng).expect("numbers of this size are no trouble to the library")
    }
}

fn draw(rng: &mut ChaCha20Rng) -> Result<RsaKey, ErrorStack> {
    let mut context = BigNumContext::new()?;
    let one = BigNum::from_u32(1)?;
    let e = BigNum::from_u32(65_537)?;
    let (p, q) = loop {
        let (p, q) = (prime(rng, &mut context)?, prime(rng, &mut context)?);
        // The library wants the larger prime first.
        match p.cmp(&q) {
            std::cmp::Ordering::Greater => break (p, q),
            std::cmp::Ordering::Less => break (q, p),
            std::cmp::Ordering::Equal => {}
        }
    };
    let (p1, q1) = (&p - &one, &q - &one);
    let n = &p * &q;
    let (mut d, mut inverse) = (BigNum::new()?, BigNum::new()?);
    d.mod_inverse(&e, &(&p1 * &q1), &mut context)?;
    inverse.mod_inverse(&q, &p, &mut context)?;
    let (dp, dq) = (&d % &p1, &d % &q1);
    let rsa = RsaPrivateKeyBuilder::new(n, e, d)?
        .set_factors(p, q)?
        .set_crt_params(dp, dq, inverse)?
        .build();
    let pkey = PKey::from_rsa(rsa)?;
    let private_pem = text(pkey.private_key_to_pem_pkcs8()?);
    Ok(RsaKey {
        private: PrivateKey::from_text(&private_pem).expect("the library reads what it wrote"),
        public_pem: text(pkey.public_key_to_pem()?),
        private_pem,
        pkey,
    })
}

/// A prime whose product with another has the full length, and which leaves 65537 invertible.
fn prime(rng: &mut ChaCha20Rng, context: &mut BigNumContext) -> Result<BigNum, ErrorStack> {
    let mut bytes = [0; PRIME_BYTES];
    loop {
        rng.fill_bytes(&mut bytes);
        bytes[0] |= 0b1100_0000;
        bytes[PRIME_BYTES - 1] |= 1;
        let candidate = BigNum::from_slice(&bytes)?;
        if candidate.mod_word(65_537)? != 1 && candidate.is_prime_fasttest(20, context, true)? {
            return Ok(candidate);
        }
    }
}

/// Five years, beginning a day ago: what gateways issue.
fn validity(now: Timestamp) -> Result<(Asn1Time, Asn1Time), ErrorStack> {
    let at = |time: Timestamp| Asn1Time::from_unix(time.ms().div_euclid(1_000));
    Ok((at(now - Millis::days(1))?, at(now + Millis::days(5 * 365))?))
}

/// A certificate for `key`, issued by `issuer`, or by itself.
pub(crate) fn certify(
    key: &RsaKey,
    subject: Subject<'_>,
    issuer: Option<(&Issued, &RsaKey)>,
    now: Timestamp,
) -> Issued {
    certified(key, subject, issuer, None, now).expect("names and dates are in range")
}

/// The same for a host that is called as `subject` is.
pub(crate) fn certify_host(
    key: &RsaKey,
    subject: Subject<'_>,
    issuer: (&Issued, &RsaKey),
    now: Timestamp,
) -> Issued {
    let host = Some(subject.common_name);
    certified(key, subject, Some(issuer), host, now).expect("names and dates are in range")
}

fn certified(
    key: &RsaKey,
    subject: Subject<'_>,
    issuer: Option<(&Issued, &RsaKey)>,
    host: Option<&str>,
    now: Timestamp,
) -> Result<Issued, ErrorStack> {
    let own_name = name(subject)?;
    let (first, last) = validity(now)?;
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    let serial = BigNum::from_hex_str(subject.serial)?.to_asn1_integer()?;
    builder.set_serial_number(&serial)?;
    builder.set_subject_name(&own_name)?;
    builder.set_not_before(&first)?;
    builder.set_not_after(&last)?;
    builder.set_pubkey(&key.pkey)?;
    match issuer {
        Some((issuer, issuer_key)) => {
            builder.set_issuer_name(issuer.x509.subject_name())?;
            if let Some(host) = host {
                let mut names = SubjectAlternativeName::new();
                names.dns(host);
                let context = builder.x509v3_context(Some(&issuer.x509), None);
                let names = names.build(&context)?;
                builder.append_extension(names)?;
            }
            builder.sign(&issuer_key.pkey, MessageDigest::sha256())?;
        }
        None => {
            builder.set_issuer_name(&own_name)?;
            builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
            builder.sign(&key.pkey, MessageDigest::sha256())?;
        }
    }
    let x509 = builder.build();
    let pem = text(x509.to_pem()?);
    Ok(Issued {
        certificate: Certificate::from_pem(&pem).expect("the library reads what it wrote"),
        pem,
        x509,
    })
}

/// Key and certificate as the PKCS#12 file that a merchant is handed.
pub(crate) fn key_store(key: &RsaKey, issued: &Issued, password: &str) -> Vec<u8> {
    let mut builder = Pkcs12::builder();
    builder.pkey(&key.pkey).cert(&issued.x509);
    builder
        .build2(password)
        .and_then(|store| store.to_der())
        .expect("a key and its certificate make a file")
}

fn name(subject: Subject<'_>) -> Result<X509Name, ErrorStack> {
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("C", "CN")?;
    name.append_entry_by_text("O", subject.organisation)?;
    name.append_entry_by_text("OU", "Simulated")?;
    name.append_entry_by_text("CN", subject.common_name)?;
    Ok(name.build())
}

fn text(pem: Vec<u8>) -> String {
    String::from_utf8(pem).expect("PEM is ASCII")
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_source_gives_the_same_keys_again_and_they_work() {
        let mut rng = ChaCha20Rng::from_seed([3; 32]);
        let (first, second) = (RsaKey::draw(&mut rng), RsaKey::draw(&mut rng));
        let again = RsaKey::draw(&mut ChaCha20Rng::from_seed([3; 32]));
        assert_eq!(first.private_pem, again.private_pem);
        assert_ne!(first.private_pem, second.private_pem);
        let signature = first.private.sign_sha256_base64(b"text").expect("signs");
        let key = first.private.verify_key().expect("a key");
        assert!(key.verify_sha256_base64(b"text", &signature));
        assert!(!key.verify_sha256_base64(b"texts", &signature));
        let now = Timestamp::from_ms(1_767_225_600_000);
        let subject = |serial| Subject {
            common_name: "Tenpay.com",
            organisation: "Simulated",
            serial,
        };
        let root = certify(&first, subject("0A"), None, now);
        let leaf = certify(&second, subject("7B"), Some((&root, &first)), now);
        assert!(leaf.certificate.is_issued_by(&root.certificate));
        assert!(leaf.certificate.holds_at(now));
        assert_eq!(leaf.certificate.serial_hex().as_deref(), Ok("7B"));
    }
}
