//! The second copy of a terminal's operations: a file of records, each sealed so that only the
//! shop's server opens it.
//!
//! ```text
//! file   = head ‖ records
//! head   = "QTCOPY1\n" ‖ tenant (16) ‖ device (16) ‖ epoch (4) ‖ server's Ed25519 key (32) ‖ check
//! record = length of what is sealed (4) ‖ device_seq (8) ‖ hash (32) ‖ sealed ‖ check
//! check  = the first 8 bytes of SHA-256 of what stands before it in the head or the record
//! sealed = encapsulated key (32) ‖ ciphertext, HPKE (RFC 9180) in base mode with X25519,
//!          HKDF-SHA256 and ChaCha20-Poly1305; info "qiantai second copy", additional data
//!          head ‖ device_seq ‖ hash
//! plain  = CBOR [operation as it was signed, null or [member (16), sealed profile, key (32)]]
//! ```
//!
//! Numbers are big-endian. The recipient's key is the X25519 form of the server's Ed25519 key
//! (RFC 7748 §4.1), so whoever joined has it, and a terminal cannot read its own copy.

use ed25519_dalek::{SigningKey, VerifyingKey};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use minicbor::{Decode, Encode};
use qiantai_core::ids::{DeviceId, TenantId};
use qiantai_core::operation::Hash;
use sha2::{Digest, Sha256};
use thiserror::Error;
use uuid::Uuid;

use crate::api::PushedProfile;
use crate::operation::SignedOperation;
use crate::text::{Base64, Hex};

/// How the name of a file of the copy ends.
pub const EXTENSION: &str = "qtcopy";

const MAGIC: [u8; 8] = *b"QTCOPY1\n";
const INFO: &[u8] = b"qiantai second copy";
const CHECK_LEN: usize = 8;
const KEY_LEN: usize = 32;
/// Length of a head in bytes.
pub const HEAD_LEN: usize = 8 + 16 + 16 + 4 + 32 + CHECK_LEN;
const RECORD_HEAD_LEN: usize = 4 + 8 + 32;
/// Longest sealed part: a largest operation with a largest profile.
const SEALED_MAX: usize = 1 << 21;

/// Whose operations a file holds, and for whom they are sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyHead {
    /// Whose books.
    pub tenant: TenantId,
    /// The terminal.
    pub device: DeviceId,
    /// Counts its key changes.
    pub epoch: u32,
    /// The server's Ed25519 public key.
    pub server_key: [u8; 32],
}

/// One operation in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyRecord {
    /// Its place in the terminal's chain.
    pub device_seq: u64,
    /// SHA-256 of the signed bytes.
    pub hash: Hash,
    sealed: Vec<u8>,
}

/// What is in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The operation.
    pub signed: SignedOperation,
    /// The profile that travels beside it.
    pub profile: Option<PushedProfile>,
}

/// Why a file or a record cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CopyError {
    /// The file does not begin as one of a second copy.
    #[error("not a file of a second copy")]
    NotACopy,
    /// The server's key is no key.
    #[error("the server's key is not valid")]
    Key,
    /// Sealed for another server, or changed.
    #[error("the record is sealed for another server, or was changed")]
    Seal,
    /// What was sealed is not an operation with its hash.
    #[error("the record does not hold its operation")]
    Content,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Plain {
    #[cbor(n(0), with = "minicbor::bytes")]
    bytes: Vec<u8>,
    #[n(1)]
    profile: Option<PlainProfile>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct PlainProfile {
    #[cbor(n(0), with = "minicbor::bytes")]
    member: [u8; 16],
    #[cbor(n(1), with = "minicbor::bytes")]
    sealed: Vec<u8>,
    #[cbor(n(2), with = "minicbor::bytes")]
    key: [u8; 32],
}

impl CopyHead {
    /// The first bytes of a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_LEN);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(self.tenant.0.as_bytes());
        bytes.extend_from_slice(self.device.0.as_bytes());
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(&self.server_key);
        seal_off(&mut bytes, 0);
        bytes
    }

    /// Reads the first bytes of a file.
    ///
    /// # Errors
    /// [`CopyError::NotACopy`].
    pub fn parse(bytes: &[u8]) -> Result<CopyHead, CopyError> {
        let mut rest = whole(bytes, HEAD_LEN).ok_or(CopyError::NotACopy)?;
        let mut next = || take(&mut rest);
        if next() != Some(MAGIC) {
            return Err(CopyError::NotACopy);
        }
        let mut ids = || take::<16>(&mut rest).map(Uuid::from_bytes);
        let (tenant, device) = (ids(), ids());
        let epoch = take(&mut rest).map(u32::from_be_bytes);
        let (Some(tenant), Some(device), Some(epoch), Some(server_key)) =
            (tenant, device, epoch, take(&mut rest))
        else {
            return Err(CopyError::NotACopy);
        };
        Ok(CopyHead {
            tenant: TenantId(tenant),
            device: DeviceId(device),
            epoch,
            server_key,
        })
    }
}

impl CopyRecord {
    /// The record of an operation in a file with that head.
    ///
    /// # Errors
    /// [`CopyError::Key`].
    pub fn seal(
        head: &CopyHead,
        device_seq: u64,
        signed: &SignedOperation,
        profile: Option<&PushedProfile>,
    ) -> Result<CopyRecord, CopyError> {
        let plain = Plain {
            bytes: signed.bytes.clone(),
            profile: profile.map(|profile| PlainProfile {
                member: profile.member.into_bytes(),
                sealed: profile.sealed.0.clone(),
                key: profile.key.0,
            }),
        };
        let plain = minicbor::to_vec(plain).expect("writing to memory does not fail");
        let hash = signed.hash();
        let recipient = VerifyingKey::from_bytes(&head.server_key).map_err(|_| CopyError::Key)?;
        let recipient = recipient.to_montgomery().to_bytes();
        let recipient = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&recipient)
            .map_err(|_| CopyError::Key)?;
        let (key, ciphertext) =
            hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
                &OpModeS::Base,
                &recipient,
                INFO,
                &plain,
                &bound(head, device_seq, &hash),
            )
            .map_err(|_| CopyError::Key)?;
        let mut sealed = key.to_bytes().to_vec();
        sealed.extend_from_slice(&ciphertext);
        Ok(CopyRecord {
            device_seq,
            hash,
            sealed,
        })
    }

    /// As it stands in a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(RECORD_HEAD_LEN + self.sealed.len() + CHECK_LEN);
        let length = u32::try_from(self.sealed.len()).expect("operations are bounded");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.device_seq.to_be_bytes());
        bytes.extend_from_slice(&self.hash);
        bytes.extend_from_slice(&self.sealed);
        seal_off(&mut bytes, 0);
        bytes
    }

    /// Opens what the server may read.
    ///
    /// # Errors
    /// See [`CopyError`].
    pub fn open(&self, head: &CopyHead, server: &SigningKey) -> Result<Copied, CopyError> {
        let (key, ciphertext) = self
            .sealed
            .split_first_chunk::<KEY_LEN>()
            .ok_or(CopyError::Seal)?;
        let private = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(&server.to_scalar_bytes())
            .map_err(|_| CopyError::Key)?;
        let key =
            <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(key).map_err(|_| CopyError::Seal)?;
        let plain = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &private,
            &key,
            INFO,
            ciphertext,
            &bound(head, self.device_seq, &self.hash),
        )
        .map_err(|_| CopyError::Seal)?;
        let plain: Plain = minicbor::decode(&plain).map_err(|_| CopyError::Content)?;
        let signed = SignedOperation::from(plain.bytes);
        if signed.hash() != self.hash {
            return Err(CopyError::Content);
        }
        Ok(Copied {
            signed,
            profile: plain.profile.map(|profile| PushedProfile {
                member: Uuid::from_bytes(profile.member),
                sealed: Base64(profile.sealed),
                key: Hex(profile.key),
            }),
        })
    }
}

/// The whole records at the beginning of `bytes`, which stand behind a head, and how many bytes they
/// take. What follows was cut off while it was written, or is damaged.
pub fn read_records(bytes: &[u8]) -> (Vec<CopyRecord>, usize) {
    let (mut records, mut end) = (Vec::new(), 0);
    while let Some((record, length)) = read_record(&bytes[end..]) {
        records.push(record);
        end += length;
    }
    (records, end)
}

/// A stretch of a file in which no record is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where it begins, in bytes.
    pub at: usize,
    /// How many bytes.
    pub length: usize,
}

/// Every whole record in `bytes` with the place where it begins, whatever stands between them.
pub fn find_records(bytes: &[u8]) -> (Vec<(usize, CopyRecord)>, Vec<Damage>) {
    let (mut records, mut damages) = (Vec::new(), Vec::new());
    let (mut at, mut whole_up_to) = (0, 0);
    let mut damaged = |from: usize, to: usize| {
        if to > from {
            let length = to - from;
            damages.push(Damage { at: from, length });
        }
    };
    while at < bytes.len() {
        let Some((record, length)) = read_record(&bytes[at..]) else {
            at += 1;
            continue;
        };
        damaged(whole_up_to, at);
        records.push((at, record));
        at += length;
        whole_up_to = at;
    }
    damaged(whole_up_to, bytes.len());
    (records, damages)
}

fn read_record(bytes: &[u8]) -> Option<(CopyRecord, usize)> {
    let sealed = u32::from_be_bytes(*bytes.first_chunk()?);
    let sealed = usize::try_from(sealed)
        .ok()
        .filter(|it| *it <= SEALED_MAX)?;
    let length = RECORD_HEAD_LEN + sealed + CHECK_LEN;
    let mut rest = whole(bytes, length)?;
    take::<4>(&mut rest)?;
    let record = CopyRecord {
        device_seq: u64::from_be_bytes(take(&mut rest)?),
        hash: take(&mut rest)?,
        sealed: rest.to_vec(),
    };
    Some((record, length))
}

/// What the seal is bound to: moved elsewhere it does not open.
fn bound(head: &CopyHead, device_seq: u64, hash: &Hash) -> Vec<u8> {
    let mut bytes = head.to_bytes();
    bytes.extend_from_slice(&device_seq.to_be_bytes());
    bytes.extend_from_slice(hash);
    bytes
}

/// Adds the check of what stands from `from` on.
fn seal_off(bytes: &mut Vec<u8>, from: usize) {
    let digest = Sha256::digest(&bytes[from..]);
    bytes.extend_from_slice(&digest[..CHECK_LEN]);
}

/// The first `length` bytes without their check, where it fits.
fn whole(bytes: &[u8], length: usize) -> Option<&[u8]> {
    let (content, check) = bytes.get(..length)?.split_at(length - CHECK_LEN);
    (Sha256::digest(content)[..CHECK_LEN] == *check).then_some(content)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(server: &SigningKey) -> CopyHead {
        CopyHead {
            tenant: TenantId(Uuid::from_u128(1)),
            device: DeviceId(Uuid::from_u128(2)),
            epoch: 1,
            server_key: server.verifying_key().to_bytes(),
        }
    }

    fn sealed(head: &CopyHead, number: u64) -> CopyRecord {
        let signed = SignedOperation::from(vec![u8::try_from(number).unwrap_or(0); 300]);
        let profile = (number == 2).then(|| PushedProfile {
            member: Uuid::from_u128(7),
            sealed: Base64(b"somebody".to_vec()),
            key: Hex([9; 32]),
        });
        CopyRecord::seal(head, number, &signed, profile.as_ref()).expect("a good key")
    }

    #[test]
    fn only_the_server_reads_what_was_copied() {
        let (server, other) = (
            SigningKey::from_bytes(&[3; 32]),
            SigningKey::from_bytes(&[4; 32]),
        );
        let head = head(&server);
        assert_eq!(CopyHead::parse(&head.to_bytes()), Ok(head));
        assert_eq!(head.to_bytes().len(), HEAD_LEN);
        let record = sealed(&head, 2);
        let copied = record.open(&head, &server).expect("for this server");
        assert_eq!(copied.signed.bytes, vec![2; 300]);
        assert_eq!(copied.profile.map(|it| it.key), Some(Hex([9; 32])));
        assert_eq!(record.open(&head, &other), Err(CopyError::Seal));
        let text = record.to_bytes();
        assert!(!text.windows(8).any(|part| part == b"somebody"));
        assert!(
            !text
                .windows(32)
                .any(|part| part == [2; 32] || part == [9; 32])
        );

        // Under another head or another number it does not open.
        let moved = CopyHead { epoch: 2, ..head };
        assert_eq!(record.open(&moved, &server), Err(CopyError::Seal));
        let renumbered = CopyRecord {
            device_seq: 3,
            ..record
        };
        assert_eq!(renumbered.open(&head, &server), Err(CopyError::Seal));
    }

    #[test]
    fn whole_records_are_found_behind_damage() {
        let head = head(&SigningKey::from_bytes(&[3; 32]));
        let records: Vec<_> = (1..4).map(|number| sealed(&head, number)).collect();
        let texts: Vec<_> = records.iter().map(CopyRecord::to_bytes).collect();
        let starts = [0, texts[0].len(), texts[0].len() + texts[1].len()];
        let bytes = texts.concat();
        let found = |bytes: &[u8]| {
            let (found, damages) = find_records(bytes);
            let numbers: Vec<_> = found.iter().map(|(at, it)| (*at, it.device_seq)).collect();
            let damages: Vec<_> = damages.iter().map(|it| (it.at, it.length)).collect();
            (numbers, damages)
        };
        let all = vec![(0, 1), (starts[1], 2), (starts[2], 3)];
        assert_eq!(found(&bytes), (all.clone(), vec![]));
        // One changed byte costs the record that it is in, whichever byte of it, and no other.
        for place in starts[1]..starts[2] {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            let expected = (vec![all[0], all[2]], vec![(starts[1], texts[1].len())]);
            assert_eq!(found(&damaged), expected, "{place}");
        }
        // Bytes that were lost move what stands behind them.
        let mut shorter = bytes.clone();
        shorter.drain(starts[1] + 7..starts[1] + 20);
        let moved = (starts[2] - 13, 3);
        let expected = (vec![all[0], moved], vec![(starts[1], texts[1].len() - 13)]);
        assert_eq!(found(&shorter), expected);
        let torn = &bytes[..bytes.len() - 1];
        let expected = (all[..2].to_vec(), vec![(starts[2], texts[2].len() - 1)]);
        assert_eq!(found(torn), expected);
    }

    #[test]
    fn records_are_read_as_far_as_they_are_whole() {
        let head = head(&SigningKey::from_bytes(&[3; 32]));
        let records: Vec<_> = (1..4).map(|number| sealed(&head, number)).collect();
        let bytes: Vec<u8> = records.iter().flat_map(CopyRecord::to_bytes).collect();
        assert_eq!(read_records(&bytes), (records.clone(), bytes.len()));
        let two = records[0].to_bytes().len() + records[1].to_bytes().len();
        for cut in two..bytes.len() {
            assert_eq!(read_records(&bytes[..cut]), (records[..2].to_vec(), two));
        }
        for place in 0..records[0].to_bytes().len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            assert_eq!(read_records(&damaged), (Vec::new(), 0), "{place}");
        }
        let mut damaged = head.to_bytes();
        damaged[20] ^= 1;
        assert_eq!(CopyHead::parse(&damaged), Err(CopyError::NotACopy));
        assert_eq!(CopyHead::parse(b""), Err(CopyError::NotACopy));
    }
}
