//! Devices that were taken out of service, looked up while the server serves: whoever listens live
//! is told nothing more. Requests are judged by the books themselves, each time.

use std::collections::BTreeSet;
use std::sync::Weak;
use std::time::Duration;

use qiantai_core::ids::DeviceId;

use super::Shared;
use crate::db::{Ledger, LedgerError};

/// How often.
const EVERY: Duration = Duration::from_secs(2);

/// Runs until the server is gone.
pub(crate) async fn run(server: Weak<Shared>) {
    loop {
        let Some(shared) = server.upgrade() else {
            return;
        };
        let ledger = std::sync::Arc::clone(&shared.ledger);
        let looked = tokio::task::spawn_blocking(move || look(ledger.as_ref())).await;
        match looked {
            Ok(Ok(revoked)) => {
                shared.revoked.send_if_modified(|known| {
                    let is_new = *known != revoked;
                    *known = revoked;
                    is_new
                });
            }
            Ok(Err(error)) => tracing::warn!(%error, "revocations cannot be read"),
            Err(error) => tracing::error!(%error, "revocations cannot be read"),
        }
        drop(shared);
        tokio::time::sleep(EVERY).await;
    }
}

fn look(ledger: &dyn Ledger) -> Result<BTreeSet<DeviceId>, LedgerError> {
    let mut revoked = BTreeSet::new();
    for tenant in ledger.tenants()? {
        let of_tenant = ledger.revocations(tenant.id)?;
        revoked.extend(of_tenant.into_iter().map(|it| it.device));
    }
    Ok(revoked)
}
