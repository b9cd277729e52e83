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
    /// Lots with anything left, by time of credit and then id.
    pub lots: Vec<Lot>,
}

impl Account {
    /// Adds a lot where it belongs: an offline top-up may arrive after a later one.
    pub fn add_lot(&mut self, lot: Lot) {
        self.lots.push(lot);
        self.lots.sort_by_key(|lot| (lot.credited_at, lot.id));
    }
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

/// What one lot gives to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The lot.
    pub lot: LotId,
    /// Principal drawn.
    pub principal: Money,
    /// Bonus drawn.
    pub bonus: Money,
}

/// The lots cannot cover the payment; nothing is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stored value is short of {missing}")]
pub struct BalanceShort {
    /// What is missing.
    pub missing: Money,
}

/// What each lot gives to a payment of `amount`, lots by earliest bonus expiry and then oldest
/// first (docs: domain §3.1). `with_bonus` is false for goods that bonus may not buy: then only
/// principal is drawn.
///
/// # Errors
/// [`BalanceShort`] when the lots hold less than `amount`.
pub fn draw(lots: &[Lot], amount: Money, with_bonus: bool) -> Result<Vec<Draw>, BalanceShort> {
    let mut in_order: Vec<&Lot> = lots.iter().collect();
    in_order.sort_by_key(|lot| {
        let expiry = lot
            .bonus_expires_at
            .filter(|_| lot.bonus_left.is_positive());
        (expiry.is_none(), expiry, lot.credited_at, lot.id)
    });
    let mut missing = amount.max(Money::ZERO);
    let mut draws = Vec::new();
    for lot in in_order {
        let held = if with_bonus {
            lot.principal_left + lot.bonus_left
        } else {
            lot.principal_left
        };
        let taken = missing.min(held);
        if taken.is_positive() {
            let (principal, bonus) = if with_bonus {
                split(lot, taken)
            } else {
                (taken, Money::ZERO)
            };
            draws.push(Draw {
                lot: lot.id,
                principal,
                bonus,
            });
            missing -= taken;
        }
    }
    match missing.is_zero() {
        true => Ok(draws),
        false => Err(BalanceShort { missing }),
    }
}

/// Principal and bonus that make up `amount` from one lot that holds at least that much. In
/// proportion, `p = round_half_up(a·P/(P+B))`: the last payment empties both.
fn split(lot: &Lot, amount: Money) -> (Money, Money) {
    let (principal, bonus) = (lot.principal_left, lot.bonus_left);
    let from_principal = match lot.spend_order {
        SpendOrder::Proportional => {
            amount.ratio_round_half_up(principal.fen(), (principal + bonus).fen())
        }
        SpendOrder::BonusLast => amount.min(principal),
        SpendOrder::BonusFirst => amount - amount.min(bonus),
    };
    (from_principal, amount - from_principal)
}
