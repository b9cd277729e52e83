//! A digest over every row that the log determines, the same on every database.

use qiantai_core::ids::TenantId;
use qiantai_core::operation::Hash;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::LedgerError;
use super::copied::OF_LOG;
use super::database::Database;
use super::record::Value;
use super::table::{Question, Table};

/// SHA-256 over the tables in order, every column with its kind and length.
pub(super) fn digest(db: &impl Database, tenant: TenantId) -> Result<Hash, LedgerError> {
    let mut hash = Sha256::new();
    let mut named = 0;
    db.scan(questions(tenant), &mut |table, row| {
        name_up_to(&mut hash, &mut named, table + 1);
        row.iter().for_each(|value| absorb(&mut hash, value));
    })?;
    name_up_to(&mut hash, &mut named, OF_LOG.len());
    Ok(hash.finalize().into())
}

fn questions(tenant: TenantId) -> Vec<Question> {
    let question = |(table, order): &(&Table, &str)| {
        let name = table.name;
        Question::new(format!(
            "SELECT * FROM {name} WHERE tenant_id = ?1 ORDER BY {order}"
        ))
        .with(tenant.0)
    };
    OF_LOG.iter().map(question).collect()
}

/// The same of each table, with its name.
pub(super) fn of_tables(
    db: &impl Database,
    tenant: TenantId,
) -> Result<Vec<(&'static str, Hash)>, LedgerError> {
    let mut hashes = vec![Sha256::new(); OF_LOG.len()];
    db.scan(questions(tenant), &mut |table, row| {
        row.iter()
            .for_each(|value| absorb(&mut hashes[table], value));
    })?;
    let hashes = OF_LOG.iter().zip(hashes);
    Ok(hashes
        .map(|((table, _), hash)| (table.name, hash.finalize().into()))
        .collect())
}

/// The same of each row of the table at `place`, with what it is found by.
pub(super) fn of_rows(
    db: &impl Database,
    tenant: TenantId,
    place: usize,
) -> Result<Vec<(String, Hash)>, LedgerError> {
    let Some((table, order)) = OF_LOG.get(place) else {
        return Ok(Vec::new());
    };
    let columns: Vec<_> = table.columns.iter().map(|(name, _)| *name).collect();
    let (name, columns) = (table.name, columns.join(", "));
    let question = Question::new(format!(
        "SELECT {order}, {columns} FROM {name} WHERE tenant_id = ?1 ORDER BY {order}"
    ));
    let found_by = order.split(", ").count();
    let mut hashes = Vec::new();
    db.scan(vec![question.with(tenant.0)], &mut |_, row| {
        let mut hash = Sha256::new();
        row.iter().for_each(|value| absorb(&mut hash, value));
        let names: Vec<_> = row[..found_by].iter().map(shown).collect();
        hashes.push((names.join("/"), hash.finalize().into()));
    })?;
    Ok(hashes)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Text(words) => words.clone(),
        Value::Bytes(bytes) => match Uuid::from_slice(bytes) {
            Ok(id) => id.to_string(),
            Err(_) => hex::encode(bytes),
        },
    }
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
