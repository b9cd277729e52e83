//! Bytes that were shipped. They are read for ever and never written differently; a new kind or
//! version adds a vector, nothing changes one. Run with `QIANTAI_ADD_VECTORS=1` to add.

use std::collections::BTreeMap;
use std::path::Path;

use qiantai_wire::SignedOperation;

use crate::samples::{self, key};

#[test]
fn shipped_bytes_are_read_and_written_alike() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/operations.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| "{}".into());
    let mut vectors: BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
    if std::env::var_os("QIANTAI_ADD_VECTORS").is_some() {
        for (name, operation) in samples::all() {
            let bytes = SignedOperation::sign(&operation, &key()).bytes;
            vectors
                .entry(name.to_owned())
                .or_insert_with(|| hex::encode(bytes));
        }
        let text = serde_json::to_string_pretty(&vectors).unwrap();
        std::fs::write(&path, text + "\n").unwrap();
    }
    let samples = samples::all();
    assert_eq!(vectors.len(), samples.len(), "a sample has no vector");
    for (name, operation) in samples {
        let shipped = SignedOperation::from(hex::decode(&vectors[name]).unwrap());
        assert_eq!(shipped.operation().unwrap(), operation, "{name}");
        shipped.verify(&key().verifying_key()).unwrap();
        assert_eq!(SignedOperation::sign(&operation, &key()), shipped, "{name}");
    }
}
