//! When devices last asked for anything: noted at each request, recorded twice a minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError, Weak};
use std::time::Duration;

use qiantai_core::Timestamp;
use qiantai_core::ids::{DeviceId, TenantId};

use super::Shared;
use crate::db::{Ledger, LedgerError};

/// How often. What a crash forgets is no more than this.
const EVERY: Duration = Duration::from_secs(30);

/// Contacts that are not recorded yet.
#[derive(Default)]
pub(crate) struct Contacts(Mutex<HashMap<TenantId, HashMap<DeviceId, Timestamp>>>);

impl Contacts {
    /// A device asks for something.
    pub(crate) fn note(&self, tenant: TenantId, device: DeviceId, now: Timestamp) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.entry(tenant).or_default().insert(device, now);
    }

    /// Writes what was noted since the last call. What could not be written is noted again,
    /// unless the device was heard meanwhile.
    pub(crate) fn record(&self, ledger: &dyn Ledger) -> Result<(), LedgerError> {
        let noted = {
            let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *noted)
        };
        let mut failed = Ok(());
        for (tenant, devices) in noted {
            let contacts: Vec<_> = devices.into_iter().collect();
            if let Err(error) = ledger.save_contacts(tenant, &contacts) {
                failed = Err(error);
                let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let again = noted.entry(tenant).or_default();
                for (device, seen_at) in contacts {
                    again.entry(device).or_insert(seen_at);
                }
            }
        }
        failed
    }
}

/// Runs until the server is gone.
pub(super) async fn run(server: Weak<Shared>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(shared) = server.upgrade() else {
            return;
        };
        let recorded =
            tokio::task::spawn_blocking(move || shared.contacts.record(shared.ledger.as_ref()));
        match recorded.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "contacts of devices were not recorded"),
            Err(error) => tracing::error!(%error, "recording contacts ended by a panic"),
        }
    }
}
