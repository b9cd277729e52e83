//! Where keys come from, how they change while the server runs, and when they end.

use std::sync::{Arc, Mutex};

use qiantai_core::clock::{Millis, Timestamp};
use qiantai_pay::SecretText;
use qiantai_pay::credentials::{Credentials, Expiry, KeyStoreSource, WatchedSettings, ending_soon};
use serde_json::{Value, json};

struct Store(Mutex<Result<Option<&'static str>, &'static str>>);

impl KeyStoreSource for Store {
    fn read(&self, name: &str) -> Result<Option<SecretText>, String> {
        let kept = self.0.lock().unwrap();
        match *kept {
            Ok(text) if name == "wechat" => Ok(text.map(SecretText::new)),
            Ok(_) => Ok(None),
            Err(problem) => Err(problem.to_owned()),
        }
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key.pem"), "5ec2e7\n").unwrap();
    std::fs::write(folder.path().join("key.pfx"), [0xff, 0x00]).unwrap();
    std::fs::write(folder.path().join("empty"), " \n").unwrap();
    std::fs::write(folder.path().join("large"), vec![b'x'; 300_000]).unwrap();
    folder
}

#[test]
fn references_are_replaced_wherever_they_stand() {
    let folder = folder();
    let store = Arc::new(Store(Mutex::new(Ok(Some("kept")))));
    let credentials = Credentials::new(folder.path()).with_key_store(store);
    let settings = json!({
        "private_key": {"file": "key.pem"},
        "key_store": {"file_base64": "key.pfx"},
        "api_v3_key": {"key_store": "wechat"},
        "path": {"env": "CARGO_PKG_NAME"},
        "list": [{"id": "A", "key": {"file": "key.pem"}}],
        "plain": "text", "number": 7, "truth": true,
        "file": "not a reference at the top",
    });
    let expected = json!({
        "private_key": "5ec2e7",
        "key_store": "/wA=",
        "api_v3_key": "kept",
        "path": "qiantai-pay",
        "list": [{"id": "A", "key": "5ec2e7"}],
        "plain": "text", "number": 7, "truth": true,
        "file": "not a reference at the top",
    });
    assert_eq!(credentials.resolve(&settings), Ok(expected));
}

#[test]
fn what_leads_nowhere_is_named_and_nothing_is_quoted() {
    let folder = folder();
    let check = |store: Option<Store>, reference: Value, expected: &str| {
        let mut credentials = Credentials::new(folder.path());
        if let Some(store) = store {
            credentials = credentials.with_key_store(Arc::new(store));
        }
        let settings = json!({"list": [{"key": reference}]});
        let error = credentials.resolve(&settings).unwrap_err().to_string();
        assert!(error.starts_with("list.0.key: "), "{error}");
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("5ec2e7"), "{error}");
    };
    check(
        None,
        json!({"file": "none.pem"}),
        "cannot be read: entity not found",
    );
    check(None, json!({"file": "key.pfx"}), "use file_base64");
    check(None, json!({"file": "empty"}), "empty is empty");
    check(None, json!({"file": "large"}), "too large for a key");
    check(
        None,
        json!({"env": "QIANTAI_NO_SUCH"}),
        "variable QIANTAI_NO_SUCH is not set",
    );
    check(
        None,
        json!({"key_store": "wechat"}),
        "no key store on this machine",
    );
    let store = |kept| Some(Store(Mutex::new(kept)));
    check(
        store(Ok(None)),
        json!({"key_store": "wechat"}),
        "no entry wechat",
    );
    check(
        store(Ok(Some("x"))),
        json!({"key_store": "other"}),
        "no entry other",
    );
    check(
        store(Err("locked")),
        json!({"key_store": "wechat"}),
        "cannot be read: locked",
    );
}

#[test]
fn a_changed_file_is_noticed_and_offered_until_it_takes_effect() {
    let folder = folder();
    let credentials = Credentials::new(folder.path());
    let mut watched = WatchedSettings::new(json!({"key": {"file": "key.pem"}}));
    let (first, mark) = watched.changed(&credentials).unwrap().unwrap();
    assert_eq!(first, json!({"key": "5ec2e7"}));
    assert!(
        watched.changed(&credentials).unwrap().is_some(),
        "nobody uses it yet"
    );
    watched.took_effect(mark);
    assert!(watched.changed(&credentials).unwrap().is_none());

    std::fs::write(folder.path().join("key.pem"), "another").unwrap();
    let (second, mark) = watched.changed(&credentials).unwrap().unwrap();
    assert_eq!(second, json!({"key": "another"}));
    watched.took_effect(mark);
    std::fs::remove_file(folder.path().join("key.pem")).unwrap();
    assert!(watched.changed(&credentials).is_err());
    std::fs::write(folder.path().join("key.pem"), "another\n").unwrap();
    assert!(watched.changed(&credentials).unwrap().is_none());
}

#[test]
fn certificates_are_warned_of_a_month_ahead() {
    let now = Timestamp::from_ms(1_767_225_672_480);
    let expiry = |days: i64| Expiry {
        credential: format!("{days}"),
        at: now + Millis::days(days),
    };
    let ending = ending_soon([32, 31, -1, 400, 3].map(expiry).into(), now);
    assert_eq!(ending, [-1, 3, 31].map(expiry));
}
