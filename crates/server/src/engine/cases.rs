//! What a gateway says or leaves unsaid that a person must look at: a case is opened, once.

use qiantai_core::Millis;
use qiantai_core::attempt::{GatewayOutcome, PaymentAttempt};
use qiantai_core::ids::{ActionId, OpId, TenantId};
use qiantai_core::operation::{AttemptResult, OperationBody};
use qiantai_pay::ElsewhereNotice;

use super::{Engine, EngineError};

/// A reversal that is not clear by then is a person's matter. It is tried on all the same.
const UNCLEAR_AFTER: Millis = Millis::minutes(10);

impl Engine {
    /// Writes that another merchant or application was paid under an attempt's number. A notice of
    /// the payment and one of its refund are one case.
    pub(crate) async fn hear_elsewhere(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
        notice: ElsewhereNotice,
    ) -> Result<(), EngineError> {
        tracing::error!(attempt = %attempt.attempt_no, "somebody else was paid under our number");
        let purpose = format!("paid elsewhere {}", notice.channel_txn_no);
        let outcome = GatewayOutcome::PaidElsewhere {
            channel_txn_no: notice.channel_txn_no,
            amount: notice.amount,
        };
        self.open_case(tenant, attempt, &purpose, outcome).await?;
        // An open code is to be closed now.
        self.wake();
        Ok(())
    }

    /// A reversal got no clear answer; tells a person when that has lasted long.
    pub(super) async fn reversal_is_unclear(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
    ) -> Result<(), EngineError> {
        let lasts = self.clock.now() - attempt.changed_at;
        if lasts < UNCLEAR_AFTER || self.recall(attempt.id).is_unclear_told {
            return Ok(());
        }
        let outcome = GatewayOutcome::ReversalUnclear;
        self.open_case(tenant, attempt, "reversal unclear", outcome)
            .await?;
        self.remember(attempt.id, |memory| memory.is_unclear_told = true);
        Ok(())
    }

    /// Notices repeat, and a restart forgets what was told: the same case is the same action.
    pub(super) async fn open_case(
        &self,
        tenant: TenantId,
        attempt: &PaymentAttempt,
        purpose: &str,
        outcome: GatewayOutcome,
    ) -> Result<(), EngineError> {
        let order_id = attempt.order;
        let order = self
            .read(move |ledger| ledger.order(tenant, order_id))
            .await?;
        let missing = || EngineError::Missing(format!("order {order_id}"));
        let store = order.ok_or_else(missing)?.store;
        let action = ActionId(OpId(attempt.id.0).derive(purpose, 0));
        let body = OperationBody::AttemptResult(AttemptResult {
            attempt: attempt.id,
            outcome,
        });
        self.say_once(tenant, store, action, body).await.map(drop)
    }
}
