//! A member as the counter shows them.

use qiantai_core::account::Account;
use qiantai_core::member::{Member, MemberProfile, MemberStatus};
use qiantai_core::policy::Policy;
use qiantai_core::{Millis, Money, Timestamp, masking, tier};

use crate::show::{count, tier_name};
use crate::view::member::{ExpiringBonus, MemberHit, MemberView, NextTier, RecentEntry};

/// Bonus that expires within this span is pointed out (docs: domain §3.6).
pub const EXPIRY_WARNING: Millis = Millis::days(30);

/// One member with everything shown on the left side of the counter.
pub struct MemberCard<'a> {
    /// The ledger's view.
    pub member: &'a Member,
    /// Personal data.
    pub profile: &'a MemberProfile,
    /// With own operations applied that the server has not confirmed.
    pub account: &'a Account,
    /// As the server last said.
    pub confirmed: &'a Account,
    /// Rules in force.
    pub policy: &'a Policy,
    /// Usable coupons.
    pub coupons: u32,
    /// Latest top-ups.
    pub recent: Vec<RecentEntry>,
    /// State of the server's books.
    pub as_of: Option<Timestamp>,
    /// Now.
    pub now: Timestamp,
}

/// Balance that can be spent.
pub fn available(account: &Account) -> Money {
    account.principal + account.bonus - account.frozen_principal - account.frozen_bonus
}

impl MemberCard<'_> {
    /// The view.
    pub fn view(self) -> MemberView {
        let account = self.account;
        MemberView {
            id: self.member.id.to_string(),
            name: self.profile.name.clone(),
            phone: masking::phone(&self.profile.phone),
            member_no: self.member.member_no.clone(),
            tier: tier_name(self.policy, account.tier),
            available_fen: available(account).into(),
            principal_fen: account.principal.into(),
            bonus_fen: account.bonus.into(),
            provisional_fen: (available(account) - available(self.confirmed)).into(),
            points: count(account.points),
            recharged_fen: tier::net_recharged(account).into(),
            next_tier: next_tier(self.policy, account),
            expiring: expiring(account, self.now),
            coupons: self.coupons,
            active: self.member.status == MemberStatus::Active,
            recent: self.recent,
            as_of_ms: self.as_of.map(Into::into),
        }
    }
}

/// One line of a search result.
pub fn hit(
    member: &Member,
    profile: &MemberProfile,
    account: &Account,
    policy: &Policy,
) -> MemberHit {
    MemberHit {
        id: member.id.to_string(),
        name: profile.name.clone(),
        phone: masking::phone(&profile.phone),
        member_no: member.member_no.clone(),
        tier: tier_name(policy, account.tier),
        available_fen: available(account).into(),
        birth_month: profile.birth_month,
    }
}

fn next_tier(policy: &Policy, account: &Account) -> Option<NextTier> {
    let (next, missing) = tier::next_gap(&policy.tiers, account)?;
    let current = policy.tiers.iter().find(|tier| tier.id == account.tier);
    let from = current.map_or(Money::ZERO, |tier| tier.threshold);
    let span = (next.threshold - from).fen().max(1);
    let done = (span - missing.fen()).clamp(0, span);
    let percent = u8::try_from(done.saturating_mul(100) / span).unwrap_or(100);
    Some(NextTier {
        name: next.name.clone(),
        missing_fen: missing.into(),
        percent,
    })
}

fn expiring(account: &Account, now: Timestamp) -> Option<ExpiringBonus> {
    let soon = account
        .lots
        .iter()
        .filter(|lot| lot.bonus_left.is_positive())
        .filter_map(|lot| {
            let at = lot.bonus_expires_at?;
            (at > now && at <= now + EXPIRY_WARNING).then_some((at, lot.bonus_left))
        });
    let (mut first, mut amount) = (None::<Timestamp>, Money::ZERO);
    for (at, left) in soon {
        first = Some(first.map_or(at, |earlier| earlier.min(at)));
        amount += left;
    }
    first.map(|at| ExpiringBonus {
        amount_fen: amount.into(),
        at_ms: at.into(),
    })
}
