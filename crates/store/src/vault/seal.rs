//! XChaCha20-Poly1305 and Argon2id as the vault uses them.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{RecoveryCode, Secrets};

/// A nonce and what was sealed under it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    pub nonce: [u8; 24],
    pub ciphertext: Vec<u8>,
}

/// Cost of turning a recovery code into a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub memory_kib: u32,
    pub passes: u32,
}

impl Stretch {
    /// OWASP's first choice for Argon2id; the code's 128 bits carry the strength.
    pub const DEFAULT: Stretch = Stretch {
        memory_kib: 19 * 1024,
        passes: 2,
    };

    /// A damaged file must not make the machine run out of memory.
    const MAX: Stretch = Stretch {
        memory_kib: 256 * 1024,
        passes: 16,
    };
}

const SECRETS_LABEL: &[u8] = b"qiantai vault 1 secrets ";
const KEK_LABEL: &[u8] = b"qiantai vault 1 kek ";

/// Tells a lost key from a damaged file, without saying anything of use about the key.
pub fn kek_check(kek: &[u8; 32]) -> [u8; 8] {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(b"qiantai vault 1 check ")
        .chain_update(kek)
        .finalize()
        .into();
    let mut check = [0; 8];
    check.copy_from_slice(&digest[..8]);
    check
}

pub fn secrets(kek: &[u8; 32], vault_id: &[u8; 16], nonce: [u8; 24], secrets: &Secrets) -> Sealed {
    let mut plain = Zeroizing::new([0_u8; 128]);
    plain[..32].copy_from_slice(&secrets.terminal_db_key);
    plain[32..64].copy_from_slice(&secrets.server_db_key);
    plain[64..96].copy_from_slice(&secrets.device_signing_seed);
    plain[96..].copy_from_slice(&secrets.pin_pepper);
    seal(kek, SECRETS_LABEL, vault_id, nonce, plain.as_slice())
}

pub fn open_secrets(kek: &[u8; 32], vault_id: &[u8; 16], sealed: &Sealed) -> Option<Secrets> {
    let plain = unseal(kek, SECRETS_LABEL, vault_id, sealed)?;
    let (parts, rest) = plain.as_chunks::<32>();
    match (parts, rest) {
        ([terminal, server, signing, pepper], []) => Some(Secrets {
            terminal_db_key: *terminal,
            server_db_key: *server,
            device_signing_seed: *signing,
            pin_pepper: *pepper,
        }),
        _ => None,
    }
}

pub fn key(slot: &[u8; 32], vault_id: &[u8; 16], nonce: [u8; 24], kek: &[u8; 32]) -> Sealed {
    seal(slot, KEK_LABEL, vault_id, nonce, kek)
}

pub fn open_key(
    slot: &[u8; 32],
    vault_id: &[u8; 16],
    sealed: &Sealed,
) -> Option<Zeroizing<[u8; 32]>> {
    let plain = unseal(slot, KEK_LABEL, vault_id, sealed)?;
    plain.as_slice().try_into().ok().map(Zeroizing::new)
}

/// `None` when the cost is out of bounds.
pub fn recovery_key(
    code: &RecoveryCode,
    stretch: &Stretch,
    salt: &[u8; 16],
) -> Option<Zeroizing<[u8; 32]>> {
    if stretch.memory_kib > Stretch::MAX.memory_kib || stretch.passes > Stretch::MAX.passes {
        return None;
    }
    let params = Params::new(stretch.memory_kib, stretch.passes, 1, Some(32)).ok()?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(code.as_bytes(), salt, key.as_mut_slice())
        .ok()?;
    Some(key)
}

fn seal(
    key: &[u8; 32],
    label: &[u8],
    vault_id: &[u8; 16],
    nonce: [u8; 24],
    plain: &[u8],
) -> Sealed {
    let aad = [label, vault_id].concat();
    let ciphertext = XChaCha20Poly1305::new(key.into())
        .encrypt(
            &XNonce::from(nonce),
            Payload {
                msg: plain,
                aad: &aad,
            },
        )
        .expect("some hundred bytes are below the limit of the cipher");
    Sealed { nonce, ciphertext }
}

fn unseal(
    key: &[u8; 32],
    label: &[u8],
    vault_id: &[u8; 16],
    sealed: &Sealed,
) -> Option<Zeroizing<Vec<u8>>> {
    let aad = [label, vault_id].concat();
    XChaCha20Poly1305::new(key.into())
        .decrypt(
            &XNonce::from(sealed.nonce),
            Payload {
                msg: &sealed.ciphertext,
                aad: &aad,
            },
        )
        .ok()
        .map(Zeroizing::new)
}
