//! What travels beside pushed operations: the profiles of members whom they create.

use std::collections::HashMap;

use qiantai_core::ids::MemberId;
use qiantai_core::operation::{Operation, OperationBody};
use qiantai_wire::api::PushedProfile;
use qiantai_wire::profile::{attachment_hash, open_profile};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::db::{Attachment, HeldReason, SealedProfile};
use crate::writer::{Content, Received};

/// Profiles of one push, by member.
pub(crate) struct Profiles(HashMap<Uuid, PushedProfile>);

impl Profiles {
    pub(crate) fn of(pushed: Vec<PushedProfile>) -> Profiles {
        Profiles(pushed.into_iter().map(|one| (one.member, one)).collect())
    }

    /// The operation with its profile. One that creates a member whose profile is not what was
    /// signed for, or does not open, cannot be decided: a person must look.
    pub(crate) fn beside(&self, received: Received) -> Received {
        let Content::Known(operation) = &received.content else {
            return received;
        };
        let OperationBody::MemberCreate(create) = &operation.body else {
            return received;
        };
        match self.profile(operation, create.member) {
            Some(attachment) => Received {
                attachment: Some(attachment),
                ..received
            },
            None => Received {
                content: Content::Unread(HeldReason::Malformed),
                ..received
            },
        }
    }

    fn profile(&self, operation: &Operation, member: MemberId) -> Option<Attachment> {
        let pushed = self.0.get(&member.0)?;
        let sealed = pushed.sealed.0.clone();
        if operation.attachment != Some(attachment_hash(&sealed)) {
            return None;
        }
        open_profile(&sealed, member, &pushed.key.0).ok()?;
        let key = Some(Zeroizing::new(pushed.key.0));
        Some(Attachment::Profile {
            member,
            profile: SealedProfile { sealed, key },
        })
    }
}
