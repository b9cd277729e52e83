//! A certificate authority that signs for the servers of one shop or chain, and for nothing else.
//!
//! A terminal that is enrolled believes this authority and no other, so the server's certificate
//! may change as often as it likes. Whoever has the folder can pretend to be the shop's server.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
    SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509Name};
use qiantai_core::{Millis, Timestamp};
use sha2::{Digest, Sha256};

use super::TlsError;
use crate::data_folder::write_private;

const CERTIFICATE_FILE: &str = "authority.pem";
const KEY_FILE: &str = "authority.key";

/// The file with the key of the authority in `folder`.
pub fn authority_key_path(folder: &Path) -> PathBuf {
    folder.join(KEY_FILE)
}

/// How long an authority is believed: longer than any till lasts.
const AUTHORITY_VALID: Millis = Millis::days(20 * 365);

/// How long a server's certificate is valid.
pub const CERTIFICATE_VALID: Millis = Millis::days(90);

/// Certificates begin so much before they are made: the clock of whoever judges dates may be
/// behind. Terminals do not judge them.
const BEGINS_BEFORE: Millis = Millis::days(1);

/// Bits of a serial number; one less than twenty bytes hold.
const SERIAL_BITS: i32 = 159;

/// Names and addresses for which a server's certificate stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Host names.
    pub hosts: Vec<String>,
    /// Addresses.
    pub addresses: Vec<IpAddr>,
}

/// A certificate authority with its key.
pub struct Authority {
    certificate: X509,
    key: PKey<Private>,
}

/// A server's certificate with its key.
pub(super) struct Issued {
    pub(super) certificate: X509,
    pub(super) key: PKey<Private>,
    pub(super) ends_at: Timestamp,
}

impl Authority {
    /// The authority in `folder`; made with the folder when that does not exist.
    ///
    /// # Errors
    /// See [`TlsError`]. A folder that exists is not changed: an authority of which a part is
    /// lost is not replaced, for no terminal would believe the new one.
    pub fn open_or_make(folder: &Path, now: Timestamp) -> Result<Authority, TlsError> {
        if !folder.exists() {
            make(folder, now)?;
        }
        Authority::open(folder)
    }

    /// The authority in `folder`.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn open(folder: &Path) -> Result<Authority, TlsError> {
        let certificate = Authority::certificate_in(folder)?;
        let path = authority_key_path(folder);
        let key = PKey::private_key_from_pem(&read(&path)?);
        let unfit = |problem| TlsError::Unfit { path, problem };
        let Ok(key) = key else {
            return Err(unfit("is not a private key"));
        };
        if !certificate.public_key()?.public_eq(&key) {
            return Err(unfit("is not the key of the certificate beside it"));
        }
        Ok(Authority { certificate, key })
    }

    /// The certificate of the authority in `folder`, as DER; the key is not read.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn certificate_der_in(folder: &Path) -> Result<Vec<u8>, TlsError> {
        Ok(Authority::certificate_in(folder)?.to_der()?)
    }

    /// The certificate, as DER. Terminals know it by the SHA-256 of these bytes.
    ///
    /// # Errors
    /// The library has no memory.
    pub fn certificate_der(&self) -> Result<Vec<u8>, TlsError> {
        Ok(self.certificate.to_der()?)
    }

    /// Whole days for which it is still believed; negative once it is not.
    ///
    /// # Errors
    /// The library has no memory.
    pub fn days_left(&self, now: Timestamp) -> Result<i32, TlsError> {
        let now = Asn1Time::from_unix(now.ms().div_euclid(1_000))?;
        Ok(now.diff(self.certificate.not_after())?.days)
    }

    fn certificate_in(folder: &Path) -> Result<X509, TlsError> {
        let path = folder.join(CERTIFICATE_FILE);
        X509::from_pem(&read(&path)?).map_err(|_| TlsError::Unfit {
            path,
            problem: "is not a certificate",
        })
    }

    /// A certificate with a fresh key for a server that goes by `names`.
    pub(super) fn issue(&self, names: &Names, now: Timestamp) -> Result<Issued, ErrorStack> {
        let key = fresh_key()?;
        let ends_at = now + CERTIFICATE_VALID;
        let mut leaf = begin(&named("qiantai-server")?, now, ends_at)?;
        leaf.set_issuer_name(self.certificate.subject_name())?;
        leaf.set_pubkey(&key)?;
        leaf.append_extension(BasicConstraints::new().critical().build()?)?;
        let usage = KeyUsage::new().critical().digital_signature().build()?;
        leaf.append_extension(usage)?;
        leaf.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
        let mut subject = SubjectAlternativeName::new();
        for host in &names.hosts {
            subject.dns(host);
        }
        for address in &names.addresses {
            subject.ip(&address.to_string());
        }
        let context = leaf.x509v3_context(Some(&self.certificate), None);
        let subject = subject.build(&context)?;
        let mut signer = AuthorityKeyIdentifier::new();
        let signer = signer.keyid(true).build(&context)?;
        leaf.append_extension(subject)?;
        leaf.append_extension(signer)?;
        leaf.sign(&self.key, MessageDigest::sha256())?;
        Ok(Issued {
            certificate: leaf.build(),
            key,
            ends_at,
        })
    }
}

/// Makes an authority, whole or not at all. The folder is its owner's alone, and so is the key.
fn make(folder: &Path, now: Timestamp) -> Result<(), TlsError> {
    let key = fresh_key()?;
    let hash = Sha256::digest(key.public_key_to_der()?);
    // A name of its own, so that two authorities are never taken for one.
    let name = named(&format!("Qiantai authority {}", hex::encode(&hash[..4])))?;
    let mut own = begin(&name, now, now + AUTHORITY_VALID)?;
    own.set_issuer_name(&name)?;
    own.set_pubkey(&key)?;
    own.append_extension(BasicConstraints::new().critical().ca().pathlen(0).build()?)?;
    let usage = KeyUsage::new().critical().key_cert_sign().build()?;
    own.append_extension(usage)?;
    let identifier = SubjectKeyIdentifier::new().build(&own.x509v3_context(None, None))?;
    own.append_extension(identifier)?;
    own.sign(&key, MessageDigest::sha256())?;
    let certificate = own.build().to_pem()?;
    let key = zeroize::Zeroizing::new(key.private_key_to_pem_pkcs8()?);

    let refused = |path: &Path| {
        let path = path.to_owned();
        move |cause| TlsError::File { path, cause }
    };
    let beside = folder.parent().unwrap_or(Path::new(""));
    if !beside.as_os_str().is_empty() {
        fs::create_dir_all(beside).map_err(refused(beside))?;
    }
    let mut private = tempfile::Builder::new();
    #[cfg(unix)]
    private.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    let place = match beside.as_os_str().is_empty() {
        true => private.tempdir_in("."),
        false => private.tempdir_in(beside),
    };
    let place = place.map_err(refused(beside))?;
    let (key_path, certificate_path) = (
        place.path().join(KEY_FILE),
        place.path().join(CERTIFICATE_FILE),
    );
    write_private(&key_path, &key).map_err(refused(&key_path))?;
    fs::write(&certificate_path, certificate).map_err(refused(&certificate_path))?;
    fs::rename(place.keep(), folder).map_err(refused(folder))
}

fn begin(
    subject: &X509Name,
    now: Timestamp,
    ends_at: Timestamp,
) -> Result<X509Builder, ErrorStack> {
    let mut certificate = X509Builder::new()?;
    // Version 3 counts from zero.
    certificate.set_version(2)?;
    let mut serial = BigNum::new()?;
    serial.rand(SERIAL_BITS, MsbOption::MAYBE_ZERO, false)?;
    let serial: Asn1Integer = serial.to_asn1_integer()?;
    certificate.set_serial_number(&serial)?;
    certificate.set_subject_name(subject)?;
    let at = |at: Timestamp| Asn1Time::from_unix(at.ms().div_euclid(1_000));
    let begins_at = now + Millis(-BEGINS_BEFORE.0);
    certificate.set_not_before(at(begins_at)?.as_ref())?;
    certificate.set_not_after(at(ends_at)?.as_ref())?;
    Ok(certificate)
}

fn named(name: &str) -> Result<X509Name, ErrorStack> {
    let mut builder = X509Name::builder()?;
    builder.append_entry_by_nid(Nid::COMMONNAME, name)?;
    Ok(builder.build())
}

fn fresh_key() -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|cause| TlsError::File {
        path: path.to_owned(),
        cause,
    })
}
