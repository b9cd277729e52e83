//! Payment codes by API v2.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderMap;
use qiantai_core::attempt::DeclineCode;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_pay::channels::wechat::v2::{
    SEALED_ROOT, SignType, notice_key, read_xml, write_flat, write_xml,
};
use qiantai_pay::transport::ClientIdentity;
use qiantai_pay::{
    Channel, ConfigCause, GatewayAnswer, Notice, NoticeError, NoticeReceipt, PaidFact,
    PendingState, RefundAnswer, RefundNotice, ReverseAnswer, SecretText, UnknownCause,
};
use serde_json::{Value, json};

use super::answers::{ATTEMPT, REFUND, code_request, made_before};
use super::gateway::{
    APPID, Answer, MCHID, MERCHANT, MERCHANT_SERIAL, V2_KEY, certificate, channel_with, settings,
    unsigned,
};

fn by_v2() -> Value {
    let mut settings = settings();
    settings["payment_code"] = json!("v2");
    settings["v2_key"] = json!(V2_KEY);
    settings["device_ip"] = json!("192.0.2.10");
    settings["certificate"] = json!(certificate(&MERCHANT, MERCHANT_SERIAL, 30));
    settings
}

type Params = BTreeMap<String, String>;

fn params(fields: &[(&str, &str)]) -> Params {
    let owned = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    owned.collect()
}

/// An answer as the gateway signs it.
fn signed_by(key: &str, fields: &[(&str, &str)]) -> Answer {
    let mut all = params(&[
        ("return_code", "SUCCESS"),
        ("appid", APPID),
        ("mch_id", MCHID),
        ("nonce_str", "n"),
    ]);
    all.extend(params(fields));
    let sign = SignType::HmacSha256
        .sign(&all, &SecretText::new(key))
        .unwrap();
    all.insert("sign".to_owned(), sign);
    unsigned(200, &write_xml(&all))
}

fn signed(fields: &[(&str, &str)]) -> Answer {
    signed_by(V2_KEY, fields)
}

const PAID: [(&str, &str); 7] = [
    ("result_code", "SUCCESS"),
    ("out_trade_no", ATTEMPT),
    ("transaction_id", "4200002026"),
    ("total_fee", "50000"),
    ("fee_type", "CNY"),
    ("time_end", "20260101080110"),
    ("openid", "o4G"),
];

fn paid_but(name: &str, value: &str) -> Answer {
    let changed: Vec<(&str, &str)> = PAID
        .iter()
        .map(|(field, kept)| (*field, if *field == name { value } else { kept }))
        .collect();
    signed(&changed)
}

fn fault(code: &str) -> Answer {
    signed(&[
        ("result_code", "FAIL"),
        ("err_code", code),
        ("err_code_des", "text"),
    ])
}

#[tokio::test]
async fn answers_to_a_charge() {
    use GatewayAnswer::{Closed, ConfigError, Declined, Pending, Success, Unknown};
    let fact = PaidFact {
        channel_txn_no: "4200002026".to_owned(),
        amount: Money::from_yuan(500),
        paid_at: Timestamp::from_ms(1_767_225_670_000),
        payer: Some("o4G".to_owned()),
    };
    let lacks = |name: &str| {
        Unknown(UnknownCause::Unreadable(format!(
            "the field {name} is missing"
        )))
    };
    let unlisted = |code: &str| Unknown(UnknownCause::Unlisted(code.to_owned()));
    let cases: Vec<(Answer, GatewayAnswer)> = vec![
        (signed(&PAID), Success(fact)),
        (
            paid_but("out_trade_no", "ZF1"),
            Unknown(UnknownCause::Mismatched),
        ),
        (
            paid_but("fee_type", "USD"),
            Unknown(UnknownCause::Mismatched),
        ),
        (paid_but("total_fee", "500.00"), lacks("total_fee")),
        (paid_but("total_fee", "0"), lacks("total_fee")),
        (paid_but("transaction_id", ""), lacks("transaction_id")),
        (paid_but("time_end", "soon"), lacks("time_end")),
        (paid_but("result_code", "MAYBE"), unlisted("MAYBE")),
        (
            paid_but("mch_id", MCHID),
            Success(PaidFact {
                channel_txn_no: "4200002026".to_owned(),
                amount: Money::from_yuan(500),
                paid_at: Timestamp::from_ms(1_767_225_670_000),
                payer: Some("o4G".to_owned()),
            }),
        ),
        (fault("USERPAYING"), Pending(PendingState::UserPaying)),
        (fault("SYSTEMERROR"), unlisted("SYSTEMERROR")),
        (fault("BANKERROR"), unlisted("BANKERROR")),
        (fault("AUTHCODEEXPIRE"), Declined(DeclineCode::CodeExpired)),
        (fault("AUTH_CODE_ERROR"), Declined(DeclineCode::CodeInvalid)),
        (fault("NOTENOUGH"), Declined(DeclineCode::BalanceShort)),
        (
            fault("NOTSUPORTCARD"),
            Declined(DeclineCode::CardNotSupported),
        ),
        (fault("ORDERCLOSED"), Closed),
        (fault("ORDERREVERSED"), Closed),
        (fault("ORDERPAID"), Unknown(UnknownCause::AlreadyPaid)),
        (fault("BUYER_MISMATCH"), Unknown(UnknownCause::NumberReused)),
        (fault("NOAUTH"), ConfigError(ConfigCause::NotPermitted)),
        (fault("SIGNERROR"), ConfigError(ConfigCause::Signature)),
        (fault("BRAND_NEW"), unlisted("BRAND_NEW")),
        (
            signed_by(&"x".repeat(32), &PAID),
            Unknown(UnknownCause::BadSignature),
        ),
        (
            unsigned(
                200,
                "<xml><return_code>FAIL</return_code><return_msg>签名错误</return_msg></xml>",
            ),
            ConfigError(ConfigCause::Signature),
        ),
        (
            unsigned(
                200,
                "<xml><return_code>FAIL</return_code><return_msg>x</return_msg></xml>",
            ),
            Unknown(UnknownCause::Unreadable("x".to_owned())),
        ),
        (
            unsigned(502, "<html>"),
            Unknown(UnknownCause::GatewayFault(502)),
        ),
    ];
    for (answer, expected) in cases {
        let shown = format!("{answer:?}");
        let (channel, _) = channel_with(by_v2(), vec![answer]);
        assert_eq!(
            channel.charge_code(&code_request()).await,
            expected,
            "{shown}"
        );
    }
}

#[tokio::test]
async fn answers_to_a_reversal() {
    let check = async |answer: Answer, expected: ReverseAnswer| {
        let shown = format!("{answer:?}");
        let (channel, _) = channel_with(by_v2(), vec![answer]);
        assert_eq!(channel.reverse(ATTEMPT, None).await, expected, "{shown}");
    };
    let done = ReverseAnswer::Reversed {
        money_returned: None,
    };
    let ok = |recall| signed(&[("result_code", "SUCCESS"), ("recall", recall)]);
    check(ok("N"), done).await;
    let unknown = |code: &str| ReverseAnswer::Unknown(UnknownCause::Unlisted(code.to_owned()));
    check(ok("Y"), unknown("recall")).await;
    check(signed(&[("result_code", "SUCCESS")]), unknown("recall")).await;
    check(fault("SYSTEMERROR"), unknown("SYSTEMERROR")).await;
    check(fault("REVERSE_EXPIRE"), ReverseAnswer::WindowPassed).await;
    let missing = ReverseAnswer::Unknown(UnknownCause::NotFound);
    check(fault("ORDERNOTEXIST"), missing.clone()).await;
    let by_age = async |age: Millis, answer: Answer| {
        let (channel, _) = channel_with(by_v2(), vec![answer]);
        channel.reverse(&made_before(age), None).await
    };
    let soon = by_age(Millis::seconds(119), fault("ORDERNOTEXIST")).await;
    assert_eq!(soon, missing);
    let late = by_age(Millis::seconds(121), fault("ORDERNOTEXIST")).await;
    let unpaid = ReverseAnswer::Reversed {
        money_returned: Some(false),
    };
    assert_eq!(late, unpaid);
    let forged = signed_by(
        &"x".repeat(32),
        &[("result_code", "FAIL"), ("err_code", "ORDERNOTEXIST")],
    );
    let forged = by_age(Millis::days(1), forged).await;
    assert_eq!(forged, ReverseAnswer::Unknown(UnknownCause::BadSignature));
    let other = signed_by(
        &"x".repeat(32),
        &[("result_code", "SUCCESS"), ("recall", "N")],
    );
    check(other, ReverseAnswer::Unknown(UnknownCause::BadSignature)).await;
}

#[tokio::test]
async fn requests_are_signed_and_only_a_reversal_shows_the_certificate() {
    let answers = vec![unsigned(500, ""), unsigned(500, "")];
    let (channel, gateway) = channel_with(by_v2(), answers);
    channel.charge_code(&code_request()).await;
    channel.reverse(ATTEMPT, None).await;
    assert_eq!(gateway.targets(), ["/pay/micropay", "/secapi/pay/reverse"]);
    let requests = gateway.requests.lock().unwrap();
    let sent: Vec<Params> = requests
        .iter()
        .map(|request| {
            assert_eq!(request.headers()["content-type"], "text/xml");
            let params = read_xml(request.body()).unwrap();
            assert!(SignType::HmacSha256.verifies(&params, &SecretText::new(V2_KEY)));
            params
        })
        .collect();
    let expected = [
        ("appid", APPID),
        ("mch_id", MCHID),
        ("out_trade_no", ATTEMPT),
        ("total_fee", "50000"),
        ("fee_type", "CNY"),
        ("auth_code", "130000000000000001"),
        ("spbill_create_ip", "192.0.2.10"),
        ("sign_type", "HMAC-SHA256"),
        ("body", "会员储值 500元"),
    ];
    for (name, value) in expected {
        assert_eq!(sent[0].get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(
        sent[1].get("out_trade_no").map(String::as_str),
        Some(ATTEMPT)
    );
    assert!(requests[0].extensions().get::<ClientIdentity>().is_none());
    let identity = requests[1].extensions().get::<ClientIdentity>().unwrap();
    assert!(
        identity
            .certificate_pem()
            .starts_with(b"-----BEGIN CERTIFICATE-----")
    );
    assert_eq!(format!("{identity:?}"), "ClientIdentity(hidden)");
}

const RETURNED: [(&str, &str); 4] = [
    ("refund_id", "50300"),
    ("out_refund_no", REFUND),
    ("out_trade_no", ATTEMPT),
    ("refund_status", "SUCCESS"),
];

/// A notice with one field changed, in the envelope or in what is sealed by the key.
fn notice_but(key: &str, changed: (&str, &str)) -> Vec<u8> {
    let with = |mut fields: Params| {
        if let Some(kept) = fields.get_mut(changed.0) {
            changed.1.clone_into(kept);
        }
        fields
    };
    let told = write_flat(SEALED_ROOT, &with(params(&RETURNED)));
    let key = notice_key(&SecretText::new(key)).unwrap();
    let sealed = BASE64.encode(key.encrypt_ecb(told.as_bytes()).unwrap());
    let envelope = params(&[
        ("return_code", "SUCCESS"),
        ("appid", APPID),
        ("mch_id", MCHID),
        ("nonce_str", "n"),
        ("req_info", &sealed),
    ]);
    write_xml(&with(envelope)).into_bytes()
}

/// Nobody signs such a notice: whatever it says, the gateway has to be asked.
#[test]
fn a_notice_of_a_refund_says_only_what_to_ask_about() {
    let (channel, gateway) = channel_with(by_v2(), Vec::new());
    let read = |body: &[u8]| channel.parse_notice(&HeaderMap::new(), body);
    let hint = |status: &str| {
        Notice::Refund(RefundNotice {
            notice_id: format!("50300 {status}"),
            attempt_no: ATTEMPT.to_owned(),
            refund_no: REFUND.to_owned(),
            answer: RefundAnswer::Accepted,
        })
    };
    for status in ["SUCCESS", "CHANGE", "REFUNDCLOSE"] {
        let body = notice_but(V2_KEY, ("refund_status", status));
        assert_eq!(read(&body), Ok(hint(status)));
    }
    let check = |key: &str, changed: (&str, &str), expected: &NoticeError| {
        let found = read(&notice_but(key, changed));
        match (expected, &found) {
            (NoticeError::Malformed(_), Err(NoticeError::Malformed(_))) => {}
            _ => assert_eq!(found.as_ref(), Err(expected), "{changed:?}"),
        }
    };
    let sealed_otherwise = &NoticeError::DoesNotDecrypt;
    check(&"0".repeat(32), ("", ""), sealed_otherwise);
    check(V2_KEY, ("req_info", "AAAA"), sealed_otherwise);
    check(V2_KEY, ("req_info", "储值"), sealed_otherwise);
    check(V2_KEY, ("req_info", ""), sealed_otherwise);
    check(
        V2_KEY,
        ("mch_id", "1900000108"),
        &NoticeError::OtherMerchant,
    );
    check(
        V2_KEY,
        ("appid", "wx0000000000000000"),
        &NoticeError::OtherMerchant,
    );
    let malformed = &NoticeError::Malformed(String::new());
    check(V2_KEY, ("return_code", "FAIL"), malformed);
    check(V2_KEY, ("refund_status", "PROCESSING"), malformed);
    for (name, _) in RETURNED {
        check(V2_KEY, (name, ""), malformed);
    }
    assert!(gateway.targets().is_empty());
    // A shop without a key of API v2 has nothing to open it with.
    let other = channel_with(settings(), Vec::new()).0;
    let unsigned = other.parse_notice(&HeaderMap::new(), &notice_but(V2_KEY, ("", "")));
    assert!(matches!(unsigned, Err(NoticeError::MissingHeader(_))));
}

#[test]
fn the_answer_to_a_notice_is_in_its_own_form() {
    let (channel, _) = channel_with(by_v2(), Vec::new());
    let notice = notice_but(V2_KEY, ("", ""));
    for (receipt, status, code) in [
        (NoticeReceipt::Taken, 200, "SUCCESS"),
        (NoticeReceipt::Refused, 500, "FAIL"),
    ] {
        let answer = channel.notice_response(&notice, receipt);
        assert_eq!(answer.status(), status);
        assert_eq!(read_xml(answer.body()).unwrap()["return_code"], code);
        let by_v3 = channel.notice_response(b"{}", receipt);
        assert!(read_xml(by_v3.body()).is_err(), "{receipt:?}");
    }
}
