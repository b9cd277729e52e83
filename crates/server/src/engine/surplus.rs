//! Sending back what was paid a second time (docs: domain §2.2).

use qiantai_core::Millis;
use qiantai_core::attempt::{PaymentAttempt, Surplus};
use qiantai_core::ids::{AttemptId, StoreId, TenantId};
use qiantai_core::ledger::Topic;
use qiantai_core::operation::{OperationBody, SurplusRefunded};
use qiantai_core::order_no::{OrderNo, Prefix};
use qiantai_pay::{Channel, RefundAnswer, RefundNotice, RefundQuery, RefundRequest};
use sha2::{Digest, Sha256};

use super::schedule::{back_off, next_query_at};
use super::turns::Turns;
use super::{Engine, EngineError};
use crate::db::{Delivery, DeliveryState, DueEvent};

/// So many tries come one after the other; then it is tried now and then, for as long as it takes. A
/// gateway may be away for a day, and the case is open since the payment came.
const QUICK_TRIES: u32 = 10;

/// Between later tries, and between questions about an accepted refund when the sweep's day is over:
/// a bank takes days.
const NOW_AND_THEN: Millis = Millis::hours(1);

/// What a refund came to.
enum Carried {
    Returned,
    /// The gateway is at it: ask again later, for as long as it takes.
    Accepted,
    /// Ask again later with the same number.
    Later(String),
    /// Only people at the gateway can bring it on. That they did may be told by a notice, which may be
    /// lost: ask now and then.
    ByStaff,
    /// No try will help.
    Never(String),
}

impl Engine {
    /// Sends back every payment of the event's attempt that nobody owes us, once.
    pub(super) async fn refund(&self, due: &DueEvent) -> Result<(), EngineError> {
        let tenant = due.tenant;
        let id = AttemptId(due.event.subject);
        let (attempt, order) = self
            .read(move |ledger| {
                let attempt = ledger.attempt(tenant, id)?;
                let order = match &attempt {
                    Some(attempt) => ledger.order(tenant, attempt.order)?,
                    None => None,
                };
                Ok((attempt, order))
            })
            .await?;
        let (Some(attempt), Some(order)) = (attempt, order) else {
            return Err(EngineError::Missing(format!("attempt {id} of a surplus")));
        };
        let mut carried = Carried::Returned;
        for surplus in attempt.surplus.iter().filter(|surplus| !surplus.refunded) {
            carried = self.return_one(due, &attempt, order.store, surplus).await?;
            if !matches!(carried, Carried::Returned) {
                break;
            }
        }
        self.note(due, carried).await
    }

    async fn return_one(
        &self,
        due: &DueEvent,
        attempt: &PaymentAttempt,
        store: StoreId,
        surplus: &Surplus,
    ) -> Result<Carried, EngineError> {
        let Some(channel) = self.gateway(attempt.channel) else {
            return Ok(Carried::Later("the channel is not set up".to_owned()));
        };
        let request = RefundRequest {
            attempt_no: attempt.attempt_no.clone(),
            channel_txn_no: Some(surplus.channel_txn_no.clone()),
            refund_no: refund_no(attempt, surplus),
            paid: surplus.amount,
            amount: surplus.amount,
            reason: "重复付款退回".to_owned(),
            notify_url: self.notify_url(&channel),
        };
        let answer = ask(channel.as_ref(), due.tries, &request).await;
        match answer {
            RefundAnswer::Succeeded { amount, .. } if amount == surplus.amount => {
                self.is_back(due.tenant, store, attempt.id, surplus).await?;
                Ok(Carried::Returned)
            }
            RefundAnswer::Succeeded { amount, .. } => Ok(Carried::Never(format!(
                "the gateway returned {amount} instead"
            ))),
            RefundAnswer::Accepted => Ok(Carried::Accepted),
            RefundAnswer::MerchantFundsShort => {
                Ok(Carried::Later("the merchant account is short".to_owned()))
            }
            RefundAnswer::Unknown(cause) => Ok(Carried::Later(cause.to_string())),
            RefundAnswer::ConfigError(cause) => Ok(Carried::Later(cause.to_string())),
            RefundAnswer::Refused(why) => Ok(Carried::Never(format!("refused: {why:?}"))),
            RefundAnswer::NeedsHandling => Ok(Carried::ByStaff),
        }
    }

    /// Writes that a second payment went back.
    async fn is_back(
        &self,
        tenant: TenantId,
        store: StoreId,
        attempt: AttemptId,
        surplus: &Surplus,
    ) -> Result<(), EngineError> {
        let body = OperationBody::SurplusRefunded(SurplusRefunded {
            attempt,
            channel_txn_no: surplus.channel_txn_no.clone(),
            amount: surplus.amount,
        });
        self.say(tenant, store, body).await.map(drop)
    }

    /// Lets the gateway be asked at once what a notice of a refund speaks of; the notice itself is
    /// believed in nothing. Refunds that are not ours, such as those that the merchant made at the
    /// gateway itself, are no business of these books.
    pub(crate) async fn hear_refund(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
        notice: &RefundNotice,
    ) -> Result<(), EngineError> {
        let is_meant = |surplus: &&Surplus| refund_no(attempt, surplus) == notice.refund_no;
        let Some(surplus) = attempt.surplus.iter().find(is_meant) else {
            tracing::info!(attempt = %attempt.attempt_no, "a notice of a refund that is not ours");
            return Ok(());
        };
        if surplus.refunded {
            return Ok(());
        }
        tracing::info!(attempt = %attempt.attempt_no, said = ?notice.answer, "a notice of a refund");
        self.make_due(tenant, attempt.id).await
    }

    /// Lets the refunds of an attempt be looked at now, once a try that is under way has ended.
    /// Those given up too: staff may have acted at the gateway.
    async fn make_due(&self, tenant: TenantId, attempt: AttemptId) -> Result<(), EngineError> {
        let unfinished = self
            .read(move |ledger| ledger.unfinished_events(tenant, Topic::PaymentSurplus, attempt.0))
            .await?;
        for due in unfinished {
            let turn = Turns::wait(&self.turns, due.event.id.0).await;
            let delivery = Delivery {
                state: DeliveryState::Pending,
                // The gateway has it: the next try asks before it repeats.
                tries: due.tries.max(1),
                next_at: self.clock.now(),
                last_error: Some("a notice came".to_owned()),
            };
            let event = due.event.id;
            self.read(move |ledger| ledger.save_delivery(tenant, event, &delivery))
                .await?;
            drop(turn);
        }
        self.wake();
        Ok(())
    }

    async fn note(&self, due: &DueEvent, carried: Carried) -> Result<(), EngineError> {
        let now = self.clock.now();
        let tries = match carried {
            // At least one, so that the next try asks before it repeats.
            Carried::Accepted => due.tries.max(1),
            _ => due.tries + 1,
        };
        let next_at = match carried {
            Carried::Accepted => {
                next_query_at(due.event.at, Some(now)).unwrap_or(now + NOW_AND_THEN)
            }
            Carried::ByStaff => now + NOW_AND_THEN,
            _ if tries < QUICK_TRIES => now + back_off(tries),
            _ => now + NOW_AND_THEN,
        };
        let (state, last_error) = match carried {
            Carried::Returned => (DeliveryState::Acked, None),
            Carried::Accepted => {
                let why = "accepted, not done yet".to_owned();
                (DeliveryState::Pending, Some(why))
            }
            Carried::Later(why) => (DeliveryState::Pending, Some(why)),
            Carried::ByStaff => {
                let why = "staff must act at the gateway".to_owned();
                (DeliveryState::Pending, Some(why))
            }
            Carried::Never(why) => (DeliveryState::Dead, Some(why)),
        };
        if let Some(why) = &last_error {
            tracing::warn!(%why, ?state, "a second payment was not sent back yet");
        }
        let delivery = Delivery {
            state,
            tries,
            next_at,
            last_error,
        };
        let (tenant, event) = (due.tenant, due.event.id);
        self.read(move |ledger| ledger.save_delivery(tenant, event, &delivery))
            .await?;
        Ok(())
    }
}

/// The first try asks for the refund; later ones look first whether it was done.
async fn ask(channel: &dyn Channel, tries: u32, request: &RefundRequest) -> RefundAnswer {
    if tries > 0 {
        let query = RefundQuery {
            attempt_no: request.attempt_no.clone(),
            refund_no: request.refund_no.clone(),
        };
        let answer = channel.query_refund(&query).await;
        if matches!(
            answer,
            RefundAnswer::Succeeded { .. } | RefundAnswer::Accepted | RefundAnswer::NeedsHandling
        ) {
            return answer;
        }
    }
    channel.refund(request).await
}

/// The same number for every try: it follows from the payment that is sent back.
fn refund_no(attempt: &PaymentAttempt, surplus: &Surplus) -> String {
    let mut hash = Sha256::new();
    hash.update(&attempt.attempt_no);
    hash.update(&surplus.channel_txn_no);
    let digest: [u8; 32] = hash.finalize().into();
    let random = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    let of_attempt: Option<OrderNo> = attempt.attempt_no.parse().ok();
    let number = of_attempt.and_then(|no| {
        let (store, at) = (no.store_code(), attempt.started_at);
        OrderNo::new(Prefix::Refund, at, &store, "00", random).ok()
    });
    // A terminal may number its attempts in another form; a gateway takes any 30 characters.
    number.map_or_else(
        || format!("TK{}", &hex::encode_upper(digest)[..28]),
        |number| number.to_string(),
    )
}
