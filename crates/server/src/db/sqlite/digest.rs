//! A digest over every row that the log determines.

use qiantai_core::ids::TenantId;
use qiantai_core::operation::Hash;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result, params};
use sha2::{Digest, Sha256};

/// Tables with their keys after the tenant. Absent: what the log does not determine (tokens,
/// invitations, keys of erased persons, deliveries, tenant secrets).
const TABLES: &[(&str, &str)] = &[
    ("head", "timeline"),
    ("device", "device_id"),
    ("policy", "store_id, version"),
    ("member", "member_id"),
    ("account", "member_id"),
    ("lot", "member_id, lot_id"),
    ("recharge_order", "order_id"),
    ("payment_attempt", "attempt_id"),
    ("payment_surplus", "attempt_id, channel_txn_no"),
    ("shift", "shift_id"),
    ("cash_movement", "movement_id"),
    ("journal", "member_id, seq"),
    ("posting", "server_seq, leg"),
    ("earning_log", "entry_id"),
    ("tier_log", "entry_id"),
    ("coupon", "coupon_id"),
    ("care_plan", "plan_id"),
    ("exception_case", "case_id"),
    ("outbox", "server_seq, event_id"),
    ("operation", "server_seq"),
    ("held_operation", "server_seq"),
    ("action", "action_id"),
    ("feed", "server_seq"),
];

/// SHA-256 over the tables in order, every column with its type and length.
pub(super) fn digest(db: &Connection, tenant: TenantId) -> Result<Hash> {
    let mut hash = Sha256::new();
    for (table, keys) in TABLES {
        hash.update(table.as_bytes());
        let mut statement = db.prepare(&format!(
            "SELECT * FROM {table} WHERE tenant_id = ?1 ORDER BY {keys}"
        ))?;
        let columns = statement.column_count();
        let mut rows = statement.query(params![tenant.0.as_bytes()])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                absorb(&mut hash, row.get_ref(column)?);
            }
        }
    }
    Ok(hash.finalize().into())
}

fn absorb(hash: &mut Sha256, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => hash.update([0]),
        ValueRef::Integer(number) => {
            hash.update([1]);
            hash.update(number.to_be_bytes());
        }
        ValueRef::Real(number) => {
            hash.update([2]);
            hash.update(number.to_bits().to_be_bytes());
        }
        ValueRef::Text(bytes) => absorb_bytes(hash, 3, bytes),
        ValueRef::Blob(bytes) => absorb_bytes(hash, 4, bytes),
    }
}

fn absorb_bytes(hash: &mut Sha256, kind: u8, bytes: &[u8]) {
    hash.update([kind]);
    hash.update(bytes.len().to_be_bytes());
    hash.update(bytes);
}
