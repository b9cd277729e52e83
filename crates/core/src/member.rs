//! Members as the ledger knows them: no personal data, which travels beside the operations.

use crate::clock::Timestamp;
use crate::ids::{MemberId, StoreId};

/// The ledger's view of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Identity.
    pub id: MemberId,
    /// Number on card and receipt.
    pub member_no: String,
    /// Store of registration.
    pub home_store: StoreId,
    /// Whether money may move.
    pub status: MemberStatus,
    /// When the member was registered.
    pub registered_at: Timestamp,
}

/// Whether a member's money may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberStatus {
    /// Normal.
    Active,
    /// 冻结: nothing moves.
    Frozen,
    /// Merged into another member.
    Merged,
    /// Closed.
    Closed,
}

/// Personal data of a member; held encrypted, sent sealed, never inside a signed body.
#[derive(Clone, PartialEq, Eq)]
pub struct MemberProfile {
    /// Identity.
    pub id: MemberId,
    /// Full name.
    pub name: String,
    /// Mobile phone, digits only.
    pub phone: String,
    /// Card number printed on the member card.
    pub card_no: Option<String>,
    /// Month of birth (1–12) for telling namesakes apart.
    pub birth_month: Option<u8>,
    /// Free words a cashier wrote.
    pub note: Option<String>,
}

impl std::fmt::Debug for MemberProfile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MemberProfile({}, redacted)", self.id)
    }
}
