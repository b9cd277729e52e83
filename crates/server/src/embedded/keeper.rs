//! Keeping the right to write the books that this process writes, taking over those whose writer
//! is gone, and following those that another process writes.

use std::collections::HashMap;
use std::sync::Weak;
use std::time::Duration;

use qiantai_core::ids::TenantId;

use super::{AdminError, Server, Shared, written_at};
use crate::db::LedgerError;
use crate::writer::Committed;

/// How often. The right lasts for several rounds, so that one that is late costs nothing.
const EVERY: Duration = Duration::from_secs(1);

/// Runs until the server is gone. Books that no other process can open need nothing of this.
pub(crate) async fn run(server: Weak<Shared>) {
    let mut elsewhere = HashMap::new();
    loop {
        let Some(shared) = server.upgrade() else {
            return;
        };
        if !shared.ledger.is_shared() {
            return;
        }
        let server = Server(shared);
        let round = tokio::task::spawn_blocking(move || {
            let done = round(&server, &mut elsewhere);
            (done, elsewhere)
        });
        elsewhere = match round.await {
            Ok((done, elsewhere)) => {
                if let Err(error) = done {
                    tracing::warn!(%error, "the rights to write could not be renewed");
                }
                elsewhere
            }
            Err(error) => {
                tracing::error!(%error, "a round of the keeper ended by a panic");
                HashMap::new()
            }
        };
        tokio::time::sleep(EVERY).await;
    }
}

/// `elsewhere` holds the last head seen of the books that others write.
fn round(server: &Server, elsewhere: &mut HashMap<TenantId, u64>) -> Result<(), AdminError> {
    let ledger = server.ledger();
    for tenant in server.tenants()? {
        let id = tenant.id;
        if server.0.desks.get(id).is_none() {
            // Another process has made it since we started.
            server.seat_writer(tenant)?;
        }
        match ledger.hold(id) {
            Ok(()) => {
                if elsewhere.remove(&id).is_some() {
                    tracing::info!(tenant = %id, "these books are written here now");
                    // What is told goes on where the other one was, before anything is written.
                    if let Some(newest) = written_at(ledger.as_ref(), id)? {
                        server.0.clock.catch_up(newest);
                    }
                    server.0.engine.wake();
                }
            }
            Err(LedgerError::WrittenElsewhere { address }) => {
                let head = ledger.head(id)?.server_seq;
                match elsewhere.insert(id, head) {
                    None => tracing::info!(tenant = %id, %address, "these books are written there"),
                    Some(before) if before == head => {}
                    Some(_) => {
                        // Nobody listening is no error.
                        drop(server.0.events.send(Committed {
                            tenant: id,
                            head,
                            attempts: Vec::new(),
                        }));
                    }
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
