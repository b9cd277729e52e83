//! Members and their profiles.

use std::fmt;

use qiantai_core::Timestamp;
use qiantai_core::ids::{MemberId, StoreId};
use qiantai_core::member::{Member, MemberProfile};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::codes::MemberStatusDto;

/// A member as the ledger knows it, with the profile where known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberDto {
    /// Identity.
    pub id: Uuid,
    /// Number on card and receipt.
    pub member_no: String,
    /// Store of registration.
    pub home_store: Uuid,
    /// Whether money may move.
    pub status: MemberStatusDto,
    /// When the member was registered.
    pub registered_at_ms: i64,
    /// Personal data; `None` where it was not sent. A row without it leaves a known profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<MemberProfileDto>,
}

impl MemberDto {
    /// The same member with its profile.
    #[must_use]
    pub fn with_profile(self, profile: &MemberProfile) -> MemberDto {
        MemberDto {
            profile: Some(profile.into()),
            ..self
        }
    }
}

impl From<&Member> for MemberDto {
    fn from(member: &Member) -> MemberDto {
        MemberDto {
            id: member.id.0,
            member_no: member.member_no.clone(),
            home_store: member.home_store.0,
            status: member.status.into(),
            registered_at_ms: member.registered_at.ms(),
            profile: None,
        }
    }
}

impl From<MemberDto> for Member {
    fn from(dto: MemberDto) -> Member {
        Member {
            id: MemberId(dto.id),
            member_no: dto.member_no,
            home_store: StoreId(dto.home_store),
            status: dto.status.into(),
            registered_at: Timestamp::from_ms(dto.registered_at_ms),
        }
    }
}

/// Personal data of a member. `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberProfileDto {
    /// Identity.
    pub id: Uuid,
    /// Full name.
    pub name: String,
    /// Mobile phone, digits only.
    pub phone: String,
    /// Card number printed on the member card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_no: Option<String>,
    /// Month of birth, 1 to 12.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_month: Option<u8>,
    /// Free words a cashier wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl fmt::Debug for MemberProfileDto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemberProfileDto({}, redacted)", self.id)
    }
}

impl From<&MemberProfile> for MemberProfileDto {
    fn from(profile: &MemberProfile) -> MemberProfileDto {
        MemberProfileDto {
            id: profile.id.0,
            name: profile.name.clone(),
            phone: profile.phone.clone(),
            card_no: profile.card_no.clone(),
            birth_month: profile.birth_month,
            note: profile.note.clone(),
        }
    }
}

impl From<MemberProfileDto> for MemberProfile {
    fn from(dto: MemberProfileDto) -> MemberProfile {
        MemberProfile {
            id: MemberId(dto.id),
            name: dto.name,
            phone: dto.phone,
            card_no: dto.card_no,
            birth_month: dto.birth_month,
            note: dto.note,
        }
    }
}
