//! One order in words that a manager understands: why this price, how it was paid, what was signed,
//! and what the books hold.

use qiantai_core::attempt::{AttemptState, Channel, PayMethod, PaymentAttempt};
use qiantai_core::ids::OrderId;
use qiantai_core::policy::Policy;
use qiantai_core::quote::{RuleKind, RuleLine, RuleVerdict};
use qiantai_core::recharge::Credit;

use crate::counter::Counter;
use crate::error::CallError;
use crate::overlay::decode;
use crate::queue::operation_view;
use crate::show::order::OrderFile;
use crate::show::quote::notices;
use crate::show::{count, coupon_names, staff_name, tier_name};
use crate::view::order_page::{AttemptView, OrderPage, PostingView, RuleView};
use crate::view::queue::QueuedOperation;
use crate::words;

impl Counter {
    /// One order with everything that led to it and came of it.
    pub(crate) fn order_page(&self, id: OrderId) -> Result<OrderPage, CallError> {
        self.staff()?;
        let file = self.order_file(id)?;
        let order = &file.order;
        let policy = self.policy_of(order.quote.policy_version)?;
        Ok(OrderPage {
            order: file.view(&policy),
            cashier: staff_name(&policy, order.cashier),
            seller: order.seller.map(|seller| staff_name(&policy, seller)),
            offline: order.offline,
            policy_version: order.quote.policy_version,
            quoted_at_ms: order.quote.quoted_at.into(),
            rules: order.quote.rules.iter().map(rule).collect(),
            limits: notices(&order.quote),
            attempts: file.attempts.iter().map(attempt).collect(),
            operations: self.operations_of(id)?,
            postings: postings(&file, &policy),
        })
    }

    fn operations_of(&self, id: OrderId) -> Result<Vec<QueuedOperation>, CallError> {
        let acked = self.store.sync_mark()?.acked_seq;
        let rows = self.store.operations_of_order(id)?;
        let views = rows.iter().filter_map(|row| {
            let operation = decode(row).ok()?;
            Some(operation_view(row, &operation, acked, None))
        });
        Ok(views.collect())
    }
}

fn rule(line: &RuleLine) -> RuleView {
    let kind = match line.kind {
        RuleKind::Package => "package",
        RuleKind::Ladder => "ladder",
        RuleKind::BonusCap => "bonus_cap",
        RuleKind::Tier => "tier",
    };
    let verdict = match line.verdict {
        RuleVerdict::Matched => "matched",
        RuleVerdict::BelowThreshold => "below_threshold",
        RuleVerdict::OutOfDates => "out_of_dates",
        RuleVerdict::Outranked => "outranked",
        RuleVerdict::Capped => "capped",
    };
    RuleView {
        kind_key: format!("rule.{kind}"),
        name: line.name.clone(),
        verdict_key: format!("verdict.{verdict}"),
        counted: matches!(line.verdict, RuleVerdict::Matched | RuleVerdict::Capped),
        bonus_fen: line.bonus.into(),
    }
}

fn attempt(attempt: &PaymentAttempt) -> AttemptView {
    let method = match attempt.method {
        PayMethod::Qr => "qr",
        PayMethod::Code => "code",
        PayMethod::Recorded => "recorded",
    };
    let state = match attempt.state {
        AttemptState::Init => "init",
        AttemptState::Submitted => "submitted",
        AttemptState::UserPaying => "user_paying",
        AttemptState::Unknown => "unknown",
        AttemptState::Succeeded => "succeeded",
        AttemptState::Failed => "failed",
        AttemptState::Reversing => "reversing",
        AttemptState::Reversed => "reversed",
        AttemptState::Closed => "closed",
    };
    AttemptView {
        attempt_no: attempt.attempt_no.clone(),
        channel: attempt.channel.into(),
        method_key: format!("attempt.{method}"),
        state_key: format!("attempt_state.{state}"),
        decline_key: words::failure(attempt).map(|cause| format!("decline.{cause}")),
        amount_fen: attempt.amount.into(),
        started_at_ms: attempt.started_at.into(),
        paid_at_ms: attempt.paid_at.map(Into::into),
        channel_txn_no: attempt.channel_txn_no.clone(),
    }
}

/// What a credit wrote, from the facts that came with it; then what was paid beyond.
fn postings(file: &OrderFile, policy: &Policy) -> Vec<PostingView> {
    let order = &file.order;
    let mut postings = Vec::new();
    if let (Some(paid), Some(credit)) = (&order.paid, &order.credit) {
        postings.push(PostingView::Received {
            channel: paid.channel.into(),
            amount_fen: paid.by_channel().into(),
        });
        postings.extend(paid.cash_part.map(|part| PostingView::Received {
            channel: Channel::Cash.into(),
            amount_fen: part.into(),
        }));
        credited(credit, file, policy, &mut postings);
    }
    let surplus = file.attempts.iter().flat_map(|attempt| &attempt.surplus);
    postings.extend(surplus.map(|surplus| PostingView::Surplus {
        amount_fen: surplus.amount.into(),
        refunded: surplus.refunded,
    }));
    postings
}

fn credited(credit: &Credit, file: &OrderFile, policy: &Policy, postings: &mut Vec<PostingView>) {
    postings.push(PostingView::Principal {
        amount_fen: (credit.principal.1 - credit.principal.0).into(),
        before_fen: credit.principal.0.into(),
        after_fen: credit.principal.1.into(),
    });
    if credit.bonus.0 != credit.bonus.1 {
        postings.push(PostingView::Bonus {
            amount_fen: (credit.bonus.1 - credit.bonus.0).into(),
            before_fen: credit.bonus.0.into(),
            after_fen: credit.bonus.1.into(),
        });
    }
    if credit.points != 0 {
        let count = count(credit.points);
        postings.push(PostingView::Points { count });
    }
    if credit.growth != 0 {
        let count = count(credit.growth);
        postings.push(PostingView::Growth { count });
    }
    let coupons = coupon_names(policy, &file.order.quote.coupons).into_iter();
    postings.extend(coupons.map(|(name, count)| PostingView::Coupon { name, count }));
    if credit.tier.0 != credit.tier.1 {
        postings.push(PostingView::Tier {
            before: tier_name(policy, credit.tier.0),
            after: tier_name(policy, credit.tier.1),
        });
    }
}
