//! Where the books stand in time, and how a time in the future ends (docs: adr 52).

use std::collections::BTreeMap;
use std::sync::Arc;

use qiantai_core::Timestamp;
use qiantai_core::ids::{StoreId, TenantId};
use qiantai_core::policy::Policy;

use super::{AdminError, Server};
use crate::db::{Ledger, LedgerError};

/// When the books were last written.
pub(super) fn newest_of(ledger: &dyn Ledger) -> Result<Option<Timestamp>, LedgerError> {
    let mut newest = None;
    for tenant in ledger.tenants()? {
        newest = newest.max(written_at(ledger, tenant.id)?);
    }
    Ok(newest)
}

/// When the books of a tenant were last written. Where the row cannot be read, opening them says no
/// more than `verify` would.
pub(crate) fn written_at(
    ledger: &dyn Ledger,
    tenant: TenantId,
) -> Result<Option<Timestamp>, LedgerError> {
    let head = ledger.head(tenant)?.server_seq;
    match ledger.log_row(tenant, head) {
        Ok(row) => Ok(row.map(|row| row.decided_at)),
        Err(LedgerError::Corrupt(what)) => {
            tracing::error!(%what, "the last row of the log cannot be read");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

impl Server {
    /// Where the clock is believed and books end in its future: the rules that they worked by are
    /// put into force now. Without that, changes made in the future would wait for it, and the
    /// next start would begin there again. Before [`Server::start`]; what cannot be done is logged,
    /// for the shop must open.
    pub async fn end_future(&self) {
        if !self.0.clock.is_believed() {
            return;
        }
        if let Err(error) = self.try_end_future().await {
            tracing::error!(%error, "the books still end in the future");
        }
    }

    async fn try_end_future(&self) -> Result<(), AdminError> {
        for tenant in self.tenants()? {
            let now = self.now();
            let written = written_at(self.0.ledger.as_ref(), tenant.id)?;
            let Some(then) = written.filter(|then| *then > now) else {
                continue;
            };
            tracing::warn!(%then, %now, "the books ended in the future and go on in the present");
            for rules in worked_by(self.0.ledger.policies(tenant.id)?, then) {
                let mut rules = Policy::clone(&rules);
                rules.version += 1;
                rules.effective_from = now;
                self.publish_policy(rules).await?;
            }
        }
        Ok(())
    }
}

/// The newest rules of each store, if they were in force at `then`: some may be meant for later.
fn worked_by(policies: Vec<Arc<Policy>>, then: Timestamp) -> impl Iterator<Item = Arc<Policy>> {
    let mut newest: BTreeMap<StoreId, Arc<Policy>> = BTreeMap::new();
    for policy in policies {
        let known = newest.get(&policy.store.id);
        if known.is_none_or(|known| known.version < policy.version) {
            newest.insert(policy.store.id, policy);
        }
    }
    let newest = newest.into_values();
    newest.filter(move |rules| rules.effective_from <= then)
}
