//! What each answer of the gateway means. Only listed answers end an attempt.

use qiantai_core::attempt::DeclineCode;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_core::order_no::{OrderNo, Prefix};
use qiantai_pay::transport::TransportError;
use qiantai_pay::{
    AuthCode, Channel, CloseAnswer, CodeRequest, ConfigCause, GatewayAnswer, PaidFact,
    PendingState, QrAnswer, QrRequest, RefundAnswer, RefundQuery, RefundRefusal, RefundRequest,
    ReverseAnswer, UnknownCause, Wallet,
};

use super::gateway::{
    APPID, Answer, GATEWAY, MCHID, NOW, OTHER, PUBLIC_KEY, channel, response, seal, signed,
    unsigned,
};

pub const ATTEMPT: &str = "ZF20260101080000123001230100A1B2";
pub const REFUND: &str = "TK20260101090000123001230100A1B2";

/// The number of an attempt that was made so long ago.
pub fn made_before(age: Millis) -> String {
    let number = OrderNo::new(Prefix::Attempt, NOW - age, "00123", "01", 7);
    number.unwrap().to_string()
}

pub fn order(state: &str, more: &str) -> String {
    format!(
        r#"{{"appid":"{APPID}","mchid":"{MCHID}","out_trade_no":"{ATTEMPT}","trade_state":"{state}","trade_state_desc":"x","new_field":[1]{more}}}"#
    )
}

pub const PAID: &str = r#","transaction_id":"4200002026","trade_type":"NATIVE","success_time":"2026-01-01T08:01:10+08:00","payer":{"openid":"o4G"},"amount":{"total":50000,"payer_total":49000,"currency":"CNY"}"#;

fn fault(code: &str) -> String {
    format!(r#"{{"code":"{code}","message":"text"}}"#)
}

pub fn fact() -> PaidFact {
    PaidFact {
        channel_txn_no: "4200002026".to_owned(),
        amount: Money::from_yuan(500),
        paid_at: Timestamp::from_ms(1_767_225_670_000),
        payer: Some("o4G".to_owned()),
    }
}

fn unlisted(code: &str) -> UnknownCause {
    UnknownCause::Unlisted(code.to_owned())
}

pub fn code_request() -> CodeRequest {
    CodeRequest {
        attempt_no: ATTEMPT.to_owned(),
        amount: Money::from_yuan(500),
        subject: "会员储值 500元".to_owned(),
        auth_code: AuthCode::new("130000000000000001"),
        notify_url: None,
    }
}

pub fn qr_request() -> QrRequest {
    QrRequest {
        attempt_no: ATTEMPT.to_owned(),
        amount: Money::from_yuan(500),
        subject: "会员储值 500元".to_owned(),
        wallet: Wallet::Wechat,
        expires_at: NOW + Millis::minutes(15),
        notify_url: Some("https://pos.example.com/notify/wechat".to_owned()),
    }
}

pub fn refund_request() -> RefundRequest {
    RefundRequest {
        attempt_no: ATTEMPT.to_owned(),
        channel_txn_no: None,
        refund_no: REFUND.to_owned(),
        paid: Money::from_yuan(500),
        amount: Money::from_yuan(180),
        reason: "顾客退款".to_owned(),
        notify_url: None,
    }
}

#[tokio::test]
async fn a_query_and_a_code_charge_read_the_same() {
    use GatewayAnswer::{Closed, ConfigError, Declined, Pending, Returned, Success, Unknown};
    let ok = |state, more| signed(200, &order(state, more));
    let bad = |status, code| signed(status, &fault(code));
    let config = |cause| ConfigError(cause);
    let cases: Vec<(Answer, GatewayAnswer)> = vec![
        (ok("SUCCESS", PAID), Success(fact())),
        (ok("REFUND", PAID), Returned(fact())),
        (ok("NOTPAY", ""), Pending(PendingState::NotScanned)),
        (ok("USERPAYING", ""), Pending(PendingState::UserPaying)),
        (ok("ACCEPT", ""), Pending(PendingState::UserPaying)),
        (ok("CLOSED", ""), Closed),
        (ok("REVOKED", PAID), Closed),
        (ok("PAYERROR", ""), Declined(DeclineCode::NotCompleted)),
        (ok("BRAND_NEW", ""), Unknown(unlisted("BRAND_NEW"))),
        (
            signed(202, &order("USERPAYING", "")),
            Pending(PendingState::UserPaying),
        ),
        (bad(202, "USERPAYING"), Pending(PendingState::UserPaying)),
        (bad(403, "NOT_ENOUGH"), Declined(DeclineCode::BalanceShort)),
        (
            bad(403, "AUTH_CODE_EXPIRE"),
            Declined(DeclineCode::CodeExpired),
        ),
        (
            bad(400, "AUTH_CODE_INVALID"),
            Declined(DeclineCode::CodeInvalid),
        ),
        (bad(400, "ORDER_CLOSED"), Closed),
        (bad(400, "ORDER_REVERSED"), Closed),
        (bad(400, "ORDER_PAID"), Unknown(UnknownCause::AlreadyPaid)),
        (
            bad(403, "OUT_TRADE_NO_USED"),
            Unknown(UnknownCause::NumberReused),
        ),
        (bad(404, "ORDER_NOT_EXIST"), Unknown(UnknownCause::NotFound)),
        (bad(403, "BRAND_NEW"), Unknown(unlisted("BRAND_NEW"))),
        (bad(429, "FREQUENCY_LIMITED"), Unknown(UnknownCause::Busy)),
        (bad(429, "BRAND_NEW"), Unknown(UnknownCause::Busy)),
        (
            bad(500, "SYSTEM_ERROR"),
            Unknown(UnknownCause::GatewayFault(500)),
        ),
        (
            signed(503, &order("SUCCESS", PAID)),
            Unknown(UnknownCause::GatewayFault(503)),
        ),
        (bad(403, "NO_AUTH"), config(ConfigCause::NotPermitted)),
        (bad(401, "SIGN_ERROR"), config(ConfigCause::Signature)),
        (
            bad(400, "PARAM_ERROR"),
            config(ConfigCause::BadRequest("text".to_owned())),
        ),
        (Err(TransportError::NotSent), Unknown(UnknownCause::NotSent)),
        (Err(TransportError::Timeout), Unknown(UnknownCause::Timeout)),
        (Err(TransportError::Broken), Unknown(UnknownCause::Broken)),
    ];
    for (answer, expected) in cases {
        let shown = format!("{answer:?}");
        let found = channel(answer.clone()).query(ATTEMPT).await;
        assert_eq!(found, expected, "{shown}");
        let found = channel(answer).charge_code(&code_request()).await;
        assert_eq!(found, expected, "{shown}");
    }
}

#[tokio::test]
async fn nothing_unsigned_ends_an_attempt() {
    use GatewayAnswer::{ConfigError, Unknown};
    let bad_signature = || Unknown(UnknownCause::BadSignature);
    let paid = order("SUCCESS", PAID);
    let closed = fault("ORDER_CLOSED");
    let by =
        |key, serial, span, body: &str| response(200, seal(key, serial, NOW + span, body), body);
    let mut probe = seal(&GATEWAY, PUBLIC_KEY, NOW, &paid);
    let false_one = format!(
        "WECHATPAY/SIGNTEST/{}",
        probe["wechatpay-signature"].to_str().unwrap()
    );
    probe.insert("wechatpay-signature", false_one.parse().unwrap());
    let cases: Vec<(Answer, GatewayAnswer)> = vec![
        (unsigned(200, &paid), bad_signature()),
        (unsigned(400, &closed), bad_signature()),
        (unsigned(403, &fault("NOT_ENOUGH")), bad_signature()),
        (unsigned(403, &fault("NO_AUTH")), bad_signature()),
        (unsigned(302, ""), bad_signature()),
        (by(&OTHER, PUBLIC_KEY, Millis(0), &paid), bad_signature()),
        (
            by(&GATEWAY, "PUB_KEY_ID_9", Millis(0), &paid),
            bad_signature(),
        ),
        (
            by(&GATEWAY, PUBLIC_KEY, Millis::seconds(-301), &paid),
            bad_signature(),
        ),
        (
            by(&GATEWAY, PUBLIC_KEY, Millis::seconds(302), &paid),
            bad_signature(),
        ),
        (response(200, probe, &paid), bad_signature()),
        // What the gateway cannot sign, and what proves nothing anyway.
        (
            unsigned(401, &fault("SIGN_ERROR")),
            ConfigError(ConfigCause::Signature),
        ),
        (unsigned(401, ""), ConfigError(ConfigCause::Signature)),
        (unsigned(429, ""), Unknown(UnknownCause::Busy)),
        (
            unsigned(404, &fault("ORDER_NOT_EXIST")),
            Unknown(UnknownCause::NotFound),
        ),
        (unsigned(404, ""), bad_signature()),
        (
            unsigned(502, "<html>"),
            Unknown(UnknownCause::GatewayFault(502)),
        ),
    ];
    for (answer, expected) in cases {
        let shown = format!("{answer:?}");
        assert_eq!(channel(answer).query(ATTEMPT).await, expected, "{shown}");
    }
    let edge = by(&GATEWAY, PUBLIC_KEY, Millis::seconds(-300), &paid);
    assert_eq!(
        channel(edge).query(ATTEMPT).await,
        GatewayAnswer::Success(fact())
    );
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_as_such() {
    let check = async |date: Option<&str>, message: &str, expected: ConfigCause| {
        let body = format!(r#"{{"code":"SIGN_ERROR","message":"{message}"}}"#);
        let mut answer = unsigned(401, &body).unwrap();
        if let Some(date) = date {
            answer.headers_mut().insert("date", date.parse().unwrap());
        }
        let found = channel(Ok(answer)).query(ATTEMPT).await;
        assert_eq!(found, GatewayAnswer::ConfigError(expected), "{date:?}");
    };
    // NOW is 00:01:12 UTC.
    check(
        Some("Thu, 01 Jan 2026 00:07:12 GMT"),
        "x",
        ConfigCause::Clock,
    )
    .await;
    check(
        Some("Wed, 31 Dec 2025 23:55:12 GMT"),
        "x",
        ConfigCause::Clock,
    )
    .await;
    check(
        Some("Thu, 01 Jan 2026 00:05:12 GMT"),
        "x",
        ConfigCause::Signature,
    )
    .await;
    check(Some("yesterday"), "x", ConfigCause::Signature).await;
    check(None, "x", ConfigCause::Signature).await;
    check(
        None,
        "timestamp 与当前时间相差超过 5 分钟",
        ConfigCause::Clock,
    )
    .await;
}

#[tokio::test]
async fn answers_to_a_qr_code() {
    let check = async |answer: Answer, expected: QrAnswer| {
        let shown = format!("{answer:?}");
        let found = channel(answer).create_qr(&qr_request()).await;
        assert_eq!(found, expected, "{shown}");
    };
    let payload = "weixin://wxpay/bizpayurl?pr=p4lpSuKzz".to_owned();
    let created = format!(r#"{{"code_url":"{payload}"}}"#);
    check(signed(200, &created), QrAnswer::Created { payload }).await;
    let unknown = QrAnswer::Unknown;
    check(unsigned(200, &created), unknown(UnknownCause::BadSignature)).await;
    let empty = UnknownCause::Unreadable("the field code_url is missing".to_owned());
    check(signed(200, r#"{"code_url":""}"#), unknown(empty)).await;
    check(signed(400, &fault("ORDER_CLOSED")), QrAnswer::Closed).await;
    check(
        signed(400, &fault("ORDER_PAID")),
        unknown(UnknownCause::AlreadyPaid),
    )
    .await;
    let limit = QrAnswer::Declined(DeclineCode::MerchantLimit);
    check(signed(403, &fault("RULE_LIMIT")), limit).await;
    let blocked = r#"{"code":"NO_AUTH","message":"商户收款功能已被限制"}"#;
    let expected = QrAnswer::ConfigError(ConfigCause::MerchantBlocked);
    check(signed(403, blocked), expected).await;
    check(Err(TransportError::Timeout), unknown(UnknownCause::Timeout)).await;
}

#[tokio::test]
async fn answers_to_closing() {
    let check = async |answer: Answer, expected: CloseAnswer| {
        let shown = format!("{answer:?}");
        assert_eq!(
            channel(answer).close(ATTEMPT, None).await,
            expected,
            "{shown}"
        );
    };
    check(signed(204, ""), CloseAnswer::Closed).await;
    check(signed(400, &fault("ORDER_CLOSED")), CloseAnswer::Closed).await;
    check(signed(400, &fault("ORDER_PAID")), CloseAnswer::AlreadyPaid).await;
    let unknown = CloseAnswer::Unknown;
    check(unsigned(204, ""), unknown(UnknownCause::BadSignature)).await;
    check(
        unsigned(400, &fault("ORDER_CLOSED")),
        unknown(UnknownCause::BadSignature),
    )
    .await;
    check(
        signed(404, &fault("ORDER_NOT_EXIST")),
        unknown(UnknownCause::NotFound),
    )
    .await;
    let strange = UnknownCause::Unreadable("status 200 OK".to_owned());
    check(signed(200, "{}"), unknown(strange)).await;
    check(signed(500, ""), unknown(UnknownCause::GatewayFault(500))).await;
}

/// The gateway's word that it has no such order ends what can no longer arrive, and only when it is
/// signed.
#[tokio::test]
async fn an_order_that_never_arrived_is_over_after_a_while() {
    let missing = || signed(404, &fault("ORDER_NOT_EXIST"));
    let no_path = || signed(404, &fault("RESOURCE_NOT_EXISTS"));
    let (soon, late) = (Millis::seconds(119), Millis::seconds(121));
    for (age, answer, is_over) in [
        (soon, missing(), false),
        (late, missing(), true),
        (late, no_path(), false),
        (late, unsigned(404, &fault("ORDER_NOT_EXIST")), false),
    ] {
        let shown = format!("{age:?} {answer:?}");
        let number = made_before(age);
        let not_found = UnknownCause::NotFound;
        let (reversed, closed) = match is_over {
            true => {
                let money_returned = Some(false);
                (
                    ReverseAnswer::Reversed { money_returned },
                    CloseAnswer::Closed,
                )
            }
            false => (
                ReverseAnswer::Unknown(not_found.clone()),
                CloseAnswer::Unknown(not_found),
            ),
        };
        let found = channel(answer.clone()).reverse(&number, None).await;
        assert_eq!(found, reversed, "{shown}");
        assert_eq!(
            channel(answer).close(&number, None).await,
            closed,
            "{shown}"
        );
    }
    // From when it went out, however old the number is.
    let old = made_before(Millis::hours(1));
    for (age_s, is_over) in [(119, false), (120, true)] {
        let sent_at = Some(NOW - Millis::seconds(age_s));
        let reversed = channel(missing()).reverse(&old, sent_at).await;
        let closed = channel(missing()).close(&old, sent_at).await;
        let money_returned = Some(false);
        let is_reversed = reversed == ReverseAnswer::Reversed { money_returned };
        assert_eq!(
            (is_reversed, closed == CloseAnswer::Closed),
            (is_over, is_over)
        );
    }
    // A number without a time never proves that the order can no longer arrive.
    assert_eq!(
        channel(missing()).reverse("ORDER-1", None).await,
        ReverseAnswer::Unknown(UnknownCause::NotFound)
    );
}

#[tokio::test]
async fn answers_to_reversing() {
    let check = async |answer: Answer, expected: ReverseAnswer| {
        let shown = format!("{answer:?}");
        assert_eq!(
            channel(answer).reverse(ATTEMPT, None).await,
            expected,
            "{shown}"
        );
    };
    let done = ReverseAnswer::Reversed {
        money_returned: None,
    };
    let body = |number: &str| {
        format!(r#"{{"appid":"{APPID}","mchid":"{MCHID}","out_trade_no":"{number}"}}"#)
    };
    check(signed(200, &body(ATTEMPT)), done.clone()).await;
    check(signed(400, &fault("ORDER_REVERSED")), done).await;
    let unknown = ReverseAnswer::Unknown;
    check(
        signed(200, &body("ZF000001")),
        unknown(UnknownCause::Mismatched),
    )
    .await;
    check(
        unsigned(200, &body(ATTEMPT)),
        unknown(UnknownCause::BadSignature),
    )
    .await;
    check(
        signed(400, &fault("REVERSE_EXPIRE")),
        ReverseAnswer::WindowPassed,
    )
    .await;
    check(
        signed(403, &fault("TRADE_ERROR")),
        unknown(unlisted("IssuerRefused does not answer the request")),
    )
    .await;
    check(Err(TransportError::Timeout), unknown(UnknownCause::Timeout)).await;
}

#[tokio::test]
async fn answers_to_refunds_and_queries_about_them() {
    let refund = |status: &str, refund_no: &str| {
        format!(
            r#"{{"refund_id":"50300","out_refund_no":"{refund_no}","transaction_id":"4200002026","out_trade_no":"{ATTEMPT}","status":"{status}","amount":{{"total":50000,"refund":18000}}}}"#
        )
    };
    let check = async |answer: Answer, expected: RefundAnswer| {
        let shown = format!("{answer:?}");
        let found = channel(answer.clone()).refund(&refund_request()).await;
        assert_eq!(found, expected, "{shown}");
        let query = RefundQuery {
            attempt_no: ATTEMPT.to_owned(),
            refund_no: REFUND.to_owned(),
        };
        assert_eq!(
            channel(answer).query_refund(&query).await,
            expected,
            "{shown}"
        );
    };
    let ok = |status| signed(200, &refund(status, REFUND));
    let succeeded = RefundAnswer::Succeeded {
        channel_refund_no: "50300".to_owned(),
        amount: Money::from_yuan(180),
    };
    check(ok("SUCCESS"), succeeded).await;
    check(ok("PROCESSING"), RefundAnswer::Accepted).await;
    check(ok("ABNORMAL"), RefundAnswer::NeedsHandling).await;
    let refused = RefundAnswer::Refused;
    check(ok("CLOSED"), refused(RefundRefusal::ClosedByGateway)).await;
    let unknown = RefundAnswer::Unknown;
    check(ok("NEW"), unknown(unlisted("NEW"))).await;
    let other = signed(200, &refund("SUCCESS", "TK1"));
    check(other, unknown(UnknownCause::Mismatched)).await;
    check(
        signed(403, &fault("NOT_ENOUGH")),
        RefundAnswer::MerchantFundsShort,
    )
    .await;
    let says = |words: &str| {
        signed(
            400,
            &format!(r#"{{"code":"INVALID_REQUEST","message":"{words}"}}"#),
        )
    };
    check(says("订单已超过一年"), refused(RefundRefusal::TooLate)).await;
    check(
        says("退款金额大于可退金额"),
        refused(RefundRefusal::ExceedsPaid),
    )
    .await;
    check(says("订单未支付"), refused(RefundRefusal::NotPaid)).await;
    check(
        says("退款请求参数不一致"),
        unknown(UnknownCause::NumberReused),
    )
    .await;
    check(
        signed(404, &fault("RESOURCE_NOT_EXISTS")),
        unknown(UnknownCause::NotFound),
    )
    .await;
    check(
        unsigned(403, &fault("NOT_ENOUGH")),
        unknown(UnknownCause::BadSignature),
    )
    .await;
    check(Err(TransportError::Broken), unknown(UnknownCause::Broken)).await;
}
