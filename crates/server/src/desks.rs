//! The tenants that this server writes for, and their writers.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use qiantai_core::ids::TenantId;

use crate::db::Tenant;
use crate::writer::{Writer, WriterThread};

/// A tenant with its writer.
pub struct Desk {
    /// Whose books.
    pub tenant: Tenant,
    /// The one that writes them.
    pub writer: Writer,
}

/// A desk, and the thread of its writer where it has one.
type Seated = (Arc<Desk>, Option<WriterThread>);

/// Every desk of the server; empty once it stops.
#[derive(Default)]
pub struct Desks(RwLock<HashMap<TenantId, Seated>>);

impl Desks {
    /// The desk of a tenant.
    pub fn get(&self, tenant: TenantId) -> Option<Arc<Desk>> {
        let desks = self.0.read().unwrap_or_else(PoisonError::into_inner);
        desks.get(&tenant).map(|(desk, _)| Arc::clone(desk))
    }

    /// Every tenant that has a desk.
    pub fn tenants(&self) -> Vec<TenantId> {
        let desks = self.0.read().unwrap_or_else(PoisonError::into_inner);
        desks.keys().copied().collect()
    }

    /// True when every writer works.
    pub fn are_running(&self) -> bool {
        let desks = self.0.read().unwrap_or_else(PoisonError::into_inner);
        desks.values().all(|(desk, _)| desk.writer.is_running())
    }

    /// Adds a tenant, with the thread of its writer where it has one.
    pub(crate) fn add(&self, desk: Desk, thread: Option<WriterThread>) {
        let mut desks = self.0.write().unwrap_or_else(PoisonError::into_inner);
        desks.insert(desk.tenant.id, (Arc::new(desk), thread));
    }

    /// Takes every desk away and returns the threads, which end when their queues are empty.
    pub(crate) fn close(&self) -> Vec<WriterThread> {
        let mut desks = self.0.write().unwrap_or_else(PoisonError::into_inner);
        desks
            .drain()
            .filter_map(|(_, (_, thread))| thread)
            .collect()
    }
}
