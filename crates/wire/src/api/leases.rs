//! Leases of stored value to terminals.

use ed25519_dalek::VerifyingKey;
use qiantai_core::Money;
use qiantai_core::ids::{DeviceId, LeaseId, MemberId};
use qiantai_core::operation::OperationBody;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::SignedOperation;
use crate::text::Base64;

/// Most members in one request.
pub const LEASE_MEMBERS_LIMIT: usize = 64;

/// A terminal asks for what it may spend of these members' stored value without asking again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeasesRequest {
    /// At most 64, each once. Members whom the rule does not lease to this terminal get none.
    #[schema(max_items = 64)]
    pub members: Vec<Uuid>,
}

/// Everything that the terminal holds of these members now, old and new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeasesAnswer {
    /// By member, oldest first. A lease that the terminal knows and that is not here has ended.
    pub leases: Vec<LeaseDto>,
    /// The server's clock.
    pub server_time_ms: i64,
}

/// A lease as the server knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeaseDto {
    /// Identity; that of the operation that granted it.
    pub lease: Uuid,
    /// Whose stored value.
    pub member: Uuid,
    /// What is left, as far as the terminal's payments have arrived.
    #[schema(minimum = 1)]
    pub left_fen: i64,
    /// The server's signed `lease.grant`, to keep.
    pub operation: Base64,
}

/// A lease as its terminal keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedLease {
    /// Identity.
    pub id: LeaseId,
    /// Whose stored value.
    pub member: MemberId,
    /// What the server granted.
    pub granted: Money,
    /// What is left of it as far as the server knows.
    pub left: Money,
    /// The server's signed word.
    pub bytes: Vec<u8>,
}

/// What was told is no lease of this terminal in the server's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("lease {0} is not the server's word to this terminal")]
pub struct NotGranted(pub Uuid);

impl LeaseDto {
    /// The lease, if the holder of `server` signed that `device` may spend it.
    ///
    /// # Errors
    /// See [`NotGranted`].
    pub fn granted(
        self,
        server: &VerifyingKey,
        device: DeviceId,
    ) -> Result<GrantedLease, NotGranted> {
        let not_granted = NotGranted(self.lease);
        let signed = SignedOperation::from(self.operation.0);
        signed.verify(server).map_err(|_| not_granted)?;
        let operation = signed.operation().map_err(|_| not_granted)?;
        let OperationBody::LeaseGrant(grant) = operation.body else {
            return Err(not_granted);
        };
        let granted: Money = grant.lots.iter().map(|lot| lot.principal + lot.bonus).sum();
        let left = Money::from_fen(self.left_fen);
        let is_as_told = operation.op_id.0 == self.lease
            && grant.member.0 == self.member
            && grant.device == device
            && !left.is_negative()
            && left <= granted
            && granted.is_positive();
        match is_as_told {
            true => Ok(GrantedLease {
                id: LeaseId(self.lease),
                member: grant.member,
                granted,
                left,
                bytes: signed.bytes,
            }),
            false => Err(not_granted),
        }
    }
}
