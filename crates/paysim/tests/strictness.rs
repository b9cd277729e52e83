//! The gateway takes nothing on trust: signature, clock, shape, amounts, numbers.

use http::{HeaderMap, HeaderValue, StatusCode, header};
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_pay::SharedKey;
use qiantai_pay::channels::training::message::{self, Fault};
use qiantai_pay::channels::training::signature::{
    Envelope, MERCHANT, NONCE, SIGNATURE, Scope, SealedEnvelope, TIMESTAMP,
};
use qiantai_paysim::Gateway;
use qiantai_paysim::gateway::{Merchant, Operation};
use qiantai_paysim::protocols::Timing;
use qiantai_paysim::protocols::training::{ROUTES, answer};

const NOW: Timestamp = Timestamp::from_ms(1_795_298_592_480);
const MERCHANT_NO: &str = "1900000001";

fn key() -> SharedKey {
    SharedKey::from_bytes(vec![5; 32]).unwrap()
}

fn gateway() -> Gateway {
    let mut gateway = Gateway::new([1; 32]);
    gateway.add_merchant(
        MERCHANT_NO,
        Merchant {
            name: "悦动健身".to_owned(),
            key: key(),
        },
    );
    gateway
}

fn create(change: impl Fn(&mut serde_json::Value)) -> String {
    let mut body = serde_json::json!({
        "merchant": MERCHANT_NO,
        "attempt_no": "ZF000001",
        "amount_fen": 30000,
        "subject": "储值 300",
        "wallet": "WECHAT",
        "expires_at_ms": (NOW + Millis::minutes(15)).ms(),
        "notify_url": "http://127.0.0.1:9/notices",
    });
    change(&mut body);
    body.to_string()
}

fn headers(key: &SharedKey, merchant: &str, path: &str, at: Timestamp, body: &str) -> HeaderMap {
    let envelope = Envelope {
        merchant: merchant.to_owned(),
        signed_at: at,
        nonce: "n0001".to_owned(),
    };
    let scope = Scope::Request { path };
    let mut headers = envelope.seal(key, scope, body.as_bytes()).unwrap();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers
}

fn operation_of(path: &str) -> Operation {
    ROUTES.iter().find(|(route, _)| *route == path).unwrap().1
}

/// Sends a well-signed body and returns status and code; checks that the answer is signed.
fn send(gateway: &mut Gateway, path: &str, body: &str) -> (u16, String) {
    let headers = headers(&key(), MERCHANT_NO, path, NOW, body);
    let reply = answer(
        gateway,
        path,
        operation_of(path),
        &headers,
        body.as_bytes(),
        NOW,
    );
    assert_eq!(reply.timing, Timing::AtOnce);
    let sealed = SealedEnvelope::read(reply.response.headers()).unwrap();
    let scope = Scope::Answer {
        request_nonce: "n0001",
    };
    assert_eq!(
        sealed.verify(&key(), scope, reply.response.body(), NOW),
        Ok(())
    );
    let code = match serde_json::from_slice::<Fault>(reply.response.body()) {
        Ok(fault) => fault.code,
        Err(_) => "OK".to_owned(),
    };
    (reply.response.status().as_u16(), code)
}

#[test]
fn callers_prove_who_they_are() {
    let body = create(|_| {});
    let check = |headers: &HeaderMap, body: &str, expected: &str| {
        let mut gateway = gateway();
        let operation = Operation::Create;
        let reply = answer(
            &mut gateway,
            message::CREATE,
            operation,
            headers,
            body.as_bytes(),
            NOW,
        );
        assert_eq!(
            reply.response.status(),
            StatusCode::UNAUTHORIZED,
            "{expected}"
        );
        let fault: Fault = serde_json::from_slice(reply.response.body()).unwrap();
        assert_eq!(fault.code, expected, "{}", fault.message);
        assert!(!reply.response.headers().contains_key(SIGNATURE));
        assert!(
            gateway.recent_payments(9, NOW).is_empty(),
            "nothing was made"
        );
    };
    let good = || headers(&key(), MERCHANT_NO, message::CREATE, NOW, &body);
    for name in [MERCHANT, TIMESTAMP, NONCE, SIGNATURE] {
        let mut headers = good();
        headers.remove(name);
        check(&headers, &body, "SIGN_ERROR");
    }
    let other_key = SharedKey::from_bytes(vec![6; 32]).unwrap();
    check(
        &headers(&other_key, MERCHANT_NO, message::CREATE, NOW, &body),
        &body,
        "SIGN_ERROR",
    );
    check(
        &headers(&key(), "1900000002", message::CREATE, NOW, &body),
        &body,
        "SIGN_ERROR",
    );
    check(
        &headers(&key(), MERCHANT_NO, message::CLOSE, NOW, &body),
        &body,
        "SIGN_ERROR",
    );
    check(&good(), &body.replace("30000", "3000"), "SIGN_ERROR");
    check(&good(), &format!("{body} "), "SIGN_ERROR");
    for off in [Millis(300_001), Millis(-300_001)] {
        let headers = headers(&key(), MERCHANT_NO, message::CREATE, NOW - off, &body);
        check(&headers, &body, "CLOCK_OFF");
    }
}

#[test]
fn requests_keep_the_rules() {
    let check = |field: &str, value: serde_json::Value, expected: (u16, &str)| {
        let body = create(|body| body[field] = value.clone());
        let (status, code) = send(&mut gateway(), message::CREATE, &body);
        assert_eq!((status, code.as_str()), expected, "{field} = {value}");
    };
    let good = (200, "OK");
    let bad = (400, "BAD_REQUEST");
    check("amount_fen", 1.into(), good);
    check("amount_fen", 0.into(), bad);
    check("amount_fen", (-500).into(), bad);
    check("amount_fen", 100_000_000.into(), good);
    check("amount_fen", 100_000_001.into(), bad);
    check("amount_fen", "30000".into(), bad);
    check("amount_fen", serde_json::json!(300.5), bad);
    check("attempt_no", "ZF|_-*09az".into(), good);
    check("attempt_no", "ZF001".into(), bad);
    check("attempt_no", "Z".repeat(32).into(), good);
    check("attempt_no", "Z".repeat(33).into(), bad);
    check("attempt_no", "ZF 00001".into(), bad);
    check("attempt_no", "单号000001".into(), bad);
    check("subject", "值".repeat(127).into(), good);
    check("subject", "值".repeat(128).into(), bad);
    check("subject", "".into(), bad);
    check("subject", "  ".into(), bad);
    check("subject", "a\nb".into(), bad);
    check("wallet", "ECNY".into(), good);
    check("wallet", "CASH".into(), bad);
    check("expires_at_ms", (NOW + Millis::hours(2)).ms().into(), good);
    check("expires_at_ms", (NOW + Millis(7_200_001)).ms().into(), bad);
    check("expires_at_ms", NOW.ms().into(), bad);
    check("expires_at_ms", i64::MIN.into(), bad);
    check("notify_url", "https://shop.example/n".into(), good);
    check("notify_url", "https://shop.example/n?a=b".into(), bad);
    check("notify_url", "ftp://shop.example/n".into(), bad);
    check("notify_url", "/n".into(), bad);
    check(
        "notify_url",
        format!("http://h/{}", "x".repeat(256)).into(),
        bad,
    );
    check("merchant", "1900000002".into(), bad);
    check("unknown_field", 1.into(), bad);

    let (status, code) = send(&mut gateway(), message::CREATE, "not json");
    assert_eq!((status, code.as_str()), bad);
    let mut headers = headers(&key(), MERCHANT_NO, message::CREATE, NOW, &create(|_| {}));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    let body = create(|_| {});
    let operation = Operation::Create;
    let reply = answer(
        &mut gateway(),
        message::CREATE,
        operation,
        &headers,
        body.as_bytes(),
        NOW,
    );
    assert_eq!(reply.response.status(), StatusCode::BAD_REQUEST);
}

#[test]
fn a_number_means_one_thing() {
    let mut gateway = gateway();
    let body = create(|_| {});
    let same = |gateway: &mut Gateway| send(gateway, message::CREATE, &body);
    assert_eq!(same(&mut gateway), (200, "OK".to_owned()));
    assert_eq!(same(&mut gateway), (200, "OK".to_owned()));
    assert_eq!(gateway.recent_payments(9, NOW).len(), 1);
    for (field, value) in [
        ("amount_fen", serde_json::json!(30001)),
        ("subject", "另一个".into()),
        ("wallet", "ALIPAY".into()),
        ("notify_url", serde_json::Value::Null),
    ] {
        let other = create(|body| body[field] = value.clone());
        let answer = send(&mut gateway, message::CREATE, &other);
        assert_eq!(answer, (409, "OUT_TRADE_NO_USED".to_owned()), "{field}");
    }
    let charge = serde_json::json!({
        "merchant": MERCHANT_NO, "attempt_no": "ZF000001", "amount_fen": 30000,
        "subject": "储值 300", "auth_code": "134567890123456789",
    });
    let answer = send(&mut gateway, message::CHARGE, &charge.to_string());
    assert_eq!(answer, (409, "OUT_TRADE_NO_USED".to_owned()));
}

#[test]
fn what_never_arrived_can_be_ended_for_good() {
    let mut gateway = gateway();
    let named = |no: &str| format!(r#"{{"merchant":"{MERCHANT_NO}","attempt_no":"{no}"}}"#);
    let mut check = |path, body: &str, expected: (u16, &str)| {
        let (status, code) = send(&mut gateway, path, body);
        assert_eq!((status, code.as_str()), expected, "{path} {body}");
    };
    check(
        message::QUERY,
        &named("ZF000001"),
        (404, "ATTEMPT_NOT_FOUND"),
    );
    check(message::CLOSE, &named("ZF000001"), (200, "OK"));
    check(message::CLOSE, &named("ZF000001"), (200, "OK"));
    check(message::CREATE, &create(|_| {}), (409, "ORDER_CLOSED"));
    check(message::QUERY, &named("ZF000001"), (200, "OK"));
    check(message::REVERSE, &named("ZF000002"), (200, "OK"));
    check(message::CLOSE, &named("no"), (400, "BAD_REQUEST"));
    check(message::REVERSE, &named("no"), (400, "BAD_REQUEST"));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = |seed| {
        let mut gateway = Gateway::new([seed; 32]);
        gateway.add_merchant(
            MERCHANT_NO,
            Merchant {
                name: "店".to_owned(),
                key: key(),
            },
        );
        let body = create(|_| {});
        let headers = headers(&key(), MERCHANT_NO, message::CREATE, NOW, &body);
        let operation = Operation::Create;
        let reply = answer(
            &mut gateway,
            message::CREATE,
            operation,
            &headers,
            body.as_bytes(),
            NOW,
        );
        (
            reply.response.headers().clone(),
            reply.response.body().clone(),
        )
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}
