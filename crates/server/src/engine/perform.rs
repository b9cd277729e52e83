//! One step with a gateway, and what its answer means for the attempt.

use std::sync::Arc;

use qiantai_core::Timestamp;
use qiantai_core::attempt::{AttemptState, ConfigFault, GatewayOutcome, PayMethod, PaymentAttempt};
use qiantai_core::ids::{OrderId, StoreId, TenantId};
use qiantai_core::operation::{AttemptResult, OperationBody};
use qiantai_pay::{
    Channel, ChannelId, CloseAnswer, GatewayAnswer, PaidFact, PendingState, QrAnswer, QrRequest,
    UnknownCause, Wallet,
};
use qiantai_wire::feed::OutcomeDto;

use super::health::probe_number;
use super::schedule::CODE_END_MARGIN;
use super::step::{Step, end_of_code};
use super::{Engine, EngineError, Task, Turn};

/// A gateway that cannot be reached this often in a row makes the attempt unknown: nobody can
/// say any more whether the customer pays.
const UNSENT_MAX: u32 = 3;

/// What closing an attempt at the gateway came to; the cause of a doubt is in the log.
enum CloseOutcome {
    Closed,
    AlreadyPaid,
    /// The gateway knows of no such code, and so cannot close it.
    NoRecord,
    Unknown,
}

impl Engine {
    /// Does one task; what fails is due again after a rest.
    pub(super) async fn perform(&self, turn: Turn, task: Task) {
        let done = match task {
            Task::Attempt(tenant, attempt, step) => self.step(tenant, &attempt, step).await,
            Task::Expire(tenant, store, order) => self.expire(tenant, store, order).await,
            Task::Refund(event) => self.refund(&event).await,
            Task::Hint(tenant, hint) => self.ask_about(tenant, &hint).await,
            Task::Probe(name, _) => {
                self.probe(name).await;
                Ok(())
            }
        };
        match done {
            Ok(()) => turn.succeeded(),
            Err(error) => {
                tracing::error!(%error, "a payment could not be looked after");
                turn.failed(self.clock.now());
            }
        }
    }

    /// Asks about a number that no attempt has: whatever the gateway answers, it answers.
    async fn probe(&self, name: ChannelId) {
        let now = self.clock.now();
        self.health.is_probed(name, now);
        let Some(gateway) = self.channels.named(name.0) else {
            return;
        };
        if let Some(number) = probe_number(now) {
            let answer = self.heard(gateway).query(&number).await;
            tracing::debug!(?answer, channel = %name, "probed");
        }
    }

    async fn expire(
        &self,
        tenant: TenantId,
        store: StoreId,
        order: OrderId,
    ) -> Result<(), EngineError> {
        let body = OperationBody::OrderExpire { order };
        match self.say(tenant, store, body).await?.outcome {
            OutcomeDto::Applied | OutcomeDto::Exists => Ok(()),
            other => Err(EngineError::NotEnded(order, other)),
        }
    }

    pub(super) async fn step(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
        step: Step,
    ) -> Result<(), EngineError> {
        let Some(channel) = self.gateway(attempt.channel) else {
            return match step {
                Step::Create => self.refuse_unserved(tenant, attempt).await,
                Step::Abandon => self.abandon(tenant, attempt).await,
                Step::Query | Step::QueryLate | Step::Close | Step::Reverse => Ok(()),
            };
        };
        match step {
            Step::Create => self.create(tenant, attempt, &channel).await,
            Step::Query | Step::QueryLate => self.query(tenant, attempt, &channel).await,
            Step::Close => self.close(tenant, attempt, &channel).await,
            Step::Abandon => self.abandon(tenant, attempt).await,
            Step::Reverse => self.reverse(tenant, attempt.id, &channel).await,
        }
    }

    /// Ends an attempt for which this server has no gateway.
    async fn refuse_unserved(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
    ) -> Result<(), EngineError> {
        tracing::error!(channel = ?attempt.channel, "no gateway is set up for this channel");
        let outcome = GatewayOutcome::ConfigError(Some(ConfigFault::NotPermitted));
        self.record(tenant, attempt, outcome).await
    }

    async fn create(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
        channel: &Arc<dyn Channel>,
    ) -> Result<(), EngineError> {
        let request = self.qr_request(tenant, attempt, channel).await?;
        let now = self.clock.now();
        self.remember(attempt.id, |memory| {
            memory.last_create = Some(now);
            memory.creates += 1;
        });
        let outcome = match channel.create_qr(&request).await {
            QrAnswer::Created { payload } => GatewayOutcome::QrReady { payload },
            QrAnswer::Declined(code) => GatewayOutcome::Declined(code),
            QrAnswer::Closed => GatewayOutcome::Closed,
            QrAnswer::ConfigError(cause) => {
                tracing::error!(%cause, channel = %channel.id(), "the channel is not set up");
                GatewayOutcome::ConfigError(Some(cause.fault()))
            }
            // Nothing left this machine: the same request goes out again, nothing is in doubt.
            QrAnswer::Unknown(UnknownCause::NotSent) if attempt.state == AttemptState::Init => {
                return Ok(());
            }
            QrAnswer::Unknown(UnknownCause::AlreadyPaid | UnknownCause::NumberReused) => {
                return self.end_unseen(tenant, attempt, channel).await;
            }
            QrAnswer::Unknown(cause) => {
                tracing::warn!(%cause, attempt = %attempt.attempt_no, "no answer to a QR request");
                GatewayOutcome::Unknown
            }
        };
        self.record(tenant, attempt, outcome).await
    }

    /// The gateway made the code in an earlier call whose answer was lost, and does not say it
    /// again. Nobody has seen it, so unless it is paid all the same it is closed.
    async fn end_unseen(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
        channel: &Arc<dyn Channel>,
    ) -> Result<(), EngineError> {
        let outcome = match self.ask(attempt, channel).await {
            Some(
                last_word @ (GatewayOutcome::Success { .. }
                | GatewayOutcome::Declined(_)
                | GatewayOutcome::Closed),
            ) => last_word,
            _ => match self.ask_to_close(attempt, channel).await {
                CloseOutcome::Closed | CloseOutcome::NoRecord => GatewayOutcome::Closed,
                CloseOutcome::AlreadyPaid => return self.query(tenant, attempt, channel).await,
                CloseOutcome::Unknown => GatewayOutcome::Unknown,
            },
        };
        self.record(tenant, attempt, outcome).await
    }

    /// The same for every try: all of it stands in the ledger or in the set-up.
    async fn qr_request(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
        channel: &Arc<dyn Channel>,
    ) -> Result<QrRequest, EngineError> {
        let wallet = Wallet::of(attempt.channel)
            .ok_or_else(|| EngineError::Missing(format!("a wallet for {:?}", attempt.channel)))?;
        Ok(QrRequest {
            attempt_no: attempt.attempt_no.clone(),
            amount: attempt.amount,
            subject: self.subject(tenant, attempt).await?,
            wallet,
            expires_at: attempt.expires_at,
            notify_url: self.notify_url(channel),
        })
    }

    /// What the customer sees.
    pub(super) async fn subject(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
    ) -> Result<String, EngineError> {
        let order_id = attempt.order;
        let (order, policies) = self
            .read(move |ledger| Ok((ledger.order(tenant, order_id)?, ledger.policies(tenant)?)))
            .await?;
        let order = order.ok_or_else(|| EngineError::Missing(format!("order {order_id}")))?;
        let policy = policies.iter().find(|policy| {
            policy.store.id == order.store && policy.version == order.quote.policy_version
        });
        let store_name = policy.map_or("", |policy| policy.store.name.as_str());
        Ok(format!("{store_name} 会员充值"))
    }

    pub(super) fn notify_url(&self, channel: &Arc<dyn Channel>) -> Option<String> {
        let base = self.channels.notify_base.as_deref()?;
        Some(format!(
            "{}/v1/notify/{}",
            base.trim_end_matches('/'),
            channel.id()
        ))
    }

    pub(super) async fn query(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
        channel: &Arc<dyn Channel>,
    ) -> Result<(), EngineError> {
        match self.ask(attempt, channel).await {
            Some(outcome @ GatewayOutcome::Declined(_)) if attempt.state.is_open() => {
                let outcome = self.close_declined(attempt, channel, outcome).await;
                self.record(tenant, attempt, outcome).await
            }
            Some(outcome) => self.record(tenant, attempt, outcome).await,
            None => Ok(()),
        }
    }

    /// A wallet may let the customer try again on a QR code that it declined: only a code that
    /// is closed has failed. What that comes to.
    async fn close_declined(
        &self,
        attempt: &PaymentAttempt,
        channel: &Arc<dyn Channel>,
        declined: GatewayOutcome,
    ) -> GatewayOutcome {
        if attempt.method != PayMethod::Qr {
            return declined;
        }
        match self.ask_to_close(attempt, channel).await {
            CloseOutcome::Closed => declined,
            CloseOutcome::AlreadyPaid => match self.ask(attempt, channel).await {
                Some(
                    paid
                    @ (GatewayOutcome::Success { .. } | GatewayOutcome::ReturnedOutside { .. }),
                ) => paid,
                // Declined and paid: the gateway contradicts itself.
                _ => GatewayOutcome::Unknown,
            },
            CloseOutcome::NoRecord | CloseOutcome::Unknown => GatewayOutcome::Unknown,
        }
    }

    /// Asks what became of an attempt; `None` when the answer changes nothing.
    pub(super) async fn ask(
        &self,
        attempt: &PaymentAttempt,
        channel: &Arc<dyn Channel>,
    ) -> Option<GatewayOutcome> {
        let now = self.clock.now();
        self.remember(attempt.id, |memory| memory.last_query = Some(now));
        let answer = channel.query(&attempt.attempt_no).await;
        if !matches!(answer, GatewayAnswer::Unknown(UnknownCause::NotSent)) {
            self.remember(attempt.id, |memory| memory.unsent = 0);
        }
        match answer {
            GatewayAnswer::Success(paid) => Some(success(paid)),
            GatewayAnswer::Returned(paid) => Some(returned(paid)),
            GatewayAnswer::Declined(code) => Some(GatewayOutcome::Declined(code)),
            GatewayAnswer::Pending(PendingState::NotScanned) => Some(GatewayOutcome::Waiting),
            GatewayAnswer::Pending(PendingState::UserPaying) => Some(GatewayOutcome::UserPaying),
            GatewayAnswer::Closed => Some(GatewayOutcome::Closed),
            // A code that was made and can still be scanned: nobody has yet.
            GatewayAnswer::Unknown(UnknownCause::NotFoundOrNotScanned)
                if attempt.qr_payload.is_some() && now < attempt.expires_at + CODE_END_MARGIN =>
            {
                Some(GatewayOutcome::Waiting)
            }
            GatewayAnswer::Unknown(UnknownCause::Busy) => None,
            GatewayAnswer::Unknown(UnknownCause::NotSent) => {
                self.remember(attempt.id, |memory| memory.unsent += 1);
                let unsent = self.recall(attempt.id).unsent;
                (unsent >= UNSENT_MAX).then_some(GatewayOutcome::Unknown)
            }
            GatewayAnswer::Unknown(cause) => {
                tracing::warn!(%cause, attempt = %attempt.attempt_no, "no answer to a query");
                Some(GatewayOutcome::Unknown)
            }
            GatewayAnswer::ConfigError(cause) => {
                tracing::error!(%cause, channel = %channel.id(), "the channel is not set up");
                Some(GatewayOutcome::Unknown)
            }
        }
    }

    /// The final query, then the close; only a confirmed close ends the attempt.
    async fn close(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
        channel: &Arc<dyn Channel>,
    ) -> Result<(), EngineError> {
        let now = self.clock.now();
        self.remember(attempt.id, |memory| {
            memory.last_close = Some(now);
            memory.closes += 1;
        });
        let last_word = self.ask(attempt, channel).await;
        let outcome = match last_word {
            Some(
                outcome @ (GatewayOutcome::Success { .. }
                | GatewayOutcome::Closed
                | GatewayOutcome::ReturnedOutside { .. }),
            ) => outcome,
            Some(declined @ GatewayOutcome::Declined(_)) => {
                self.close_declined(attempt, channel, declined).await
            }
            _ => match self.ask_to_close(attempt, channel).await {
                CloseOutcome::Closed => GatewayOutcome::Closed,
                CloseOutcome::AlreadyPaid => return self.query(tenant, attempt, channel).await,
                // Nobody was shown a code, and the gateway has none: an outage from the start.
                CloseOutcome::NoRecord if attempt.qr_payload.is_none() => GatewayOutcome::Closed,
                // The cashier goes on; the code is watched until its time is over, and what is
                // paid with it beside the money goes back.
                CloseOutcome::NoRecord
                    if attempt.cancel_requested && last_word == Some(GatewayOutcome::Waiting) =>
                {
                    GatewayOutcome::Closed
                }
                CloseOutcome::NoRecord | CloseOutcome::Unknown => GatewayOutcome::Unknown,
            },
        };
        self.record(tenant, attempt, outcome).await
    }

    async fn ask_to_close(
        &self,
        attempt: &PaymentAttempt,
        channel: &Arc<dyn Channel>,
    ) -> CloseOutcome {
        let asked_at = self.asked_for_code_at(attempt);
        match channel.close(&attempt.attempt_no, Some(asked_at)).await {
            CloseAnswer::Closed => CloseOutcome::Closed,
            CloseAnswer::AlreadyPaid => CloseOutcome::AlreadyPaid,
            CloseAnswer::Unknown(UnknownCause::NotFound | UnknownCause::NotFoundOrNotScanned) => {
                CloseOutcome::NoRecord
            }
            CloseAnswer::Unknown(cause) => {
                tracing::warn!(%cause, attempt = %attempt.attempt_no, "no answer to a close");
                CloseOutcome::Unknown
            }
            CloseAnswer::ConfigError(cause) => {
                tracing::error!(%cause, channel = %channel.id(), "the channel is not set up");
                CloseOutcome::Unknown
            }
        }
    }

    /// When the gateway was last asked for the QR code. What was asked for before a restart was asked
    /// for before the attempt was to end.
    fn asked_for_code_at(&self, attempt: &PaymentAttempt) -> Timestamp {
        let last = self.recall(attempt.id).last_create;
        last.unwrap_or(end_of_code(attempt))
    }

    /// Writes what the gateway said, unless the ledger says so already.
    pub(crate) async fn record(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
        outcome: GatewayOutcome,
    ) -> Result<(), EngineError> {
        if says_nothing_new(attempt, &outcome) {
            return Ok(());
        }
        self.write(tenant, attempt, outcome).await
    }

    /// Writes what the gateway said.
    pub(super) async fn write(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
        outcome: GatewayOutcome,
    ) -> Result<(), EngineError> {
        let order_id = attempt.order;
        let order = self
            .read(move |ledger| ledger.order(tenant, order_id))
            .await?;
        let store = order
            .ok_or_else(|| EngineError::Missing(format!("order {order_id}")))?
            .store;
        let body = OperationBody::AttemptResult(AttemptResult {
            attempt: attempt.id,
            outcome,
        });
        self.say(tenant, store, body).await.map(drop)
    }
}

pub(crate) fn success(paid: PaidFact) -> GatewayOutcome {
    GatewayOutcome::Success {
        channel_txn_no: paid.channel_txn_no,
        amount: paid.amount,
        paid_at: paid.paid_at,
    }
}

/// Somebody returned it at the platform before it was credited.
pub(crate) fn returned(paid: PaidFact) -> GatewayOutcome {
    GatewayOutcome::ReturnedOutside {
        channel_txn_no: paid.channel_txn_no,
        amount: paid.amount,
    }
}

/// Answers repeat every two seconds; only those that move the attempt become operations.
pub(super) fn says_nothing_new(attempt: &PaymentAttempt, outcome: &GatewayOutcome) -> bool {
    match outcome {
        // Older than the reversal, or of the very payment that is being reversed.
        GatewayOutcome::Success { .. }
            if attempt.state == AttemptState::Reversing
                || (attempt.state == AttemptState::Reversed && !attempt.may_be_paid_late()) =>
        {
            true
        }
        GatewayOutcome::Success { channel_txn_no, .. }
        | GatewayOutcome::ReturnedOutside { channel_txn_no, .. } => {
            attempt.channel_txn_no.as_ref() == Some(channel_txn_no)
                || attempt
                    .surplus
                    .iter()
                    .any(|paid| paid.channel_txn_no == *channel_txn_no)
        }
        GatewayOutcome::PaidElsewhere { .. }
        | GatewayOutcome::ReversalUnclear
        | GatewayOutcome::NoticeUnconfirmed { .. } => false,
        _ if !attempt.state.is_open() => true,
        GatewayOutcome::Waiting => {
            // Without its QR code an unknown attempt stays unknown until the code is there; a
            // payment code that was charged waits for nobody.
            attempt.qr_payload.is_none()
                || matches!(
                    attempt.state,
                    AttemptState::Submitted | AttemptState::UserPaying
                )
        }
        GatewayOutcome::UserPaying => attempt.state == AttemptState::UserPaying,
        GatewayOutcome::Unknown => attempt.state == AttemptState::Unknown,
        _ => false,
    }
}
