//! Notices that name nobody: the gateway is asked before anything is believed.
//!
//! Such a notice is kept in the ledger before it is answered, because for a second payment of an
//! order it is all that ever tells. The gateway is asked at once, then by the sweep's table for its
//! day, whatever restarts come between; what it has not said by then is a person's matter.

use qiantai_core::Timestamp;
use qiantai_core::attempt::{GatewayOutcome, PaymentAttempt};
use qiantai_core::ids::{OpId, RowId, TenantId};
use qiantai_pay::{ChannelId, GatewayAnswer, NoticeReceipt, PaidFact, PaymentNotice, UnknownCause};

use super::perform::says_nothing_new;
use super::schedule::next_query_at;
use super::turns::Turns;
use super::{Engine, EngineError, lock, returned, success};
use crate::db::{Hint, HintState};

/// So many notices of one attempt are kept and not settled: nobody honest sends more, and each is
/// asked about for a day.
const OPEN_MAX: usize = 16;

impl Engine {
    /// Keeps a notice that names nobody, and asks about the payment that it tells of. It need not
    /// come again, whatever the gateway answers.
    pub(crate) async fn hear_hint(
        &self,
        tenant: TenantId,
        from: ChannelId,
        attempt: &PaymentAttempt,
        notice: &PaymentNotice,
    ) -> Result<NoticeReceipt, EngineError> {
        if says_nothing_new(attempt, &success(notice.paid.clone())) {
            return Ok(NoticeReceipt::Taken);
        }
        // Before the turn of the attempt: a call to a silent gateway may hold it for longer than
        // the sender of the notice waits.
        let hint = self.hint_of(from, attempt, notice);
        if !self.keep(tenant, &hint).await? {
            tracing::warn!(attempt = %attempt.attempt_no, "too many notices that name nobody");
            return Ok(NoticeReceipt::Refused);
        }
        let turn = Turns::wait(&self.turns, attempt.id.0).await;
        self.ask_about(tenant, &hint).await?;
        drop(turn);
        self.wake();
        Ok(NoticeReceipt::Taken)
    }

    /// When a kept notice is asked about next: by the sweep's table from when it first came, then a
    /// last time.
    pub(super) fn asks_about_at(&self, hint: &Hint, now: Timestamp) -> Timestamp {
        let last = lock(&self.hints_asked).get(&hint.id).copied();
        next_query_at(hint.heard_at, last).unwrap_or(now)
    }

    /// Asks about a kept notice, and settles it when the gateway knows or its day is over.
    pub(super) async fn ask_about(&self, tenant: TenantId, hint: &Hint) -> Result<(), EngineError> {
        let attempt = self.attempt_now(tenant, hint.attempt).await?;
        if is_in_the_books(&attempt, hint) {
            return self.settle(tenant, hint, HintState::Confirmed).await;
        }
        let now = self.clock.now();
        lock(&self.hints_asked).insert(hint.id, now);
        let answer = match self.channels.named(&hint.gateway) {
            Some(gateway) => {
                let notice = notice_of(&attempt, hint);
                self.heard(gateway).confirm(&notice).await
            }
            None => GatewayAnswer::Unknown(UnknownCause::NotSent),
        };
        let fact = match answer.clone() {
            GatewayAnswer::Success(paid) => Some(success(paid)),
            GatewayAnswer::Returned(paid) => Some(returned(paid)),
            _ => None,
        };
        if let Some(fact) = fact {
            self.record(tenant, &attempt, fact).await?;
            let attempt = self.attempt_now(tenant, hint.attempt).await?;
            if is_in_the_books(&attempt, hint) {
                return self.settle(tenant, hint, HintState::Confirmed).await;
            }
        }
        let number = &attempt.attempt_no;
        tracing::warn!(?answer, attempt = %number, "a notice is not confirmed");
        if next_query_at(hint.heard_at, Some(now)).is_some() {
            return Ok(());
        }
        if is_denial(&answer) {
            return self.settle(tenant, hint, HintState::Denied).await;
        }
        let purpose = format!("notice unconfirmed {}", hint.channel_txn_no);
        let outcome = GatewayOutcome::NoticeUnconfirmed {
            channel_txn_no: hint.channel_txn_no.clone(),
            amount: hint.amount,
        };
        self.open_case(tenant, &attempt, &purpose, outcome).await?;
        self.settle(tenant, hint, HintState::Unclear).await
    }

    fn hint_of(&self, from: ChannelId, attempt: &PaymentAttempt, notice: &PaymentNotice) -> Hint {
        let paid = &notice.paid;
        let purpose = format!("hint {}", paid.channel_txn_no);
        Hint {
            id: RowId(OpId(attempt.id.0).derive(&purpose, 0)),
            attempt: attempt.id,
            gateway: from.0.to_owned(),
            channel_txn_no: paid.channel_txn_no.clone(),
            amount: paid.amount,
            paid_at: paid.paid_at,
            heard_at: self.clock.now(),
            state: HintState::Open,
        }
    }

    /// Writes it down; false when there are too many of its attempt.
    async fn keep(&self, tenant: TenantId, hint: &Hint) -> Result<bool, EngineError> {
        let hint = hint.clone();
        let kept = self.read(move |ledger| {
            let mut others = ledger.open_hints()?;
            others.retain(|(_, other)| other.attempt == hint.attempt && other.id != hint.id);
            if others.len() >= OPEN_MAX {
                return Ok(false);
            }
            ledger.save_hint(tenant, &hint)?;
            Ok(true)
        });
        Ok(kept.await?)
    }

    async fn settle(
        &self,
        tenant: TenantId,
        hint: &Hint,
        state: HintState,
    ) -> Result<(), EngineError> {
        let settled = Hint {
            state,
            ..hint.clone()
        };
        self.read(move |ledger| ledger.save_hint(tenant, &settled))
            .await?;
        Ok(())
    }
}

fn notice_of(attempt: &PaymentAttempt, hint: &Hint) -> PaymentNotice {
    PaymentNotice {
        notice_id: hint.id.to_string(),
        attempt_no: attempt.attempt_no.clone(),
        paid: PaidFact {
            channel_txn_no: hint.channel_txn_no.clone(),
            amount: hint.amount,
            paid_at: hint.paid_at,
            payer: None,
        },
    }
}

fn is_in_the_books(attempt: &PaymentAttempt, hint: &Hint) -> bool {
    says_nothing_new(attempt, &success(notice_of(attempt, hint).paid))
}

/// Whether the gateway knows that no money of that payment is with us: it is of another merchant, or
/// it is undone. Anything else says nothing.
fn is_denial(answer: &GatewayAnswer) -> bool {
    match answer {
        GatewayAnswer::Declined(_)
        | GatewayAnswer::Closed
        | GatewayAnswer::Unknown(UnknownCause::NotFound | UnknownCause::Mismatched) => true,
        GatewayAnswer::Success(_)
        | GatewayAnswer::Returned(_)
        | GatewayAnswer::Pending(_)
        | GatewayAnswer::Unknown(_)
        | GatewayAnswer::ConfigError(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use qiantai_core::Money;
    use qiantai_core::attempt::DeclineCode;
    use qiantai_pay::{ConfigCause, PendingState};

    use super::*;

    #[test]
    fn only_a_gateway_that_knows_denies() {
        let check = |answer: GatewayAnswer, denies| {
            assert_eq!(is_denial(&answer), denies, "{answer:?}");
        };
        let unknown = GatewayAnswer::Unknown;
        check(GatewayAnswer::Closed, true);
        check(GatewayAnswer::Declined(DeclineCode::NotCompleted), true);
        check(unknown(UnknownCause::NotFound), true);
        check(unknown(UnknownCause::Mismatched), true);
        check(unknown(UnknownCause::Busy), false);
        check(unknown(UnknownCause::NotSent), false);
        check(GatewayAnswer::Pending(PendingState::NotScanned), false);
        check(GatewayAnswer::ConfigError(ConfigCause::Signature), false);
        // The books did not take it, whatever the reason.
        let paid = PaidFact {
            channel_txn_no: "1".to_owned(),
            amount: Money::from_yuan(1),
            paid_at: Timestamp::from_ms(0),
            payer: None,
        };
        check(GatewayAnswer::Success(paid), false);
    }
}
