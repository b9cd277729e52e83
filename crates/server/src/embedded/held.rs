//! Deciding, at each start, what an older version of the program could not read and held.

use std::collections::HashSet;
use std::sync::Weak;
use std::time::Duration;

use super::{Server, Shared};
use crate::db::LedgerError;
use crate::quarantine::{self, ReviewError};

/// How often it is looked whether more books are written here.
const EVERY: Duration = Duration::from_secs(10);

/// Runs until the server is gone.
pub(crate) async fn run(server: Weak<Shared>) {
    let mut done = HashSet::new();
    loop {
        let Some(shared) = server.upgrade() else {
            return;
        };
        let server = Server(shared);
        for tenant in server.0.desks.tenants() {
            if done.contains(&tenant) {
                continue;
            }
            match quarantine::take_up(&server, tenant).await {
                Ok(_) => {
                    done.insert(tenant);
                }
                Err(ReviewError::Ledger(LedgerError::WrittenElsewhere { .. })) => {}
                Err(error) => tracing::warn!(%tenant, %error, "what is held was not looked at"),
            }
        }
        drop(server);
        tokio::time::sleep(EVERY).await;
    }
}
