//! Once a day what nobody asks for any more leaves the terminal. Ages are generous: the files of
//! a busy year are some tens of megabytes.

use std::sync::{Arc, Weak};

use qiantai_core::{Millis, Timestamp};
use qiantai_store::{Old, Store, StoreError};

use crate::counter::Counter;
use crate::serve::blocking;
use crate::surroundings::Surroundings;

/// Acknowledged operations stay this long, so that the edge can rebuild a server (docs: sync,
/// "Writing").
const OPERATIONS_KEPT: Millis = Millis::days(90);
/// Operations that the server holds for a person stay for longer than a year's books are open.
const HELD_KEPT: Millis = Millis::days(400);
/// Slips that came out stay in the queue's list this long. A later reprint is made from the order.
const PRINTS_KEPT: Millis = Millis::days(90);
/// Between two looks.
const EACH: Millis = Millis::days(1);

/// Prunes at start and then daily, for as long as the counter lives.
pub async fn run(counter: Weak<Counter>, surroundings: Arc<dyn Surroundings>) {
    while let Some(alive) = counter.upgrade() {
        let pruned = blocking(move || Ok(prune(&alive.store, alive.clock.machine_time())?)).await;
        if let Err(error) = pruned {
            tracing::error!(?error, "pruning");
        }
        surroundings.sleep(EACH).await;
    }
}

/// Ages are in the server's time (docs: ADR 19). This terminal's own clock must agree that the time
/// has passed, so that neither clock makes anything old by running ahead for a while.
fn prune(store: &Store, machine_time: Timestamp) -> Result<(), StoreError> {
    let Some(heard_at) = store.sync_mark()?.server_time else {
        return Ok(());
    };
    let now = heard_at.min(machine_time);
    let pruned = store.prune(Old {
        operations: now - OPERATIONS_KEPT,
        held: now - HELD_KEPT,
        prints: now - PRINTS_KEPT,
    })?;
    tracing::info!(?pruned, "pruned");
    Ok(())
}
