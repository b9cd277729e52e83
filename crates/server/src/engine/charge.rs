//! Charging the payment code (付款码) that a customer shows (docs: domain §3.11).
//!
//! A code is charged once. That it goes to the gateway is written down before it goes; whoever
//! finds it written, after a crash or in a repeated request, asks what became of it instead.

use std::sync::Arc;

use qiantai_core::Timestamp;
use qiantai_core::attempt::{AttemptState, GatewayOutcome, PayMethod, PaymentAttempt};
use qiantai_core::ids::{AttemptId, TenantId};
use qiantai_core::operation::Hash;
use qiantai_core::payment_code::may_be_code;
use qiantai_pay::crypto::hmac_sha256;
use qiantai_pay::{
    AuthCode, Channel, CodeRequest, GatewayAnswer, UnknownCause, Wallet, payment_code,
};

use super::turns::Turns;
use super::{Engine, EngineError, returned, success};
use crate::db::{CodeCharge, LedgerError};

/// Says what a hash is of, so that the same key never makes the same hash of something else.
const HASH_OF: &[u8] = b"qiantai payment code\0";

/// Why a payment code was not charged.
#[derive(Debug, thiserror::Error)]
pub enum ChargeError {
    /// There is no such attempt.
    #[error("there is no such attempt")]
    NoAttempt,
    /// The attempt is no code attempt, or it is over.
    #[error("the attempt takes no payment code")]
    NotChargeable,
    /// The code is another channel's, or none.
    #[error("not a payment code of this channel")]
    NotOfChannel,
    /// The code was charged for another attempt.
    #[error("the payment code was charged for another attempt")]
    Used,
    /// Another code was charged for this attempt.
    #[error("another payment code was charged for this attempt")]
    OtherCode,
    /// This server has no gateway for the channel.
    #[error("no gateway is set up for this channel")]
    NoGateway,
    /// No byte left this machine; the code is not used up.
    #[error("the gateway could not be reached, nothing was sent")]
    NotSent,
    /// See [`EngineError`].
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<LedgerError> for ChargeError {
    fn from(error: LedgerError) -> ChargeError {
        ChargeError::Engine(error.into())
    }
}

/// What the books know before a charge.
struct Before {
    attempt: PaymentAttempt,
    charge: Option<CodeCharge>,
    /// The attempt for which the same code was charged.
    used_for: Option<AttemptId>,
}

impl Engine {
    /// Charges a code for an attempt and answers once the gateway has answered, or at once when it
    /// was charged before. What was begun is seen through, also when the caller leaves.
    ///
    /// # Errors
    /// See [`ChargeError`].
    pub async fn charge(
        self: &Arc<Engine>,
        tenant: TenantId,
        id: AttemptId,
        code: AuthCode,
    ) -> Result<(), ChargeError> {
        let engine = Arc::clone(self);
        let charged = tokio::spawn(async move {
            let turn = Turns::wait(&engine.turns, id.0).await;
            let charged = engine.charge_in_turn(tenant, id, code).await;
            drop(turn);
            engine.wake.notify_one();
            charged
        });
        charged
            .await
            .map_err(|_| EngineError::Missing("the end of a charge".to_owned()))?
    }

    async fn charge_in_turn(
        &self,
        tenant: TenantId,
        id: AttemptId,
        code: AuthCode,
    ) -> Result<(), ChargeError> {
        let hash = self.hash_of(tenant, &code)?;
        let before = self.before_charge(tenant, id, hash).await?;
        let attempt = before.attempt;
        let channel = self.gateway(attempt.channel);
        match before.charge {
            Some(CodeCharge { code: None, .. }) | None => {}
            Some(charge) if charge.code != Some(hash) => return Err(ChargeError::OtherCode),
            Some(_) => {
                let channel = channel.ok_or(ChargeError::NoGateway)?;
                return self.ask_once_more(tenant, &attempt, &channel).await;
            }
        }
        let now = self.clock.now();
        if !is_chargeable(&attempt, now) {
            return Err(ChargeError::NotChargeable);
        }
        if !is_of_channel(&attempt, &code) {
            return Err(ChargeError::NotOfChannel);
        }
        if before.used_for.is_some() {
            return Err(ChargeError::Used);
        }
        let channel = channel.ok_or(ChargeError::NoGateway)?;
        let request = CodeRequest {
            attempt_no: attempt.attempt_no.clone(),
            amount: attempt.amount,
            subject: self.subject(tenant, &attempt).await?,
            auth_code: code,
            notify_url: self.notify_url(&channel),
        };
        let charge = CodeCharge {
            code: Some(hash),
            at: now,
        };
        self.note_charge(tenant, id, charge).await?;
        let answer = channel.charge_code(&request).await;
        let answered_at = self.clock.now();
        self.remember(id, |memory| memory.last_query = Some(answered_at));
        self.take_answer(tenant, &attempt, &channel, charge, answer)
            .await
    }

    async fn take_answer(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
        channel: &Arc<dyn Channel>,
        charge: CodeCharge,
        answer: GatewayAnswer,
    ) -> Result<(), ChargeError> {
        let outcome = match answer {
            GatewayAnswer::Success(paid) => success(paid),
            GatewayAnswer::Returned(paid) => returned(paid),
            GatewayAnswer::Declined(code) => GatewayOutcome::Declined(code),
            GatewayAnswer::Pending(_) => GatewayOutcome::UserPaying,
            GatewayAnswer::Closed => GatewayOutcome::Closed,
            GatewayAnswer::ConfigError(cause) => {
                tracing::error!(%cause, channel = %channel.id(), "the channel is not set up");
                GatewayOutcome::ConfigError(Some(cause.fault()))
            }
            GatewayAnswer::Unknown(UnknownCause::NotSent) => {
                let nothing_sent = CodeCharge {
                    code: None,
                    ..charge
                };
                self.note_charge(tenant, attempt.id, nothing_sent).await?;
                return Err(ChargeError::NotSent);
            }
            GatewayAnswer::Unknown(cause) => {
                tracing::warn!(%cause, attempt = %attempt.attempt_no, "no answer to a charge");
                self.record(tenant, attempt, GatewayOutcome::Unknown)
                    .await?;
                if matches!(
                    cause,
                    UnknownCause::AlreadyPaid | UnknownCause::NumberReused
                ) {
                    self.query(tenant, attempt, channel).await?;
                }
                return Ok(());
            }
        };
        Ok(self.record(tenant, attempt, outcome).await?)
    }

    /// The same request again: it is charged already, so the gateway is asked how it stands.
    async fn ask_once_more(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
        channel: &Arc<dyn Channel>,
    ) -> Result<(), ChargeError> {
        let is_asked = attempt.state.is_open()
            && attempt.state != AttemptState::Reversing
            && !self.was_asked_just_now(attempt.id);
        if is_asked {
            self.query(tenant, attempt, channel).await?;
        }
        Ok(())
    }

    async fn before_charge(
        &self,
        tenant: TenantId,
        id: AttemptId,
        hash: Hash,
    ) -> Result<Before, ChargeError> {
        let found = self
            .read(move |ledger| {
                ledger.may_write(tenant)?;
                let Some(attempt) = ledger.attempt(tenant, id)? else {
                    return Ok(None);
                };
                Ok(Some(Before {
                    attempt,
                    charge: ledger.code_charge(tenant, id)?,
                    used_for: ledger.attempt_of_code(tenant, &hash)?,
                }))
            })
            .await?;
        found.ok_or(ChargeError::NoAttempt)
    }

    /// Two attempts that are charged with one code at one moment: the books take one of them.
    async fn note_charge(
        &self,
        tenant: TenantId,
        id: AttemptId,
        charge: CodeCharge,
    ) -> Result<(), ChargeError> {
        let noted = self
            .read(move |ledger| ledger.save_code_charge(tenant, id, &charge))
            .await;
        noted.map_err(|error| match error {
            LedgerError::Taken(_) => ChargeError::Used,
            other => other.into(),
        })
    }

    fn hash_of(&self, tenant: TenantId, code: &AuthCode) -> Result<Hash, ChargeError> {
        let missing = || EngineError::Missing(format!("tenant {tenant}"));
        let desk = self.desks.get(tenant).ok_or_else(missing)?;
        let message = zeroize::Zeroizing::new([HASH_OF, code.expose().as_bytes()].concat());
        let hash = hmac_sha256(desk.tenant.signing_seed.as_ref(), &message);
        Ok(hash.map_err(EngineError::Crypto)?)
    }
}

fn is_chargeable(attempt: &PaymentAttempt, now: Timestamp) -> bool {
    attempt.method == PayMethod::Code
        && attempt.state == AttemptState::Init
        && !attempt.cancel_requested
        && now < attempt.expires_at
}

fn is_of_channel(attempt: &PaymentAttempt, code: &AuthCode) -> bool {
    let digits = code.expose();
    match payment_code::recognise(digits, &[attempt.channel]) {
        Some(wallet) => Some(wallet) == Wallet::of(attempt.channel),
        // A code of a prefix that no table lists yet is the channel's that the cashier chose.
        None => may_be_code(digits),
    }
}
