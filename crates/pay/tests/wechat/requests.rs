//! What is sent, and that its signature covers it.

use bytes::Bytes;
use qiantai_pay::channels::wechat::signature::Authorization;
use qiantai_pay::{Channel, ConfigCause, QrAnswer, RefundQuery, RefundRequest};
use serde_json::{Value, json};

use super::answers::{ATTEMPT, REFUND, code_request, qr_request, refund_request};
use super::gateway::{
    APPID, MCHID, MERCHANT, MERCHANT_SERIAL, NOW, PUBLIC_KEY, channel_with, settings, signed,
};

/// Verifies a request as the gateway does, and gives its method, target and body.
fn verified(request: &http::Request<Bytes>) -> (String, String, Value) {
    let headers = request.headers();
    let target = request.uri().path_and_query().unwrap().as_str().to_owned();
    let header = headers["authorization"].to_str().unwrap();
    let claim = Authorization::read(header).unwrap();
    assert_eq!(claim.mchid, MCHID);
    assert_eq!(claim.serial_no, MERCHANT_SERIAL);
    assert_eq!(claim.seconds, NOW.ms() / 1_000);
    assert!(claim.nonce.len() <= 32);
    let key = MERCHANT.private.verify_key().unwrap();
    let method = request.method().as_str();
    assert!(claim.verifies(&key, method, &target, request.body()));
    assert!(!claim.verifies(&key, method, "/v3/other", request.body()));
    assert_eq!(headers["accept"], "application/json");
    assert!(
        headers["user-agent"]
            .to_str()
            .unwrap()
            .starts_with("Qiantai/")
    );
    assert_eq!(headers["wechatpay-serial"], PUBLIC_KEY);
    let body = if request.body().is_empty() {
        assert!(!headers.contains_key("content-type"));
        Value::Null
    } else {
        assert_eq!(headers["content-type"], "application/json");
        serde_json::from_slice(request.body()).unwrap()
    };
    (method.to_owned(), target, body)
}

#[tokio::test]
async fn every_call_is_signed_and_says_what_the_protocol_wants() {
    let answers = vec![signed(500, ""); 8];
    let (channel, gateway) = channel_with(settings(), answers);
    channel.create_qr(&qr_request()).await;
    channel.charge_code(&code_request()).await;
    channel.query(ATTEMPT).await;
    channel.close(ATTEMPT, None).await;
    channel.reverse(ATTEMPT, None).await;
    channel.refund(&refund_request()).await;
    let by_transaction = RefundRequest {
        channel_txn_no: Some("4200002026".to_owned()),
        ..refund_request()
    };
    channel.refund(&by_transaction).await;
    let query = RefundQuery {
        attempt_no: ATTEMPT.to_owned(),
        refund_no: REFUND.to_owned(),
    };
    channel.query_refund(&query).await;

    let orders = "/v3/pay/transactions/out-trade-no";
    let refund = |more: Value| {
        let mut body = json!({
            "out_refund_no": REFUND, "reason": "顾客退款",
            "amount": {"refund": 18000, "total": 50000, "currency": "CNY"},
        });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let expected = [
        (
            "POST",
            "/v3/pay/transactions/native".to_owned(),
            json!({
                "appid": APPID, "mchid": MCHID, "description": "会员储值 500元",
                "out_trade_no": ATTEMPT, "time_expire": "2026-01-01T08:16:12+08:00",
                "notify_url": "https://pos.example.com/notify/wechat",
                "amount": {"total": 50000, "currency": "CNY"},
            }),
        ),
        (
            "POST",
            "/v3/pay/transactions/codepay".to_owned(),
            json!({
                "appid": APPID, "mchid": MCHID, "description": "会员储值 500元",
                "out_trade_no": ATTEMPT, "payer": {"auth_code": "130000000000000001"},
                "amount": {"total": 50000, "currency": "CNY"},
                "scene_info": {"store_info": {"out_id": "S01"}},
            }),
        ),
        (
            "GET",
            format!("{orders}/{ATTEMPT}?mchid={MCHID}"),
            Value::Null,
        ),
        (
            "POST",
            format!("{orders}/{ATTEMPT}/close"),
            json!({"mchid": MCHID}),
        ),
        (
            "POST",
            format!("{orders}/{ATTEMPT}/reverse"),
            json!({"appid": APPID, "mchid": MCHID}),
        ),
        (
            "POST",
            "/v3/refund/domestic/refunds".to_owned(),
            refund(json!({"out_trade_no": ATTEMPT})),
        ),
        (
            "POST",
            "/v3/refund/domestic/refunds".to_owned(),
            refund(json!({"transaction_id": "4200002026"})),
        ),
        (
            "GET",
            format!("/v3/refund/domestic/refunds/{REFUND}"),
            Value::Null,
        ),
    ];
    let requests = gateway.requests.lock().unwrap();
    assert_eq!(requests.len(), expected.len());
    for (request, (method, target, body)) in requests.iter().zip(expected) {
        assert_eq!(verified(request), (method.to_owned(), target, body));
    }
    let printed = format!("{requests:?}");
    assert!(
        !printed.contains("WECHATPAY2"),
        "the signature is marked as sensitive"
    );
}

#[tokio::test]
async fn what_the_gateway_would_refuse_is_not_sent() {
    let (channel, gateway) = channel_with(settings(), Vec::new());
    for number in ["", "ZF1", "ZF0001/../x", "ZF 00001", &"Z".repeat(33)] {
        let mut request = qr_request();
        request.attempt_no = number.to_owned();
        let refused =
            |answer: String| assert!(answer.contains("ConfigError"), "{number}: {answer}");
        refused(format!("{:?}", channel.create_qr(&request).await));
        refused(format!("{:?}", channel.query(number).await));
        refused(format!("{:?}", channel.close(number, None).await));
        refused(format!("{:?}", channel.reverse(number, None).await));
    }
    assert!(gateway.targets().is_empty());
}

#[tokio::test]
async fn an_address_for_notices_is_always_named() {
    let mut request = qr_request();
    request.notify_url = None;
    let (channel, gateway) = channel_with(settings(), vec![signed(500, "")]);
    channel.create_qr(&request).await;
    let (_, _, body) = verified(&gateway.requests.lock().unwrap()[0]);
    assert_eq!(body["notify_url"], "https://shop.test/nobody");

    let mut settings = settings();
    settings
        .as_object_mut()
        .unwrap()
        .remove("unattended_notify_url");
    let (channel, _) = channel_with(settings, Vec::new());
    let problem = "WeChat Pay wants an address for notices: set unattended_notify_url";
    let expected = QrAnswer::ConfigError(ConfigCause::Incomplete(problem.to_owned()));
    assert_eq!(channel.create_qr(&request).await, expected);
}
