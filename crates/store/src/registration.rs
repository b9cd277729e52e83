//! Writing a member who was created here: the operation, the sealed profile that travels beside it
//! and the row that searches find, all in one transaction.

use qiantai_core::member::{Member, MemberProfile};
use qiantai_core::operation::Hash;
use qiantai_wire::SignedOperation;
use qiantai_wire::api::PushedProfile;
use qiantai_wire::feed::MemberDto;
use qiantai_wire::profile::{attachment_hash, seal_profile};
use qiantai_wire::text::{Base64, Hex};

use crate::error::StoreError;
use crate::operation_log::{Commit, CommitError, append};
use crate::store::Store;
use crate::tables::operation::{self, LogHead};
use crate::tables::{new_member, replica_member};

/// A profile sealed under a key of its own.
pub struct SealedMember(PushedProfile);

impl SealedMember {
    /// Seals `profile` under a fresh random key.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn seal(profile: &MemberProfile) -> Result<SealedMember, StoreError> {
        let (mut key, mut nonce) = ([0; 32], [0; 24]);
        for bytes in [key.as_mut_slice(), nonce.as_mut_slice()] {
            getrandom::fill(bytes).map_err(|_| StoreError::NoRandomness)?;
        }
        Ok(SealedMember(PushedProfile {
            member: profile.id.0,
            sealed: Base64(seal_profile(profile, &key, nonce)),
            key: Hex(key),
        }))
    }

    /// What the signed operation holds of it.
    pub fn hash(&self) -> Hash {
        attachment_hash(&self.0.sealed.0)
    }
}

/// What is written together with the operation that `author` signs.
pub struct NewMember<'a> {
    /// The profile, sealed.
    pub sealed: SealedMember,
    /// As the ledger will know the member.
    pub member: &'a Member,
    /// For this terminal's own search.
    pub profile: &'a MemberProfile,
}

impl Store {
    /// Appends the operation of a new member, as [`Store::commit`], and shows the member here.
    pub fn commit_member<E>(
        &self,
        new: &NewMember<'_>,
        author: impl FnOnce(LogHead) -> Result<SignedOperation, E>,
    ) -> Result<(), CommitError<E>> {
        self.write(|transaction| {
            let head = operation::head(transaction)?;
            let signed = author(head).map_err(CommitError::Author)?;
            let prints = Vec::new();
            let written = append(transaction, head, Commit { signed, prints })?;
            new_member::insert(transaction, written.device_seq, &new.sealed.0)?;
            let row = MemberDto::from(new.member).with_profile(new.profile);
            let active_ms = new.member.registered_at.ms();
            replica_member::insert_own(transaction, &row, active_ms)?;
            Ok(())
        })
    }
}
