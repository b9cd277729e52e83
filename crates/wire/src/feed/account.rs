//! Accounts with their lots.

use qiantai_core::account::{Account, Lot};
use qiantai_core::ids::{LotId, MemberId, OrderId, TierId};
use qiantai_core::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::codes::SpendOrderDto;

/// Stored value, growth, points and tier of one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountDto {
    /// The member; one account each.
    pub member: Uuid,
    /// Σ lot principal left.
    pub principal_fen: i64,
    /// Σ lot bonus left.
    pub bonus_fen: i64,
    /// Principal held.
    pub frozen_principal_fen: i64,
    /// Bonus held.
    pub frozen_bonus_fen: i64,
    /// Debt from offline spending.
    pub debt_fen: i64,
    /// Σ principal ever recharged.
    pub recharged_fen: i64,
    /// Σ principal ever refunded.
    pub refunded_fen: i64,
    /// Σ bonus ever granted.
    pub bonus_granted_fen: i64,
    /// Growth value.
    pub growth: i64,
    /// Points.
    pub points: i64,
    /// Points owed after a refund.
    pub points_debt: i64,
    /// Current tier.
    pub tier: Uuid,
    /// When the tier is evaluated again.
    pub tier_valid_until_ms: Option<i64>,
    /// Sequence of the last journal entry.
    pub last_seq: u64,
    /// Lots with anything left, oldest first.
    pub lots: Vec<LotDto>,
}

impl From<&Account> for AccountDto {
    fn from(account: &Account) -> AccountDto {
        AccountDto {
            member: account.member.0,
            principal_fen: account.principal.fen(),
            bonus_fen: account.bonus.fen(),
            frozen_principal_fen: account.frozen_principal.fen(),
            frozen_bonus_fen: account.frozen_bonus.fen(),
            debt_fen: account.debt.fen(),
            recharged_fen: account.recharged.fen(),
            refunded_fen: account.refunded.fen(),
            bonus_granted_fen: account.bonus_granted.fen(),
            growth: account.growth,
            points: account.points,
            points_debt: account.points_debt,
            tier: account.tier.0,
            tier_valid_until_ms: account.tier_valid_until.map(Timestamp::ms),
            last_seq: account.last_seq,
            lots: account.lots.iter().map(LotDto::from).collect(),
        }
    }
}

impl From<AccountDto> for Account {
    fn from(dto: AccountDto) -> Account {
        Account {
            member: MemberId(dto.member),
            principal: Money::from_fen(dto.principal_fen),
            bonus: Money::from_fen(dto.bonus_fen),
            frozen_principal: Money::from_fen(dto.frozen_principal_fen),
            frozen_bonus: Money::from_fen(dto.frozen_bonus_fen),
            debt: Money::from_fen(dto.debt_fen),
            recharged: Money::from_fen(dto.recharged_fen),
            refunded: Money::from_fen(dto.refunded_fen),
            bonus_granted: Money::from_fen(dto.bonus_granted_fen),
            growth: dto.growth,
            points: dto.points,
            points_debt: dto.points_debt,
            tier: TierId(dto.tier),
            tier_valid_until: dto.tier_valid_until_ms.map(Timestamp::from_ms),
            last_seq: dto.last_seq,
            lots: dto.lots.into_iter().map(Lot::from).collect(),
        }
    }
}

/// 储值批次: what one credit brought and what is left of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LotDto {
    /// Identity.
    pub id: Uuid,
    /// The recharge order; `None` for an opening balance.
    pub order: Option<Uuid>,
    /// Principal at credit.
    pub principal_init_fen: i64,
    /// Principal left.
    pub principal_left_fen: i64,
    /// Bonus at credit.
    pub bonus_init_fen: i64,
    /// Bonus left.
    pub bonus_left_fen: i64,
    /// When bonus left expires.
    pub bonus_expires_at_ms: Option<i64>,
    /// Frozen spending policy.
    pub spend_order: SpendOrderDto,
    /// When it was credited.
    pub credited_at_ms: i64,
}

impl From<&Lot> for LotDto {
    fn from(lot: &Lot) -> LotDto {
        LotDto {
            id: lot.id.0,
            order: lot.order.map(|id| id.0),
            principal_init_fen: lot.principal_init.fen(),
            principal_left_fen: lot.principal_left.fen(),
            bonus_init_fen: lot.bonus_init.fen(),
            bonus_left_fen: lot.bonus_left.fen(),
            bonus_expires_at_ms: lot.bonus_expires_at.map(Timestamp::ms),
            spend_order: lot.spend_order.into(),
            credited_at_ms: lot.credited_at.ms(),
        }
    }
}

impl From<LotDto> for Lot {
    fn from(dto: LotDto) -> Lot {
        Lot {
            id: LotId(dto.id),
            order: dto.order.map(OrderId),
            principal_init: Money::from_fen(dto.principal_init_fen),
            principal_left: Money::from_fen(dto.principal_left_fen),
            bonus_init: Money::from_fen(dto.bonus_init_fen),
            bonus_left: Money::from_fen(dto.bonus_left_fen),
            bonus_expires_at: dto.bonus_expires_at_ms.map(Timestamp::from_ms),
            spend_order: dto.spend_order.into(),
            credited_at: Timestamp::from_ms(dto.credited_at_ms),
        }
    }
}
