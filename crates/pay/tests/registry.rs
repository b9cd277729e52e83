//! Opening channels by name.

use std::sync::Arc;

use qiantai_pay::transport::{NetworkTransport, Patience};
use qiantai_pay::{ChannelId, OpenError, Registry};
use serde_json::{Value, json};

use crate::scripted::Still;

fn open(registry: &mut Registry, name: &str, settings: Value) -> Result<ChannelId, OpenError> {
    let transport = Arc::new(NetworkTransport::new(Patience::default()).unwrap());
    registry.open(name, settings, transport, Arc::new(Still))
}

fn settings() -> Value {
    json!({
        "base_url": "http://127.0.0.1:8787",
        "merchant": "1900000001",
        "key": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    })
}

#[test]
fn a_channel_opens_by_name_and_can_be_opened_again() {
    let mut registry = Registry::new();
    assert!(registry.get("training").is_none());
    for _ in 0..2 {
        assert_eq!(
            open(&mut registry, "training", settings()),
            Ok(ChannelId("training"))
        );
        assert_eq!(registry.ids().collect::<Vec<_>>(), [ChannelId("training")]);
    }
    assert_eq!(
        registry.get("training").unwrap().id(),
        ChannelId("training")
    );
}

#[test]
fn wrong_settings_are_refused_in_plain_words_and_quote_no_key() {
    let check = |name: &str, change: &[(&str, Value)], expected: &str| {
        let mut settings = settings();
        for (field, value) in change {
            settings[*field] = value.clone();
        }
        let mut registry = Registry::new();
        let error = open(&mut registry, name, settings).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("5ec2e7"), "{error}");
        assert_eq!(registry.ids().count(), 0);
    };
    check("wechat-pay-later", &[], "no payment channel named");
    check(
        "training",
        &[("key", json!("5ec2e7"))],
        "at least 32 are needed",
    );
    check(
        "training",
        &[("key", json!("5ec2e7, not hex"))],
        "not hexadecimal",
    );
    check("training", &[("key", json!(["5ec2e7"]))], "not a text");
    check(
        "training",
        &[("base_url", json!("ftp://host"))],
        "http:// or https://",
    );
    check(
        "training",
        &[("base_url", json!("http://host/path"))],
        "without a path",
    );
    check("training", &[("base_url", json!("nowhere"))], "base_url");
    check("training", &[("base_url", json!(""))], "base_url");
    check("training", &[("merchant", json!(""))], "letters and digits");
    check(
        "training",
        &[("merchant", json!("19\n00"))],
        "letters and digits",
    );
    check("training", &[("more", json!(1))], "unknown field `more`");
}
