//! Each call: what is sent, and what its answers mean.

use super::*;
use crate::scripted::NOW;

#[tokio::test]
async fn answers_to_a_payment_code() {
    use DeclineCode as D;
    let declined = GatewayAnswer::Declined;
    let config = GatewayAnswer::ConfigError;
    let unknown = GatewayAnswer::Unknown;
    let cases = [
        ("BUYER_BALANCE_NOT_ENOUGH", declined(D::BalanceShort)),
        (
            "BUYER_BANKCARD_BALANCE_NOT_ENOUGH",
            declined(D::CardBalanceShort),
        ),
        (
            "BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR",
            declined(D::DailyLimit),
        ),
        (
            "BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR",
            declined(D::MonthlyLimit),
        ),
        ("TOTAL_FEE_EXCEED", declined(D::SingleLimit)),
        (
            "BEYOND_PER_RECEIPT_DAY_RESTRICTION",
            declined(D::MerchantLimit),
        ),
        ("PAYMENT_AUTH_CODE_INVALID", declined(D::CodeExpired)),
        (
            "NO_PAYMENT_INSTRUMENTS_AVAILABLE",
            declined(D::CardNotSupported),
        ),
        ("PAYMENT_FAIL", declined(D::IssuerRefused)),
        ("PAYMENT_REQUEST_HAS_RISK", declined(D::RiskControl)),
        ("BUYER_ENABLE_STATUS_FORBID", declined(D::AccountUnusable)),
        ("MOBILE_PAYMENT_SWITCH_OFF", declined(D::FeatureOff)),
        ("PULL_MOBILE_CASHIER_FAIL", declined(D::PhoneNotReached)),
        ("BUYER_SELLER_EQUAL", declined(D::PayerIsMerchant)),
        ("TRADE_HAS_CLOSE", GatewayAnswer::Closed),
        ("TRADE_HAS_SUCCESS", unknown(UnknownCause::AlreadyPaid)),
        ("CONTEXT_INCONSISTENT", unknown(UnknownCause::NumberReused)),
        ("SELLER_BEEN_BLOCKED", config(ConfigCause::MerchantBlocked)),
        ("ACCESS_FORBIDDEN", config(ConfigCause::NotPermitted)),
        (
            "EXIST_FORBIDDEN_WORD",
            config(ConfigCause::ForbiddenWord("说明".into())),
        ),
    ];
    for (sub_code, expected) in cases {
        let answer = failure("trade.pay", &format!("ACQ.{sub_code}"));
        let found = alipay(answer)
            .charge_code(&code_request("280000000000000000"))
            .await;
        assert_eq!(found, expected, "{sub_code}");
    }
    let waiting = json!({ "code": "10003", "out_trade_no": attempt() });
    for (node, expected) in [
        (trade("ignored"), GatewayAnswer::Success(paid())),
        (waiting, GatewayAnswer::Pending(PendingState::UserPaying)),
        (
            json!({ "code": "20000" }),
            unknown(UnknownCause::GatewayFault(500)),
        ),
    ] {
        let answer = reply("trade.pay", &node);
        assert_eq!(
            alipay(answer)
                .charge_code(&code_request("280000000000000000"))
                .await,
            expected,
            "{node}"
        );
    }
}

#[tokio::test]
async fn requests_are_signed_forms() {
    let created = json!({ "code": "10000", "out_trade_no": attempt(), "qr_code": "https://q" });
    let mut settings = config();
    settings["app_auth_token"] = json!("5ec2e7");
    let (channel, dialogue) = channel(settings, [reply("trade.precreate", &created)]);
    let request = QrRequest {
        amount: Money::from_fen(30_005),
        subject: "一号店/会员=充值&".to_owned(),
        notify_url: Some("https://pos.test/v1/notify/alipay".to_owned()),
        ..qr_request(Wallet::Alipay)
    };
    let payload = "https://q".to_owned();
    assert_eq!(
        channel.create_qr(&request).await,
        QrAnswer::Created { payload }
    );
    let sent = &dialogue.requests()[0];
    assert_eq!(sent.uri(), "https://gateway.test/gateway.do?charset=utf-8");
    let form = dialogue.form(0);
    let key = VerifyKey::from_text(&OURS.public_pem()).unwrap();
    let sign = form.get("sign").unwrap();
    assert!(key.verify_sha256_base64(request_text(&form).as_bytes(), sign));
    for (name, expected) in [
        ("app_id", APP),
        ("method", "alipay.trade.precreate"),
        ("sign_type", "RSA2"),
        ("timestamp", "2026-11-22 06:03:12"),
        ("notify_url", "https://pos.test/v1/notify/alipay"),
        ("app_auth_token", "5ec2e7"),
    ] {
        assert_eq!(form.get(name), Some(expected), "{name}");
    }
    let content: Value = serde_json::from_str(form.get("biz_content").unwrap()).unwrap();
    assert_eq!(content["total_amount"], "300.05");
    assert_eq!(content["subject"], "一号店／会员＝充值＆");
    // Five minutes after the number was made, although an hour was asked for.
    assert_eq!(content["time_expire"], "2026-11-22 06:07:42");
}

#[tokio::test]
async fn a_code_that_nobody_scanned_is_closed_when_it_has_ended() {
    let check = async |age: Millis, answer: Answer, expected: CloseAnswer| {
        let number = number(Prefix::Attempt, age);
        assert_eq!(
            alipay(answer).close(&number, None).await,
            expected,
            "{age:?}"
        );
    };
    let missing = || failure("trade.close", "ACQ.TRADE_NOT_EXIST");
    let not_found = CloseAnswer::Unknown(UnknownCause::NotFound);
    check(Millis::minutes(1), missing(), not_found.clone()).await;
    check(Millis::minutes(5), missing(), not_found.clone()).await;
    check(Millis::seconds(330), missing(), CloseAnswer::Closed).await;
    let wrong_state = || failure("trade.close", "ACQ.REASON_TRADE_STATUS_INVALID");
    check(Millis::minutes(1), wrong_state(), CloseAnswer::AlreadyPaid).await;
    let closed = reply(
        "trade.close",
        &json!({ "code": "10000", "out_trade_no": attempt() }),
    );
    assert_eq!(
        alipay(closed).close(&attempt(), None).await,
        CloseAnswer::Closed
    );
    // A number without a time never proves that the code has ended.
    assert_eq!(alipay(missing()).close("ORDER-1", None).await, not_found);
}

#[tokio::test]
async fn answers_to_reversing() {
    let reversed = |money_returned| ReverseAnswer::Reversed { money_returned };
    let cancelled = |more: Value| {
        let mut node = json!({ "code": "10000", "out_trade_no": attempt() });
        node.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        reply("trade.cancel", &node)
    };
    let missing = || failure("trade.cancel", "ACQ.TRADE_NOT_EXIST");
    let cases = [
        (
            cancelled(json!({ "action": "close", "retry_flag": "N" })),
            reversed(Some(false)),
        ),
        (
            cancelled(json!({ "action": "refund", "retry_flag": "N" })),
            reversed(Some(true)),
        ),
        // Nothing left to do: an earlier call may have returned the money.
        (cancelled(json!({})), reversed(None)),
        (
            failure("trade.cancel", "ACQ.TRADE_HAS_CLOSE"),
            reversed(None),
        ),
        (
            cancelled(json!({ "action": "refund", "retry_flag": "Y" })),
            ReverseAnswer::Unknown(UnknownCause::GatewayFault(500)),
        ),
        (
            failure("trade.cancel", "ACQ.CANCEL_NOT_ALLOWED"),
            ReverseAnswer::WindowPassed,
        ),
        (missing(), ReverseAnswer::Unknown(UnknownCause::NotFound)),
        (
            Err(TransportError::Timeout),
            ReverseAnswer::Unknown(UnknownCause::Timeout),
        ),
    ];
    for (answer, expected) in cases {
        let shown = format!("{answer:?}");
        assert_eq!(
            alipay(answer).reverse(&attempt(), None).await,
            expected,
            "{shown}"
        );
    }
    let old = number(Prefix::Attempt, Millis::seconds(61));
    let unpaid = || reversed(Some(false));
    assert_eq!(alipay(missing()).reverse(&old, None).await, unpaid());
    // From when the charge went out, however old the number is.
    let not_found = ReverseAnswer::Unknown(UnknownCause::NotFound);
    for (age_s, expected) in [(59, not_found), (60, unpaid())] {
        let charged_at = Some(NOW - Millis::seconds(age_s));
        let found = alipay(missing()).reverse(&old, charged_at).await;
        assert_eq!(found, expected, "{age_s}");
    }
}

#[tokio::test]
async fn answers_to_refunds() {
    let request = refund_request("TK1", 180);
    let succeeded = || RefundAnswer::Succeeded {
        channel_refund_no: "TK1".to_owned(),
        amount: Money::from_yuan(180),
    };
    let changed = |change: &str, fee: &str| {
        let node = json!({
            "code": "10000", "out_trade_no": attempt(), "trade_no": TRADE,
            "fund_change": change, "refund_fee": fee,
        });
        reply("trade.refund", &node)
    };
    let refused = RefundAnswer::Refused;
    let cases = [
        (changed("Y", "180.00"), succeeded()),
        // The sum of all refunds so far.
        (changed("Y", "280.00"), succeeded()),
        (
            changed("Y", "100.00"),
            RefundAnswer::Unknown(UnknownCause::Mismatched),
        ),
        (changed("N", "180.00"), RefundAnswer::Accepted),
        (
            failure("trade.refund", "ACQ.SELLER_BALANCE_NOT_ENOUGH"),
            RefundAnswer::MerchantFundsShort,
        ),
        (
            failure("trade.refund", "ACQ.TRADE_STATUS_ERROR"),
            refused(RefundRefusal::TooLate),
        ),
        (
            failure("trade.refund", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"),
            refused(RefundRefusal::ExceedsPaid),
        ),
        (
            failure("trade.refund", "ACQ.REASON_TRADE_BEEN_FREEZEN"),
            RefundAnswer::NeedsHandling,
        ),
        (
            Err(TransportError::Timeout),
            RefundAnswer::Unknown(UnknownCause::Timeout),
        ),
    ];
    for (answer, expected) in cases {
        let shown = format!("{answer:?}");
        assert_eq!(alipay(answer).refund(&request).await, expected, "{shown}");
    }
    let query = RefundQuery {
        attempt_no: attempt(),
        refund_no: "TK1".to_owned(),
    };
    let node = |status: Value| {
        json!({
            "code": "10000", "out_trade_no": attempt(), "out_request_no": "TK1",
            "refund_amount": "180.00", "refund_status": status,
        })
    };
    for (status, expected) in [
        (json!("REFUND_SUCCESS"), succeeded()),
        (Value::Null, RefundAnswer::Unknown(UnknownCause::NotFound)),
    ] {
        let answer = reply("trade.fastpay.refund.query", &node(status));
        assert_eq!(alipay(answer).query_refund(&query).await, expected);
    }
}
