//! Notices: which are believed, and what they say.

use http::HeaderMap;
use qiantai_core::clock::Millis;
use qiantai_core::money::Money;
use qiantai_pay::{
    Channel, ElsewhereNotice, Notice, NoticeError, NoticeReceipt, PaymentNotice, RefundAnswer,
    RefundNotice, RefundRefusal,
};
use serde_json::{Value, json};

use super::answers::{ATTEMPT, PAID, REFUND, fact, order};
use super::gateway::{
    APPID, GATEWAY, MCHID, NOW, OTHER, PUBLIC_KEY, channel_with, seal, sealed, settings,
};

fn body(event: &str, resource: Value) -> String {
    json!({
        "id": "EV-1", "create_time": "2026-01-01T08:01:11+08:00",
        "resource_type": "encrypt-resource", "event_type": event, "summary": "x",
        "resource": resource,
    })
    .to_string()
}

fn parse(headers: &HeaderMap, body: &str) -> Result<Notice, NoticeError> {
    channel_with(settings(), Vec::new())
        .0
        .parse_notice(headers, body.as_bytes())
}

fn genuine(event: &str, plaintext: &str) -> Result<Notice, NoticeError> {
    let body = body(event, sealed(plaintext));
    parse(&seal(&GATEWAY, PUBLIC_KEY, NOW, &body), &body)
}

fn refund(status: &str) -> String {
    json!({
        "mchid": MCHID, "out_trade_no": ATTEMPT, "transaction_id": "4200002026",
        "out_refund_no": REFUND, "refund_id": "50300", "refund_status": status,
        "user_received_account": "招商银行信用卡0403",
        "amount": {"total": 50000, "refund": 18000, "payer_total": 50000, "payer_refund": 18000},
    })
    .to_string()
}

#[test]
fn what_genuine_notices_say() {
    let payment = Notice::Payment(PaymentNotice {
        notice_id: "EV-1".to_owned(),
        attempt_no: ATTEMPT.to_owned(),
        paid: fact(),
    });
    let paid = order("SUCCESS", PAID);
    assert_eq!(genuine("TRANSACTION.SUCCESS", &paid), Ok(payment));
    let check = |event: &str, status: &str, answer: RefundAnswer| {
        let expected = Notice::Refund(RefundNotice {
            notice_id: "EV-1".to_owned(),
            attempt_no: ATTEMPT.to_owned(),
            refund_no: REFUND.to_owned(),
            answer,
        });
        assert_eq!(genuine(event, &refund(status)), Ok(expected), "{event}");
    };
    let succeeded = RefundAnswer::Succeeded {
        channel_refund_no: "50300".to_owned(),
        amount: Money::from_yuan(180),
    };
    check("REFUND.SUCCESS", "SUCCESS", succeeded);
    check("REFUND.ABNORMAL", "ABNORMAL", RefundAnswer::NeedsHandling);
    let closed = RefundAnswer::Refused(RefundRefusal::ClosedByGateway);
    check("REFUND.CLOSED", "CLOSED", closed);
    let elsewhere = Notice::PaidElsewhere(ElsewhereNotice {
        attempt_no: ATTEMPT.to_owned(),
        channel_txn_no: "4200002026".to_owned(),
        amount: Money::from_yuan(500),
    });
    let of_another = refund("SUCCESS").replace(MCHID, "1900000108");
    assert_eq!(genuine("REFUND.SUCCESS", &of_another), Ok(elsewhere));
    let other = Notice::Other("COUPON.USE".to_owned());
    assert_eq!(genuine("COUPON.USE", "{}"), Ok(other));
}

#[test]
fn other_notices_are_refused_with_the_cause() {
    let paid = order("SUCCESS", PAID);
    let good = body("TRANSACTION.SUCCESS", sealed(&paid));
    let headers = |body: &str| seal(&GATEWAY, PUBLIC_KEY, NOW, body);
    let check = |headers: &HeaderMap, body: &str, expected: NoticeError| {
        assert_eq!(parse(headers, body), Err(expected), "{body}");
    };
    for name in [
        "Wechatpay-Timestamp",
        "Wechatpay-Nonce",
        "Wechatpay-Serial",
        "Wechatpay-Signature",
    ] {
        let mut headers = headers(&good);
        headers.remove(name);
        check(&headers, &good, NoticeError::MissingHeader(name));
    }
    check(
        &seal(&GATEWAY, "PUB_KEY_ID_9", NOW, &good),
        &good,
        NoticeError::UnknownKey("PUB_KEY_ID_9".to_owned()),
    );
    let wrong = NoticeError::WrongSignature;
    check(&seal(&OTHER, PUBLIC_KEY, NOW, &good), &good, wrong.clone());
    // The same JSON with its keys in another order, or with a space, is not what was signed.
    let value: Value = serde_json::from_str(&good).unwrap();
    let reordered = serde_json::to_string(&value)
        .unwrap()
        .replacen(',', ", ", 1);
    check(&headers(&good), &reordered, wrong);
    let mut probe = headers(&good);
    let false_one = format!(
        "WECHATPAY/SIGNTEST/{}",
        probe["wechatpay-signature"].to_str().unwrap()
    );
    probe.insert("wechatpay-signature", false_one.parse().unwrap());
    check(&probe, &good, NoticeError::Probe);

    let mut sealed_otherwise = sealed(&paid);
    sealed_otherwise["associated_data"] = json!("refund");
    for resource in [
        sealed_otherwise,
        json!({"algorithm": "NONE", "ciphertext": "", "nonce": ""}),
    ] {
        let body = body("TRANSACTION.SUCCESS", resource);
        check(&headers(&body), &body, NoticeError::DoesNotDecrypt);
    }
    for somebody_else in [(MCHID, "1900000108"), (APPID, "wx0000000000000000")] {
        let other = paid.replace(somebody_else.0, somebody_else.1);
        let told = genuine("TRANSACTION.SUCCESS", &other);
        let elsewhere = Notice::PaidElsewhere(ElsewhereNotice {
            attempt_no: ATTEMPT.to_owned(),
            channel_txn_no: fact().channel_txn_no,
            amount: fact().amount,
        });
        assert_eq!(told, Ok(elsewhere));
    }
    for plaintext in [order("NOTPAY", PAID), order("SUCCESS", ""), "[]".to_owned()] {
        let answer = genuine("TRANSACTION.SUCCESS", &plaintext);
        assert!(
            matches!(answer, Err(NoticeError::Malformed(_))),
            "{answer:?}"
        );
    }
}

#[test]
fn a_notice_from_another_time_is_refused() {
    let body = body("TRANSACTION.SUCCESS", sealed(&order("SUCCESS", PAID)));
    let whole_second = Millis(-(NOW.ms() % 1_000));
    let check = |off: Millis, expected: bool| {
        let headers = seal(&GATEWAY, PUBLIC_KEY, NOW + whole_second + off, &body);
        let stale = matches!(
            parse(&headers, &body),
            Err(NoticeError::StaleTimestamp { .. })
        );
        assert_eq!(stale, expected, "{off:?}");
    };
    check(Millis::seconds(-299), false);
    check(Millis::seconds(-301), true);
    check(Millis::seconds(300), false);
    check(Millis::seconds(301), true);
    check(Millis::minutes(-6), true);
}

#[test]
fn the_answers_to_a_notice_are_what_the_gateway_expects() {
    let (channel, _) = channel_with(settings(), Vec::new());
    let taken = channel.notice_response(b"{}", NoticeReceipt::Taken);
    assert_eq!((taken.status().as_u16(), taken.body().len()), (204, 0));
    let refused = channel.notice_response(b"{}", NoticeReceipt::Refused);
    assert_eq!(refused.status(), 500);
    let body: Value = serde_json::from_slice(refused.body()).unwrap();
    assert_eq!(body["code"], "FAIL");
}
