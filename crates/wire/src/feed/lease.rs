//! Leases as they stand: what single terminals may spend of a member's stored value.

use qiantai_core::account::Draw;
use qiantai_core::ids::{DeviceId, LeaseId, LotId, MemberId, StoreId};
use qiantai_core::lease::Lease;
use qiantai_core::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::codes::LeaseStateDto;

/// A lease and what is left of it. What those that are held have left is in the account's frozen
/// amounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeaseRowDto {
    /// Identity; that of the operation that granted it.
    pub id: Uuid,
    /// Whose stored value.
    pub member: Uuid,
    /// Which terminal may spend it.
    pub device: Uuid,
    /// Where that stands.
    pub store: Uuid,
    /// Where the lease stands.
    pub state: LeaseStateDto,
    /// What is left, for each lot that it was granted of.
    pub lots: Vec<LeaseLotDto>,
    /// When it was granted.
    pub granted_at_ms: i64,
}

/// What is left of one lot of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeaseLotDto {
    /// The lot.
    pub lot: Uuid,
    /// Principal.
    pub principal_fen: i64,
    /// Bonus.
    pub bonus_fen: i64,
}

impl From<&Lease> for LeaseRowDto {
    fn from(lease: &Lease) -> LeaseRowDto {
        let lot = |left: &Draw| LeaseLotDto {
            lot: left.lot.0,
            principal_fen: left.principal.fen(),
            bonus_fen: left.bonus.fen(),
        };
        LeaseRowDto {
            id: lease.id.0,
            member: lease.member.0,
            device: lease.device.0,
            store: lease.store.0,
            state: lease.state.into(),
            lots: lease.lots.iter().map(lot).collect(),
            granted_at_ms: lease.granted_at.ms(),
        }
    }
}

impl From<LeaseRowDto> for Lease {
    fn from(dto: LeaseRowDto) -> Lease {
        let left = |lot: LeaseLotDto| Draw {
            lot: LotId(lot.lot),
            principal: Money::from_fen(lot.principal_fen),
            bonus: Money::from_fen(lot.bonus_fen),
        };
        Lease {
            id: LeaseId(dto.id),
            member: MemberId(dto.member),
            device: DeviceId(dto.device),
            store: StoreId(dto.store),
            state: dto.state.into(),
            lots: dto.lots.into_iter().map(left).collect(),
            granted_at: Timestamp::from_ms(dto.granted_at_ms),
        }
    }
}
