//! The key vault: what a shop must not lose, kept under a key that the operating system holds,
//! and under a recovery code for the day when it no longer does (docs: architecture, "The server
//! is always there").
//!
//! `vault.json` in the data folder holds the secrets, sealed under a random key-encryption key
//! (KEK). The KEK itself is never in that file in clear: one copy is with a [`KeyHolder`], another
//! is sealed under the recovery code.

mod file;
mod key_holder;
mod recovery_code;
mod seal;

use std::io;
use std::path::Path;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub use key_holder::{FileKeyHolder, KeyHolder, KeyHolderError};
pub use recovery_code::{RecoveryCode, RecoveryCodeError};

use file::{RecoverySlot, VaultFile};

/// What the vault protects.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secrets {
    /// SQLCipher key of the terminal's store.
    pub terminal_db_key: [u8; 32],
    /// SQLCipher key of the embedded server's ledger.
    pub server_db_key: [u8; 32],
    /// Ed25519 seed with which this terminal signs its operations.
    pub device_signing_seed: [u8; 32],
    /// Secret mixed into the PIN verifiers, so that a copied database cannot be searched.
    pub pin_pepper: [u8; 32],
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(redacted)")
    }
}

/// Why the vault did not open. Nothing on disk was changed.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is a vault already; it is never overwritten.
    #[error("the data folder has a key vault already")]
    AlreadyExists,
    /// The folder has no vault.
    #[error("the data folder has no key vault")]
    Missing,
    /// The operating system no longer holds the key; the recovery code opens the vault.
    #[error("the key store no longer holds the key of this vault")]
    KeyStoreLost,
    /// The key store did not answer; the key may still be there.
    #[error("the key store does not answer: {0}")]
    KeyStoreUnavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The recovery code belongs to another vault, or to an earlier code of this one.
    #[error("the recovery code does not open this vault")]
    RecoveryWrong,
    /// The vault file is damaged or from a newer version.
    #[error("the key vault is damaged")]
    VaultCorrupt,
    /// The operating system refused to read or write, or gave no randomness.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<KeyHolderError> for VaultError {
    fn from(error: KeyHolderError) -> VaultError {
        match error {
            KeyHolderError::Unavailable(error) => VaultError::KeyStoreUnavailable(error),
            KeyHolderError::Unwritten(error) => VaultError::Io(error),
        }
    }
}

/// True when `folder` holds a vault, whether or not it opens.
pub fn exists(folder: &Path) -> Result<bool, VaultError> {
    Ok(file::path(folder).try_exists()?)
}

/// Makes a vault with fresh secrets. The recovery code is returned here and kept nowhere.
pub fn create(
    folder: &Path,
    holder: &dyn KeyHolder,
) -> Result<(Secrets, RecoveryCode), VaultError> {
    // Two starts at once: the second would put its key in place of the first one's.
    let _alone = file::lock(folder)?;
    if exists(folder)? {
        return Err(VaultError::AlreadyExists);
    }
    let secrets = Secrets {
        terminal_db_key: random()?,
        server_db_key: random()?,
        device_signing_seed: random()?,
        pin_pepper: random()?,
    };
    let code = RecoveryCode::from_bytes(random()?);
    let kek = Zeroizing::new(random::<32>()?);
    let vault_id = random::<16>()?;
    let vault = VaultFile {
        vault_id,
        kek_check: seal::kek_check(&kek),
        secrets: seal::secrets(&kek, &vault_id, random()?, &secrets),
        recovery: recovery_slot(&vault_id, &kek, &code)?,
    };
    // The key first: a vault whose key was never stored would look like a lost key store.
    holder.store(&vault.key_name(), &kek)?;
    file::write_new(folder, &vault)?;
    Ok((secrets, code))
}

/// Opens the vault with the key that the operating system holds.
pub fn open(folder: &Path, holder: &dyn KeyHolder) -> Result<Secrets, VaultError> {
    let vault = file::read(folder)?;
    let kek = held_key(&vault, holder)?;
    unseal(&vault, &kek)
}

/// Opens the vault with the recovery code and gives the key to the operating system again.
pub fn open_with_recovery(
    folder: &Path,
    holder: &dyn KeyHolder,
    code: &RecoveryCode,
) -> Result<Secrets, VaultError> {
    let vault = file::read(folder)?;
    let slot_key = seal::recovery_key(code, &vault.recovery.stretch, &vault.recovery.salt)
        .ok_or(VaultError::VaultCorrupt)?;
    let kek = seal::open_key(&slot_key, &vault.vault_id, &vault.recovery.sealed_kek)
        .ok_or(VaultError::RecoveryWrong)?;
    if seal::kek_check(&kek) != vault.kek_check {
        return Err(VaultError::VaultCorrupt);
    }
    let secrets = unseal(&vault, &kek)?;
    holder.store(&vault.key_name(), &kek)?;
    Ok(secrets)
}

/// Makes a new recovery code, for a shop that lost the paper. The old one stops working.
pub fn renew_recovery(folder: &Path, holder: &dyn KeyHolder) -> Result<RecoveryCode, VaultError> {
    let mut vault = file::read(folder)?;
    let kek = held_key(&vault, holder)?;
    let code = RecoveryCode::from_bytes(random()?);
    vault.recovery = recovery_slot(&vault.vault_id, &kek, &code)?;
    file::replace(folder, &vault)?;
    Ok(code)
}

fn held_key(vault: &VaultFile, holder: &dyn KeyHolder) -> Result<Zeroizing<[u8; 32]>, VaultError> {
    let kek = holder.load(&vault.key_name())?.map(Zeroizing::new);
    kek.filter(|kek| seal::kek_check(kek) == vault.kek_check)
        .ok_or(VaultError::KeyStoreLost)
}

fn unseal(vault: &VaultFile, kek: &[u8; 32]) -> Result<Secrets, VaultError> {
    seal::open_secrets(kek, &vault.vault_id, &vault.secrets).ok_or(VaultError::VaultCorrupt)
}

fn recovery_slot(
    vault_id: &[u8; 16],
    kek: &[u8; 32],
    code: &RecoveryCode,
) -> Result<RecoverySlot, VaultError> {
    let salt = random()?;
    let stretch = seal::Stretch::DEFAULT;
    let slot_key = seal::recovery_key(code, &stretch, &salt)
        .expect("the default cost of Argon2id is within its bounds");
    Ok(RecoverySlot {
        salt,
        stretch,
        sealed_kek: seal::key(&slot_key, vault_id, random()?, kek),
    })
}

fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}
