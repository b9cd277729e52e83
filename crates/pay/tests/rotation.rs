//! New credentials of a channel that is open already.

use std::sync::{Arc, Mutex};

use qiantai_core::clock::{Millis, Timestamp};
use qiantai_pay::transport::{NetworkTransport, Patience};
use qiantai_pay::{ChannelId, NoticeError, Registry, Surroundings};
use serde_json::{Value, json};

use crate::wechat::gateway::{
    GATEWAY, MERCHANT, MERCHANT_SERIAL, NOW, OTHER, PUBLIC_KEY, TestKey, certificate, seal,
    settings,
};

struct Clock(Mutex<Timestamp>);

impl Surroundings for Clock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
    fn nonce(&self) -> String {
        "nonce".to_owned()
    }
}

const NEW_KEY: &str = "PUB_KEY_ID_0116000000000020260101000000000002";

fn renewed() -> Value {
    let mut settings = settings();
    settings["public_keys"] = json!([{"id": NEW_KEY, "key": OTHER.public_pem}]);
    settings
}

#[test]
fn notices_under_replaced_credentials_are_believed_for_a_day() {
    let clock = Arc::new(Clock(Mutex::new(NOW)));
    let mut registry = Registry::new();
    let open = |registry: &mut Registry, settings: Value| {
        let transport = Arc::new(NetworkTransport::new(Patience::default()).unwrap());
        registry.open("wechat", settings, transport, clock.clone())
    };
    // A body that is no notice: believed, then not understood.
    let is_believed = |registry: &Registry, key: &TestKey, serial: &str| {
        let headers = seal(key, serial, clock.now(), "{}");
        let channel = registry.get("wechat").unwrap();
        match channel.parse_notice(&headers, b"{}") {
            Err(NoticeError::Malformed(_)) => true,
            Err(NoticeError::UnknownKey(_)) => false,
            other => panic!("{other:?}"),
        }
    };
    let check = |registry: &Registry, old: bool, new: bool| {
        assert_eq!(
            is_believed(registry, &GATEWAY, PUBLIC_KEY),
            old,
            "the old key"
        );
        assert_eq!(is_believed(registry, &OTHER, NEW_KEY), new, "the new key");
    };
    assert_eq!(open(&mut registry, settings()), Ok(ChannelId("wechat")));
    check(&registry, true, false);
    let mut broken = renewed();
    broken["api_v3_key"] = json!("short");
    assert!(open(&mut registry, broken).is_err());
    check(&registry, true, false);

    assert_eq!(open(&mut registry, renewed()), Ok(ChannelId("wechat")));
    check(&registry, true, true);
    *clock.0.lock().unwrap() = NOW + Millis::hours(25);
    check(&registry, true, true);
    *clock.0.lock().unwrap() = NOW + Millis::hours(26);
    check(&registry, false, true);

    *clock.0.lock().unwrap() = NOW;
    check(&registry, true, true);
    registry.forget_replaced("wechat");
    check(&registry, false, true);
}

#[test]
fn certificates_of_the_settings_are_warned_of() {
    let clock = Arc::new(Clock(Mutex::new(NOW)));
    let transport = Arc::new(NetworkTransport::new(Patience::default()).unwrap());
    let mut settings = settings();
    settings["certificate"] = json!(certificate(&MERCHANT, MERCHANT_SERIAL, 40));
    settings["platform_certificates"] = json!([certificate(&GATEWAY, "0ABC", 20)]);
    let mut registry = Registry::new();
    registry.open("wechat", settings, transport, clock).unwrap();
    let check = |after: Millis, expected: &[&str]| {
        let ending = registry.ending_soon(NOW + after);
        let named: Vec<&str> = ending
            .iter()
            .map(|(id, expiry)| {
                assert_eq!(*id, ChannelId("wechat"));
                expiry.credential.as_str()
            })
            .collect();
        assert_eq!(named, expected, "{after:?}");
    };
    check(Millis::days(-20), &[]);
    check(Millis(0), &["platform_certificates"]);
    check(Millis::days(10), &["platform_certificates", "certificate"]);
}
