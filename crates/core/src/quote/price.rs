//! The price of a top-up. The terminal shows it, the server decides by it.

use super::limits::{self, TopUp};
use crate::account::Account;
use crate::clock::Timestamp;
use crate::decide::{RecentOrder, Refusal, RefusalCode};
use crate::ids::{CouponTemplateId, PackageId, PromotionId, TierId};
use crate::money::Money;
use crate::policy::{Ladder, LadderBonus, LadderRow, Package, Policy};
use crate::quote::{CashShare, Quote, RuleKind, RuleLine, RuleVerdict};
use crate::recharge::AmountChoice;
use crate::tier;
use time::Date;

/// No order asks for more, whatever the rules say; beyond it a number is a typing error.
pub const MOST_PER_ORDER: Money = Money::from_yuan(10_000_000);

/// What `choice` costs and brings under `policy` at `now`, and which limits it passes. A passed
/// limit is a notice, not an error: whoever opens the order acts on it.
///
/// `recent` are the orders of the last 24 hours; those of other members are ignored.
///
/// # Errors
/// `AmountOutOfRange`, `AmountNotOnSale` or `PackageNotOnSale`.
pub fn price(
    policy: &Policy,
    account: &Account,
    member_registered_at: Timestamp,
    choice: AmountChoice,
    cash: CashShare,
    recent: &[RecentOrder],
    now: Timestamp,
) -> Result<Quote, Refusal> {
    let today = now.business_date(policy.store.cut_off_minutes);
    let offer = match choice {
        AmountChoice::Package(id, version) => package_offer(policy, id, version, today)?,
        AmountChoice::Amount(amount) => amount_offer(policy, amount, today)?,
    };
    let top_up = TopUp {
        account,
        registered_at: member_registered_at,
        pay: offer.pay,
        cash: cash.of(offer.pay),
        recent,
        now,
    };
    let notices = limits::passed(policy, &top_up);
    let mut quote = quote_of(policy, account, offer, now);
    quote.notices = notices;
    Ok(quote)
}

/// Money received that no rule prices: it becomes principal and earns growth and points, and
/// brings no bonus. Limits are not looked at, for the money is there already.
pub(crate) fn bare_price(policy: &Policy, account: &Account, pay: Money, now: Timestamp) -> Quote {
    let offer = Offer {
        pay,
        bonus: Money::ZERO,
        extra_points: 0,
        coupons: &[],
        rules: Vec::new(),
    };
    quote_of(policy, account, offer, now)
}

/// Money, bonus and gifts before tier, points and limits are looked at.
struct Offer<'a> {
    pay: Money,
    bonus: Money,
    extra_points: i64,
    coupons: &'a [(CouponTemplateId, u16)],
    rules: Vec<RuleLine>,
}

fn package_offer(
    policy: &Policy,
    id: PackageId,
    version: u32,
    today: Date,
) -> Result<Offer<'_>, Refusal> {
    let on_sale = |package: &&Package| {
        package.id == id && package.version == version && is_within(package.on_sale, today)
    };
    let package = policy
        .packages
        .iter()
        .find(on_sale)
        .ok_or(Refusal::new(RefusalCode::PackageNotOnSale))?;
    in_range(package.pay)?;
    let rule = RuleLine {
        kind: RuleKind::Package,
        promotion: None,
        version,
        name: package.name.clone(),
        verdict: RuleVerdict::Matched,
        bonus: package.bonus,
    };
    Ok(Offer {
        pay: package.pay,
        bonus: package.bonus,
        extra_points: package.extra_points,
        coupons: &package.coupons,
        rules: vec![rule],
    })
}

fn amount_offer(policy: &Policy, amount: Money, today: Date) -> Result<Offer<'_>, Refusal> {
    in_range(amount)?;
    if !policy.custom_amount && !policy.fixed_amounts.contains(&amount) {
        return Err(Refusal::new(RefusalCode::AmountNotOnSale));
    }
    let best = best_row(policy, amount, today);
    let rules = policy
        .ladders
        .iter()
        .map(|ladder| ladder_line(ladder, amount, today, best.map(|best| best.promotion)))
        .collect();
    Ok(Offer {
        pay: amount,
        bonus: best.map_or(Money::ZERO, |best| best.bonus),
        extra_points: 0,
        coupons: best.map_or(&[], |best| &best.row.coupons),
        rules,
    })
}

fn in_range(amount: Money) -> Result<(), Refusal> {
    match amount.is_positive() && amount <= MOST_PER_ORDER {
        true => Ok(()),
        false => Err(Refusal::new(RefusalCode::AmountOutOfRange)),
    }
}

#[derive(Clone, Copy)]
struct BestRow<'a> {
    promotion: PromotionId,
    row: &'a LadderRow,
    bonus: Money,
}

/// The member's best ladder; equal ones by the lower id (docs: domain §3.4).
fn best_row(policy: &Policy, amount: Money, today: Date) -> Option<BestRow<'_>> {
    let ladders = policy
        .ladders
        .iter()
        .filter(|ladder| is_within(ladder.dates, today));
    ladders
        .filter_map(|ladder| {
            let row = matching_row(ladder, amount)?;
            let bonus = row_bonus(row.bonus, amount);
            Some(BestRow {
                promotion: ladder.id,
                row,
                bonus,
            })
        })
        .min_by_key(|best| (-best.bonus, best.promotion))
}

fn matching_row(ladder: &Ladder, amount: Money) -> Option<&LadderRow> {
    ladder
        .rows
        .iter()
        .filter(|row| row.threshold <= amount)
        .max_by_key(|row| row.threshold)
}

fn row_bonus(bonus: LadderBonus, amount: Money) -> Money {
    match bonus {
        LadderBonus::Fixed(bonus) => bonus,
        LadderBonus::Percent(basis_points) => amount.basis_points_floor_yuan(basis_points),
        LadderBonus::EveryFull { every, .. } if !every.is_positive() => Money::ZERO,
        LadderBonus::EveryFull { every, bonus, cap } => {
            let steps = amount.fen() / every.fen();
            Money::from_fen(bonus.fen().saturating_mul(steps)).min(cap)
        }
    }
}

fn ladder_line(ladder: &Ladder, amount: Money, today: Date, best: Option<PromotionId>) -> RuleLine {
    let row = matching_row(ladder, amount);
    let verdict = match row {
        _ if !is_within(ladder.dates, today) => RuleVerdict::OutOfDates,
        None => RuleVerdict::BelowThreshold,
        Some(_) if best == Some(ladder.id) => RuleVerdict::Matched,
        Some(_) => RuleVerdict::Outranked,
    };
    let bonus = match (verdict, row) {
        (RuleVerdict::Matched, Some(row)) => row_bonus(row.bonus, amount),
        _ => Money::ZERO,
    };
    RuleLine {
        kind: RuleKind::Ladder,
        promotion: Some(ladder.id),
        version: ladder.version,
        name: ladder.name.clone(),
        verdict,
        bonus,
    }
}

fn is_within(dates: Option<(Date, Date)>, today: Date) -> bool {
    dates.is_none_or(|(first, last)| first <= today && today <= last)
}

fn quote_of(policy: &Policy, account: &Account, offer: Offer<'_>, now: Timestamp) -> Quote {
    let Offer {
        pay,
        bonus,
        extra_points,
        coupons,
        mut rules,
    } = offer;
    let granted = bonus.min(bonus_cap(policy, pay)).max(Money::ZERO);
    if granted < bonus {
        rules.push(cap_line(policy));
    }
    let net = tier::net_recharged(account) + pay;
    let tier_after = tier::after_credit(&policy.tiers, account.tier, net);
    rules.push(tier_line(policy, account.tier, tier_after));
    Quote {
        policy_version: policy.version,
        quoted_at: now,
        pay,
        bonus: granted,
        bonus_valid_days: policy.bonus_valid_days.filter(|_| granted.is_positive()),
        points: points(policy, account.tier, pay).saturating_add(extra_points),
        growth: pay
            .whole_yuan()
            .saturating_mul(policy.earning.growth_per_yuan),
        coupons: known_coupons(policy, coupons),
        tier: (account.tier, tier_after),
        rules,
        notices: Vec::new(),
    }
}

fn bonus_cap(policy: &Policy, pay: Money) -> Money {
    let fen = i128::from(pay.fen()) * i128::from(policy.bonus_cap_bp) / 10_000;
    Money::from_fen(i64::try_from(fen).unwrap_or(i64::MAX))
}

fn cap_line(policy: &Policy) -> RuleLine {
    RuleLine {
        kind: RuleKind::BonusCap,
        promotion: None,
        version: policy.version,
        name: format!("{}%", policy.bonus_cap_bp / 100),
        verdict: RuleVerdict::Capped,
        bonus: Money::ZERO,
    }
}

fn tier_line(policy: &Policy, before: TierId, after: TierId) -> RuleLine {
    let name = policy
        .tiers
        .iter()
        .find(|tier| tier.id == after)
        .map(|tier| tier.name.clone());
    RuleLine {
        kind: RuleKind::Tier,
        promotion: None,
        version: policy.version,
        name: name.unwrap_or_default(),
        verdict: if before == after {
            RuleVerdict::BelowThreshold
        } else {
            RuleVerdict::Matched
        },
        bonus: Money::ZERO,
    }
}

/// ⌊yuan⌋ × base × tier rate × recharge rate, floored, at the tier held before the top-up.
fn points(policy: &Policy, held: TierId, pay: Money) -> i64 {
    let tier_rate = policy
        .tiers
        .iter()
        .find(|tier| tier.id == held)
        .map_or(10_000, |tier| tier.points_rate_bp);
    let base = i128::from(pay.whole_yuan()) * i128::from(policy.earning.points_per_yuan);
    let rated = base
        .saturating_mul(i128::from(tier_rate))
        .saturating_mul(i128::from(policy.earning.recharge_rate_bp));
    i64::try_from(rated / 100_000_000).unwrap_or(i64::MAX)
}

/// A gift whose kind the rules do not define cannot be issued and is not promised.
fn known_coupons(
    policy: &Policy,
    coupons: &[(CouponTemplateId, u16)],
) -> Vec<(CouponTemplateId, u16)> {
    let is_known = |id| {
        policy
            .coupon_templates
            .iter()
            .any(|template| template.id == id)
    };
    coupons
        .iter()
        .copied()
        .filter(|(id, _)| is_known(*id))
        .collect()
}
