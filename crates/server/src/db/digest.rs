//! A digest over every row that the log determines, the same on every database.

use qiantai_core::ids::TenantId;
use qiantai_core::operation::Hash;
use sha2::{Digest, Sha256};

use super::LedgerError;
use super::copied::OF_LOG;
use super::database::Database;
use super::record::Value;
use super::table::{Question, Table};

/// SHA-256 over the tables in order, every column with its kind and length.
pub(super) fn digest(db: &impl Database, tenant: TenantId) -> Result<Hash, LedgerError> {
    let question = |(table, order): &(&Table, &str)| {
        let name = table.name;
        Question::new(format!(
            "SELECT * FROM {name} WHERE tenant_id = ?1 ORDER BY {order}"
        ))
        .with(tenant.0)
    };
    let mut hash = Sha256::new();
    let mut named = 0;
    db.scan(OF_LOG.iter().map(question).collect(), &mut |table, row| {
        name_up_to(&mut hash, &mut named, table + 1);
        row.iter().for_each(|value| absorb(&mut hash, value));
    })?;
    name_up_to(&mut hash, &mut named, OF_LOG.len());
    Ok(hash.finalize().into())
}

/// Tables without rows are named too.
fn name_up_to(hash: &mut Sha256, named: &mut usize, end: usize) {
    for (table, _) in &OF_LOG[*named..end] {
        hash.update(table.name.as_bytes());
    }
    *named = end;
}

pub(super) fn absorb(hash: &mut Sha256, value: &Value) {
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
