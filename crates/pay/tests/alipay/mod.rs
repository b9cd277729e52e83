//! Alipay: what each answer means, what is sent, and who is believed.

mod bills;
mod calls;
pub mod trust;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use encoding_rs::GBK;
use qiantai_core::attempt::DeclineCode;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_core::order_no::Prefix;
use qiantai_pay::channels::alipay::signature::{SignedNotice, request_text};
use qiantai_pay::channels::alipay::{AlipayChannel, AlipayConfig, cert_sn};
use qiantai_pay::crypto::{Certificate, VerifyKey};
use qiantai_pay::transport::TransportError;
use qiantai_pay::{
    BillAnswer, BillKind, BillRequest, Channel, CloseAnswer, ConfigCause, ElsewhereNotice,
    GatewayAnswer, Notice, NoticeError, NoticeReceipt, PaidFact, Pairs, PendingState, QrAnswer,
    QrRequest, RefundAnswer, RefundNotice, RefundQuery, RefundRefusal, ReverseAnswer, UnknownCause,
    Wallet,
};
use serde_json::{Value, json};
use time::macros::date;

use crate::dialogue::{
    Answer, Dialogue, GATEWAY, Keys, OURS, STRANGER, attempt, certified, code_request, number, ok,
    pem, qr_request, refund_request, status,
};
use crate::scripted::Still;

const APP: &str = "2021000000000001";
const SELLER: &str = "2088000000000099";
const TRADE: &str = "2026112222001400000000000001";

fn config() -> Value {
    json!({
        "base_url": "https://gateway.test",
        "app_id": APP,
        "seller_id": SELLER,
        "private_key": OURS.private_pem(),
        "alipay_public_keys": [STRANGER.public_pem(), GATEWAY.public_pem()],
    })
}

fn channel(
    config: Value,
    answers: impl IntoIterator<Item = Answer>,
) -> (AlipayChannel, std::sync::Arc<Dialogue>) {
    let dialogue = Dialogue::new(answers);
    let config: AlipayConfig = serde_json::from_value(config).unwrap();
    let channel = AlipayChannel::new(config, dialogue.clone(), std::sync::Arc::new(Still));
    (channel.unwrap(), dialogue)
}

fn alipay(answer: Answer) -> AlipayChannel {
    channel(config(), [answer]).0
}

fn node_of(method: &str) -> String {
    format!("alipay_{}_response", method.replace('.', "_"))
}

fn signed_by(keys: &Keys, node: &str, bytes: &[u8], more: &str) -> Answer {
    let sign = keys.private().sign_sha256_base64(bytes).unwrap();
    let mut body = format!("{{\"{node}\":").into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("{more},\"sign\":\"{sign}\"}}").as_bytes());
    ok(body)
}

/// A genuine answer.
fn reply(method: &str, node: &Value) -> Answer {
    signed_by(&GATEWAY, &node_of(method), node.to_string().as_bytes(), "")
}

fn failure(method: &str, sub_code: &str) -> Answer {
    let node = json!({ "code": "40004", "sub_code": sub_code, "sub_msg": "说明" });
    reply(method, &node)
}

fn trade(status: &str) -> Value {
    json!({
        "code": "10000", "msg": "Success", "out_trade_no": attempt(), "trade_no": TRADE,
        "trade_status": status, "total_amount": "300.00", "receipt_amount": "299.00",
        "send_pay_date": "2026-11-22 06:00:01", "gmt_payment": "2026-11-22 06:00:01",
        "buyer_user_id": "2088x", "new_field": {"sign": "}"},
    })
}

fn paid() -> PaidFact {
    PaidFact {
        channel_txn_no: TRADE.to_owned(),
        amount: Money::from_yuan(300),
        paid_at: Timestamp::from_ms(1_795_298_401_000),
        payer: Some("2088x".to_owned()),
    }
}

fn with(mut node: Value, name: &str, value: Value) -> Value {
    node[name] = value;
    node
}

#[tokio::test]
async fn answers_to_a_query() {
    use GatewayAnswer::{Closed, ConfigError, Pending, Returned, Success, Unknown};
    let bad_signature = || Unknown(UnknownCause::BadSignature);
    let query = |node: &Value| reply("trade.query", node);
    let unsigned = |node: &str, value: Value| ok(json!({ node: value }).to_string());
    let error = |sub_code: &str| json!({ "code": "40002", "sub_code": sub_code });
    let text = trade("TRADE_SUCCESS").to_string();
    let node = node_of("trade.query");
    let cases: Vec<(Answer, GatewayAnswer)> = vec![
        (query(&trade("TRADE_SUCCESS")), Success(paid())),
        (query(&trade("TRADE_FINISHED")), Success(paid())),
        (
            query(&with(trade("TRADE_SUCCESS"), "total_amount", json!(300))),
            Success(paid()),
        ),
        (
            query(&trade("WAIT_BUYER_PAY")),
            Pending(PendingState::UserPaying),
        ),
        (query(&trade("TRADE_CLOSED")), Returned(paid())),
        (
            query(&with(trade("TRADE_CLOSED"), "send_pay_date", json!(""))),
            Closed,
        ),
        (
            failure("trade.query", "ACQ.TRADE_NOT_EXIST"),
            Unknown(UnknownCause::NotFoundOrNotScanned),
        ),
        (
            failure("trade.query", "ACQ.SYSTEM_ERROR"),
            Unknown(UnknownCause::GatewayFault(500)),
        ),
        (
            failure("trade.query", "ACQ.BRAND_NEW"),
            Unknown(UnknownCause::Unlisted("ACQ.BRAND_NEW".into())),
        ),
        (
            query(&with(trade("TRADE_SUCCESS"), "out_trade_no", json!("ZF1"))),
            Unknown(UnknownCause::Mismatched),
        ),
        (
            signed_by(&STRANGER, &node, text.as_bytes(), ""),
            Success(paid()),
        ),
        (
            signed_by(&OURS, &node, text.as_bytes(), ""),
            bad_signature(),
        ),
        (unsigned(&node, trade("TRADE_SUCCESS")), bad_signature()),
        (
            unsigned(&node, error("isv.invalid-signature")),
            bad_signature(),
        ),
        (
            unsigned("error_response", error("isv.invalid-signature")),
            ConfigError(ConfigCause::Signature),
        ),
        (
            unsigned("error_response", error("isv.invalid-timestamp")),
            ConfigError(ConfigCause::Clock),
        ),
        (
            unsigned("error_response", error("ACQ.TRADE_HAS_CLOSE")),
            bad_signature(),
        ),
        (Err(TransportError::NotSent), Unknown(UnknownCause::NotSent)),
        (Err(TransportError::Timeout), Unknown(UnknownCause::Timeout)),
        (Err(TransportError::Broken), Unknown(UnknownCause::Broken)),
        (status(500), Unknown(UnknownCause::GatewayFault(500))),
        (status(429), Unknown(UnknownCause::Busy)),
    ];
    for (answer, expected) in cases {
        let shown = format!("{answer:?}");
        assert_eq!(alipay(answer).query(&attempt()).await, expected, "{shown}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_unknown() {
    let query = |node: &Value| reply("trade.query", node);
    let text = trade("TRADE_SUCCESS").to_string();
    let node = node_of("trade.query");
    let twice = signed_by(
        &GATEWAY,
        &node,
        text.as_bytes(),
        &format!(",\"{node}\":{{}}"),
    );
    for answer in [
        status(302),
        ok(""),
        ok("<html>busy</html>"),
        ok("{}"),
        ok("[1]"),
        ok(text.clone()),
        ok(vec![b' '; 1024 * 1024 + 1]),
        twice,
        query(&json!({})),
        query(&json!({ "code": 10000 })),
        query(&trade("TRADE_NEW")),
        query(&with(
            trade("TRADE_SUCCESS"),
            "total_amount",
            json!("300.001"),
        )),
        query(&with(trade("TRADE_SUCCESS"), "total_amount", json!([300]))),
        query(&with(
            trade("TRADE_SUCCESS"),
            "send_pay_date",
            json!("yesterday"),
        )),
        query(&with(trade("TRADE_SUCCESS"), "trade_no", json!(""))),
    ] {
        let shown = format!("{answer:?}");
        let found = alipay(answer).query(&attempt()).await;
        let is_unreadable = matches!(found, GatewayAnswer::Unknown(UnknownCause::Unreadable(_)));
        assert!(is_unreadable, "{shown}: {found:?}");
    }
}

/// The second byte of 誠 in GBK is a backslash, and the bytes are signed as they are.
#[tokio::test]
async fn answers_in_gbk_are_verified_as_they_came() {
    let node = with(trade("TRADE_SUCCESS"), "store_name", json!("誠\"{店")).to_string();
    let (bytes, _, lost) = GBK.encode(&node);
    assert!(!lost && bytes.windows(2).any(|pair| pair == [0xD5, b'\\']));
    let answer = signed_by(&GATEWAY, &node_of("trade.query"), &bytes, "");
    assert_eq!(
        alipay(answer).query(&attempt()).await,
        GatewayAnswer::Success(paid())
    );
}
