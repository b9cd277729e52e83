//! Table `policy`: published rules as the documents that were signed.

use qiantai_core::ids::{StoreId, TenantId};
use qiantai_core::policy::Policy;
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::super::row::Columns;

pub(in super::super) fn insert(
    db: &Connection,
    tenant: TenantId,
    policy: &Policy,
    document: &[u8],
    hash: &[u8; 32],
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO policy (tenant_id, store_id, version, effective_from_ms, store_code,
             store_name, document, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        policy.store.id.0.as_bytes(),
        policy.version,
        policy.effective_from.ms(),
        policy.store.code,
        policy.store.name,
        document,
        hash,
    ])?;
    Ok(())
}

/// Documents of a tenant, oldest first.
pub(in super::super) fn documents(db: &Connection, tenant: TenantId) -> Result<Vec<Vec<u8>>> {
    db.prepare_cached(
        "SELECT document FROM policy WHERE tenant_id = ?1 ORDER BY store_id, version",
    )?
    .query_map(params![tenant.0.as_bytes()], |row| row.get(0))?
    .collect()
}

pub(in super::super) fn of_hash(
    db: &Connection,
    tenant: TenantId,
    hash: &[u8; 32],
) -> Result<Option<Vec<u8>>> {
    db.prepare_cached("SELECT document FROM policy WHERE tenant_id = ?1 AND hash = ?2")?
        .query_row(params![tenant.0.as_bytes(), hash], |row| row.get(0))
        .optional()
}

pub(in super::super) fn store_of_code(
    db: &Connection,
    code: &str,
) -> Result<Option<(TenantId, StoreId)>> {
    db.prepare_cached("SELECT tenant_id, store_id FROM policy WHERE store_code = ?1 LIMIT 1")?
        .query_row(params![code], |row| {
            Ok((TenantId(row.id("tenant_id")?), StoreId(row.id("store_id")?)))
        })
        .optional()
}
