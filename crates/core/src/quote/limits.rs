//! Limits of the compliance profile and triggers of a review (docs: domain §3.7, §3.8).

use crate::account::Account;
use crate::clock::{Millis, Timestamp};
use crate::decide::RecentOrder;
use crate::money::Money;
use crate::policy::{LimitAction, LimitKind, Policy};
use crate::quote::{LimitCause, LimitNotice};

/// A top-up as limits see it.
pub(super) struct TopUp<'a> {
    pub(super) account: &'a Account,
    pub(super) registered_at: Timestamp,
    pub(super) pay: Money,
    /// What of it is cash.
    pub(super) cash: Money,
    pub(super) recent: &'a [RecentOrder],
    pub(super) now: Timestamp,
}

/// Every limit and trigger that the top-up passes.
pub(super) fn passed(policy: &Policy, top_up: &TopUp<'_>) -> Vec<LimitNotice> {
    compliance(policy, top_up)
        .chain(review(policy, top_up))
        .filter(|notice| notice.reached > notice.limit)
        .collect()
}

fn compliance(policy: &Policy, top_up: &TopUp<'_>) -> impl Iterator<Item = LimitNotice> {
    let limits = policy.compliance.limits.iter();
    limits
        .filter(|limit| limit.effective_from <= top_up.now)
        .map(|limit| LimitNotice {
            cause: LimitCause::Compliance(limit.kind),
            limit: limit.amount,
            reached: measured(limit.kind, top_up),
            action: limit.action,
        })
}

fn measured(kind: LimitKind, top_up: &TopUp<'_>) -> Money {
    match kind {
        LimitKind::OutstandingPrincipal => top_up.account.principal + top_up.pay,
        // Time and count cards join this sum when they can be sold.
        LimitKind::AllKindsTogether => {
            let running = top_up
                .account
                .lots
                .iter()
                .filter(|lot| lot.principal_left.is_positive());
            running.map(|lot| lot.principal_init).sum::<Money>() + top_up.pay
        }
        LimitKind::SingleOrder => top_up.pay,
        LimitKind::CashByPerson => top_up.cash,
    }
}

fn review(policy: &Policy, top_up: &TopUp<'_>) -> [LimitNotice; 3] {
    let thresholds = &policy.review;
    let cut_off = policy.store.cut_off_minutes;
    let is_new = top_up.registered_at.business_date(cut_off) == top_up.now.business_date(cut_off);
    let new_member_cash = if is_new { top_up.cash } else { Money::ZERO };
    let notice = |cause, limit, reached| LimitNotice {
        cause,
        limit,
        reached,
        action: LimitAction::Review,
    };
    [
        notice(LimitCause::SinglePay, thresholds.single_pay, top_up.pay),
        notice(LimitCause::DaySum, thresholds.day_sum, day_sum(top_up)),
        notice(
            LimitCause::NewMemberCash,
            thresholds.new_member_cash,
            new_member_cash,
        ),
    ]
}

/// What the member paid or is about to pay within 24 hours, this top-up included.
fn day_sum(top_up: &TopUp<'_>) -> Money {
    let since = top_up.now - Millis::hours(24);
    let others = top_up
        .recent
        .iter()
        .filter(|order| order.member == top_up.account.member)
        .filter(|order| order.alive && order.opened_at > since);
    others.map(|order| order.pay).sum::<Money>() + top_up.pay
}
