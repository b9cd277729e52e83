//! Certificate mode: fetching, rotation with overlap, and merchants that have no certificates.

use http::HeaderMap;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_pay::channels::wechat::PlatformKeys;
use qiantai_pay::crypto::Certificate;
use qiantai_pay::{Channel, ConfigCause, GatewayAnswer, NoticeError, PendingState, UnknownCause};
use serde_json::{Value, json};

use super::answers::{ATTEMPT, order};
use super::gateway::{
    Answer, GATEWAY, NOW, OTHER, TestKey, certificate, channel_with, response, seal, sealed,
    settings, signed, unsigned,
};

const FIRST: &str = "533D02A9C994E4B5D67D40E5AAFBA6945D3B7CD3";
const SECOND: &str = "6000000000000000000000000000000000000001";
const LIST: &str = "/v3/certificates";

fn certificate_mode() -> Value {
    let mut settings = settings();
    settings["public_keys"] = json!([]);
    settings["downloads_certificates"] = json!(true);
    settings
}

/// The list of these certificates, signed by one of them.
fn list(listed: &[(&TestKey, &str, i64)], by: (&TestKey, &str), at: Timestamp) -> Answer {
    let data: Vec<Value> = listed
        .iter()
        .map(|(key, serial, days)| {
            json!({
                "serial_no": serial,
                "effective_time": "2025-12-31T08:00:00+08:00",
                "expire_time": "2030-12-31T08:00:00+08:00",
                "encrypt_certificate": sealed(&certificate(key, serial, *days)),
            })
        })
        .collect();
    let body = json!({ "data": data }).to_string();
    response(200, seal(by.0, by.1, at, &body), &body)
}

fn waiting(key: &TestKey, serial: &str, at: Timestamp) -> Answer {
    let body = order("NOTPAY", "");
    response(200, seal(key, serial, at, &body), &body)
}

const WAITING: GatewayAnswer = GatewayAnswer::Pending(PendingState::NotScanned);

#[tokio::test]
async fn certificates_are_fetched_before_the_first_call_and_twice_a_day() {
    let one = || list(&[(&GATEWAY, FIRST, 30)], (&GATEWAY, FIRST), NOW);
    let (channel, gateway) = channel_with(certificate_mode(), vec![one()]);
    gateway.answer(waiting(&GATEWAY, FIRST, NOW));
    assert_eq!(channel.query(ATTEMPT).await, WAITING);
    gateway.answer(waiting(&GATEWAY, FIRST, NOW));
    assert_eq!(channel.query(ATTEMPT).await, WAITING);
    gateway.advance(Millis::hours(12));
    let later = NOW + Millis::hours(12);
    gateway.answer(list(&[(&GATEWAY, FIRST, 30)], (&GATEWAY, FIRST), later));
    gateway.answer(waiting(&GATEWAY, FIRST, later));
    assert_eq!(channel.query(ATTEMPT).await, WAITING);
    let fetches = gateway
        .targets()
        .iter()
        .filter(|target| *target == LIST)
        .count();
    assert_eq!(fetches, 2);
    let asked_key = gateway.requests.lock().unwrap()[0]
        .headers()
        .contains_key("wechatpay-serial");
    assert!(!asked_key, "in certificate mode no key is asked for");
}

#[tokio::test]
async fn a_new_certificate_is_fetched_when_an_answer_names_it_and_the_old_one_stays() {
    let first = list(&[(&GATEWAY, FIRST, 2)], (&GATEWAY, FIRST), NOW);
    let (channel, gateway) = channel_with(certificate_mode(), vec![first]);
    gateway.answer(waiting(&GATEWAY, FIRST, NOW));
    assert_eq!(channel.query(ATTEMPT).await, WAITING);

    gateway.advance(Millis::hours(1));
    let at = NOW + Millis::hours(1);
    gateway.answer(waiting(&OTHER, SECOND, at));
    gateway.answer(list(&[(&OTHER, SECOND, 30)], (&OTHER, SECOND), at));
    assert_eq!(channel.query(ATTEMPT).await, WAITING);
    for (key, serial) in [(&*GATEWAY, FIRST), (&*OTHER, SECOND)] {
        gateway.answer(waiting(key, serial, at));
        assert_eq!(channel.query(ATTEMPT).await, WAITING, "{serial}");
    }

    // Two days on the old one has expired.
    gateway.advance(Millis::days(2));
    let at = at + Millis::days(2);
    gateway.answer(list(&[(&OTHER, SECOND, 30)], (&OTHER, SECOND), at));
    gateway.answer(waiting(&GATEWAY, FIRST, at));
    let expected = GatewayAnswer::Unknown(UnknownCause::BadSignature);
    assert_eq!(channel.query(ATTEMPT).await, expected);
}

#[test]
fn a_certificate_holds_between_its_dates() {
    let certificate = Certificate::from_pem(&certificate(&GATEWAY, FIRST, 2)).unwrap();
    let mut keys = PlatformKeys::default();
    keys.hold_certificate(&certificate).unwrap();
    for (days, holds) in [(-2, false), (0, true), (1, true), (3, false)] {
        let found = keys.find(FIRST, NOW + Millis::days(days));
        assert_eq!(found.is_some(), holds, "{days}");
    }
}

#[tokio::test]
async fn an_invented_serial_does_not_fetch_again_and_again() {
    let first = list(&[(&GATEWAY, FIRST, 30)], (&GATEWAY, FIRST), NOW);
    let (channel, gateway) = channel_with(certificate_mode(), vec![first]);
    for _ in 0..3 {
        gateway.answer(waiting(&OTHER, SECOND, NOW));
        let expected = GatewayAnswer::Unknown(UnknownCause::BadSignature);
        assert_eq!(channel.query(ATTEMPT).await, expected);
    }
    assert_eq!(gateway.targets().iter().filter(|t| *t == LIST).count(), 1);
}

#[tokio::test]
async fn without_any_key_nothing_is_sent() {
    let check = async |answer: Answer, expected: GatewayAnswer| {
        let shown = format!("{answer:?}");
        let (channel, gateway) = channel_with(certificate_mode(), vec![answer]);
        assert_eq!(channel.query(ATTEMPT).await, expected, "{shown}");
        assert_eq!(gateway.targets(), [LIST]);
    };
    let not_sent = || GatewayAnswer::Unknown(UnknownCause::NotSent);
    let none = r#"{"code":"RESOURCE_NOT_EXISTS","message":"无可用的平台证书"}"#;
    let problem = "the merchant has no platform certificates: set its WeChat Pay public key";
    let expected = GatewayAnswer::ConfigError(ConfigCause::Incomplete(problem.to_owned()));
    check(unsigned(404, none), expected.clone()).await;
    check(signed(404, none), expected).await;
    let wrong = r#"{"code":"SIGN_ERROR","message":"x"}"#;
    let expected = GatewayAnswer::ConfigError(ConfigCause::Signature);
    check(unsigned(401, wrong), expected).await;
    check(unsigned(500, ""), not_sent()).await;
    check(unsigned(200, "{}"), not_sent()).await;
    // Signed by a key that is not in the list; listed under another serial number; stale.
    check(
        list(&[(&GATEWAY, FIRST, 9)], (&OTHER, FIRST), NOW),
        not_sent(),
    )
    .await;
    check(
        list(&[(&GATEWAY, FIRST, 9)], (&GATEWAY, SECOND), NOW),
        not_sent(),
    )
    .await;
    let stale = NOW + Millis::minutes(-6);
    check(
        list(&[(&GATEWAY, FIRST, 9)], (&GATEWAY, FIRST), stale),
        not_sent(),
    )
    .await;
    let renamed = json!({"data": [{
        "serial_no": SECOND, "encrypt_certificate": sealed(&certificate(&GATEWAY, FIRST, 9)),
    }]})
    .to_string();
    let headers = seal(&GATEWAY, FIRST, NOW, &renamed);
    check(response(200, headers, &renamed), not_sent()).await;
}

#[tokio::test]
async fn a_public_key_serves_while_certificates_cannot_be_fetched() {
    let mut settings = settings();
    settings["downloads_certificates"] = json!(true);
    let none = r#"{"code":"RESOURCE_NOT_EXISTS","message":"x"}"#;
    let answers = vec![unsigned(404, none), signed(200, &order("NOTPAY", ""))];
    let (channel, _) = channel_with(settings, answers);
    assert_eq!(channel.query(ATTEMPT).await, WAITING);
}

#[tokio::test]
async fn a_notice_of_an_unknown_key_makes_the_next_call_fetch() {
    let first = list(&[(&GATEWAY, FIRST, 30)], (&GATEWAY, FIRST), NOW);
    let (channel, gateway) = channel_with(certificate_mode(), vec![first]);
    gateway.answer(waiting(&GATEWAY, FIRST, NOW));
    channel.query(ATTEMPT).await;
    gateway.advance(Millis::minutes(2));
    let at = NOW + Millis::minutes(2);
    let headers: HeaderMap = seal(&OTHER, SECOND, at, "{}");
    let unknown = NoticeError::UnknownKey(SECOND.to_owned());
    assert_eq!(channel.parse_notice(&headers, b"{}"), Err(unknown));
    gateway.answer(list(&[(&OTHER, SECOND, 30)], (&OTHER, SECOND), at));
    gateway.answer(waiting(&OTHER, SECOND, at));
    assert_eq!(channel.query(ATTEMPT).await, WAITING);
    assert!(matches!(
        channel.parse_notice(&headers, b"{}"),
        Err(NoticeError::Malformed(_))
    ));
}
