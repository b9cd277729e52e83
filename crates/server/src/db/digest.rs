//! A digest over every row that the log determines, the same on every database.

use qiantai_core::ids::TenantId;
use qiantai_core::operation::Hash;
use sha2::{Digest, Sha256};

use super::LedgerError;
use super::database::Database;
use super::record::Value;
use super::table::Question;

/// Tables with an order of their rows, in numbers and bytes: databases sort words each in their
/// own way. Absent: what the log does not determine (tokens, invitations, keys of erased persons,
/// deliveries, tenant secrets, leases).
const TABLES: &[(&str, &str)] = &[
    ("head", "timeline"),
    ("device", "device_id"),
    ("policy", "store_id, version"),
    ("member", "member_id"),
    ("account", "member_id"),
    ("lot", "member_id, lot_id"),
    ("recharge_order", "order_id"),
    ("payment_attempt", "attempt_id"),
    ("payment_surplus", "attempt_id, position"),
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

/// SHA-256 over the tables in order, every column with its kind and length.
pub(super) fn digest(db: &impl Database, tenant: TenantId) -> Result<Hash, LedgerError> {
    let question = |(table, order): &(&str, &str)| {
        Question::new(format!(
            "SELECT * FROM {table} WHERE tenant_id = ?1 ORDER BY {order}"
        ))
        .with(tenant.0)
    };
    let mut hash = Sha256::new();
    let mut named = 0;
    db.scan(TABLES.iter().map(question).collect(), &mut |table, row| {
        name_up_to(&mut hash, &mut named, table + 1);
        row.iter().for_each(|value| absorb(&mut hash, value));
    })?;
    name_up_to(&mut hash, &mut named, TABLES.len());
    Ok(hash.finalize().into())
}

/// Tables without rows are named too.
fn name_up_to(hash: &mut Sha256, named: &mut usize, end: usize) {
    for (table, _) in &TABLES[*named..end] {
        hash.update(table.as_bytes());
    }
    *named = end;
}

fn absorb(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Null => hash.update([0]),
        Value::Int(number) => {
            hash.update([1]);
            hash.update(number.to_be_bytes());
        }
        Value::Text(words) => absorb_bytes(hash, 3, words.as_bytes()),
        Value::Bytes(bytes) => absorb_bytes(hash, 4, bytes),
    }
}

fn absorb_bytes(hash: &mut Sha256, kind: u8, bytes: &[u8]) {
    hash.update([kind]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}
