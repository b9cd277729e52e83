//! Online, the server's word follows a sale at once. A slip waits for it a moment, so that the paper
//! says what is certain; without it the paper says that its figures are provisional.

use std::sync::Arc;

use qiantai_core::ids::OrderId;
use tokio::sync::broadcast::error::RecvError;

use crate::counter::Counter;
use crate::error::CallError;
use crate::serve::blocking;

/// Waits for the server's word on `order`, as long as it may come.
pub(super) async fn hear(counter: &Arc<Counter>, order: OrderId) -> Result<(), CallError> {
    let mut events = counter.events.subscribe();
    let heard = async {
        while may_come(counter, order).await? {
            if let Err(RecvError::Closed) = events.recv().await {
                break;
            }
        }
        Ok(())
    };
    tokio::select! {
        heard = heard => heard,
        () = counter.surroundings.sleep(counter.surroundings.slip_waits()) => Ok(()),
    }
}

async fn may_come(counter: &Arc<Counter>, order: OrderId) -> Result<bool, CallError> {
    let counter = Arc::clone(counter);
    blocking(move || Ok(!counter.is_offline() && counter.order_file(order)?.provisional)).await
}
