//! The commands of a running counter. Each moves its work to a thread that may block.

use std::sync::Arc;

use qiantai_core::ids::OrderId;
use qiantai_sync::CallFailed;
use qiantai_wire::SignedOperation;

use crate::counter::Counter;
use crate::error::{CallError, ErrorCode, MoneyMoved};
use crate::overlay::is_over;
use crate::parse;
use crate::printing::{open_drawer, preview};
use crate::view::order::{OrderKey, OrderView, PayCash, ReceiptView};

/// Runs `work` on a thread that may block.
///
/// # Errors
/// That of `work`, or `internal` when it panicked.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CallError> + Send + 'static,
) -> Result<T, CallError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // The program is ending: nobody waits for the answer, and it is no failure.
        Err(error) if error.is_cancelled() => std::future::pending().await,
        Err(error) => {
            // The panic itself was logged where it happened, without its words.
            tracing::error!(panicked = error.is_panic(), "a command ended early");
            let mut failed = CallError::internal();
            // What was committed before the panic stands; the order list tells.
            failed.money = MoneyMoved::Unknown;
            Err(failed)
        }
    }
}

/// Takes cash. The drawer opens meanwhile: nobody waits for it, and it waits for nobody.
pub(crate) async fn pay_cash(
    counter: &Arc<Counter>,
    request: PayCash,
) -> Result<OrderView, CallError> {
    let till = Arc::clone(counter);
    let order = blocking(move || till.pay_cash(&request)).await?;
    let id = OrderId(parse::id(&order.id)?);
    tokio::spawn(open_drawer(Arc::clone(counter), id));
    Ok(order)
}

/// Asks the channel now, through the server.
pub(crate) async fn query_payment(
    counter: &Arc<Counter>,
    request: OrderKey,
) -> Result<OrderView, CallError> {
    let order = OrderId(parse::id(&request.order_id)?);
    let reader = Arc::clone(counter);
    let file = blocking(move || {
        reader.may_follow(order)?;
        reader.order_file(order)
    })
    .await?;
    let open = file.attempts.iter().find(|attempt| !is_over(attempt));
    if let Some(attempt) = open {
        counter
            .client
            .query_attempt(attempt.id.0)
            .await
            .map_err(|error| no_word(&error, "payment_unanswered"))?;
        counter.sync.nudge();
    }
    let reader = Arc::clone(counter);
    blocking(move || reader.order_view(order)).await
}

/// Makes sure that the server's signed settlement of a QR order is here for its slip. Cash
/// orders carry this terminal's own operation, and what is not credited has none.
pub(crate) async fn fetch_settlement(
    counter: &Arc<Counter>,
    order: OrderId,
) -> Result<(), CallError> {
    let reader = Arc::clone(counter);
    if !blocking(move || reader.lacks_settlement(order)).await? {
        return Ok(());
    }
    let answer = counter.client.order(order.0).await;
    let answer = answer.map_err(|error| no_word(&error, "receipt_unsigned"))?;
    let Some(settlement) = answer.settlement else {
        return Err(CallError::new(ErrorCode::WrongState, "order_state").retryable());
    };
    let writer = Arc::clone(counter);
    let signed = SignedOperation {
        bytes: settlement.0,
    };
    blocking(move || Ok(writer.store.keep_settlement(order, &signed)?)).await
}

/// The receipt on the screen: the rows that the printer gets.
pub(crate) async fn receipt(
    counter: &Arc<Counter>,
    request: OrderKey,
) -> Result<ReceiptView, CallError> {
    counter.staff()?;
    let order = OrderId(parse::id(&request.order_id)?);
    fetch_settlement(counter, order).await?;
    let reader = Arc::clone(counter);
    blocking(move || preview::receipt(&reader, order)).await
}

/// The server says nothing about a payment that was begun. What is told must fit one that was paid.
fn no_word(error: &CallFailed, message: &str) -> CallError {
    tracing::warn!(%error, "server call");
    let mut failed = CallError::new(ErrorCode::ServerUnreachable, message);
    failed.money = MoneyMoved::Unknown;
    failed.retryable()
}
