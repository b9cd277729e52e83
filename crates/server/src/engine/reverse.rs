//! Ending an attempt by payment code: closed when no code came, reversed when no answer came
//! (docs: domain §3.11).

use std::sync::Arc;

use qiantai_core::Timestamp;
use qiantai_core::attempt::{AttemptState, GatewayOutcome, PayMethod, PaymentAttempt};
use qiantai_core::ids::{AttemptId, TenantId};
use qiantai_pay::{Channel, GatewayAnswer, PaidFact, ReverseAnswer, UnknownCause};

use super::schedule::NOTICE_YOUNG;
use super::turns::Turns;
use super::{Engine, EngineError, returned, success};
use crate::db::CodeCharge;

impl Engine {
    /// Closes an attempt for which nothing was sent to the gateway. A code that came in between
    /// keeps it open.
    pub(super) async fn abandon(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
    ) -> Result<(), EngineError> {
        let id = attempt.id;
        let charge = self
            .read(move |ledger| ledger.code_charge(tenant, id))
            .await?;
        if charge.is_some_and(|charge| charge.code.is_some()) {
            return Ok(());
        }
        self.record(tenant, attempt, GatewayOutcome::Closed).await
    }

    /// The last query and, with no gap, the reversal. That it has begun is written first: from
    /// then on "paid" is no news, only the reversal's answer is.
    pub(super) async fn reverse(
        &self,
        tenant: TenantId,
        id: AttemptId,
        channel: &Arc<dyn Channel>,
    ) -> Result<(), EngineError> {
        let now = self.clock.now();
        self.remember(id, |memory| {
            memory.last_close = Some(now);
            memory.closes += 1;
        });
        let attempt = self.attempt_now(tenant, id).await?;
        if attempt.state != AttemptState::Reversing {
            if !attempt.state.is_open() {
                return Ok(());
            }
            match self.ask(&attempt, channel).await {
                Some(
                    last_word @ (GatewayOutcome::Success { .. }
                    | GatewayOutcome::Declined(_)
                    | GatewayOutcome::Closed
                    | GatewayOutcome::ReturnedOutside { .. }),
                ) => return self.record(tenant, &attempt, last_word).await,
                _ => self.begin_reversal(tenant, &attempt).await?,
            }
        }
        let attempt = self.attempt_now(tenant, id).await?;
        if attempt.state != AttemptState::Reversing {
            return Ok(());
        }
        let charged_at = self.charged_at(tenant, &attempt).await?;
        let answer = channel.reverse(&attempt.attempt_no, Some(charged_at)).await;
        match answer {
            ReverseAnswer::Reversed { money_returned } => {
                tracing::info!(?money_returned, attempt = %attempt.attempt_no, "reversed");
                let outcome = GatewayOutcome::Reversed { money_returned };
                self.record(tenant, &attempt, outcome).await
            }
            ReverseAnswer::WindowPassed | ReverseAnswer::Unknown(UnknownCause::AlreadyPaid) => {
                self.after_refused_reversal(tenant, &attempt, channel).await
            }
            ReverseAnswer::Unknown(cause) => {
                tracing::warn!(%cause, attempt = %attempt.attempt_no, "no answer to a reversal");
                self.reversal_is_unclear(tenant, &attempt).await
            }
            ReverseAnswer::ConfigError(cause) => {
                tracing::error!(%cause, channel = %channel.id(), "the channel is not set up");
                self.reversal_is_unclear(tenant, &attempt).await
            }
        }
    }

    /// When the code went to the gateway. Where books that were restored do not know, by when: no code
    /// is charged after the attempt's time.
    async fn charged_at(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
    ) -> Result<Timestamp, EngineError> {
        let id = attempt.id;
        let charge = self
            .read(move |ledger| ledger.code_charge(tenant, id))
            .await?;
        Ok(match charge {
            Some(CodeCharge { code: Some(_), at }) => at,
            _ => attempt.expires_at,
        })
    }

    /// Writes what a notice says. A payment code is charged or reversed by one task at a time, and
    /// what it finds out comes first.
    pub(crate) async fn hear(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
        outcome: GatewayOutcome,
    ) -> Result<(), EngineError> {
        if attempt.method != PayMethod::Code {
            return self.record(tenant, attempt, outcome).await;
        }
        let turn = Turns::wait(&self.turns, attempt.id.0).await;
        let attempt = self.attempt_now(tenant, attempt.id).await?;
        let heard = self.record(tenant, &attempt, outcome).await;
        drop(turn);
        heard
    }

    /// Writes that a notice tells of money. One that comes long after the payment may be of before the
    /// shop gave the money back at the platform, so the gateway's present word goes before it.
    pub(crate) async fn hear_paid(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
        paid: PaidFact,
    ) -> Result<(), EngineError> {
        let is_old = self.clock.now() - paid.paid_at > NOTICE_YOUNG;
        let number = paid.channel_txn_no.clone();
        let mut told = success(paid);
        if is_old
            && attempt.state != AttemptState::Succeeded
            && let Some(channel) = self.gateway(attempt.channel)
            && let Some(now) = self.ask(attempt, &channel).await
            && is_return_of(&now, &number)
        {
            told = now;
        }
        self.hear(tenant, attempt, told).await
    }

    async fn begin_reversal(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
    ) -> Result<(), EngineError> {
        let is_early = matches!(attempt.state, AttemptState::Init | AttemptState::Submitted);
        if is_early {
            self.record(tenant, attempt, GatewayOutcome::Unknown)
                .await?;
        }
        self.record(tenant, attempt, GatewayOutcome::Reversing)
            .await
    }

    /// The gateway will not reverse it, so what it says of the payment stands.
    async fn after_refused_reversal(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
        channel: &Arc<dyn Channel>,
    ) -> Result<(), EngineError> {
        match channel.query(&attempt.attempt_no).await {
            GatewayAnswer::Success(paid) => self.write(tenant, attempt, success(paid)).await,
            GatewayAnswer::Returned(paid) => self.record(tenant, attempt, returned(paid)).await,
            GatewayAnswer::Declined(_) => {
                let money_returned = Some(false);
                let outcome = GatewayOutcome::Reversed { money_returned };
                self.record(tenant, attempt, outcome).await
            }
            GatewayAnswer::Closed => {
                let money_returned = None;
                let outcome = GatewayOutcome::Reversed { money_returned };
                self.record(tenant, attempt, outcome).await
            }
            other => {
                tracing::warn!(?other, attempt = %attempt.attempt_no, "a reversal was refused");
                self.reversal_is_unclear(tenant, attempt).await
            }
        }
    }

    pub(super) async fn attempt_now(
        &self,
        tenant: TenantId,
        id: AttemptId,
    ) -> Result<PaymentAttempt, EngineError> {
        let attempt = self.read(move |ledger| ledger.attempt(tenant, id)).await?;
        attempt.ok_or_else(|| EngineError::Missing(format!("attempt {id}")))
    }
}

/// Another payment under the same number says nothing about this one.
fn is_return_of(outcome: &GatewayOutcome, number: &str) -> bool {
    matches!(outcome, GatewayOutcome::ReturnedOutside { channel_txn_no, .. } if channel_txn_no == number)
}
