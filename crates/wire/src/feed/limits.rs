//! What bounds a top-up, and what it earns per yuan.

use qiantai_core::policy::{
    ComplianceLimit, ComplianceProfile, Earning, OfflineLimits, ReviewThresholds,
};
use qiantai_core::risk_floor::RiskFloor;
use qiantai_core::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::{LimitActionDto, LimitKindDto};

/// Growth and points earned by a top-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EarningDto {
    /// Growth per whole yuan paid.
    pub growth_per_yuan: i64,
    /// Points per whole yuan paid, before rates.
    pub points_per_yuan: i64,
    /// Rate for top-ups in basis points.
    pub recharge_rate_bp: u32,
}

impl From<Earning> for EarningDto {
    fn from(earning: Earning) -> EarningDto {
        EarningDto {
            growth_per_yuan: earning.growth_per_yuan,
            points_per_yuan: earning.points_per_yuan,
            recharge_rate_bp: earning.recharge_rate_bp,
        }
    }
}

impl From<EarningDto> for Earning {
    fn from(dto: EarningDto) -> Earning {
        Earning {
            growth_per_yuan: dto.growth_per_yuan,
            points_per_yuan: dto.points_per_yuan,
            recharge_rate_bp: dto.recharge_rate_bp,
        }
    }
}

/// Limits with an effective date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComplianceProfileDto {
    /// `cn_service`, `shanghai_gym`, `open`.
    pub name: String,
    /// The limits that apply.
    pub limits: Vec<ComplianceLimitDto>,
}

impl From<&ComplianceProfile> for ComplianceProfileDto {
    fn from(profile: &ComplianceProfile) -> ComplianceProfileDto {
        ComplianceProfileDto {
            name: profile.name.clone(),
            limits: profile.limits.iter().copied().map(Into::into).collect(),
        }
    }
}

impl From<ComplianceProfileDto> for ComplianceProfile {
    fn from(dto: ComplianceProfileDto) -> ComplianceProfile {
        ComplianceProfile {
            name: dto.name,
            limits: dto.limits.into_iter().map(Into::into).collect(),
        }
    }
}

/// One limit and what happens beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComplianceLimitDto {
    /// What is limited.
    pub kind: LimitKindDto,
    /// Greatest allowed amount.
    pub amount_fen: i64,
    /// What happens beyond it.
    pub action: LimitActionDto,
    /// First instant at which it applies.
    pub effective_from_ms: i64,
}

impl From<ComplianceLimit> for ComplianceLimitDto {
    fn from(limit: ComplianceLimit) -> ComplianceLimitDto {
        ComplianceLimitDto {
            kind: limit.kind.into(),
            amount_fen: limit.amount.fen(),
            action: limit.action.into(),
            effective_from_ms: limit.effective_from.ms(),
        }
    }
}

impl From<ComplianceLimitDto> for ComplianceLimit {
    fn from(dto: ComplianceLimitDto) -> ComplianceLimit {
        ComplianceLimit {
            kind: dto.kind.into(),
            amount: Money::from_fen(dto.amount_fen),
            action: dto.action.into(),
            effective_from: Timestamp::from_ms(dto.effective_from_ms),
        }
    }
}

/// Review triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewThresholdsDto {
    /// A single payment above this.
    pub single_pay_fen: i64,
    /// The member's payments within 24 h above this.
    pub day_sum_fen: i64,
    /// Cash of a member registered today above this.
    pub new_member_cash_fen: i64,
}

impl From<ReviewThresholds> for ReviewThresholdsDto {
    fn from(review: ReviewThresholds) -> ReviewThresholdsDto {
        ReviewThresholdsDto {
            single_pay_fen: review.single_pay.fen(),
            day_sum_fen: review.day_sum.fen(),
            new_member_cash_fen: review.new_member_cash.fen(),
        }
    }
}

impl From<ReviewThresholdsDto> for ReviewThresholds {
    fn from(dto: ReviewThresholdsDto) -> ReviewThresholds {
        ReviewThresholds {
            single_pay: Money::from_fen(dto.single_pay_fen),
            day_sum: Money::from_fen(dto.day_sum_fen),
            new_member_cash: Money::from_fen(dto.new_member_cash_fen),
        }
    }
}

/// Bounds of offline top-ups and of payments beyond leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OfflineLimitsDto {
    /// Most cash per offline order.
    pub cash_per_order_fen: i64,
    /// Most unsynced cash per terminal.
    pub cash_per_terminal_fen: i64,
    /// What terminals may take of stored value beyond their leases; left out where that is nothing, so
    /// that documents which were signed before stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_floor: Option<RiskFloorDto>,
}

impl From<OfflineLimits> for OfflineLimitsDto {
    fn from(limits: OfflineLimits) -> OfflineLimitsDto {
        OfflineLimitsDto {
            cash_per_order_fen: limits.cash_per_order.fen(),
            cash_per_terminal_fen: limits.cash_per_terminal.fen(),
            risk_floor: (limits.risk_floor != RiskFloor::default())
                .then(|| limits.risk_floor.into()),
        }
    }
}

impl From<OfflineLimitsDto> for OfflineLimits {
    fn from(dto: OfflineLimitsDto) -> OfflineLimits {
        OfflineLimits {
            cash_per_order: Money::from_fen(dto.cash_per_order_fen),
            cash_per_terminal: Money::from_fen(dto.cash_per_terminal_fen),
            risk_floor: dto.risk_floor.map(RiskFloor::from).unwrap_or_default(),
        }
    }
}

/// Caps of what a terminal may take of stored value beyond its leases without a manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RiskFloorDto {
    /// Most in one payment.
    pub per_transaction_fen: i64,
    /// Most of one member on one business date, at one terminal.
    pub per_member_day_fen: i64,
    /// Most at one terminal since it last synchronised.
    pub per_device_fen: i64,
    /// Most payments of one terminal since then.
    pub count: u16,
    /// Hours since the terminal last heard the server, at most 168.
    pub hours: u16,
}

impl From<RiskFloor> for RiskFloorDto {
    fn from(floor: RiskFloor) -> RiskFloorDto {
        RiskFloorDto {
            per_transaction_fen: floor.per_transaction.fen(),
            per_member_day_fen: floor.per_member_day.fen(),
            per_device_fen: floor.per_device.fen(),
            count: floor.count,
            hours: floor.hours,
        }
    }
}

impl From<RiskFloorDto> for RiskFloor {
    fn from(dto: RiskFloorDto) -> RiskFloor {
        RiskFloor {
            per_transaction: Money::from_fen(dto.per_transaction_fen),
            per_member_day: Money::from_fen(dto.per_member_day_fen),
            per_device: Money::from_fen(dto.per_device_fen),
            count: dto.count,
            hours: dto.hours,
        }
    }
}
