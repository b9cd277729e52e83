//! A member's stored value: one account, many lots, principal and bonus apart.

use crate::clock::Timestamp;
use crate::ids::{LotId, MemberId, OrderId, TierId};
use crate::money::Money;
use crate::policy::SpendOrder;

/// Stored value, growth, points and tier of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The member; one account each.
    pub member: MemberId,
    /// Σ lot principal left.
    pub principal: Money,
    /// Σ lot bonus left.
    pub bonus: Money,
    /// Principal held (consumption, refund, dispute, lease).
    pub frozen_principal: Money,
    /// Bonus held.
    pub frozen_bonus: Money,
    /// Debt from offline spending; never below zero.
    pub debt: Money,
    /// Σ principal ever recharged.
    pub recharged: Money,
    /// Σ principal ever refunded; `recharged − refunded` is the tier basis.
    pub refunded: Money,
    /// Σ bonus ever granted.
    pub bonus_granted: Money,
    /// Growth value.
    pub growth: i64,
    /// Points.
    pub points: i64,
    /// Points owed after a refund.
    pub points_debt: i64,
    /// Current tier.
    pub tier: TierId,
    /// When the tier is evaluated again.
    pub tier_valid_until: Option<Timestamp>,
    /// Sequence of the last journal entry.
    pub last_seq: u64,
    /// Lots with anything left, oldest first.
    pub lots: Vec<Lot>,
}

/// 储值批次: what one credit brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Identity.
    pub id: LotId,
    /// The recharge order, or `None` for an opening balance.
    pub order: Option<OrderId>,
    /// Principal at credit.
    pub principal_init: Money,
    /// Principal left.
    pub principal_left: Money,
    /// Bonus at credit.
    pub bonus_init: Money,
    /// Bonus left.
    pub bonus_left: Money,
    /// When bonus left expires; principal never does (docs: domain §3.6).
    pub bonus_expires_at: Option<Timestamp>,
    /// Frozen spending policy.
    pub spend_order: SpendOrder,
    /// When it was credited.
    pub credited_at: Timestamp,
}
