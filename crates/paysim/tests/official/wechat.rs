//! What only WeChat Pay has: keys by serial, sealed notices, replays, the strictness of API v3.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_pay::channels::wechat::signature::{Authorization, SERIAL, Signer};
use qiantai_pay::crypto::PrivateKey;
use qiantai_pay::{
    GatewayAnswer, Notice, NoticeError, PendingState, QrAnswer, RefundAnswer, ReverseAnswer,
    UnknownCause,
};
use qiantai_paysim::gateway::{AnswerFault, Operation};
use serde_json::{Value, json};

use super::accounts::Account;
use super::desk::Desk;

pub fn serial_of(certificate: &Value) -> String {
    let pem = certificate.as_str().unwrap();
    let certificate = qiantai_pay::crypto::Certificate::from_pem(pem).unwrap();
    certificate.serial_hex().unwrap()
}

const WECHAT: [Account; 2] = [Account::WechatKey, Account::WechatCertificates];

#[tokio::test(start_paused = true)]
async fn new_certificates_are_fetched_when_the_gateway_changes_its_key() {
    let desk = Desk::new(Account::WechatCertificates);
    let number = desk.pay_qr().await;
    desk.wait(120).await;
    desk.spoil(Operation::Query, AnswerFault::NewKey);
    let answer = desk.channel.query(&number).await;
    assert!(matches!(answer, GatewayAnswer::Success(_)), "{answer:?}");
    // Notices under the new key are read as well.
    let notices = desk.notices();
    assert!(
        matches!(notices[..], [Ok(Notice::Payment(_))]),
        "{notices:?}"
    );
}

/// The merchant is moved to public keys: certificates that are held still hold, and nobody new can
/// fetch any.
#[tokio::test(start_paused = true)]
async fn certificates_that_are_gone_stop_no_payment_under_those_that_are_held() {
    let desk = Desk::new(Account::WechatCertificates);
    let number = desk.pay_qr().await;
    let gone = || desk.spoil(Operation::Certificates, AnswerFault::NotFound);
    let answer = desk.channel.query(&number).await;
    assert!(matches!(answer, GatewayAnswer::Success(_)), "{answer:?}");
    // Longer than certificates are kept without looking for newer ones.
    desk.wait(13 * 3_600).await;
    gone();
    let answer = desk.channel.query(&number).await;
    assert!(matches!(answer, GatewayAnswer::Success(_)), "{answer:?}");

    gone();
    let newcomer = desk.connect(|_| {});
    let answer = newcomer.query(&number).await;
    let is_paid = matches!(answer, GatewayAnswer::Success(_));
    assert!(!is_paid, "believed without a key: {answer:?}");
    desk.wait(120).await;
    let answer = newcomer.query(&number).await;
    assert!(matches!(answer, GatewayAnswer::Success(_)), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_notice_under_an_unknown_certificate_is_taken_after_the_next_call() {
    let desk = Desk::new(Account::WechatCertificates);
    let number = desk.pay_qr().await;
    desk.wait(120).await;
    desk.simulator.with(|gateway, now| gateway.renew_keys(now));
    let notices = desk.notices();
    let is_unknown = matches!(notices[..], [Err(NoticeError::UnknownKey(_))]);
    assert!(is_unknown, "{notices:?}");
    desk.wait(15).await;
    desk.channel.query(&number).await;
    let notices = desk.notices();
    assert!(
        matches!(notices[..], [Ok(Notice::Payment(_))]),
        "{notices:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_public_key_is_believed_once_it_is_in_the_settings() {
    let desk = Desk::new(Account::WechatKey);
    desk.pay_qr().await;
    desk.simulator.with(|gateway, now| gateway.renew_keys(now));
    let notices = desk.notices();
    let is_unknown = matches!(notices[..], [Err(NoticeError::UnknownKey(_))]);
    assert!(is_unknown, "{notices:?}");
    let keys = desk
        .simulator
        .with(|gateway, _| gateway.wechat_public_keys());
    assert_eq!(keys.len(), 2);
    let renewed = desk.connect(|settings| settings["public_keys"] = json!(keys));
    desk.wait(15).await;
    let notices = desk.notices_read_by(&*renewed);
    assert!(
        matches!(notices[..], [Ok(Notice::Payment(_))]),
        "{notices:?}"
    );
    // Answers follow the key that the request names: the old settings still work.
    let created = desk
        .channel
        .create_qr(&desk.qr_request(&desk.attempt_no()))
        .await;
    assert!(matches!(created, QrAnswer::Created { .. }), "{created:?}");
}

#[tokio::test(start_paused = true)]
async fn a_merchant_with_a_public_key_has_no_certificates() {
    let desk = Desk::new(Account::WechatKey);
    let wrong = desk.connect(|settings| {
        settings["public_keys"] = json!([]);
        settings["downloads_certificates"] = json!(true);
    });
    let answer = wrong.query(&desk.attempt_no()).await;
    let says_so = matches!(&answer, GatewayAnswer::ConfigError(cause)
        if cause.to_string().contains("public key"));
    assert!(says_so, "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refund_is_told_by_a_notice_when_it_is_done() {
    let desk = Desk::new(Account::WechatKey);
    let number = desk.pay_qr().await;
    desk.notices();
    let body = json!({
        "out_trade_no": number,
        "out_refund_no": "TK000001",
        "notify_url": super::desk::NOTIFY_URL,
        "amount": {"refund": 100, "total": 30_000, "currency": "CNY"},
    });
    let answer = desk
        .send("/v3/refund/domestic/refunds", &body, |_| {})
        .await;
    assert_eq!(answer, (200, "PROCESSING".to_owned()));
    assert!(desk.notices().is_empty(), "not before it is done");
    desk.wait(5).await;
    match &desk.notices()[..] {
        [Ok(Notice::Refund(notice))] => {
            assert_eq!(notice.refund_no, "TK000001");
            let is_done = matches!(notice.answer, RefundAnswer::Succeeded { .. });
            assert!(is_done, "{:?}", notice.answer);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn codes_are_reversed_not_before_fifteen_seconds_and_never_closed() {
    for account in WECHAT {
        let desk = Desk::new(account);
        let number = desk.attempt_no();
        let code = desk.show_code(true, None);
        desk.charge(&number, &code.digits).await;
        let early = desk.channel.reverse(&number, None).await;
        let is_done = matches!(early, qiantai_pay::ReverseAnswer::Reversed { .. });
        assert!(!is_done, "{account:?}: {early:?}");
        let close = desk.channel.close(&number, None).await;
        assert!(
            matches!(close, qiantai_pay::CloseAnswer::ConfigError(_)),
            "{close:?}"
        );
        let paying = GatewayAnswer::Pending(PendingState::UserPaying);
        assert_eq!(desk.channel.query(&number).await, paying);
    }
}

/// By API v3 and by API v2.
#[tokio::test(start_paused = true)]
async fn the_reversal_of_a_charge_that_never_arrived_comes_to_an_end() {
    for account in WECHAT {
        let desk = Desk::new(account);
        let number = desk.attempt_no();
        let code = desk.show_code(false, None);
        desk.spoil(Operation::Charge, AnswerFault::Lost);
        let lost = desk.charge(&number, &code.digits).await;
        assert_eq!(lost, GatewayAnswer::Unknown(UnknownCause::Timeout));
        let not_found = ReverseAnswer::Unknown(UnknownCause::NotFound);
        let unpaid = ReverseAnswer::Reversed {
            money_returned: Some(false),
        };
        for (wait_s, expected) in [(45, not_found), (120, unpaid)] {
            desk.wait(wait_s).await;
            desk.spoil(Operation::Reverse, AnswerFault::NotFound);
            let answer = desk.channel.reverse(&number, None).await;
            assert_eq!(answer, expected, "{account:?} after {wait_s} s");
        }
        assert_eq!(desk.takings(), Money::ZERO, "{account:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_numbers_are_unknown() {
    for account in WECHAT {
        let desk = Desk::new(account);
        let answer = desk.channel.query(&desk.attempt_no()).await;
        assert_eq!(
            answer,
            GatewayAnswer::Unknown(UnknownCause::NotFound),
            "{account:?}"
        );
    }
}

/// A request as it is changed before it is signed.
struct Draft {
    mchid: String,
    serial_no: String,
    at: Timestamp,
    nonce: String,
    body: Bytes,
    target: String,
    headers: HeaderMap,
}

impl Desk {
    /// Posts a signed body, changed before or after signing; status and code or state.
    async fn send(
        &self,
        target: &str,
        body: &Value,
        change: impl FnOnce(&mut Draft),
    ) -> (u16, String) {
        let draft = self.draft(target, body);
        self.post(draft, change, |_| {}).await
    }

    fn draft(&self, target: &str, body: &Value) -> Draft {
        let mut headers = HeaderMap::new();
        let json = || "application/json".parse().unwrap();
        headers.insert(header::ACCEPT, json());
        headers.insert(header::CONTENT_TYPE, json());
        headers.insert(header::USER_AGENT, "test".parse().unwrap());
        Draft {
            mchid: "1900000109".to_owned(),
            serial_no: serial_of(&self.settings["certificate"]),
            at: self.now(),
            nonce: qiantai_pay::Surroundings::nonce(&*self.clock),
            body: body.to_string().into(),
            target: target.to_owned(),
            headers,
        }
    }

    async fn post(
        &self,
        mut draft: Draft,
        before: impl FnOnce(&mut Draft),
        after: impl FnOnce(&mut Draft),
    ) -> (u16, String) {
        before(&mut draft);
        let key = self.settings["private_key"].as_str().unwrap();
        let signer = Signer {
            mchid: &draft.mchid,
            serial_no: &draft.serial_no,
            key: &PrivateKey::from_text(key).unwrap(),
            now: draft.at,
            nonce: &draft.nonce,
        };
        let signed = Authorization::sign(signer, "POST", &draft.target, &draft.body).unwrap();
        after(&mut draft);
        let mut request = http::Request::new(draft.body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = format!("http://gateway.test{}", draft.target)
            .parse()
            .unwrap();
        *request.headers_mut() = draft.headers;
        let headers = request.headers_mut();
        headers.insert(header::AUTHORIZATION, signed.header().parse().unwrap());
        let answer = self.transport.send(request).await.unwrap();
        let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let said = ["code", "status", "code_url"].map(|name| body[name].as_str());
        let said = said.into_iter().flatten().next().unwrap_or("");
        (answer.status().as_u16(), said.to_owned())
    }

    fn native(&self, change: impl FnOnce(&mut Value)) -> Value {
        let mut body = json!({
            "appid": self.settings["appid"],
            "mchid": self.settings["mchid"],
            "description": "储值",
            "out_trade_no": "ZF000001",
            "notify_url": super::desk::NOTIFY_URL,
            "amount": {"total": 100, "currency": "CNY"},
        });
        change(&mut body);
        body
    }
}

const NATIVE: &str = "/v3/pay/transactions/native";

#[tokio::test(start_paused = true)]
async fn callers_prove_who_they_are_with_raw_bytes_clock_and_nonce() {
    let check = async |before: fn(&mut Draft), after: fn(&mut Draft), status: u16, code: &str| {
        let desk = Desk::new(Account::WechatKey);
        let body = desk.native(|_| {});
        let answer = desk.post(desk.draft(NATIVE, &body), before, after).await;
        assert_eq!((answer.0, answer.1.as_str()), (status, code));
    };
    let none = |_: &mut Draft| {};
    check(
        none,
        |draft| draft.body = Bytes::from([&draft.body[..], b" "].concat()),
        401,
        "SIGN_ERROR",
    )
    .await;
    check(
        none,
        |draft| draft.target.push_str("?a=b"),
        401,
        "SIGN_ERROR",
    )
    .await;
    check(
        |draft| draft.at = draft.at - Millis::seconds(301),
        none,
        401,
        "SIGN_ERROR",
    )
    .await;
    check(
        |draft| draft.at = draft.at + Millis::seconds(301),
        none,
        401,
        "SIGN_ERROR",
    )
    .await;
    check(
        |draft| draft.mchid = "1900000110".to_owned(),
        none,
        401,
        "SIGN_ERROR",
    )
    .await;
    check(
        |draft| draft.serial_no = "5A".repeat(20),
        none,
        401,
        "SIGN_ERROR",
    )
    .await;
    check(
        |draft| draft.nonce = "n".repeat(33),
        none,
        401,
        "SIGN_ERROR",
    )
    .await;
    let headerless = |name: header::HeaderName| {
        move |draft: &mut Draft| {
            draft.headers.remove(&name);
        }
    };
    for name in [header::ACCEPT, header::USER_AGENT] {
        let desk = Desk::new(Account::WechatKey);
        let body = desk.native(|_| {});
        let draft = desk.draft(NATIVE, &body);
        let answer = desk.post(draft, headerless(name), |_| {}).await;
        assert_eq!(answer, (400, "PARAM_ERROR".to_owned()));
    }
    let typed = |draft: &mut Draft| {
        let form = "application/x-www-form-urlencoded".parse().unwrap();
        draft.headers.insert(header::CONTENT_TYPE, form);
    };
    check(typed, none, 415, "PARAM_ERROR").await;
    let keyed = |draft: &mut Draft| {
        draft
            .headers
            .insert(SERIAL, "PUB_KEY_ID_0".parse().unwrap());
    };
    check(keyed, none, 400, "PARAM_ERROR").await;
}

#[tokio::test(start_paused = true)]
async fn a_request_serves_once() {
    let desk = Desk::new(Account::WechatKey);
    let body = desk.native(|_| {});
    let nonce = |draft: &mut Draft| draft.nonce = "same".to_owned();
    let (status, _) = desk.send(NATIVE, &body, nonce).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        desk.send(NATIVE, &body, nonce).await,
        (401, "SIGN_ERROR".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn orders_break_no_rule() {
    let check = async |change: fn(&mut Value), expected: (u16, &str)| {
        let desk = Desk::new(Account::WechatKey);
        let body = desk.native(change);
        let answer = desk.send(NATIVE, &body, |_| {}).await;
        assert_eq!((answer.0, answer.1.as_str()), expected, "{body}");
    };
    let wrong = (400, "PARAM_ERROR");
    check(|body| body["amount"]["total"] = json!(0), wrong).await;
    check(|body| body["amount"]["total"] = json!("100"), wrong).await;
    check(|body| body["amount"]["currency"] = json!("USD"), wrong).await;
    check(|body| body["attach"] = Value::Null, wrong).await;
    check(|body| body["attach"] = json!("字".repeat(43)), wrong).await;
    check(|body| body["novelty"] = json!("1"), wrong).await;
    check(|body| body["out_trade_no"] = json!("ZF001"), wrong).await;
    check(|body| body["out_trade_no"] = json!("ZF 00001"), wrong).await;
    check(|body| body["description"] = json!("字".repeat(128)), wrong).await;
    check(
        |body| body["notify_url"] = json!("http://shop.test/notices?a=b"),
        wrong,
    )
    .await;
    check(
        |body| body["time_expire"] = json!("2026-11-21 14:30:00"),
        wrong,
    )
    .await;
    check(
        |body| body["time_expire"] = json!("2020-01-01T00:00:00+08:00"),
        wrong,
    )
    .await;
    check(|body| body["mchid"] = json!("1900000110"), wrong).await;
    let other_app = |body: &mut Value| body["appid"] = json!("wx0000000000000000");
    check(other_app, (400, "APPID_MCHID_NOT_MATCH")).await;
}

#[tokio::test(start_paused = true)]
async fn ordering_again_kills_the_old_code() {
    let desk = Desk::new(Account::WechatKey);
    let (number, first) = desk.show_qr().await;
    let second = match desk.channel.create_qr(&desk.qr_request(&number)).await {
        QrAnswer::Created { payload } => payload,
        other => panic!("{other:?}"),
    };
    assert_ne!(first, second);
    let old = desk
        .simulator
        .with(|gateway, now| gateway.scan(&first, now));
    assert!(old.is_err(), "{old:?}");
    desk.scan(&second);
}
