//! Signatures against values computed by another implementation of HMAC-SHA256.

use qiantai_core::clock::{Millis, Timestamp};
use qiantai_pay::channels::training::signature::{
    Envelope, SIGNATURE, Scope, SealError, SealedEnvelope,
};

use crate::scripted::{MERCHANT, NOW, key, other_key};

#[test]
fn signatures_equal_the_reference_values() {
    let check = |scope, nonce: &str, body: &str, expected| {
        let envelope = Envelope {
            merchant: MERCHANT.to_owned(),
            signed_at: NOW,
            nonce: nonce.to_owned(),
        };
        let headers = envelope.seal(&key(), scope, body.as_bytes()).unwrap();
        assert_eq!(headers[SIGNATURE], expected, "{scope:?}");
        let sealed = SealedEnvelope::read(&headers).unwrap();
        assert_eq!(sealed.envelope, envelope);
        assert_eq!(sealed.verify(&key(), scope, body.as_bytes(), NOW), Ok(()));
    };
    check(
        Scope::Request {
            path: "/training/v1/payments/query",
        },
        "n0001",
        r#"{"merchant":"1900000001","attempt_no":"ZF20261121140312480"}"#,
        "b18e1d8b58960d1c060722d59a29139ed6d334a5db2d1b36e3d7abf44a85cb7e",
    );
    check(
        Scope::Answer {
            request_nonce: "n0001",
        },
        "n0002",
        "",
        "a9b2eb1b75b6b43750f4e5fea5bc36ae5193b9d98a25cb22981dee00ba26452e",
    );
    check(
        Scope::Notice,
        "n0003",
        r#"{"备注":"龚䶮"}"#,
        "a7afb742b6f56e9c4a209f917d40764b402e33ccf5bb88e95c16af302dfa823b",
    );
}

#[test]
fn whatever_is_changed_breaks_the_signature() {
    let sealed = |merchant: &str, signed_at: Timestamp, nonce: &str| {
        let envelope = Envelope {
            merchant: merchant.to_owned(),
            signed_at,
            nonce: nonce.to_owned(),
        };
        let headers = envelope.seal(&key(), Scope::Notice, b"body").unwrap();
        (envelope, headers)
    };
    let (_, original) = sealed(MERCHANT, NOW, "n1");
    let signature = original[SIGNATURE].clone();
    let check = |merchant: &str, signed_at, nonce: &str, scope, key, body: &[u8]| {
        let (_, mut headers) = sealed(merchant, signed_at, nonce);
        headers.insert(SIGNATURE, signature.clone());
        let verdict = SealedEnvelope::read(&headers)
            .unwrap()
            .verify(&key, scope, body, NOW);
        assert_eq!(
            verdict,
            Err(SealError::WrongSignature),
            "{merchant} {nonce} {scope:?}"
        );
    };
    check("1900000002", NOW, "n1", Scope::Notice, key(), b"body");
    check(
        MERCHANT,
        NOW + Millis(1),
        "n1",
        Scope::Notice,
        key(),
        b"body",
    );
    check(MERCHANT, NOW, "n2", Scope::Notice, key(), b"body");
    check(
        MERCHANT,
        NOW,
        "n1",
        Scope::Answer {
            request_nonce: "n1",
        },
        key(),
        b"body",
    );
    check(
        MERCHANT,
        NOW,
        "n1",
        Scope::Request { path: "/" },
        key(),
        b"body",
    );
    check(MERCHANT, NOW, "n1", Scope::Notice, other_key(), b"body");
    check(MERCHANT, NOW, "n1", Scope::Notice, key(), b"body ");
}

#[test]
fn messages_are_believed_for_five_minutes_either_way() {
    let check = |age: Millis, expected| {
        let envelope = Envelope {
            merchant: MERCHANT.to_owned(),
            signed_at: NOW - age,
            nonce: "n1".to_owned(),
        };
        let headers = envelope.seal(&key(), Scope::Notice, b"").unwrap();
        let sealed = SealedEnvelope::read(&headers).unwrap();
        assert_eq!(
            sealed.verify(&key(), Scope::Notice, b"", NOW),
            expected,
            "{age:?}"
        );
    };
    check(Millis::minutes(5), Ok(()));
    check(Millis::minutes(-5), Ok(()));
    check(Millis(300_001), Err(SealError::Stale));
    check(Millis(-300_001), Err(SealError::Stale));
    check(Millis(i64::MAX), Err(SealError::Stale));
}
