//! Tiers by net principal recharged (docs: domain §3.5). Bonus never counts.

use crate::account::Account;
use crate::ids::TierId;
use crate::money::Money;
use crate::policy::Tier;

/// The highest tier that `net` principal reaches; `None` only without any tier in the rules.
pub fn reached(tiers: &[Tier], net: Money) -> Option<&Tier> {
    tiers
        .iter()
        .filter(|tier| tier.threshold <= net)
        .max_by_key(|tier| tier.rank)
}

/// The tier after a credit that brings the net principal to `net`: may jump levels, never falls.
/// Falling happens when a tier's validity ends, or on a refund.
pub fn after_credit(tiers: &[Tier], current: TierId, net: Money) -> TierId {
    let held = tiers.iter().find(|tier| tier.id == current);
    match (held, reached(tiers, net)) {
        (Some(held), Some(reached)) if reached.rank > held.rank => reached.id,
        // A tier that the rules no longer know is worth less than any that they do.
        (None, Some(reached)) => reached.id,
        _ => current,
    }
}

/// The next tier above the one held and the principal still missing for it; `None` at the top.
pub fn next_gap<'a>(tiers: &'a [Tier], account: &Account) -> Option<(&'a Tier, Money)> {
    let net = net_recharged(account);
    let rank = tiers
        .iter()
        .find(|tier| tier.id == account.tier)
        .map(|tier| tier.rank);
    tiers
        .iter()
        .filter(|tier| rank.is_none_or(|rank| tier.rank > rank) && tier.threshold > net)
        .min_by_key(|tier| tier.rank)
        .map(|tier| (tier, tier.threshold - net))
}

/// Principal recharged less principal refunded: the basis of the tier.
pub fn net_recharged(account: &Account) -> Money {
    account.recharged - account.refunded
}
