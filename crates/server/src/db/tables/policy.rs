//! Table `policy`: published rules as the documents that were signed.

use std::sync::Arc;

use qiantai_core::ids::{StoreId, TenantId};
use qiantai_core::operation::Hash;
use qiantai_core::policy::Policy;
use qiantai_wire::profile::decode_policy;

use crate::db::LedgerError;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, damaged, values};
use crate::db::table::{OnConflict, Question, Table};

pub(in crate::db) static TABLE: Table = Table::new(
    "policy",
    &[
        ("store_id", Bytes),
        ("version", Int),
        ("effective_from_ms", Int),
        ("store_code", Text),
        ("store_name", Text),
        ("document", Bytes),
        ("hash", Bytes),
    ],
    2,
    OnConflict::Fail,
);

pub(in crate::db) fn row(policy: &Policy, document: &[u8], hash: &Hash) -> Vec<Value> {
    values![
        policy.store.id.0,
        policy.version,
        policy.effective_from,
        &policy.store.code,
        &policy.store.name,
        document,
        hash,
    ]
}

/// How many a tenant has. None ever goes or changes, so the same number means the same rules.
pub(in crate::db) fn count(tenant: TenantId) -> Question {
    Question::new("SELECT count(*) AS policies FROM policy WHERE tenant_id = ?1").with(tenant.0)
}

/// Documents of a tenant, oldest first.
pub(in crate::db) fn documents(tenant: TenantId) -> Question {
    Question::new("SELECT document FROM policy WHERE tenant_id = ?1 ORDER BY store_id, version")
        .with(tenant.0)
}

pub(in crate::db) fn of_hash(tenant: TenantId, hash: &Hash) -> Question {
    Question::new(
        "SELECT document FROM policy WHERE tenant_id = ?1 AND hash = ?2
         ORDER BY store_id, version LIMIT 1",
    )
    .with(tenant.0)
    .with(hash)
}

pub(in crate::db) fn of_code(code: &str) -> Question {
    Question::new(
        "SELECT tenant_id, store_id FROM policy WHERE store_code = ?1
         ORDER BY tenant_id, store_id LIMIT 1",
    )
    .with(code)
}

pub(in crate::db) fn document(row: &Record) -> Result<Vec<u8>, LedgerError> {
    Ok(row.bytes("document")?.to_vec())
}

pub(in crate::db) fn read(row: &Record) -> Result<Arc<Policy>, LedgerError> {
    let policy = decode_policy(row.bytes("document")?);
    policy
        .map(Arc::new)
        .map_err(|error| damaged(error.to_string()))
}

pub(in crate::db) fn store(row: &Record) -> Result<(TenantId, StoreId), LedgerError> {
    let store = StoreId(row.id("store_id")?);
    Ok((TenantId(row.id("tenant_id")?), store))
}
