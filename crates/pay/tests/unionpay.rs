//! UnionPay: what each answer means, what is sent, and who is believed.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use openssl::pkcs12::Pkcs12;
use openssl::x509::X509;
use qiantai_core::attempt::DeclineCode;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_core::order_no::Prefix;
use qiantai_pay::channels::unionpay::signature::{digest_hex, sign};
use qiantai_pay::channels::unionpay::{UnionpayChannel, UnionpayConfig};
use qiantai_pay::crypto::VerifyKey;
use qiantai_pay::transport::TransportError;
use qiantai_pay::{
    Channel, CloseAnswer, ConfigCause, ElsewhereNotice, GatewayAnswer, Notice, NoticeError,
    PaidFact, Pairs, PendingState, QrAnswer, RefundAnswer, RefundNotice, RefundQuery,
    RefundRefusal, RefundRequest, ReverseAnswer, UnknownCause, Wallet,
};
use serde_json::json;

use crate::dialogue::{
    Answer, Certified, Dialogue, GATEWAY, Keys, OURS, STRANGER, attempt, certified, code_request,
    number, ok, pem, qr_request, refund_no, refund_request, status,
};
use crate::scripted::{NOW, Still};

const MERCHANT: &str = "777290058110048";
const COMPANY: &str = "041@8310000000083040@中国银联股份有限公司@00016495";

static ROOT: LazyLock<X509> = LazyLock::new(|| certified("CFCA", &STRANGER, 1, None));
static SIGNER: LazyLock<X509> = LazyLock::new(|| by_root(COMPANY, 2));

fn by_root(common_name: &str, serial: u32) -> X509 {
    certified(common_name, &GATEWAY, serial, Some((&ROOT, &STRANGER)))
}

fn channel(answers: impl IntoIterator<Item = Answer>) -> (UnionpayChannel, Arc<Dialogue>) {
    let dialogue = Dialogue::new(answers);
    let certificate = certified("shop", &OURS, 68_759, None);
    let mut builder = Pkcs12::builder();
    builder.pkey(OURS.raw()).cert(&certificate);
    let file = builder.build2("000000").unwrap().to_der().unwrap();
    let config: UnionpayConfig = serde_json::from_value(json!({
        "base_url": "https://gateway.test",
        "merchant_id": MERCHANT,
        "key_store": BASE64.encode(file),
        "key_store_password": "000000",
        "trusted_certificates": pem(&ROOT),
    }))
    .unwrap();
    let channel = UnionpayChannel::new(config, dialogue.clone(), Arc::new(Still)).unwrap();
    (channel, dialogue)
}

fn unionpay(answers: impl IntoIterator<Item = Answer>) -> UnionpayChannel {
    channel(answers).0
}

fn fields(order_id: &str, more: &[(&str, &str)]) -> Pairs {
    let mut fields = Pairs::new();
    fields.set("merId", MERCHANT);
    fields.set("orderId", order_id);
    fields.set("txnTime", "20261122060242");
    for (name, value) in more {
        fields.set(*name, *value);
    }
    fields
}

fn sealed(mut fields: Pairs, certificate: &X509, keys: &Keys) -> Pairs {
    fields.set("signPubKeyCert", pem(certificate).replace('\n', "\r\n"));
    let signature = sign(&fields, &keys.private()).unwrap();
    fields.set("signature", signature);
    fields
}

fn plain(fields: &Pairs) -> Answer {
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    ok(pairs.join("&"))
}

/// A genuine answer about that number.
fn about(order_id: &str, more: &[(&str, &str)]) -> Answer {
    plain(&sealed(fields(order_id, more), &SIGNER, &GATEWAY))
}

fn code(code: &str) -> Answer {
    about(&attempt(), &[("respCode", code), ("respMsg", "说明")])
}

fn original(order_id: &str, code: &str) -> Answer {
    about(
        order_id,
        &[
            ("respCode", "00"),
            ("origRespCode", code),
            ("queryId", "652401051647252574008"),
            ("txnAmt", "30000"),
            ("currencyCode", "156"),
        ],
    )
}

fn paid() -> PaidFact {
    PaidFact {
        channel_txn_no: "652401051647252574008".to_owned(),
        amount: Money::from_yuan(300),
        paid_at: Timestamp::from_ms(1_795_298_562_000),
        payer: None,
    }
}

#[tokio::test]
async fn answers_to_a_query() {
    use DeclineCode as D;
    use GatewayAnswer::{ConfigError, Declined, Pending, Success, Unknown};
    let fault = |status| Unknown(UnknownCause::GatewayFault(status));
    let origin = |code| original(&attempt(), code);
    let cases: Vec<(Answer, GatewayAnswer)> = vec![
        (origin("00"), Success(paid())),
        (origin("A6"), Success(paid())),
        (origin("05"), Pending(PendingState::UserPaying)),
        (origin("03"), fault(500)),
        (origin("01"), Declined(D::NotCompleted)),
        (origin("33"), Declined(D::DailyLimit)),
        (origin("38"), Declined(D::RiskControl)),
        (origin("60"), Declined(D::IssuerRefused)),
        (origin("62"), Declined(D::CardNotSupported)),
        (origin("64"), Declined(D::BalanceShort)),
        (origin("65"), Declined(D::PasswordTries)),
        (origin("79"), Declined(D::IssuerRefused)),
        (origin("99"), Unknown(UnknownCause::Unlisted("99".into()))),
        (origin("6"), Unknown(UnknownCause::Unlisted("6".into()))),
        (code("34"), Unknown(UnknownCause::NotFoundOrNotScanned)),
        (code("37"), Unknown(UnknownCause::Busy)),
        (code("12"), Unknown(UnknownCause::AlreadyPaid)),
        (code("11"), ConfigError(ConfigCause::Signature)),
        (code("31"), ConfigError(ConfigCause::NotPermitted)),
        (
            code("10"),
            ConfigError(ConfigCause::BadRequest("说明".into())),
        ),
        (original("ZF1", "00"), Unknown(UnknownCause::Mismatched)),
        (status(502), fault(502)),
        (Err(TransportError::Timeout), Unknown(UnknownCause::Timeout)),
        (ok("<html>"), unreadable("a pair without =")),
        // The question was refused, which says nothing about the payment.
        (code("60"), unreadable("the question was not answered")),
    ];
    for (answer, expected) in cases {
        let shown = format!("{answer:?}");
        assert_eq!(
            unionpay([answer]).query(&attempt()).await,
            expected,
            "{shown}"
        );
    }
}

fn unreadable(problem: &str) -> GatewayAnswer {
    GatewayAnswer::Unknown(UnknownCause::Unreadable(problem.to_owned()))
}

#[tokio::test]
async fn only_unionpay_s_certificates_sign_answers() {
    let success = || {
        let more = [
            ("respCode", "00"),
            ("origRespCode", "00"),
            ("queryId", "1"),
            ("txnAmt", "1"),
        ];
        fields(&attempt(), &more)
    };
    let between = |from, until| Certified {
        common_name: COMPANY,
        keys: &GATEWAY,
        serial: 9,
        issuer: Some((&ROOT, &STRANGER)),
        from,
        until,
    };
    let past = between(NOW - Millis::days(9), NOW - Millis::days(1));
    let future = between(NOW + Millis::days(1), NOW + Millis::days(9));
    let own_root = certified("CFCA", &GATEWAY, 1, None);
    let self_made = certified(COMPANY, &GATEWAY, 7, Some((&own_root, &GATEWAY)));
    let mut changed = sealed(success(), &SIGNER, &GATEWAY);
    changed.set("txnAmt", "2");
    let genuine = sealed(success(), &SIGNER, &GATEWAY);
    let answer = unionpay([plain(&genuine)]).query(&attempt()).await;
    assert!(matches!(answer, GatewayAnswer::Success(_)), "{answer:?}");
    for forged in [
        success(),
        changed,
        sealed(success(), &SIGNER, &OURS),
        sealed(success(), &by_root("041@1@别家公司@2", 3), &GATEWAY),
        sealed(success(), &by_root("中国银联股份有限公司", 4), &GATEWAY),
        sealed(success(), &past.issue(), &GATEWAY),
        sealed(success(), &future.issue(), &GATEWAY),
        sealed(success(), &self_made, &GATEWAY),
    ] {
        let found = unionpay([plain(&forged)]).query(&attempt()).await;
        let expected = GatewayAnswer::Unknown(UnknownCause::BadSignature);
        assert_eq!(found, expected, "{forged:?}");
    }
}

#[tokio::test]
async fn a_charge_that_was_taken_is_asked_about() {
    let cases = [
        (
            vec![code("00"), original(&attempt(), "00")],
            GatewayAnswer::Success(paid()),
        ),
        (
            vec![code("00"), original(&attempt(), "05")],
            GatewayAnswer::Pending(PendingState::UserPaying),
        ),
        (
            vec![code("00"), code("34")],
            GatewayAnswer::Unknown(UnknownCause::NotFound),
        ),
        (
            vec![code("05")],
            GatewayAnswer::Pending(PendingState::UserPaying),
        ),
        (
            vec![code("64")],
            GatewayAnswer::Declined(DeclineCode::BalanceShort),
        ),
        (
            vec![code("12")],
            GatewayAnswer::Unknown(UnknownCause::AlreadyPaid),
        ),
    ];
    for (answers, expected) in cases {
        let calls = answers.len();
        let (channel, dialogue) = channel(answers);
        assert_eq!(
            channel
                .charge_code(&code_request("6212345678901234567"))
                .await,
            expected
        );
        assert_eq!(dialogue.requests().len(), calls);
    }
}

#[tokio::test]
async fn requests_carry_the_time_of_the_number_and_our_certificate() {
    let created = about(&attempt(), &[("respCode", "00"), ("qrCode", "https://q")]);
    let (channel, dialogue) = channel([created]);
    let mut request = qr_request(Wallet::Unionpay);
    let payload = "https://q".to_owned();
    assert_eq!(
        channel.create_qr(&request).await,
        QrAnswer::Created { payload }
    );
    let sent = &dialogue.requests()[0];
    assert_eq!(
        sent.uri(),
        "https://gateway.test/gateway/api/backTransReq.do"
    );
    let form = dialogue.form(0);
    let key = VerifyKey::from_text(&OURS.public_pem()).unwrap();
    let digest = digest_hex(&form).unwrap();
    assert!(key.verify_sha256_base64(digest.as_bytes(), form.get("signature").unwrap()));
    for (name, expected) in [
        ("txnType", "01"),
        ("txnSubType", "07"),
        ("txnTime", "20261122060242"),
        ("payTimeout", "20261122060742"),
        ("txnAmt", "30000"),
        ("certId", "68759"),
        ("merId", MERCHANT),
    ] {
        assert_eq!(form.get(name), Some(expected), "{name}");
    }
    request.attempt_no = "ORDER-1".to_owned();
    let answer = channel.create_qr(&request).await;
    assert!(matches!(
        answer,
        QrAnswer::ConfigError(ConfigCause::BadRequest(_))
    ));
    assert_eq!(dialogue.requests().len(), 1);
}

#[tokio::test]
async fn closing_waits_until_the_code_has_ended() {
    let check = async |age: Millis, code: &str, expected: CloseAnswer| {
        let number = number(Prefix::Attempt, age);
        let answer = match code {
            "34" => about(&number, &[("respCode", "34")]),
            _ => original(&number, code),
        };
        assert_eq!(
            unionpay([answer]).close(&number, None).await,
            expected,
            "{age:?} {code}"
        );
    };
    let not_found = CloseAnswer::Unknown(UnknownCause::NotFound);
    check(Millis::minutes(5), "34", not_found).await;
    check(Millis::seconds(330), "34", CloseAnswer::Closed).await;
    check(Millis::minutes(1), "00", CloseAnswer::AlreadyPaid).await;
    check(Millis::minutes(1), "61", CloseAnswer::Closed).await;
}

/// The charge went out and was taken: that the question after it finds no line is no word about it.
#[tokio::test]
async fn a_charge_that_went_out_is_never_called_unsent() {
    let unknown = GatewayAnswer::Unknown;
    for (answers, expected) in [
        (
            vec![Err(TransportError::NotSent)],
            unknown(UnknownCause::NotSent),
        ),
        (
            vec![code("00"), Err(TransportError::NotSent)],
            unknown(UnknownCause::Broken),
        ),
        (
            vec![code("00"), original(&attempt(), "00")],
            GatewayAnswer::Success(paid()),
        ),
    ] {
        let calls = answers.len();
        let (channel, dialogue) = channel(answers);
        let found = channel
            .charge_code(&code_request("6220000000000000001"))
            .await;
        assert_eq!(found, expected);
        assert_eq!(dialogue.requests().len(), calls);
    }
}

/// Reverses the attempt of half a minute ago; what the gateway answers to each call, in order.
async fn check_reversal(answers: Vec<Answer>, expected: ReverseAnswer) {
    let calls = answers.len();
    let (channel, dialogue) = channel(answers);
    assert_eq!(channel.reverse(&attempt(), None).await, expected);
    assert_eq!(dialogue.requests().len(), calls);
    if calls > 1 {
        let form = dialogue.form(1);
        assert_eq!(form.get("txnType"), Some("31"));
        assert_eq!(form.get("origQryId"), Some(paid().channel_txn_no.as_str()));
        assert_eq!(form.get("txnAmt"), Some("30000"));
    }
}

fn reversal() -> String {
    format!("{}C", attempt())
}

const fn reversed(money_returned: bool) -> ReverseAnswer {
    ReverseAnswer::Reversed {
        money_returned: Some(money_returned),
    }
}

#[tokio::test]
async fn a_payment_is_reversed_by_cancelling_it_once() {
    let not_found = ReverseAnswer::Unknown(UnknownCause::NotFound);
    check_reversal(vec![original(&attempt(), "64")], reversed(false)).await;
    check_reversal(vec![code("34")], not_found).await;
    let old = number(Prefix::Attempt, Millis::minutes(2));
    let answer = about(&old, &[("respCode", "34")]);
    assert_eq!(
        unionpay([answer]).reverse(&old, None).await,
        reversed(false)
    );
    // From when the charge went out, however old the number is.
    let not_found = ReverseAnswer::Unknown(UnknownCause::NotFound);
    for (age_s, expected) in [(119, not_found), (120, reversed(false))] {
        let charged_at = Some(NOW - Millis::seconds(age_s));
        let answer = about(&old, &[("respCode", "34")]);
        let found = unionpay([answer]).reverse(&old, charged_at).await;
        assert_eq!(found, expected, "{age_s}");
    }
}

/// An earlier call may have cancelled it: what the cancellation itself came to decides.
#[tokio::test]
async fn only_a_cancellation_that_was_not_done_is_past_its_window() {
    let unknown = ReverseAnswer::Unknown;
    let fault = || unknown(UnknownCause::GatewayFault(500));
    let at_work = || {
        let problem = "the gateway is still at work on it".to_owned();
        unknown(UnknownCause::Unreadable(problem))
    };
    let not_found = || about(&reversal(), &[("respCode", "34")]);
    let stands = |code| original(&reversal(), code);
    let lost = || Err(TransportError::Timeout);
    for (sent, standing, expected) in [
        ("00", stands("00"), reversed(true)),
        ("12", stands("00"), reversed(true)),
        ("00", not_found(), unknown(UnknownCause::NotFound)),
        ("35", not_found(), ReverseAnswer::WindowPassed),
        ("36", not_found(), ReverseAnswer::WindowPassed),
        ("35", stands("01"), ReverseAnswer::WindowPassed),
        ("35", stands("00"), reversed(true)),
        ("35", lost(), unknown(UnknownCause::Timeout)),
        ("36", stands("03"), fault()),
        ("35", stands("05"), at_work()),
    ] {
        let sent = about(&reversal(), &[("respCode", sent)]);
        check_reversal(vec![original(&attempt(), "00"), sent, standing], expected).await;
    }
    let answers = vec![original(&attempt(), "00"), lost(), stands("04")];
    check_reversal(answers, fault()).await;
}

#[tokio::test]
async fn answers_to_refunds() {
    let request = |channel_txn_no: Option<&str>| RefundRequest {
        channel_txn_no: channel_txn_no.map(str::to_owned),
        ..refund_request(&refund_no(), 300)
    };
    let sent = |code| about(&refund_no(), &[("respCode", code)]);
    let succeeded = || RefundAnswer::Succeeded {
        channel_refund_no: paid().channel_txn_no,
        amount: paid().amount,
    };
    let known = Some("1");
    let cases = [
        (
            known,
            vec![sent("00"), original(&refund_no(), "00")],
            succeeded(),
        ),
        (
            known,
            vec![sent("12"), original(&refund_no(), "00")],
            succeeded(),
        ),
        (
            known,
            vec![sent("05"), original(&refund_no(), "05")],
            RefundAnswer::Accepted,
        ),
        (
            known,
            vec![sent("35")],
            RefundAnswer::Refused(RefundRefusal::TooLate),
        ),
        (
            known,
            vec![sent("36")],
            RefundAnswer::Refused(RefundRefusal::ExceedsPaid),
        ),
        (known, vec![sent("61")], RefundAnswer::NeedsHandling),
        (
            known,
            vec![Err(TransportError::Timeout)],
            RefundAnswer::Unknown(UnknownCause::Timeout),
        ),
        (
            None,
            vec![
                original(&attempt(), "00"),
                sent("00"),
                original(&refund_no(), "00"),
            ],
            succeeded(),
        ),
        (
            None,
            vec![original(&attempt(), "64")],
            RefundAnswer::Refused(RefundRefusal::NotPaid),
        ),
    ];
    for (number, answers, expected) in cases {
        let found = unionpay(answers).refund(&request(number)).await;
        assert_eq!(found, expected);
    }
    let query = RefundQuery {
        attempt_no: attempt(),
        refund_no: refund_no(),
    };
    let answer = original(&refund_no(), "00");
    assert_eq!(unionpay([answer]).query_refund(&query).await, succeeded());
}

#[test]
fn certificates_that_must_be_renewed_by_hand_are_named() {
    let expiries = unionpay([]).expiries();
    let names: Vec<&str> = expiries
        .iter()
        .map(|expiry| expiry.credential.as_str())
        .collect();
    assert_eq!(names, ["key_store", "trusted_certificates"]);
    let seconds = |at: Timestamp| at.ms() / 1_000;
    for expiry in &expiries {
        assert_eq!(seconds(expiry.at), seconds(NOW + Millis::days(1)));
    }
}

#[test]
fn notices_are_believed_by_their_certificate_only() {
    let channel = unionpay([status(500)]);
    let parse =
        |fields: &Pairs| channel.parse_notice(&http::HeaderMap::new(), fields.to_form().as_bytes());
    let notice = |change: &[(&str, &str)]| {
        let mut all = vec![
            ("respCode", "00"),
            ("txnType", "01"),
            ("queryId", "652401051647252574008"),
            ("txnAmt", "30000"),
        ];
        all.extend(change);
        fields("ZF1", &all)
    };
    let genuine = |change: &[(&str, &str)]| sealed(notice(change), &SIGNER, &GATEWAY);
    let Ok(Notice::Payment(read)) = parse(&genuine(&[])) else {
        panic!("{:?}", parse(&genuine(&[])));
    };
    assert_eq!((read.attempt_no.as_str(), read.paid), ("ZF1", paid()));
    let mut changed = genuine(&[]);
    changed.set("txnAmt", "1");
    for forged in [notice(&[]), changed, sealed(notice(&[]), &SIGNER, &OURS)] {
        assert_eq!(
            parse(&forged),
            Err(NoticeError::WrongSignature),
            "{forged:?}"
        );
    }
    let other = parse(&genuine(&[("merId", "777290058110049")]));
    let is_elsewhere = |found: &Result<Notice, NoticeError>| matches!(found, Ok(Notice::PaidElsewhere(told)) if told.attempt_no == "ZF1");
    assert!(is_elsewhere(&other), "{other:?}");
    let refund = [
        ("txnType", "04"),
        ("orderId", "TK1"),
        ("reqReserved", "ZF1"),
    ];
    let expected = Notice::Refund(RefundNotice {
        notice_id: paid().channel_txn_no,
        attempt_no: "ZF1".to_owned(),
        refund_no: "TK1".to_owned(),
        answer: RefundAnswer::Succeeded {
            channel_refund_no: paid().channel_txn_no,
            amount: paid().amount,
        },
    });
    assert_eq!(parse(&genuine(&refund)), Ok(expected));
    let others = [
        refund.as_slice(),
        &[("merId", "777290058110049"), ("origQryId", "6524")],
    ]
    .concat();
    let elsewhere = Notice::PaidElsewhere(ElsewhereNotice {
        attempt_no: "ZF1".to_owned(),
        channel_txn_no: "6524".to_owned(),
        amount: paid().amount,
    });
    assert_eq!(parse(&genuine(&others)), Ok(elsewhere));
    let nameless = parse(&genuine(&refund[..2]));
    let is_malformed = matches!(nameless, Err(NoticeError::Malformed(_)));
    assert!(is_malformed, "of no attempt: {nameless:?}");
    for change in [("txnType", "31"), ("respCode", "05")] {
        let found = parse(&genuine(&[change]));
        assert!(matches!(found, Ok(Notice::Other(_))), "{found:?}");
    }
    let found = parse(&genuine(&[("txnAmt", "3e4")]));
    assert!(matches!(found, Err(NoticeError::Malformed(_))), "{found:?}");
}
