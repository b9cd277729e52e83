//! What the shop offers: packages, ladders, tiers, coupons.

use qiantai_core::Money;
use qiantai_core::ids::{CouponTemplateId, PackageId, PromotionId, TierId};
use qiantai_core::policy::{CouponTemplate, Ladder, LadderBonus, LadderRow, Package, Tier};
use serde::{Deserialize, Serialize};
use time::Date;
use utoipa::ToSchema;
use uuid::Uuid;

use super::CouponGrantDto;
use crate::text::IsoDate;

/// First and last business date of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DateRangeDto {
    /// First date.
    #[schema(value_type = String, format = Date)]
    pub first: IsoDate,
    /// Last date.
    #[schema(value_type = String, format = Date)]
    pub last: IsoDate,
}

impl From<(Date, Date)> for DateRangeDto {
    fn from((first, last): (Date, Date)) -> DateRangeDto {
        DateRangeDto {
            first: IsoDate(first),
            last: IsoDate(last),
        }
    }
}

impl From<DateRangeDto> for (Date, Date) {
    fn from(dto: DateRangeDto) -> (Date, Date) {
        (dto.first.0, dto.last.0)
    }
}

/// A stored-value package such as 充300送50.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackageDto {
    /// Identity.
    pub id: Uuid,
    /// Counts up with each edit.
    pub version: u32,
    /// Name on screen and receipt.
    pub name: String,
    /// Price.
    pub pay_fen: i64,
    /// Bonus granted.
    pub bonus_fen: i64,
    /// Coupons granted.
    pub coupons: Vec<CouponGrantDto>,
    /// Points on top of those earned by the amount.
    pub extra_points: i64,
    /// Dates on sale; `None` for always.
    pub on_sale: Option<DateRangeDto>,
}

impl From<&Package> for PackageDto {
    fn from(package: &Package) -> PackageDto {
        PackageDto {
            id: package.id.0,
            version: package.version,
            name: package.name.clone(),
            pay_fen: package.pay.fen(),
            bonus_fen: package.bonus.fen(),
            coupons: package.coupons.iter().copied().map(Into::into).collect(),
            extra_points: package.extra_points,
            on_sale: package.on_sale.map(Into::into),
        }
    }
}

impl From<PackageDto> for Package {
    fn from(dto: PackageDto) -> Package {
        Package {
            id: PackageId(dto.id),
            version: dto.version,
            name: dto.name,
            pay: Money::from_fen(dto.pay_fen),
            bonus: Money::from_fen(dto.bonus_fen),
            coupons: dto.coupons.into_iter().map(Into::into).collect(),
            extra_points: dto.extra_points,
            on_sale: dto.on_sale.map(Into::into),
        }
    }
}

/// A ladder promotion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LadderDto {
    /// Identity.
    pub id: Uuid,
    /// Counts up with each edit.
    pub version: u32,
    /// Rule name shown as the reason of a bonus.
    pub name: String,
    /// Rows in any order.
    pub rows: Vec<LadderRowDto>,
    /// Dates; `None` for always.
    pub dates: Option<DateRangeDto>,
}

impl From<&Ladder> for LadderDto {
    fn from(ladder: &Ladder) -> LadderDto {
        LadderDto {
            id: ladder.id.0,
            version: ladder.version,
            name: ladder.name.clone(),
            rows: ladder.rows.iter().map(LadderRowDto::from).collect(),
            dates: ladder.dates.map(Into::into),
        }
    }
}

impl From<LadderDto> for Ladder {
    fn from(dto: LadderDto) -> Ladder {
        Ladder {
            id: PromotionId(dto.id),
            version: dto.version,
            name: dto.name,
            rows: dto.rows.into_iter().map(LadderRow::from).collect(),
            dates: dto.dates.map(Into::into),
        }
    }
}

/// One row of a ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LadderRowDto {
    /// Least amount paid.
    pub threshold_fen: i64,
    /// What it grants.
    pub bonus: LadderBonusDto,
    /// Coupons granted.
    pub coupons: Vec<CouponGrantDto>,
}

impl From<&LadderRow> for LadderRowDto {
    fn from(row: &LadderRow) -> LadderRowDto {
        LadderRowDto {
            threshold_fen: row.threshold.fen(),
            bonus: row.bonus.into(),
            coupons: row.coupons.iter().copied().map(Into::into).collect(),
        }
    }
}

impl From<LadderRowDto> for LadderRow {
    fn from(dto: LadderRowDto) -> LadderRow {
        LadderRow {
            threshold: Money::from_fen(dto.threshold_fen),
            bonus: dto.bonus.into(),
            coupons: dto.coupons.into_iter().map(Into::into).collect(),
        }
    }
}

/// The bonus of a ladder row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LadderBonusDto {
    /// A fixed amount.
    Fixed {
        /// That amount.
        bonus_fen: i64,
    },
    /// A share of the amount paid, floored to whole yuan.
    Percent {
        /// The share in basis points.
        basis_points: u32,
    },
    /// 每满 … 送 …
    EveryFull {
        /// Step.
        every_fen: i64,
        /// Bonus per full step.
        bonus_fen: i64,
        /// Most bonus in total.
        cap_fen: i64,
    },
}

impl From<LadderBonus> for LadderBonusDto {
    fn from(bonus: LadderBonus) -> LadderBonusDto {
        match bonus {
            LadderBonus::Fixed(bonus) => LadderBonusDto::Fixed {
                bonus_fen: bonus.fen(),
            },
            LadderBonus::Percent(basis_points) => LadderBonusDto::Percent { basis_points },
            LadderBonus::EveryFull { every, bonus, cap } => LadderBonusDto::EveryFull {
                every_fen: every.fen(),
                bonus_fen: bonus.fen(),
                cap_fen: cap.fen(),
            },
        }
    }
}

impl From<LadderBonusDto> for LadderBonus {
    fn from(dto: LadderBonusDto) -> LadderBonus {
        match dto {
            LadderBonusDto::Fixed { bonus_fen } => LadderBonus::Fixed(Money::from_fen(bonus_fen)),
            LadderBonusDto::Percent { basis_points } => LadderBonus::Percent(basis_points),
            LadderBonusDto::EveryFull {
                every_fen,
                bonus_fen,
                cap_fen,
            } => LadderBonus::EveryFull {
                every: Money::from_fen(every_fen),
                bonus: Money::from_fen(bonus_fen),
                cap: Money::from_fen(cap_fen),
            },
        }
    }
}

/// A tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TierDto {
    /// Identity.
    pub id: Uuid,
    /// 0 for the lowest.
    pub rank: u8,
    /// Name on screen and receipt.
    pub name: String,
    /// Net principal recharged that reaches it.
    pub threshold_fen: i64,
    /// Price level in basis points.
    pub price_bp: u32,
    /// Points rate in basis points.
    pub points_rate_bp: u32,
    /// Months until re-evaluation.
    pub valid_months: u8,
    /// What an upgrade to it grants, in words.
    pub benefits: Vec<String>,
}

impl From<&Tier> for TierDto {
    fn from(tier: &Tier) -> TierDto {
        TierDto {
            id: tier.id.0,
            rank: tier.rank,
            name: tier.name.clone(),
            threshold_fen: tier.threshold.fen(),
            price_bp: tier.price_bp,
            points_rate_bp: tier.points_rate_bp,
            valid_months: tier.valid_months,
            benefits: tier.benefits.clone(),
        }
    }
}

impl From<TierDto> for Tier {
    fn from(dto: TierDto) -> Tier {
        Tier {
            id: TierId(dto.id),
            rank: dto.rank,
            name: dto.name,
            threshold: Money::from_fen(dto.threshold_fen),
            price_bp: dto.price_bp,
            points_rate_bp: dto.points_rate_bp,
            valid_months: dto.valid_months,
            benefits: dto.benefits,
        }
    }
}

/// A kind of coupon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CouponTemplateDto {
    /// Identity.
    pub id: Uuid,
    /// Name on screen and receipt.
    pub name: String,
    /// Face value.
    pub face_fen: i64,
    /// Least bill.
    pub threshold_fen: i64,
    /// Days of validity after issue.
    pub valid_days: u16,
}

impl From<&CouponTemplate> for CouponTemplateDto {
    fn from(template: &CouponTemplate) -> CouponTemplateDto {
        CouponTemplateDto {
            id: template.id.0,
            name: template.name.clone(),
            face_fen: template.face.fen(),
            threshold_fen: template.threshold.fen(),
            valid_days: template.valid_days,
        }
    }
}

impl From<CouponTemplateDto> for CouponTemplate {
    fn from(dto: CouponTemplateDto) -> CouponTemplate {
        CouponTemplate {
            id: CouponTemplateId(dto.id),
            name: dto.name,
            face: Money::from_fen(dto.face_fen),
            threshold: Money::from_fen(dto.threshold_fen),
            valid_days: dto.valid_days,
        }
    }
}
