//! What a restored backup asks of the payments: how attempts ended since it was made was lost.
//! Those that are open here are asked about as ever; those that had ended when it was made are
//! asked about once more; and orders that terminals bring back are not ended before their
//! attempts are here.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use qiantai_core::ids::{OrderId, TenantId};
use qiantai_core::recharge::RechargeOrder;
use qiantai_core::{Millis, Timestamp};

use super::schedule::LATE_WATCH;
use crate::db::{Ledger, LedgerError, Restored};

/// How long after a restore ended attempts are looked at again.
const ASKED_AGAIN: Millis = Millis::hours(24);

/// How long an order of before the restore is known before it is ended.
const GRACE: Millis = Millis::minutes(1);

/// What is known of restored books.
#[derive(Default)]
pub(super) struct Recovery(Mutex<Known>);

#[derive(Default)]
struct Known {
    restored: HashMap<TenantId, Option<Restored>>,
    /// When orders of before the restore were first seen past their time.
    overdue: HashMap<OrderId, Timestamp>,
}

impl Recovery {
    /// Looks once how the timeline of each tenant began; it does not change while a server runs.
    pub(super) fn learn(
        &self,
        ledger: &dyn Ledger,
        tenants: &[TenantId],
    ) -> Result<(), LedgerError> {
        for &tenant in tenants {
            let is_known = self.known().restored.contains_key(&tenant);
            if !is_known {
                let restored = ledger.restored(tenant)?;
                self.known().restored.insert(tenant, restored);
            }
        }
        Ok(())
    }

    /// From when on attempts that ended unpaid are asked about.
    pub(super) fn ended_since(&self, now: Timestamp) -> Timestamp {
        let known = self.known();
        let restored = known.restored.values().flatten();
        let young = restored.filter(|restored| now - restored.began_at < ASKED_AGAIN);
        let made = young.map(|restored| restored.backup_made_at).min();
        made.map_or(now, |made| made.min(now)) - LATE_WATCH
    }

    /// When an order that is past its time is ended.
    pub(super) fn ends_at(
        &self,
        tenant: TenantId,
        order: &RechargeOrder,
        now: Timestamp,
    ) -> Timestamp {
        if !self.is_before_restore(tenant, order) {
            return now;
        }
        *self.known().overdue.entry(order.id).or_insert(now) + GRACE
    }

    /// Whether an order was opened before the backup was restored in which it may be missing.
    pub(super) fn is_before_restore(&self, tenant: TenantId, order: &RechargeOrder) -> bool {
        let restored = self.known().restored.get(&tenant).copied().flatten();
        restored.is_some_and(|restored| order.opened_at < restored.began_at)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
