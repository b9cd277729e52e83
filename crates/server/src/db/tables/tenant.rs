//! Table `tenant`.

use qiantai_core::clock::Timestamp;
use qiantai_core::ids::{DeviceId, TenantId};
use zeroize::Zeroizing;

use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table};
use crate::db::{LedgerError, Tenant};

pub(in crate::db) static TABLE: Table = Table::new(
    "tenant",
    &[
        ("name", Text),
        ("server_device_id", Bytes),
        ("signing_seed", Bytes),
        ("created_ms", Int),
    ],
    0,
    OnConflict::Fail,
);

pub(in crate::db) fn row(tenant: &Tenant, now: Timestamp) -> Vec<Value> {
    values![
        &tenant.name,
        tenant.server_device.0,
        tenant.signing_seed.as_slice(),
        now,
    ]
}

/// Oldest first.
pub(in crate::db) fn all() -> Question {
    Question::new(
        "SELECT tenant.*, head.timeline FROM tenant
         JOIN head ON head.tenant_id = tenant.tenant_id
         ORDER BY tenant.created_ms, tenant.tenant_id",
    )
}

pub(in crate::db) fn read(row: &Record) -> Result<Tenant, LedgerError> {
    Ok(Tenant {
        id: TenantId(row.id("tenant_id")?),
        name: row.text("name")?.to_owned(),
        server_device: DeviceId(row.id("server_device_id")?),
        signing_seed: Zeroizing::new(row.array("signing_seed")?),
        timeline: row.count("timeline")?,
    })
}
