//! What a top-up will cost and bring, and why. Pure: the terminal and the server compute the
//! same quote from the same policy version.

mod limits;
pub mod price;

pub(crate) use price::bare_price;
pub use price::{MOST_PER_ORDER, price};

use crate::clock::Timestamp;
use crate::ids::{CouponTemplateId, PromotionId, TierId};
use crate::money::Money;

/// What of a top-up is cash. Limits on cash look at nothing else; the price is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CashShare {
    /// Nothing.
    None,
    /// This much, and the rest by another method.
    Part(Money),
    /// All of it.
    Whole,
}

impl CashShare {
    /// Of a split with `part` in cash; without one, nothing.
    pub fn of_part(part: Option<Money>) -> CashShare {
        part.map_or(CashShare::None, CashShare::Part)
    }

    /// How much of `pay` it is.
    fn of(self, pay: Money) -> Money {
        match self {
            CashShare::None => Money::ZERO,
            CashShare::Part(part) => part.clamp(Money::ZERO, pay),
            CashShare::Whole => pay,
        }
    }
}

/// A priced top-up. Frozen on the order as its rule snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Rules used.
    pub policy_version: u32,
    /// When it was computed; it may open an order for `Policy::quote_valid`.
    pub quoted_at: Timestamp,
    /// Amount to pay; becomes principal.
    pub pay: Money,
    /// Bonus granted.
    pub bonus: Money,
    /// When that bonus expires, counted from `quoted_at`'s credit.
    pub bonus_valid_days: Option<u16>,
    /// Points granted.
    pub points: i64,
    /// Growth granted.
    pub growth: i64,
    /// Coupons granted, with count.
    pub coupons: Vec<(CouponTemplateId, u16)>,
    /// Tier before and after.
    pub tier: (TierId, TierId),
    /// Every rule looked at, in order, with its verdict: the rule snapshot.
    pub rules: Vec<RuleLine>,
    /// What the compliance profile and review triggers say.
    pub notices: Vec<LimitNotice>,
}

impl Quote {
    /// True when both ask for the same money and promise the same: what a cashier told the
    /// member still holds.
    pub fn promises_same(&self, other: &Quote) -> bool {
        self.promises_same_money(other)
            && self.points == other.points
            && self.growth == other.growth
            && self.tier == other.tier
    }

    /// True when amount, bonus and coupons are equal. Points and tier may differ on an offline
    /// terminal, which calls them provisional.
    pub fn promises_same_money(&self, other: &Quote) -> bool {
        self.pay == other.pay && self.bonus == other.bonus && self.coupons == other.coupons
    }

    /// The strongest thing that a limit asks for, if any limit is passed.
    pub fn limit_action(&self) -> Option<crate::policy::LimitAction> {
        use crate::policy::LimitAction::{Block, Review, Warn};
        [Block, Review, Warn]
            .into_iter()
            .find(|action| self.notices.iter().any(|notice| notice.action == *action))
    }
}

/// One rule of the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleLine {
    /// What kind of rule.
    pub kind: RuleKind,
    /// Promotion, when it is one.
    pub promotion: Option<PromotionId>,
    /// Version of the promotion or package.
    pub version: u32,
    /// Name as shown.
    pub name: String,
    /// Whether it counted, and if not, why.
    pub verdict: RuleVerdict,
    /// Bonus it gave (zero unless matched).
    pub bonus: Money,
}

/// Kinds of rule in a snapshot. First recharge, birthday, stacking and budgets add kinds here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// A package matched by id and version.
    Package,
    /// A ladder row.
    Ladder,
    /// The cap on total bonus.
    BonusCap,
    /// Tier by net principal.
    Tier,
}

/// Whether a rule counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleVerdict {
    /// It counted.
    Matched,
    /// The amount is below its lowest row.
    BelowThreshold,
    /// Outside its dates.
    OutOfDates,
    /// A better or exclusive rule took its place.
    Outranked,
    /// It cut the bonus of others.
    Capped,
}

/// A limit that this top-up touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitNotice {
    /// Which limit.
    pub cause: LimitCause,
    /// The limit's amount.
    pub limit: Money,
    /// The amount reached.
    pub reached: Money,
    /// What happens.
    pub action: crate::policy::LimitAction,
}

/// Limits and review triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitCause {
    /// A limit of the compliance profile.
    Compliance(crate::policy::LimitKind),
    /// A single payment above the review threshold.
    SinglePay,
    /// Payments within 24 h above the review threshold.
    DaySum,
    /// Cash of a new member above the review threshold.
    NewMemberCash,
}
