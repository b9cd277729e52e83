//! One file beside the ledger, sealed with a key that is made of the ledger's.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use qiantai_pay::crypto::{Aes256Key, GCM_NONCE_BYTES, hmac_sha256};
use zeroize::Zeroizing;

use super::KeptError;
use crate::backup::sync_folder;

/// More than every account with its certificates.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Readable by its owner alone, replaced as a whole.
pub(super) struct SealedFile {
    path: PathBuf,
    key: Aes256Key,
    /// The first bytes of the file; sealed with the rest.
    mark: &'static [u8],
}

impl SealedFile {
    pub(super) fn new(
        path: PathBuf,
        ledger_key: &[u8; 32],
        mark: &'static [u8],
    ) -> Result<SealedFile, KeptError> {
        let key = Zeroizing::new(hmac_sha256(ledger_key, mark)?);
        let key = Aes256Key::from_bytes(&*key)?;
        Ok(SealedFile { path, key, mark })
    }

    /// What was written last; `None` before the first time.
    pub(super) fn read(&self) -> Result<Option<Zeroizing<Vec<u8>>>, KeptError> {
        let sealed = match std::fs::metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
            Ok(about) if about.len() > FILE_BYTES_MAX => return Err(KeptError::Damaged),
            Ok(_) => std::fs::read(&self.path)?,
        };
        let rest = sealed.strip_prefix(self.mark).ok_or(KeptError::Damaged)?;
        let (nonce, sealed) = rest
            .split_at_checked(GCM_NONCE_BYTES)
            .ok_or(KeptError::Damaged)?;
        let opened = self.key.open_gcm(nonce, self.mark, sealed);
        let opened = opened.map_err(|_| KeptError::Damaged)?;
        Ok(Some(Zeroizing::new(opened)))
    }

    /// Writes `plain` instead of what was there, whole or not at all.
    pub(super) fn write(&self, plain: &[u8]) -> Result<(), KeptError> {
        let mut nonce = [0; GCM_NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(io::Error::other)?;
        let sealed = self.key.seal_gcm(&nonce, self.mark, plain)?;
        let folder = self.path.parent().unwrap_or(Path::new(""));
        // Readable by its owner alone, where the system knows such files.
        let mut part = tempfile::NamedTempFile::new_in(folder)?;
        for bytes in [self.mark, &nonce, &sealed] {
            part.write_all(bytes)?;
        }
        part.as_file().sync_all()?;
        part.persist(&self.path).map_err(|error| error.error)?;
        Ok(sync_folder(&self.path)?)
    }
}
