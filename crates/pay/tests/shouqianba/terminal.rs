//! The life of the terminal's key, and who is believed.

use super::*;

fn new_key(key: &str) -> Answer {
    let terminal = json!({ "terminal_sn": TERMINAL, "terminal_key": key });
    ok(json!({ "result_code": "200", "biz_response": terminal }).to_string())
}

/// The terminal as it was saved, the gateway's answers, then what follows: the paths called with
/// the keys that sign, and the keys that were saved.
type Case = (
    Option<Terminal>,
    Vec<Answer>,
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
);

#[tokio::test]
async fn the_key_changes_daily_and_is_saved_before_it_is_used() {
    let found = || business("SUCCESS", None, order("PAID"));
    let yesterday = || Some(terminal("old", Some("older"), Millis::days(1)));
    let today = || Some(terminal("today", Some("old"), Millis(0)));
    let illegal = || refused("ILLEGAL_SIGN");
    let cases: Vec<Case> = vec![
        (
            None,
            vec![new_key("first"), found()],
            &[
                ("/terminal/activate", "vendorkey"),
                ("/upay/v2/query", "first"),
            ],
            &["first"],
        ),
        (
            today(),
            vec![found()],
            &[("/upay/v2/query", "today")],
            &["today"],
        ),
        (
            yesterday(),
            vec![new_key("new"), found()],
            &[("/terminal/checkin", "old"), ("/upay/v2/query", "new")],
            &["old", "new"],
        ),
        (
            yesterday(),
            vec![Err(TransportError::Timeout), found()],
            &[("/terminal/checkin", "old"), ("/upay/v2/query", "old")],
            &["old"],
        ),
        (
            yesterday(),
            vec![illegal(), new_key("new"), found()],
            &[
                ("/terminal/checkin", "old"),
                ("/terminal/checkin", "older"),
                ("/upay/v2/query", "new"),
            ],
            &["old", "new"],
        ),
        (
            yesterday(),
            vec![illegal(), illegal(), new_key("new"), found()],
            &[
                ("/terminal/checkin", "old"),
                ("/terminal/checkin", "older"),
                ("/terminal/activate", "vendorkey"),
                ("/upay/v2/query", "new"),
            ],
            &["old", "new"],
        ),
        (
            today(),
            vec![illegal(), new_key("new"), found()],
            &[
                ("/upay/v2/query", "today"),
                ("/terminal/checkin", "today"),
                ("/upay/v2/query", "new"),
            ],
            &["today", "new"],
        ),
    ];
    for (saved, answers, calls, keys) in cases {
        let shelf = shelf(saved, false);
        let (channel, dialogue) = open(shelf.clone(), answers);
        let answer = channel.query(&attempt()).await;
        assert_eq!(answer, GatewayAnswer::Success(paid()), "{calls:?}");
        let requests = dialogue.requests();
        assert_eq!(requests.len(), calls.len(), "{calls:?}");
        for (request, (path, key)) in requests.iter().zip(calls) {
            assert_eq!(request.uri().path(), *path);
            let authorization = request.headers()[header::AUTHORIZATION].to_str().unwrap();
            let sn = if *key == "vendorkey" {
                "91800129"
            } else {
                TERMINAL
            };
            assert!(
                is_signed(authorization, sn, request.body(), key),
                "{path} {key}"
            );
        }
        let saved = shelf.saved.lock().unwrap();
        let saved: Vec<&str> = saved.iter().map(|terminal| terminal.key.expose()).collect();
        assert_eq!(saved, keys);
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_saved_is_not_used() {
    let full = shelf(Some(terminal("old", None, Millis::days(1))), true);
    let (channel, dialogue) = open(full, [new_key("new")]);
    let answer = channel.query(&attempt()).await;
    let expected =
        ConfigCause::Incomplete("the terminal file cannot be used: no space left".to_owned());
    assert_eq!(answer, GatewayAnswer::ConfigError(expected));
    assert_eq!(dialogue.requests().len(), 1);
}

#[tokio::test]
async fn a_vendor_key_that_is_refused_is_a_matter_of_set_up() {
    let (channel, dialogue) = open(shelf(None, false), [refused("ILLEGAL_SIGN")]);
    let answer = channel.query(&attempt()).await;
    assert_eq!(answer, GatewayAnswer::ConfigError(ConfigCause::Signature));
    assert_eq!(dialogue.requests().len(), 1);
}

#[tokio::test]
async fn an_activation_is_sent_once_and_each_failure_has_a_name() {
    use ActivationFault::{NotKept, Refused, Unclear, Vendor};
    let no_space = || NotKept(TerminalStoreError("no space left".to_owned()));
    let nameless = || ok(json!({"result_code": "200", "biz_response": {}}).to_string());
    let words = |code: &str| Refused(format!("{code} 说明"));
    for (answer, is_full, expected) in [
        (new_key("first"), false, Ok(())),
        (new_key("first"), true, Err(no_space())),
        (refused("ILLEGAL_SIGN"), false, Err(Vendor)),
        (refused("CODE_USED"), false, Err(words("CODE_USED"))),
        (
            Err(TransportError::Timeout),
            false,
            Err(Unclear(UnknownCause::Timeout)),
        ),
        (
            refused("UNKNOWN_SYSTEM_ERROR"),
            false,
            Err(Unclear(UnknownCause::GatewayFault(500))),
        ),
        (
            nameless(),
            false,
            Err(Unclear(UnknownCause::Unreadable(
                "it names no terminal".to_owned(),
            ))),
        ),
    ] {
        let shelf = shelf(None, is_full);
        let (channel, dialogue) = open(shelf.clone(), [answer]);
        assert_eq!(channel.activated().await, expected);
        let saved = shelf.saved.lock().unwrap().len();
        assert_eq!(saved, usize::from(expected.is_ok()));
        if expected.is_ok() {
            assert_eq!(channel.activated().await, Ok(()));
        }
        assert_eq!(dialogue.requests().len(), 1, "{expected:?}");
    }
}

/// Two channels of one terminal, as while an account is checked or replaced.
#[tokio::test]
async fn a_key_that_another_channel_renewed_is_taken_from_the_store() {
    let shelf = shelf(Some(terminal("today", None, Millis(0))), false);
    let found = business("SUCCESS", None, order("PAID"));
    let (channel, dialogue) = open(shelf.clone(), [refused("ILLEGAL_SIGN"), found]);
    shelf
        .save(&terminal("renewed", Some("today"), Millis(0)))
        .unwrap();
    let answer = channel.query(&attempt()).await;
    assert_eq!(answer, GatewayAnswer::Success(paid()));
    let requests = dialogue.requests();
    let authorization = requests[1].headers()[header::AUTHORIZATION].to_str();
    let body = requests[1].body();
    assert!(is_signed(authorization.unwrap(), TERMINAL, body, "renewed"));
}

#[test]
fn a_terminal_file_keeps_the_terminal_and_tells_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("terminal.json");
    let file = TerminalFile::new(&path);
    assert_eq!(file.load(), Ok(None));
    for terminal in [
        terminal("5ec2e7", None, Millis(0)),
        terminal("new", Some("5ec2e7"), Millis(0)),
    ] {
        file.save(&terminal).unwrap();
        assert_eq!(TerminalFile::new(&path).load(), Ok(Some(terminal)));
    }
    std::fs::write(&path, "{\"key\":\"5ec2e7\"").unwrap();
    let error = file.load().unwrap_err().to_string();
    assert!(
        error.contains("not a terminal file") && !error.contains("5ec2e7"),
        "{error}"
    );
    let nowhere = TerminalFile::new(folder.path().join("no/terminal.json"));
    assert!(nowhere.save(&terminal("key", None, Millis(0))).is_err());
}

#[test]
fn notices_are_hints_by_the_vendor_s_signature_only() {
    let channel = shouqianba([status(500)]);
    let parse = |body: &Value, signature: Option<String>| {
        let mut headers = HeaderMap::new();
        if let Some(signature) = signature {
            let value = HeaderValue::from_str(&signature).unwrap();
            headers.insert(header::AUTHORIZATION, value);
        }
        channel.parse_notice(&headers, body.to_string().as_bytes())
    };
    let sign = |body: &Value| {
        let signature = GATEWAY
            .private()
            .sign_sha256_base64(body.to_string().as_bytes());
        signature.unwrap()
    };
    let genuine = order("PAID");
    for signature in [sign(&genuine), format!("91800129 {}", sign(&genuine))] {
        let Ok(Notice::Hint(read)) = parse(&genuine, Some(signature)) else {
            panic!("a genuine notice");
        };
        assert_eq!((read.attempt_no, read.paid), (attempt(), paid()));
    }
    let missing = NoticeError::MissingHeader("authorization");
    assert_eq!(parse(&genuine, None), Err(missing));
    let ours = OURS
        .private()
        .sign_sha256_base64(genuine.to_string().as_bytes());
    for signature in [ours.unwrap(), sign(&order("CREATED")), String::new()] {
        let found = parse(&genuine, Some(signature));
        assert_eq!(found, Err(NoticeError::WrongSignature));
    }
    let refund = order("REFUNDED");
    let other = Notice::Other("order_status REFUNDED".to_owned());
    assert_eq!(parse(&refund, Some(sign(&refund))), Ok(other));
}

/// Nothing of it is believed either way: the gateway is asked.
#[test]
fn without_the_vendor_s_key_every_notice_is_a_hint() {
    let store = shelf(Some(terminal("today", None, Millis(0))), false);
    let (channel, _) = open_by(None, store, [status(500)]);
    let parse = |body: &str| channel.parse_notice(&HeaderMap::new(), body.as_bytes());
    let Ok(Notice::Hint(read)) = parse(&order("PAID").to_string()) else {
        panic!("a notice");
    };
    assert_eq!((read.attempt_no, read.paid), (attempt(), paid()));
    for broken in ["", "{", "{\"order_status\":\"PAID\"}"] {
        assert!(parse(broken).is_err(), "{broken}");
    }
}

/// The vendor's one key signs for every merchant: only our own query says whose payment it is.
#[tokio::test]
async fn a_hint_is_confirmed_of_that_very_payment_only() {
    let hint = PaymentNotice {
        notice_id: "n".to_owned(),
        attempt_no: attempt(),
        paid: paid(),
    };
    let check = async |answer: Answer, expected: GatewayAnswer| {
        let (channel, dialogue) = checked_in([answer]);
        assert_eq!(channel.confirm(&hint).await, expected);
        let asked: Value = serde_json::from_slice(dialogue.requests()[0].body()).unwrap();
        assert_eq!(asked["sn"], json!(hint.paid.channel_txn_no));
        assert_eq!(asked["client_sn"], json!(hint.attempt_no));
        assert_eq!(asked["terminal_sn"], json!(TERMINAL));
    };
    let found = |order: Value| business("SUCCESS", None, order);
    let with = |field: &str, value: &str| {
        let mut order = order("PAID");
        order[field] = json!(value);
        order
    };
    let mismatched = GatewayAnswer::Unknown(UnknownCause::Mismatched);
    check(found(order("PAID")), GatewayAnswer::Success(paid())).await;
    check(found(with("sn", "7895259485469126")), mismatched.clone()).await;
    check(found(with("client_sn", "ZF1")), mismatched).await;
    let unpaid = GatewayAnswer::Pending(PendingState::NotScanned);
    check(found(qr_order("CREATED")), unpaid).await;
    let unknown_here = business("FAIL", Some("UPAY_ORDER_NOT_EXISTS"), Value::Null);
    let not_found = GatewayAnswer::Unknown(UnknownCause::NotFound);
    check(unknown_here, not_found).await;
}
