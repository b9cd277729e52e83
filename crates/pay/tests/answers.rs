//! What each answer of the gateway means. Only listed answers end an attempt.

use bytes::Bytes;
use qiantai_core::attempt::DeclineCode;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_pay::transport::TransportError;
use qiantai_pay::{
    AuthCode, Channel, CloseAnswer, CodeRequest, ConfigCause, GatewayAnswer, PaidFact,
    PendingState, QrAnswer, QrRequest, RefundAnswer, RefundQuery, RefundRefusal, RefundRequest,
    ReverseAnswer, UnknownCause, Wallet,
};

use crate::scripted::{MERCHANT, NONCE, NOW, channel, key, other_key, sealed, signed, unsigned};

const ATTEMPT: &str = "ZF20261121140312480";

type Answer = Result<http::Response<Bytes>, TransportError>;

fn standing(state: &str, more: &str) -> String {
    format!(r#"{{"merchant":"{MERCHANT}","attempt_no":"{ATTEMPT}","state":"{state}"{more}}}"#)
}

fn fault(code: &str) -> String {
    format!(r#"{{"code":"{code}","message":"text"}}"#)
}

const PAID: &str = r#","paid":{"channel_txn_no":"42001","amount_fen":30000,"paid_at_ms":7,"payer":"p"},"new_field":1"#;

async fn query(answer: Answer) -> GatewayAnswer {
    channel(answer).0.query(ATTEMPT).await
}

#[tokio::test]
async fn answers_to_a_query() {
    use GatewayAnswer::{Closed, ConfigError, Declined, Pending, Success, Unknown};
    let paid = PaidFact {
        channel_txn_no: "42001".to_owned(),
        amount: Money::from_yuan(300),
        paid_at: Timestamp::from_ms(7),
        payer: Some("p".to_owned()),
    };
    let ok = |state, more| signed(200, &standing(state, more));
    let bad = |status, code| signed(status, &fault(code));
    let cases: Vec<(Answer, GatewayAnswer)> = vec![
        (ok("PAID", PAID), Success(paid)),
        (ok("NOT_SCANNED", ""), Pending(PendingState::NotScanned)),
        (ok("USER_PAYING", ""), Pending(PendingState::UserPaying)),
        (ok("CLOSED", ""), Closed),
        (ok("REVERSED", PAID), Closed),
        (
            ok("FAILED", r#","decline":"CARD_BALANCE_SHORT""#),
            Declined(DeclineCode::CardBalanceShort),
        ),
        (
            ok("FAILED", r#","decline":"NEW_CAUSE""#),
            unlisted("NEW_CAUSE"),
        ),
        (
            bad(404, "ATTEMPT_NOT_FOUND"),
            Unknown(UnknownCause::NotFound),
        ),
        (bad(409, "BRAND_NEW"), unlisted("BRAND_NEW")),
        (
            bad(400, "BAD_REQUEST"),
            ConfigError(ConfigCause::BadRequest("text".to_owned())),
        ),
        // Transport.
        (Err(TransportError::NotSent), Unknown(UnknownCause::NotSent)),
        (Err(TransportError::Timeout), Unknown(UnknownCause::Timeout)),
        (Err(TransportError::Broken), Unknown(UnknownCause::Broken)),
        (unsigned(500, ""), Unknown(UnknownCause::GatewayFault(500))),
        (
            signed(503, &standing("PAID", PAID)),
            Unknown(UnknownCause::GatewayFault(503)),
        ),
        // Not signed by the gateway, for this request, now.
        (unsigned(200, &standing("PAID", PAID)), bad_signature()),
        (unsigned(404, &fault("ATTEMPT_NOT_FOUND")), bad_signature()),
        (unsigned(409, &fault("ORDER_CLOSED")), bad_signature()),
        (
            unsigned(401, &fault("SIGN_ERROR")),
            ConfigError(ConfigCause::Signature),
        ),
        (
            unsigned(401, "who are you?"),
            ConfigError(ConfigCause::Signature),
        ),
        (
            unsigned(401, &fault("CLOCK_OFF")),
            ConfigError(ConfigCause::Clock),
        ),
        (unsigned(429, ""), Unknown(UnknownCause::Busy)),
        (
            sealed_paid(&other_key(), NONCE, MERCHANT, NOW),
            bad_signature(),
        ),
        (
            sealed_paid(&key(), "anothernonce", MERCHANT, NOW),
            bad_signature(),
        ),
        (
            sealed_paid(&key(), NONCE, "1900000002", NOW),
            bad_signature(),
        ),
        (
            sealed_paid(&key(), NONCE, MERCHANT, NOW - Millis::minutes(6)),
            bad_signature(),
        ),
    ];
    for (answer, expected) in cases {
        let shown = format!("{answer:?}");
        assert_eq!(query(answer).await, expected, "{shown}");
    }
}

fn unlisted(code: &str) -> GatewayAnswer {
    GatewayAnswer::Unknown(UnknownCause::Unlisted(code.to_owned()))
}

fn bad_signature() -> GatewayAnswer {
    GatewayAnswer::Unknown(UnknownCause::BadSignature)
}

fn sealed_paid(
    key: &qiantai_pay::SharedKey,
    nonce: &str,
    merchant: &str,
    signed_at: Timestamp,
) -> Answer {
    sealed(
        200,
        &standing("PAID", PAID),
        key,
        nonce,
        merchant,
        signed_at,
    )
}

#[tokio::test]
async fn signed_nonsense_is_unknown() {
    let other_attempt = standing("PAID", PAID).replace(ATTEMPT, "ZF-another");
    let other_merchant = standing("PAID", PAID).replace(MERCHANT, "1900000009");
    for body in [&other_attempt, &other_merchant] {
        let answer = query(signed(200, body)).await;
        assert_eq!(
            answer,
            GatewayAnswer::Unknown(UnknownCause::Mismatched),
            "{body}"
        );
    }
    let unreadable = [
        String::new(),
        "<html>".to_owned(),
        "[]".to_owned(),
        standing("PAID", ""),
        standing("FAILED", ""),
        standing("SOMETHING_NEW", ""),
        standing("PAID", PAID).replace("30000", "\"30000\""),
        standing("PAID", PAID).replace("30000", "300.5"),
        standing("PAID", PAID).replace("30000", "99999999999999999999"),
    ];
    for body in unreadable {
        let answer = query(signed(200, &body)).await;
        let is_unreadable = matches!(answer, GatewayAnswer::Unknown(UnknownCause::Unreadable(_)));
        assert!(is_unreadable, "{body}: {answer:?}");
    }
    let redirect = query(signed(302, &standing("PAID", PAID))).await;
    assert!(matches!(
        redirect,
        GatewayAnswer::Unknown(UnknownCause::Unreadable(_))
    ));
}

#[tokio::test]
async fn answers_to_a_qr_request() {
    let request = QrRequest {
        attempt_no: ATTEMPT.to_owned(),
        amount: Money::from_yuan(300),
        subject: "储值 300".to_owned(),
        wallet: Wallet::Alipay,
        expires_at: NOW + Millis::minutes(15),
        notify_url: Some("http://127.0.0.1:9/notices/training".to_owned()),
    };
    let cases: Vec<(Answer, QrAnswer)> = vec![
        (
            signed(
                200,
                &standing("NOT_SCANNED", r#","payload":"qiantai-training://pay/t""#),
            ),
            QrAnswer::Created {
                payload: "qiantai-training://pay/t".to_owned(),
            },
        ),
        (
            signed(200, &standing("NOT_SCANNED", "")),
            QrAnswer::Unknown(UnknownCause::Unreadable(
                "the field payload is missing".to_owned(),
            )),
        ),
        (signed(409, &fault("ORDER_CLOSED")), QrAnswer::Closed),
        (
            signed(409, &fault("ALREADY_PAID")),
            QrAnswer::Unknown(UnknownCause::AlreadyPaid),
        ),
        (
            signed(409, &fault("OUT_TRADE_NO_USED")),
            QrAnswer::Unknown(UnknownCause::NumberReused),
        ),
        (
            unsigned(409, &fault("ORDER_CLOSED")),
            QrAnswer::Unknown(UnknownCause::BadSignature),
        ),
        (
            Err(TransportError::Timeout),
            QrAnswer::Unknown(UnknownCause::Timeout),
        ),
        (
            unsigned(401, &fault("SIGN_ERROR")),
            QrAnswer::ConfigError(ConfigCause::Signature),
        ),
    ];
    for (answer, expected) in cases {
        let (channel, transport) = channel(answer);
        assert_eq!(channel.create_qr(&request).await, expected);
        let sent = transport.requests.lock().unwrap().remove(0);
        assert_eq!(sent.uri(), "http://gateway.test:8787/training/v1/payments");
        assert_eq!(
            std::str::from_utf8(sent.body()).unwrap(),
            format!(
                "{{\"merchant\":\"{MERCHANT}\",\"attempt_no\":\"{ATTEMPT}\",\"amount_fen\":30000,\
                 \"subject\":\"储值 300\",\"wallet\":\"ALIPAY\",\"expires_at_ms\":1795299492480,\
                 \"notify_url\":\"http://127.0.0.1:9/notices/training\"}}"
            )
        );
    }
}

#[tokio::test]
async fn answers_to_a_payment_code() {
    let request = CodeRequest {
        attempt_no: ATTEMPT.to_owned(),
        amount: Money::from_yuan(300),
        subject: "储值 300".to_owned(),
        auth_code: AuthCode::new("134567890123456789"),
        notify_url: None,
    };
    let cases: Vec<(Answer, GatewayAnswer)> = vec![
        (
            signed(200, &standing("USER_PAYING", "")),
            GatewayAnswer::Pending(PendingState::UserPaying),
        ),
        (
            signed(200, &standing("FAILED", r#","decline":"CODE_EXPIRED""#)),
            GatewayAnswer::Declined(DeclineCode::CodeExpired),
        ),
        (signed(409, &fault("ORDER_CLOSED")), GatewayAnswer::Closed),
        (
            Err(TransportError::Timeout),
            GatewayAnswer::Unknown(UnknownCause::Timeout),
        ),
    ];
    for (answer, expected) in cases {
        assert_eq!(channel(answer).0.charge_code(&request).await, expected);
    }
}

#[tokio::test]
async fn answers_to_closing() {
    let cases: Vec<(Answer, CloseAnswer)> = vec![
        (signed(200, &standing("CLOSED", "")), CloseAnswer::Closed),
        (
            signed(200, &standing("PAID", PAID)),
            CloseAnswer::AlreadyPaid,
        ),
        (
            signed(409, &fault("ALREADY_PAID")),
            CloseAnswer::AlreadyPaid,
        ),
        (signed(409, &fault("ORDER_CLOSED")), CloseAnswer::Closed),
        (
            unsigned(409, &fault("ALREADY_PAID")),
            CloseAnswer::Unknown(UnknownCause::BadSignature),
        ),
        (
            unsigned(200, &standing("CLOSED", "")),
            CloseAnswer::Unknown(UnknownCause::BadSignature),
        ),
        (
            signed(200, &standing("USER_PAYING", "")),
            CloseAnswer::Unknown(UnknownCause::Unreadable(
                "the state does not answer the request".to_owned(),
            )),
        ),
        (
            signed(400, &fault("WRONG_KIND")),
            CloseAnswer::ConfigError(ConfigCause::BadRequest("text".to_owned())),
        ),
        (
            unsigned(502, ""),
            CloseAnswer::Unknown(UnknownCause::GatewayFault(502)),
        ),
    ];
    for (answer, expected) in cases {
        let shown = format!("{answer:?}");
        assert_eq!(
            channel(answer).0.close(ATTEMPT, None).await,
            expected,
            "{shown}"
        );
    }
}

#[tokio::test]
async fn answers_to_reversing() {
    let cases: Vec<(Answer, ReverseAnswer)> = vec![
        (
            signed(200, &standing("REVERSED", "")),
            ReverseAnswer::Reversed {
                money_returned: Some(false),
            },
        ),
        (
            signed(200, &standing("REVERSED", PAID)),
            ReverseAnswer::Reversed {
                money_returned: Some(true),
            },
        ),
        (
            Err(TransportError::Broken),
            ReverseAnswer::Unknown(UnknownCause::Broken),
        ),
        (
            unsigned(401, ""),
            ReverseAnswer::ConfigError(ConfigCause::Signature),
        ),
        (
            signed(200, &standing("PAID", PAID)),
            ReverseAnswer::Unknown(UnknownCause::Unreadable(
                "the state does not answer the request".to_owned(),
            )),
        ),
    ];
    for (answer, expected) in cases {
        let shown = format!("{answer:?}");
        assert_eq!(
            channel(answer).0.reverse(ATTEMPT, None).await,
            expected,
            "{shown}"
        );
    }
}

#[tokio::test]
async fn answers_to_refunds() {
    let done = format!(
        r#"{{"merchant":"{MERCHANT}","refund_no":"TK0001","channel_refund_no":"50001","amount_fen":18000}}"#
    );
    let other = done.replace("TK0001", "TK0002");
    let succeeded = RefundAnswer::Succeeded {
        channel_refund_no: "50001".to_owned(),
        amount: Money::from_yuan(180),
    };
    let cases: Vec<(Answer, RefundAnswer)> = vec![
        (signed(200, &done), succeeded),
        (
            signed(200, &other),
            RefundAnswer::Unknown(UnknownCause::Mismatched),
        ),
        (
            signed(409, &fault("NOT_PAID")),
            RefundAnswer::Refused(RefundRefusal::NotPaid),
        ),
        (
            signed(409, &fault("REFUND_EXCEEDS_PAID")),
            RefundAnswer::Refused(RefundRefusal::ExceedsPaid),
        ),
        (
            signed(409, &fault("REFUND_NO_USED")),
            RefundAnswer::Unknown(UnknownCause::NumberReused),
        ),
        (
            signed(404, &fault("REFUND_NOT_FOUND")),
            RefundAnswer::Unknown(UnknownCause::NotFound),
        ),
        (
            unsigned(200, &done),
            RefundAnswer::Unknown(UnknownCause::BadSignature),
        ),
        (
            Err(TransportError::Timeout),
            RefundAnswer::Unknown(UnknownCause::Timeout),
        ),
    ];
    let request = RefundRequest {
        attempt_no: ATTEMPT.to_owned(),
        channel_txn_no: None,
        refund_no: "TK0001".to_owned(),
        paid: Money::from_yuan(300),
        amount: Money::from_yuan(180),
        reason: "顾客退款".to_owned(),
        notify_url: None,
    };
    let question = RefundQuery {
        attempt_no: ATTEMPT.to_owned(),
        refund_no: "TK0001".to_owned(),
    };
    for (answer, expected) in cases {
        let shown = format!("{answer:?}");
        let (channel, _) = channel(answer);
        assert_eq!(channel.refund(&request).await, expected, "{shown}");
        assert_eq!(channel.query_refund(&question).await, expected, "{shown}");
    }
}
