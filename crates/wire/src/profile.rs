//! What travels beside a signed body: sealed member profiles and policy documents. The body
//! carries their hash, so the books prove what was attached and hold no personal data. Deleting
//! a member's key erases the profile everywhere and leaves the books whole.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use qiantai_core::ids::MemberId;
use qiantai_core::member::MemberProfile;
use qiantai_core::operation::Hash;
use qiantai_core::policy::Policy;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::feed::{MemberProfileDto, PolicyDto};

const SEAL_VERSION: u8 = 1;
const NONCE_LEN: usize = 24;

/// Greatest length of an attachment in bytes.
pub const ATTACHMENT_MAX: usize = 1 << 20;

/// Why an attachment cannot be read.
#[derive(Debug, Error)]
pub enum AttachmentError {
    /// Longer than [`ATTACHMENT_MAX`], or too short to be one.
    #[error("the attachment has a wrong length")]
    Length,
    /// Sealed by a newer version.
    #[error("the attachment is of unknown version {0}")]
    Version(u8),
    /// Another key, another member, or changed bytes.
    #[error("the seal is broken or the key is another")]
    Seal,
    /// Not the expected document.
    #[error("the document cannot be read: {0}")]
    Document(#[from] serde_json::Error),
}

/// The hash of an attachment, as the signed body carries it.
pub fn attachment_hash(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// Seals a profile under its member's key with XChaCha20-Poly1305. The member's id is bound to
/// it, so a blob cannot be moved to another member. `nonce` must be random and never reused
/// with the key.
pub fn seal_profile(profile: &MemberProfile, key: &[u8; 32], nonce: [u8; NONCE_LEN]) -> Vec<u8> {
    let plain = serde_json::to_vec(&MemberProfileDto::from(profile))
        .expect("a profile is strings and numbers, which always serialise");
    let payload = Payload {
        msg: &plain,
        aad: profile.id.0.as_bytes(),
    };
    let sealed = XChaCha20Poly1305::new(&Key::from(*key))
        .encrypt(&XNonce::from(nonce), payload)
        .expect("a profile is far below the cipher's limit of 256 GiB");
    let mut blob = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
    blob.push(SEAL_VERSION);
    blob.extend_from_slice(&nonce);
    blob.extend_from_slice(&sealed);
    blob
}

/// Opens a sealed profile.
///
/// # Errors
/// See [`AttachmentError`].
pub fn open_profile(
    blob: &[u8],
    member: MemberId,
    key: &[u8; 32],
) -> Result<MemberProfile, AttachmentError> {
    if blob.len() > ATTACHMENT_MAX {
        return Err(AttachmentError::Length);
    }
    let (&version, rest) = blob.split_first().ok_or(AttachmentError::Length)?;
    if version != SEAL_VERSION {
        return Err(AttachmentError::Version(version));
    }
    let (nonce, sealed) = rest
        .split_first_chunk::<NONCE_LEN>()
        .ok_or(AttachmentError::Length)?;
    let plain = XChaCha20Poly1305::new(&Key::from(*key))
        .decrypt(
            &XNonce::from(*nonce),
            Payload {
                msg: sealed,
                aad: member.0.as_bytes(),
            },
        )
        .map_err(|_| AttachmentError::Seal)?;
    let dto: MemberProfileDto = serde_json::from_slice(&plain)?;
    if dto.id != member.0 {
        return Err(AttachmentError::Seal);
    }
    Ok(dto.into())
}

/// A policy as the document that `policy.publish` attaches.
pub fn encode_policy(policy: &Policy) -> Vec<u8> {
    serde_json::to_vec(&PolicyDto::from(policy))
        .expect("a policy is strings and numbers, which always serialise")
}

/// Reads a policy document.
///
/// # Errors
/// See [`AttachmentError`].
pub fn decode_policy(bytes: &[u8]) -> Result<Policy, AttachmentError> {
    if bytes.len() > ATTACHMENT_MAX {
        return Err(AttachmentError::Length);
    }
    let dto: PolicyDto = serde_json::from_slice(bytes)?;
    Ok(dto.into())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn profile() -> MemberProfile {
        MemberProfile {
            id: MemberId(Uuid::from_u128(1)),
            name: "尉迟敏".into(),
            phone: "13800005678".into(),
            card_no: Some("8800 1".into()),
            birth_month: Some(2),
            note: None,
        }
    }

    #[test]
    fn a_sealed_profile_opens_with_its_key_only() {
        let profile = profile();
        let key = [7; 32];
        let blob = seal_profile(&profile, &key, [9; 24]);
        assert!(!blob.windows(6).any(|window| window == "尉迟".as_bytes()));
        assert_eq!(open_profile(&blob, profile.id, &key).unwrap(), profile);

        let other = MemberId(Uuid::from_u128(2));
        assert!(matches!(
            open_profile(&blob, other, &key),
            Err(AttachmentError::Seal)
        ));
        assert!(matches!(
            open_profile(&blob, profile.id, &[8; 32]),
            Err(AttachmentError::Seal)
        ));
        for index in 0..blob.len() {
            let mut changed = blob.clone();
            changed[index] ^= 1;
            assert!(
                open_profile(&changed, profile.id, &key).is_err(),
                "byte {index}"
            );
            assert!(
                open_profile(&blob[..index], profile.id, &key).is_err(),
                "cut at {index}"
            );
        }
    }
}
