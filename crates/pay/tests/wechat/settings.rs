//! Settings are checked when the channel is opened, in plain words, and quote no secret.

use serde_json::{Value, json};

use super::gateway::{
    MERCHANT, MERCHANT_SERIAL, OTHER, PUBLIC_KEY, V2_KEY, account, certificate, settings,
};

#[test]
fn wrong_settings_are_refused() {
    let check = |changes: &[(&str, Value)], expected: &str| {
        let mut settings = settings();
        for (name, value) in changes {
            match value {
                Value::Null => settings.as_object_mut().unwrap().remove(*name),
                value => settings
                    .as_object_mut()
                    .unwrap()
                    .insert((*name).to_owned(), value.clone()),
            };
        }
        let error = account(settings).unwrap_err();
        assert!(error.contains(expected), "{error}");
        for secret in ["5ec2e7", "PRIVATE KEY-----\nMII", V2_KEY] {
            assert!(!error.contains(secret), "{error}");
        }
    };
    let set = |name: &'static str, value: Value, expected: &str| check(&[(name, value)], expected);
    set("appid", json!("wx1"), "appid must be 18 to 18");
    set("mchid", json!("19000001x9"), "mchid must be digits");
    set("mchid", json!("1"), "mchid must be 8 to 10");
    set(
        "api_v3_key",
        json!("5ec2e7"),
        "api_v3_key: the key has 6 bytes; exactly 32",
    );
    set(
        "api_v3_key",
        json!("5".repeat(33)),
        "api_v3_key: the key has 33 bytes",
    );
    set(
        "private_key",
        json!("5ec2e7"),
        "private_key: this is not a private key",
    );
    set("private_key", json!(["5ec2e7"]), "not a text");
    set("serial_no", Value::Null, "give serial_no or certificate");
    set("serial_no", json!("xyz"), "serial_no must be hexadecimal");
    set("public_keys", json!([]), "public_keys is empty");
    set(
        "public_keys",
        json!([{"id": "KEY", "key": "x"}]),
        "PUB_KEY_ID_",
    );
    set(
        "public_keys",
        json!([{"id": PUBLIC_KEY, "key": "x"}]),
        "not a public key",
    );
    set("platform_certificates", json!(["x"]), "not a certificate");
    set("base_url", json!("ftp://host"), "http:// or https://");
    set("base_url", json!("https://host/path"), "without a path");
    set(
        "certificate",
        json!("x"),
        "certificate: this is not a certificate",
    );
    let other = certificate(&OTHER, MERCHANT_SERIAL, 9);
    set(
        "certificate",
        json!(other),
        "private_key does not belong to certificate",
    );
    let renamed = certificate(&MERCHANT, "0ABC", 9);
    set(
        "certificate",
        json!(renamed),
        "serial_no is not that of certificate, which is 0ABC",
    );
    set("store_id", Value::Null, "store_id is missing");
    set("surprise", json!(1), "unknown field `surprise`");
    set("payment_code", json!("v4"), "unknown variant `v4`");
    let v2 = |more: &[(&str, Value)], expected: &str| {
        let mut changes = vec![("payment_code", json!("v2"))];
        changes.extend(more.iter().cloned());
        check(&changes, expected);
    };
    v2(&[], "v2_key is missing");
    v2(&[("v2_key", json!("5ec2e7"))], "v2_key has 6 bytes");
    v2(&[("v2_key", json!(V2_KEY))], "certificate is missing");
    let own = certificate(&MERCHANT, MERCHANT_SERIAL, 9);
    let mut more = vec![("v2_key", json!(V2_KEY)), ("certificate", json!(own))];
    v2(&more, "device_ip is missing");
    more.push(("device_ip", json!("here")));
    v2(&more, "device_ip is not an IP address");
}

#[test]
fn an_open_account_shows_no_secret() {
    let shown = format!("{:?}", account(settings()).unwrap());
    assert!(shown.contains("PrivateKey(hidden)"), "{shown}");
    assert!(shown.contains("Aes256Key(hidden)"), "{shown}");
    assert!(!shown.contains("BEGIN"), "{shown}");
}

#[test]
fn the_certificate_names_the_serial_number() {
    let mut settings = settings();
    settings.as_object_mut().unwrap().remove("serial_no");
    settings["certificate"] = json!(certificate(&MERCHANT, MERCHANT_SERIAL, 9));
    assert_eq!(account(settings).unwrap().serial_no, MERCHANT_SERIAL);
}
