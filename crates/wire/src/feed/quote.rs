//! Quotes with their rule snapshot.

use qiantai_core::ids::{CouponTemplateId, PromotionId, TierId};
use qiantai_core::quote::{LimitCause, LimitNotice, Quote, RuleLine};
use qiantai_core::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::codes::{LimitActionDto, LimitKindDto, RuleKindDto, RuleVerdictDto};

/// A priced top-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuoteDto {
    /// Rules used.
    pub policy_version: u32,
    /// When it was computed.
    pub quoted_at_ms: i64,
    /// Amount to pay.
    pub pay_fen: i64,
    /// Bonus granted.
    pub bonus_fen: i64,
    /// Days of validity of that bonus; `None` for ever.
    pub bonus_valid_days: Option<u16>,
    /// Points granted.
    pub points: i64,
    /// Growth granted.
    pub growth: i64,
    /// Coupons granted.
    pub coupons: Vec<CouponGrantDto>,
    /// Tier before.
    pub tier_before: Uuid,
    /// Tier after.
    pub tier_after: Uuid,
    /// Every rule looked at, in order.
    pub rules: Vec<RuleLineDto>,
    /// Limits and review triggers touched.
    pub notices: Vec<LimitNoticeDto>,
}

impl From<&Quote> for QuoteDto {
    fn from(quote: &Quote) -> QuoteDto {
        QuoteDto {
            policy_version: quote.policy_version,
            quoted_at_ms: quote.quoted_at.ms(),
            pay_fen: quote.pay.fen(),
            bonus_fen: quote.bonus.fen(),
            bonus_valid_days: quote.bonus_valid_days,
            points: quote.points,
            growth: quote.growth,
            coupons: quote
                .coupons
                .iter()
                .copied()
                .map(CouponGrantDto::from)
                .collect(),
            tier_before: quote.tier.0.0,
            tier_after: quote.tier.1.0,
            rules: quote.rules.iter().map(RuleLineDto::from).collect(),
            notices: quote
                .notices
                .iter()
                .copied()
                .map(LimitNoticeDto::from)
                .collect(),
        }
    }
}

impl From<QuoteDto> for Quote {
    fn from(dto: QuoteDto) -> Quote {
        Quote {
            policy_version: dto.policy_version,
            quoted_at: Timestamp::from_ms(dto.quoted_at_ms),
            pay: Money::from_fen(dto.pay_fen),
            bonus: Money::from_fen(dto.bonus_fen),
            bonus_valid_days: dto.bonus_valid_days,
            points: dto.points,
            growth: dto.growth,
            coupons: dto.coupons.into_iter().map(Into::into).collect(),
            tier: (TierId(dto.tier_before), TierId(dto.tier_after)),
            rules: dto.rules.into_iter().map(RuleLine::from).collect(),
            notices: dto.notices.into_iter().map(LimitNotice::from).collect(),
        }
    }
}

/// Coupons of one kind that a rule grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CouponGrantDto {
    /// Kind.
    pub template: Uuid,
    /// How many.
    pub count: u16,
}

impl From<(CouponTemplateId, u16)> for CouponGrantDto {
    fn from((template, count): (CouponTemplateId, u16)) -> CouponGrantDto {
        CouponGrantDto {
            template: template.0,
            count,
        }
    }
}

impl From<CouponGrantDto> for (CouponTemplateId, u16) {
    fn from(dto: CouponGrantDto) -> (CouponTemplateId, u16) {
        (CouponTemplateId(dto.template), dto.count)
    }
}

/// One rule of the snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleLineDto {
    /// What kind of rule.
    pub kind: RuleKindDto,
    /// Promotion, when it is one.
    pub promotion: Option<Uuid>,
    /// Version of the promotion or package.
    pub version: u32,
    /// Name as shown.
    pub name: String,
    /// Whether it counted, and if not, why.
    pub verdict: RuleVerdictDto,
    /// Bonus it gave.
    pub bonus_fen: i64,
}

impl From<&RuleLine> for RuleLineDto {
    fn from(line: &RuleLine) -> RuleLineDto {
        RuleLineDto {
            kind: line.kind.into(),
            promotion: line.promotion.map(|id| id.0),
            version: line.version,
            name: line.name.clone(),
            verdict: line.verdict.into(),
            bonus_fen: line.bonus.fen(),
        }
    }
}

impl From<RuleLineDto> for RuleLine {
    fn from(dto: RuleLineDto) -> RuleLine {
        RuleLine {
            kind: dto.kind.into(),
            promotion: dto.promotion.map(PromotionId),
            version: dto.version,
            name: dto.name,
            verdict: dto.verdict.into(),
            bonus: Money::from_fen(dto.bonus_fen),
        }
    }
}

/// A limit that a top-up touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LimitNoticeDto {
    /// Which limit.
    pub cause: LimitCauseDto,
    /// The limit's amount.
    pub limit_fen: i64,
    /// The amount reached.
    pub reached_fen: i64,
    /// What happens.
    pub action: LimitActionDto,
}

impl From<LimitNotice> for LimitNoticeDto {
    fn from(notice: LimitNotice) -> LimitNoticeDto {
        LimitNoticeDto {
            cause: notice.cause.into(),
            limit_fen: notice.limit.fen(),
            reached_fen: notice.reached.fen(),
            action: notice.action.into(),
        }
    }
}

impl From<LimitNoticeDto> for LimitNotice {
    fn from(dto: LimitNoticeDto) -> LimitNotice {
        LimitNotice {
            cause: dto.cause.into(),
            limit: Money::from_fen(dto.limit_fen),
            reached: Money::from_fen(dto.reached_fen),
            action: dto.action.into(),
        }
    }
}

/// Limits and review triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "limit", rename_all = "snake_case")]
pub enum LimitCauseDto {
    /// A limit of the compliance profile.
    Compliance(LimitKindDto),
    /// A single payment above the review threshold.
    SinglePay,
    /// Payments within 24 h above the review threshold.
    DaySum,
    /// Cash of a new member above the review threshold.
    NewMemberCash,
}

impl From<LimitCause> for LimitCauseDto {
    fn from(cause: LimitCause) -> LimitCauseDto {
        match cause {
            LimitCause::Compliance(kind) => LimitCauseDto::Compliance(kind.into()),
            LimitCause::SinglePay => LimitCauseDto::SinglePay,
            LimitCause::DaySum => LimitCauseDto::DaySum,
            LimitCause::NewMemberCash => LimitCauseDto::NewMemberCash,
        }
    }
}

impl From<LimitCauseDto> for LimitCause {
    fn from(dto: LimitCauseDto) -> LimitCause {
        match dto {
            LimitCauseDto::Compliance(kind) => LimitCause::Compliance(kind.into()),
            LimitCauseDto::SinglePay => LimitCause::SinglePay,
            LimitCauseDto::DaySum => LimitCause::DaySum,
            LimitCauseDto::NewMemberCash => LimitCause::NewMemberCash,
        }
    }
}
