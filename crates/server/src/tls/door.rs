//! What is shown to whoever connects: a certificate, renewed while the server serves.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::X509;
use qiantai_core::{Millis, Timestamp};

use super::authority::{Authority, Issued, Names, read};
use super::{CERTIFICATE_VALID, TlsError};

/// A certificate of the own authority is replaced so long before it ends.
pub const RENEWED_BEFORE: Millis = Millis(CERTIFICATE_VALID.0 / 3);

/// Shows the certificate of the moment.
pub struct Door {
    source: Source,
    shown: Mutex<Shown>,
}

/// Where certificates come from.
enum Source {
    /// Signed here. The key of each lives in memory only, and no longer than it.
    Own(Authority, Names),
    /// Given, and kept up to date by somebody else: PEM files of the certificate with its chain,
    /// and of the key.
    Files { chain: PathBuf, key: PathBuf },
}

struct Shown {
    acceptor: SslAcceptor,
    /// What decides whether it is still the one to show.
    mark: Mark,
}

#[derive(PartialEq, Eq)]
enum Mark {
    EndsAt(Timestamp),
    Files(Vec<u8>, Vec<u8>),
}

impl Door {
    /// Shows certificates of the own authority.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn of_authority(
        authority: Authority,
        names: Names,
        now: Timestamp,
    ) -> Result<Door, TlsError> {
        Door::new(Source::Own(authority, names), now)
    }

    /// Shows the certificate in these files.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn of_files(chain: PathBuf, key: PathBuf, now: Timestamp) -> Result<Door, TlsError> {
        Door::new(Source::Files { chain, key }, now)
    }

    /// Shows a new certificate when the present one is about to end, or when the files changed.
    /// Connections that are open stay as they are. True when there is a new one.
    ///
    /// # Errors
    /// See [`TlsError`]; the present one is shown on.
    pub fn renew(&self, now: Timestamp) -> Result<bool, TlsError> {
        let is_due = match (&self.source, &self.shown().mark) {
            (Source::Own(..), Mark::EndsAt(ends_at)) => *ends_at - now < RENEWED_BEFORE,
            (Source::Files { chain, key }, mark) => Mark::Files(read(chain)?, read(key)?) != *mark,
            (Source::Own(..), Mark::Files(..)) => true,
        };
        if is_due {
            let shown = self.source.show(now)?;
            *self.shown() = shown;
        }
        Ok(is_due)
    }

    /// What takes a connection now.
    pub(crate) fn acceptor(&self) -> SslAcceptor {
        self.shown().acceptor.clone()
    }

    /// The certificate of the own authority, as DER.
    ///
    /// # Errors
    /// The library has no memory.
    pub fn authority(&self) -> Result<Option<Vec<u8>>, TlsError> {
        match &self.source {
            Source::Own(authority, _) => authority.certificate_der().map(Some),
            Source::Files { .. } => Ok(None),
        }
    }

    fn new(source: Source, now: Timestamp) -> Result<Door, TlsError> {
        let shown = Mutex::new(source.show(now)?);
        Ok(Door { source, shown })
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source {
    fn show(&self, now: Timestamp) -> Result<Shown, TlsError> {
        match self {
            Source::Own(authority, names) => {
                let Issued {
                    certificate,
                    key,
                    ends_at,
                } = authority.issue(names, now)?;
                Ok(Shown {
                    acceptor: acceptor(&[certificate], &key)?,
                    mark: Mark::EndsAt(ends_at),
                })
            }
            Source::Files { chain, key } => {
                let (chain_pem, key_pem) = (read(chain)?, read(key)?);
                let unfit = |path: &PathBuf, problem| TlsError::Unfit {
                    path: path.clone(),
                    problem,
                };
                let certificates = X509::stack_from_pem(&chain_pem)
                    .ok()
                    .filter(|certificates| !certificates.is_empty())
                    .ok_or_else(|| unfit(chain, "holds no certificate"))?;
                let private: PKey<Private> = PKey::private_key_from_pem(&key_pem)
                    .map_err(|_| unfit(key, "is not a private key without a password"))?;
                if !certificates[0].public_key()?.public_eq(&private) {
                    return Err(unfit(key, "is not the key of the certificate"));
                }
                Ok(Shown {
                    acceptor: acceptor(&certificates, &private)?,
                    mark: Mark::Files(chain_pem, key_pem),
                })
            }
        }
    }
}

/// TLS 1.2 and later, the first certificate the server's own.
fn acceptor(chain: &[X509], key: &PKeyRef<Private>) -> Result<SslAcceptor, TlsError> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    if let [own, above @ ..] = chain {
        builder.set_certificate(own)?;
        for certificate in above {
            builder.add_extra_chain_cert(certificate.clone())?;
        }
    }
    builder.set_private_key(key)?;
    builder.check_private_key()?;
    Ok(builder.build())
}
