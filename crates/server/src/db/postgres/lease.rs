//! The right to write: one process per tenant, for a few seconds at a time.

use std::collections::HashMap;
use std::sync::Mutex;

use qiantai_core::Millis;
use qiantai_core::ids::TenantId;
use uuid::Uuid;

use super::statement::Statement;
use crate::db::LedgerError;
use crate::db::database::lock;

/// How long the right lasts unless it is renewed. A writer that dies is replaced after this.
pub const LEASE_LASTS: Millis = Millis::seconds(4);

/// A process that may write.
#[derive(Clone, Debug)]
pub struct Holder {
    /// Names the process; no two that run at one time have the same.
    pub id: Uuid,
    /// Where terminals and other servers reach it.
    pub address: String,
    /// How long its right lasts after each renewal.
    pub lasts: Millis,
}

impl Holder {
    /// A process that was just started; `id` is a fresh one.
    pub fn fresh(id: Uuid, address: String) -> Holder {
        Holder {
            id,
            address,
            lasts: LEASE_LASTS,
        }
    }
}

/// What this process knows of the rights to write.
pub(super) struct Leases {
    pub(super) holder: Holder,
    known: Mutex<HashMap<TenantId, Lease>>,
}

/// Who has the right, as far as we know.
#[derive(Clone)]
enum Lease {
    Ours { fence: i64 },
    Theirs { address: String },
}

/// The database's clock: those of the servers may differ.
macro_rules! now_ms {
    () => {
        "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
    };
}

impl Leases {
    pub(super) fn of(holder: Holder) -> Leases {
        Leases {
            holder,
            known: Mutex::default(),
        }
    }

    /// Our fence; `None` when we have not asked yet.
    pub(super) fn fence(&self, tenant: TenantId) -> Result<Option<i64>, LedgerError> {
        match lock(&self.known).get(&tenant) {
            None => Ok(None),
            Some(Lease::Ours { fence }) => Ok(Some(*fence)),
            Some(Lease::Theirs { address }) => Err(LedgerError::WrittenElsewhere {
                address: address.clone(),
            }),
        }
    }

    pub(super) fn is_ours(&self, tenant: TenantId, fence: i64) {
        lock(&self.known).insert(tenant, Lease::Ours { fence });
    }

    pub(super) fn is_theirs(&self, tenant: TenantId, address: String) {
        lock(&self.known).insert(tenant, Lease::Theirs { address });
    }

    pub(super) fn forget(&self, tenant: TenantId) {
        lock(&self.known).remove(&tenant);
    }

    pub(super) fn forget_all(&self) {
        lock(&self.known).clear();
    }

    /// Takes the right when it is free, ours or run out; returns the fence then, and else nothing.
    pub(super) fn take(&self, tenant: TenantId) -> Statement {
        Statement::new(concat!(
            "INSERT INTO writer_lease (tenant_id, holder_id, address, fence, expires_ms)
             VALUES ($1, $2, $3, 1, ",
            now_ms!(),
            " + $4)
             ON CONFLICT (tenant_id) DO UPDATE SET
                 fence = writer_lease.fence
                     + CASE WHEN writer_lease.holder_id = excluded.holder_id THEN 0 ELSE 1 END,
                 holder_id = excluded.holder_id, address = excluded.address,
                 expires_ms = excluded.expires_ms
             WHERE writer_lease.holder_id = excluded.holder_id
                 OR writer_lease.expires_ms <= ",
            now_ms!(),
            " RETURNING fence"
        ))
        .with(tenant.0)
        .with(self.holder.id)
        .with(&self.holder.address)
        .with(self.holder.lasts.0)
    }

    /// Who has it.
    pub(super) fn who(tenant: TenantId) -> Statement {
        Statement::new("SELECT address FROM writer_lease WHERE tenant_id = $1").with(tenant.0)
    }

    /// Stands first in a batch: renews the right, and changes no row when it is lost. The row
    /// stays locked until the batch ends, so that nobody takes the right meanwhile.
    pub(super) fn check(&self, tenant: TenantId, fence: i64) -> Statement {
        let statement = Statement::new(concat!(
            "UPDATE writer_lease SET expires_ms = ",
            now_ms!(),
            " + $4 WHERE tenant_id = $1 AND holder_id = $2 AND fence = $3"
        ));
        Statement {
            changes: Some(1),
            ..statement
        }
        .with(tenant.0)
        .with(self.holder.id)
        .with(fence)
        .with(self.holder.lasts.0)
    }

    /// Gives every right back.
    pub(super) fn let_go(&self) -> Statement {
        Statement::new("UPDATE writer_lease SET expires_ms = 0 WHERE holder_id = $1")
            .with(self.holder.id)
    }
}
