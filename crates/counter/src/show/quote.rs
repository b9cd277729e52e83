//! A price as the summary bar shows it.

use qiantai_core::account::Account;
use qiantai_core::policy::{LimitAction, LimitKind, Policy};
use qiantai_core::quote::{LimitCause, LimitNotice, Quote, RuleKind, RuleVerdict};
use qiantai_core::{Millis, Timestamp};

use crate::show::{count, coupon_names, tier_name};
use crate::view::order::PartsView;
use crate::view::top_up::{NoticeView, QuoteView};

/// What is known besides the price itself.
pub struct QuoteContext<'a> {
    /// Rules used.
    pub policy: &'a Policy,
    /// The account now.
    pub account: &'a Account,
    /// Name of this price.
    pub quote_id: String,
    /// Number of an equal order within two minutes.
    pub duplicate_of: Option<String>,
    /// Number of another order whose payment has not ended.
    pub unsettled: Option<String>,
    /// Both parts of a split.
    pub parts: Option<PartsView>,
}

/// The summary of `quote`.
pub fn quote_view(quote: &Quote, context: QuoteContext<'_>) -> QuoteView {
    let QuoteContext {
        policy,
        account,
        quote_id,
        duplicate_of,
        unsettled,
        parts,
    } = context;
    let notices = notices(quote);
    let principal_after = account.principal + quote.pay;
    let bonus_after = account.bonus + quote.bonus;
    let frozen = account.frozen_principal + account.frozen_bonus;
    QuoteView {
        quote_id,
        pay_fen: quote.pay.into(),
        parts,
        bonus_fen: quote.bonus.into(),
        bonus_expires_ms: bonus_expiry(quote, quote.quoted_at).map(Into::into),
        balance_after_fen: (principal_after + bonus_after - frozen).into(),
        principal_after_fen: principal_after.into(),
        bonus_after_fen: bonus_after.into(),
        points: count(quote.points),
        coupons: coupon_names(policy, &quote.coupons),
        tier_before: tier_name(policy, quote.tier.0),
        tier_after: tier_name(policy, quote.tier.1),
        upgrade: quote.tier.0 != quote.tier.1,
        reasons: reasons(quote),
        blocked: notices.iter().any(|notice| notice.blocks),
        notices,
        duplicate_of,
        unsettled,
        valid_until_ms: (quote.quoted_at + policy.quote_valid).into(),
    }
}

/// Names of the rules that gave something. A tier that is reached is told as such.
pub fn reasons(quote: &Quote) -> Vec<String> {
    let matched = quote.rules.iter().filter(|rule| {
        rule.kind != RuleKind::Tier
            && matches!(rule.verdict, RuleVerdict::Matched | RuleVerdict::Capped)
    });
    matched.map(|rule| rule.name.clone()).collect()
}

/// The limits that `quote` touches.
pub fn notices(quote: &Quote) -> Vec<NoticeView> {
    quote.notices.iter().map(notice_view).collect()
}

/// The first limit that forbids `quote`.
pub fn forbidden_by(quote: &Quote) -> Option<NoticeView> {
    notices(quote).into_iter().find(|notice| notice.blocks)
}

fn bonus_expiry(quote: &Quote, credited_at: Timestamp) -> Option<Timestamp> {
    if quote.bonus.is_zero() {
        return None;
    }
    quote
        .bonus_valid_days
        .map(|days| credited_at + Millis::days(i64::from(days)))
}

fn notice_view(notice: &LimitNotice) -> NoticeView {
    let key = match notice.cause {
        LimitCause::Compliance(LimitKind::OutstandingPrincipal) => "outstanding_principal",
        LimitCause::Compliance(LimitKind::AllKindsTogether) => "all_kinds_together",
        LimitCause::Compliance(LimitKind::SingleOrder) => "single_order",
        LimitCause::Compliance(LimitKind::CashByPerson) => "cash_by_person",
        LimitCause::SinglePay => "single_pay",
        LimitCause::DaySum => "day_sum",
        LimitCause::NewMemberCash => "new_member_cash",
    };
    NoticeView {
        message_key: format!("limit.{key}"),
        limit_fen: notice.limit.into(),
        reached_fen: notice.reached.into(),
        blocks: notice.action != LimitAction::Warn,
        reviews: notice.action == LimitAction::Review,
    }
}
