//! `vault.json`: its form, and writing it so that a power cut leaves the old or the new one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::VaultError;
use super::seal::{Sealed, Stretch};

const FORMAT: u32 = 1;

/// The vault as it stands in its file.
pub struct VaultFile {
    pub vault_id: [u8; 16],
    pub kek_check: [u8; 8],
    pub secrets: Sealed,
    pub recovery: RecoverySlot,
}

/// The KEK sealed under the recovery code.
pub struct RecoverySlot {
    pub salt: [u8; 16],
    pub stretch: Stretch,
    pub sealed_kek: Sealed,
}

impl VaultFile {
    /// The name under which a key holder keeps the KEK.
    pub fn key_name(&self) -> String {
        format!("qiantai-vault-{}", hex::encode(self.vault_id))
    }
}

pub fn path(folder: &Path) -> PathBuf {
    folder.join("vault.json")
}

/// Waits until no other process makes a vault here, and keeps others waiting while it is held.
pub fn lock(folder: &Path) -> io::Result<File> {
    let file = File::create(folder.join("vault.lock"))?;
    file.lock()?;
    Ok(file)
}

pub fn read(folder: &Path) -> Result<VaultFile, VaultError> {
    let bytes = match fs::read(path(folder)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(VaultError::Missing),
        Err(error) => return Err(error.into()),
    };
    let document: Document =
        serde_json::from_slice(&bytes).map_err(|_| VaultError::VaultCorrupt)?;
    document.parse().ok_or(VaultError::VaultCorrupt)
}

pub fn write_new(folder: &Path, vault: &VaultFile) -> Result<(), VaultError> {
    let written = written(folder, &to_json(vault))?;
    written
        .persist_noclobber(path(folder))
        .map_err(|failure| match failure.error.kind() {
            io::ErrorKind::AlreadyExists => VaultError::AlreadyExists,
            _ => VaultError::Io(failure.error),
        })?;
    Ok(sync_folder(folder)?)
}

pub fn replace(folder: &Path, vault: &VaultFile) -> Result<(), VaultError> {
    replace_with(folder, &path(folder), &to_json(vault))?;
    Ok(())
}

/// Puts `bytes` at `path` inside `folder`, mode 0600, whole or not at all.
pub fn replace_with(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    written(folder, bytes)?
        .persist(path)
        .map_err(|failure| failure.error)?;
    sync_folder(folder)
}

fn written(folder: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix(".vault-")
        .tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows offers no such call; its rename is journalled.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Binary fields are hexadecimal, so that a support call can compare them by eye.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    vault_id: String,
    kek_check: String,
    secrets: SealedDocument,
    recovery: RecoveryDocument,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedDocument {
    nonce: String,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecoveryDocument {
    salt: String,
    argon2id_memory_kib: u32,
    argon2id_passes: u32,
    kek: SealedDocument,
}

impl Document {
    fn parse(&self) -> Option<VaultFile> {
        if self.format != FORMAT {
            return None;
        }
        Some(VaultFile {
            vault_id: bytes(&self.vault_id)?,
            kek_check: bytes(&self.kek_check)?,
            secrets: self.secrets.parse()?,
            recovery: RecoverySlot {
                salt: bytes(&self.recovery.salt)?,
                stretch: Stretch {
                    memory_kib: self.recovery.argon2id_memory_kib,
                    passes: self.recovery.argon2id_passes,
                },
                sealed_kek: self.recovery.kek.parse()?,
            },
        })
    }
}

impl SealedDocument {
    fn parse(&self) -> Option<Sealed> {
        let ciphertext = hex::decode(&self.ciphertext).ok()?;
        Some(Sealed {
            nonce: bytes(&self.nonce)?,
            ciphertext,
        })
    }
}

impl From<&Sealed> for SealedDocument {
    fn from(sealed: &Sealed) -> SealedDocument {
        SealedDocument {
            nonce: hex::encode(sealed.nonce),
            ciphertext: hex::encode(&sealed.ciphertext),
        }
    }
}

fn to_json(vault: &VaultFile) -> Vec<u8> {
    let document = Document {
        format: FORMAT,
        vault_id: hex::encode(vault.vault_id),
        kek_check: hex::encode(vault.kek_check),
        secrets: (&vault.secrets).into(),
        recovery: RecoveryDocument {
            salt: hex::encode(vault.recovery.salt),
            argon2id_memory_kib: vault.recovery.stretch.memory_kib,
            argon2id_passes: vault.recovery.stretch.passes,
            kek: (&vault.recovery.sealed_kek).into(),
        },
    };
    serde_json::to_vec_pretty(&document).expect("strings and numbers always become JSON")
}

fn bytes<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}
