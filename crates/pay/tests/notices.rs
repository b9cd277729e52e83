//! Which notices are believed.

use http::HeaderMap;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_pay::channels::training::signature::{
    MERCHANT as MERCHANT_HEADER, NONCE as NONCE_HEADER, SIGNATURE, Scope, TIMESTAMP,
};
use qiantai_pay::transport::TransportError;
use qiantai_pay::{
    Channel, Notice, NoticeError, NoticeReceipt, PaidFact, PaymentNotice, SharedKey,
};

use crate::scripted::{MERCHANT, NOW, channel, envelope, key, other_key};

fn body(merchant: &str) -> String {
    format!(
        r#"{{"notice_id":"NT1","merchant":"{merchant}","attempt_no":"ZF000001","paid":{{"channel_txn_no":"42001","amount_fen":30000,"paid_at_ms":7}},"later_field":true}}"#
    )
}

fn headers(key: &SharedKey, merchant: &str, signed_at: Timestamp, body: &str) -> HeaderMap {
    envelope(merchant, signed_at)
        .seal(key, Scope::Notice, body.as_bytes())
        .unwrap()
}

fn parse(headers: &HeaderMap, body: &str) -> Result<Notice, NoticeError> {
    channel(Err(TransportError::NotSent))
        .0
        .parse_notice(headers, body.as_bytes())
}

#[test]
fn a_genuine_notice_is_read() {
    let body = body(MERCHANT);
    let expected = PaymentNotice {
        notice_id: "NT1".to_owned(),
        attempt_no: "ZF000001".to_owned(),
        paid: PaidFact {
            channel_txn_no: "42001".to_owned(),
            amount: Money::from_yuan(300),
            paid_at: Timestamp::from_ms(7),
            payer: None,
        },
    };
    assert_eq!(
        parse(&headers(&key(), MERCHANT, NOW, &body), &body),
        Ok(Notice::Payment(expected))
    );
}

#[test]
fn other_notices_are_refused_with_the_cause() {
    let genuine = body(MERCHANT);
    let check = |headers: &HeaderMap, body: &str, expected: NoticeError| {
        assert_eq!(parse(headers, body), Err(expected), "{body}");
    };
    for name in [MERCHANT_HEADER, TIMESTAMP, NONCE_HEADER, SIGNATURE] {
        let mut headers = headers(&key(), MERCHANT, NOW, &genuine);
        headers.remove(name);
        check(&headers, &genuine, NoticeError::MissingHeader(name));
    }
    let wrong = NoticeError::WrongSignature;
    check(
        &headers(&other_key(), MERCHANT, NOW, &genuine),
        &genuine,
        wrong.clone(),
    );
    let changed = genuine.replace("30000", "30001");
    check(
        &headers(&key(), MERCHANT, NOW, &genuine),
        &changed,
        wrong.clone(),
    );
    // The same values written another way are other bytes.
    let respaced = genuine.replace(':', ": ");
    check(
        &headers(&key(), MERCHANT, NOW, &genuine),
        &respaced,
        wrong.clone(),
    );
    // An answer's signature does not make a notice.
    let answer = envelope(MERCHANT, NOW)
        .seal(
            &key(),
            Scope::Answer { request_nonce: "n" },
            genuine.as_bytes(),
        )
        .unwrap();
    check(&answer, &genuine, wrong);

    let other = body("1900000002");
    check(
        &headers(&key(), "1900000002", NOW, &other),
        &other,
        NoticeError::OtherMerchant,
    );
    check(
        &headers(&key(), MERCHANT, NOW, &other),
        &other,
        NoticeError::OtherMerchant,
    );

    for signed_at in [NOW - Millis(300_001), NOW + Millis(300_001)] {
        let stale = NoticeError::StaleTimestamp {
            signed_at,
            now: NOW,
        };
        check(
            &headers(&key(), MERCHANT, signed_at, &genuine),
            &genuine,
            stale,
        );
    }
}

#[test]
fn signed_nonsense_is_malformed() {
    let genuine = body(MERCHANT);
    for body in [
        "",
        "null",
        "{}",
        &genuine.replace("30000", "3e4"),
        &genuine.replace("30000", "\"30000\""),
        &genuine.replace("attempt_no", "order_no"),
        &genuine[..genuine.len() - 1],
    ] {
        let refusal = parse(&headers(&key(), MERCHANT, NOW, body), body);
        assert!(
            matches!(refusal, Err(NoticeError::Malformed(_))),
            "{body}: {refusal:?}"
        );
    }
}

#[test]
fn the_gateway_is_told_what_it_understands() {
    let (channel, _) = channel(Err(TransportError::NotSent));
    assert_eq!(
        channel
            .notice_response(b"{}", NoticeReceipt::Taken)
            .status(),
        204
    );
    assert_eq!(
        channel
            .notice_response(b"{}", NoticeReceipt::Refused)
            .status(),
        503
    );
}
