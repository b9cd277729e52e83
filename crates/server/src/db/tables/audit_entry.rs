//! Table `audit_entry`: what was done or seen at the server that no operation tells.

use qiantai_core::ids::{DeviceId, TenantId};

use crate::audit::{AuditEntry, Deed};
use crate::db::LedgerError;
use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, damaged, values};
use crate::db::table::{OnConflict, Question, Table};

pub(in crate::db) static TABLE: Table = Table::new(
    "audit_entry",
    &[
        ("seq", Int),
        ("at_ms", Int),
        ("act", Text),
        ("device_id", Bytes),
        ("address", Text),
        ("subject", Text),
        ("server_seq", Int),
        ("log_hash", Bytes),
        ("hash", Bytes),
    ],
    1,
    OnConflict::Fail,
);

pub(in crate::db) fn row(entry: &AuditEntry) -> Vec<Value> {
    let deed = &entry.deed;
    values![
        entry.seq,
        deed.at,
        deed.act.code(),
        deed.device.map(|device| device.0),
        deed.address.map(|address| address.to_string()),
        &deed.subject,
        entry.server_seq,
        &entry.log_hash,
        &entry.hash,
    ]
}

pub(in crate::db) fn after(tenant: TenantId, after: u64, limit: u32) -> Question {
    Question::new(
        "SELECT * FROM audit_entry WHERE tenant_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
    )
    .with(tenant.0)
    .with(after)
    .with(limit)
}

/// The last entry by the rows; zero when there is none.
pub(in crate::db) fn last(tenant: TenantId) -> Question {
    Question::new("SELECT coalesce(max(seq), 0) AS last_seq FROM audit_entry WHERE tenant_id = ?1")
        .with(tenant.0)
}

pub(in crate::db) fn read(row: &Record) -> Result<AuditEntry, LedgerError> {
    let address = row.text_opt("address")?.map(str::parse).transpose();
    Ok(AuditEntry {
        seq: row.count("seq")?,
        deed: Deed {
            at: row.at("at_ms")?,
            act: row.code("act")?,
            device: row.id_opt("device_id")?.map(DeviceId),
            address: address.map_err(|_| damaged("address holds none"))?,
            subject: row.text("subject")?.to_owned(),
        },
        server_seq: row.count("server_seq")?,
        log_hash: row.array("log_hash")?,
        hash: row.array("hash")?,
    })
}
