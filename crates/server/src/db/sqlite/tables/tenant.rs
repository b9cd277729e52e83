//! Table `tenant`.

use qiantai_core::clock::Timestamp;
use qiantai_core::ids::{DeviceId, TenantId};
use rusqlite::{Connection, Result, params};
use zeroize::Zeroizing;

use super::super::row::Columns;
use crate::db::Tenant;

pub(in super::super) fn insert(db: &Connection, tenant: &Tenant, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO tenant (tenant_id, name, server_device_id, signing_seed, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        tenant.id.0.as_bytes(),
        tenant.name,
        tenant.server_device.0.as_bytes(),
        tenant.signing_seed.as_slice(),
        now.ms(),
    ])?;
    Ok(())
}

pub(in super::super) fn all(db: &Connection) -> Result<Vec<Tenant>> {
    db.prepare_cached(
        "SELECT tenant.*, head.timeline FROM tenant
         JOIN head ON head.tenant_id = tenant.tenant_id
         ORDER BY tenant.created_ms, tenant.tenant_id",
    )?
    .query_map([], |row| {
        Ok(Tenant {
            id: TenantId(row.id("tenant_id")?),
            name: row.get("name")?,
            server_device: DeviceId(row.id("server_device_id")?),
            signing_seed: Zeroizing::new(row.get("signing_seed")?),
            timeline: row.get("timeline")?,
        })
    })?
    .collect()
}
