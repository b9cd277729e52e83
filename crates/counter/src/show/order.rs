//! An order as the paying and success screens show it.

use qiantai_core::attempt::{AttemptState, Channel, PayMethod, PaymentAttempt};
use qiantai_core::decide::RefusalCode;
use qiantai_core::policy::Policy;
use qiantai_core::recharge::{Credit, OrderState, RechargeOrder};
use qiantai_core::{Millis, Timestamp};
use qiantai_print::QrModules;
use qiantai_print::qr::QUIET_ZONE;

use crate::overlay::is_over;
use crate::show::{count, coupon_names, staff_name, tier_name};
use crate::split::{loose_cash, parts_of_order};
use crate::view::order::{
    AbnormalCause, CreditView, Failure, LooseCash, OrderSummary, OrderView, PartsView, QrView,
    Stage,
};
use crate::words;

/// Sentence for money taken, in cash or by a recorded payment, that the server keeps for a person
/// to look at.
pub const HELD: &str = "error.held_by_server";

/// Everything known of one order.
pub struct OrderFile {
    /// The order, confirmed or provisional.
    pub order: RechargeOrder,
    /// Its attempts, oldest first.
    pub attempts: Vec<PaymentAttempt>,
    /// Name of the member.
    pub member: String,
    /// True while the server has not confirmed the last thing this terminal did with it.
    pub provisional: bool,
    /// True while this terminal carries the payment code of the last attempt to the server.
    pub charging: bool,
    /// True while the server cannot be reached and an attempt is open.
    pub cut_off: bool,
    /// Refusal of the operation that opened the order or its last attempt.
    pub refusal: Option<RefusalCode>,
    /// What is wrong with the money of an abnormal order, as its case says.
    pub abnormal: Option<AbnormalCause>,
    /// The server keeps this top-up, whose money was taken, for a person to look at.
    pub held: bool,
}

impl OrderFile {
    fn last_attempt(&self) -> Option<&PaymentAttempt> {
        self.attempts.last()
    }

    /// The method: of the payment, else of the last attempt; `None` where nobody was asked for
    /// money yet. Of a split it is the one beside cash.
    pub fn channel(&self) -> Option<Channel> {
        let paid = self.order.paid.as_ref().map(|paid| paid.channel);
        paid.or_else(|| self.last_attempt().map(|attempt| attempt.channel))
    }

    /// Both parts of a split.
    fn parts(&self) -> Option<PartsView> {
        parts_of_order(&self.order)
    }

    /// What to do with the part in cash while it is in no book.
    fn loose_cash(&self) -> Option<LooseCash> {
        // A try that is refused beside an open one says nothing of that one.
        let is_open = self.attempts.iter().any(|attempt| !is_over(attempt));
        match loose_cash(&self.order, self.stage()) {
            Some(LooseCash::KeepOrGiveBack) if is_open => Some(LooseCash::Keep),
            said => said,
        }
    }

    /// Whether any of the money is or was to be cash.
    pub fn has_cash(&self) -> bool {
        self.channel() == Some(Channel::Cash) || self.parts().is_some()
    }

    /// Whether the last attempt is to be paid by the customer's payment code.
    pub fn is_by_code(&self) -> bool {
        self.last_attempt()
            .is_some_and(|attempt| attempt.method == PayMethod::Code)
    }

    /// Where the order stands, in the cashier's terms.
    pub fn stage(&self) -> Stage {
        if self.refusal.is_some() && self.order.paid.is_none() {
            return if self.attempts.is_empty() {
                Stage::Refused
            } else {
                Stage::Failed
            };
        }
        match self.order.state {
            OrderState::Created => Stage::Opening,
            OrderState::PendingReview => Stage::Review,
            OrderState::PendingPayment => self.waiting_stage(),
            OrderState::Paid => Stage::Paid,
            OrderState::Credited
            | OrderState::PartiallyRefunded
            | OrderState::Refunded
            | OrderState::Voided => Stage::Credited,
            OrderState::Cancelled | OrderState::Closed | OrderState::Rejected => Stage::Ended,
            OrderState::Abnormal => Stage::Abnormal,
        }
    }

    fn waiting_stage(&self) -> Stage {
        let Some(attempt) = self.last_attempt() else {
            return Stage::Opening;
        };
        let over = matches!(
            attempt.state,
            AttemptState::Failed | AttemptState::Closed | AttemptState::Reversed
        );
        if over {
            return Stage::Failed;
        }
        // Before the gateway has the attempt nobody can have paid it.
        let by_code = self.is_by_code();
        let asked = attempt.qr_payload.is_some() || attempt.method != PayMethod::Qr;
        if self.cut_off && asked {
            return Stage::Unknown;
        }
        if attempt.state == AttemptState::Reversing {
            return Stage::Reversing;
        }
        if attempt.cancel_requested {
            return Stage::Cancelling;
        }
        match attempt.state {
            // A code that was lost with an earlier start may have been charged all the same.
            AttemptState::Init if by_code && !self.charging => Stage::Unknown,
            AttemptState::Init | AttemptState::Submitted if by_code => Stage::Charging,
            AttemptState::Init if self.provisional => Stage::Opening,
            AttemptState::Init => Stage::Preparing,
            AttemptState::Submitted => Stage::Waiting,
            AttemptState::UserPaying => Stage::UserPaying,
            AttemptState::Unknown | AttemptState::Reversing | AttemptState::Succeeded => {
                Stage::Unknown
            }
            AttemptState::Failed | AttemptState::Closed | AttemptState::Reversed => Stage::Failed,
        }
    }

    fn failure(&self) -> Option<Failure> {
        if self.held {
            return Some(Failure {
                code: self.order.order_no.clone(),
                message_key: HELD.to_owned(),
            });
        }
        if let Some(code) = self.refusal {
            return Some(Failure {
                code: (code as u16).to_string(),
                message_key: format!("error.{}", words::refusal(code)),
            });
        }
        let attempt = self.last_attempt()?;
        let key = match attempt.state {
            AttemptState::Failed => words::failure(attempt)?,
            AttemptState::Closed => "closed",
            AttemptState::Reversed => words::reversed(attempt),
            _ => return None,
        };
        Some(Failure {
            code: attempt.attempt_no.clone(),
            message_key: format!("decline.{key}"),
        })
    }

    fn qr(&self) -> Option<QrView> {
        if !matches!(self.stage(), Stage::Waiting | Stage::UserPaying) {
            return None;
        }
        self.last_attempt()?.qr_payload.as_deref().and_then(qr_view)
    }

    /// The view.
    pub fn view(&self, policy: &Policy) -> OrderView {
        let order = &self.order;
        let tendered = order.paid.as_ref().and_then(|paid| paid.tendered);
        let waiting = order.paid.is_none();
        OrderView {
            id: order.id.to_string(),
            order_no: order.order_no.clone(),
            member_id: order.member.to_string(),
            member: self.member.clone(),
            channel: self.channel().map(Into::into),
            parts: self.parts(),
            loose_cash: self.loose_cash(),
            pay_fen: order.quote.pay.into(),
            bonus_fen: order.quote.bonus.into(),
            tendered_fen: tendered.map(Into::into),
            change_fen: tendered.map(|tendered| (tendered - order.quote.pay).into()),
            stage: self.stage(),
            abnormal: self.abnormal,
            by_code: self.is_by_code(),
            qr: self.qr(),
            had_code: self
                .attempts
                .iter()
                .any(|attempt| attempt.qr_payload.is_some()),
            expires_at_ms: waiting.then(|| self.expires_at().into()),
            attempt_started_ms: self.last_attempt().map(|attempt| attempt.started_at.into()),
            failure: self.failure(),
            credit: order
                .credit
                .as_ref()
                .map(|credit| self.credit_view(policy, credit)),
            provisional: self.provisional,
            channel_txn_no: order
                .paid
                .as_ref()
                .and_then(|paid| paid.channel_txn_no.clone()),
            approver: order.approver.map(|id| staff_name(policy, id)),
            released_alone: order.released_by_taker(),
            opened_at_ms: order.opened_at.into(),
            copies: order.copies,
        }
    }

    /// One line of the list of orders.
    pub fn summary(&self) -> OrderSummary {
        let order = &self.order;
        OrderSummary {
            id: order.id.to_string(),
            order_no: order.order_no.clone(),
            member_id: order.member.to_string(),
            member: self.member.clone(),
            pay_fen: order.quote.pay.into(),
            bonus_fen: order.quote.bonus.into(),
            channel: self.channel().map(Into::into),
            parts: self.parts(),
            loose_cash: self.loose_cash(),
            stage: self.stage(),
            provisional: self.provisional,
            opened_at_ms: order.opened_at.into(),
        }
    }

    fn expires_at(&self) -> Timestamp {
        self.last_attempt()
            .map_or(self.order.expires_at, |attempt| match attempt.method {
                PayMethod::Code => attempt
                    .expires_at
                    .min(attempt.started_at + password_wait(attempt.channel)),
                PayMethod::Qr | PayMethod::Recorded => attempt.expires_at,
            })
    }

    fn credit_view(&self, policy: &Policy, credit: &Credit) -> CreditView {
        CreditView {
            balance_before_fen: (credit.principal.0 + credit.bonus.0).into(),
            balance_after_fen: (credit.principal.1 + credit.bonus.1).into(),
            principal_after_fen: credit.principal.1.into(),
            bonus_after_fen: credit.bonus.1.into(),
            points: count(credit.points),
            coupons: coupon_names(policy, &self.order.quote.coupons),
            tier_before: tier_name(policy, credit.tier.0),
            tier_after: tier_name(policy, credit.tier.1),
            credited_at_ms: credit.credited_at.into(),
        }
    }
}

/// How long a customer may take for the password before the charge is reversed
/// (docs: domain §3.11).
const fn password_wait(channel: Channel) -> Millis {
    match channel {
        Channel::Alipay => Millis::seconds(60),
        _ => Millis::seconds(45),
    }
}

/// A QR code for the screen, or nothing when the text does not fit one.
pub fn qr_view(payload: &str) -> Option<QrView> {
    match QrModules::encode(payload) {
        Ok(modules) => Some(QrView {
            modules: u16::try_from(modules.side() + 2 * QUIET_ZONE).unwrap_or(u16::MAX),
            path: modules.svg_path(),
            payload: payload.to_owned(),
        }),
        Err(error) => {
            tracing::error!(%error, "payment code does not fit a QR code");
            None
        }
    }
}
