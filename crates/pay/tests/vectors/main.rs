//! Known answers of the gateways' protocols, as data.
//!
//! Every `*.json` file beside this one is run, and with `QIANTAI_VECTORS=DIR` every one of that
//! directory instead. A vector names its kind; [`kinds`] says how to run each. A kind that nobody
//! wrote fails, so does a directory without vectors.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on must stop, and says where"
)]

mod kinds;
mod vector;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::vector::{Outcome, Vector};

#[test]
fn every_vector_gives_the_known_answer() {
    let failures: Vec<String> = vectors()
        .iter()
        .filter_map(|vector| {
            let trouble = run(vector).err()?;
            Some(format!("{} ({}): {trouble}", vector.id, vector.kind))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A runner that looks at nothing would pass everything: with any part of the known answer
/// changed, the vector must fail.
#[test]
fn every_vector_fails_with_another_answer() {
    let blind: Vec<String> = vectors()
        .iter()
        .flat_map(|vector| {
            changed_answers(&vector.expected)
                .into_iter()
                .filter_map(|(path, expected)| {
                    let changed = Vector {
                        expected,
                        ..vector.clone()
                    };
                    let passed = run(&changed).is_ok();
                    passed.then(|| format!("{} ({}) ignores {path}", vector.id, vector.kind))
                })
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(blind.is_empty(), "{}", blind.join("\n"));
}

#[test]
fn an_unknown_kind_fails() {
    let vector = Vector {
        id: "x".to_owned(),
        kind: "rot13".to_owned(),
        input: Value::Null,
        expected: Value::Null,
    };
    assert_eq!(run(&vector), Err("nobody wrote this kind".to_owned()));
}

/// The runner itself, told to run another directory.
#[test]
fn another_directory_is_run_and_its_unknown_kinds_fail() {
    let run_on = |kind: &str| {
        let folder = tempfile::tempdir().unwrap();
        let vector = json!({
            "id": "x", "kind": kind, "origin": "derived",
            "input": {"scanned": "100000000000000000"},
            "expected": {"channel": "wechat"},
        });
        let file = json!({"format": 1, "vectors": [vector]});
        std::fs::write(folder.path().join("x.json"), file.to_string()).unwrap();
        let mut runner = Command::new(std::env::current_exe().unwrap());
        runner.args(["--exact", "every_vector_gives_the_known_answer"]);
        runner.env("QIANTAI_VECTORS", folder.path());
        let said = runner.output().unwrap();
        let text = String::from_utf8(said.stdout).unwrap();
        (said.status.success(), text)
    };
    let (passed, text) = run_on("payment_code_channel");
    assert!(passed && text.contains("1 passed"), "{text}");
    let (passed, text) = run_on("rot13");
    assert!(!passed && text.contains("x (rot13)"), "{text}");
}

/// Every kind that a collection of this format may hold, whether ours does today or not.
const COLLECTION: [&str; 31] = [
    "rsa_sha256_sign",
    "rsa_sha256_verify",
    "wechat_v3_message",
    "wechat_v3_request_sign",
    "wechat_v3_request_verify",
    "wechat_v3_verify",
    "wechat_v3_notification",
    "wechat_v3_certificates",
    "aead_aes_256_gcm",
    "rsa_oaep_sha1_decrypt",
    "aes_256_ecb_pkcs7",
    "x509_serial_hex",
    "wechat_v2_sign",
    "wechat_bill",
    "alipay_request_sign",
    "alipay_response_verify",
    "alipay_response_text",
    "alipay_notify_verify",
    "alipay_cert_sn",
    "alipay_root_cert_sn",
    "alipay_bill",
    "acp_sign",
    "acp_verify",
    "qra_md5",
    "sorted_md5_upper",
    "request_md5",
    "notify_rsa_sha256",
    "crc16_ccitt_false",
    "emv_mpm",
    "emv_cpm",
    "payment_code_channel",
];

#[test]
fn every_kind_of_the_collection_is_written() {
    let written: Vec<&str> = kinds::ALL
        .iter()
        .flat_map(|kinds| kinds.iter().map(|kind| kind.0))
        .collect();
    let missing: Vec<&&str> = COLLECTION
        .iter()
        .filter(|kind| !written.contains(kind))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn each_kind_is_written_once() {
    let mut names: Vec<&str> = kinds::ALL
        .iter()
        .flat_map(|k| k.iter().map(|k| k.0))
        .collect();
    let written = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), written);
}

fn run(vector: &Vector) -> Outcome {
    let mut kinds = kinds::ALL.iter().flat_map(|kinds| kinds.iter());
    match kinds.find(|(kind, _)| *kind == vector.kind) {
        Some((_, check)) => check(vector),
        None => Err("nobody wrote this kind".to_owned()),
    }
}

fn vectors() -> Vec<Vector> {
    let directory = std::env::var_os("QIANTAI_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors"),
        PathBuf::from,
    );
    let mut files: Vec<PathBuf> = std::fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    let vectors: Vec<Vector> = files.iter().flat_map(|path| file(path)).collect();
    assert!(!vectors.is_empty(), "no vectors in {}", directory.display());
    vectors
}

fn file(path: &Path) -> Vec<Vector> {
    let name = path.display();
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let file: vector::File =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(file.format, 1, "{name} has another format");
    assert!(!file.vectors.is_empty(), "{name} has no vectors");
    file.vectors
}

/// Every way to change one value of a known answer, with where it stands. Words that only explain
/// a refusal are left alone.
fn changed_answers(expected: &Value) -> BTreeMap<String, Value> {
    let mut paths = Vec::new();
    leaves(expected, "", &mut paths);
    paths
        .into_iter()
        .map(|path| {
            let mut changed = expected.clone();
            let value = changed.pointer_mut(&path).unwrap();
            *value = another(value);
            (path, changed)
        })
        .collect()
}

fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if !matches!(name.as_str(), "reason" | "error" | "note") {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    leaves(value, &format!("{path}/{name}"), found);
                }
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                leaves(value, &format!("{path}/{index}"), found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

fn another(value: &Value) -> Value {
    match value {
        Value::Bool(truth) => Value::Bool(!truth),
        Value::Number(number) => Value::from(number.as_i64().unwrap() + 1),
        Value::String(text) => Value::String(format!("{text}x")),
        _ => Value::String("x".to_owned()),
    }
}
