//! The interface against bad and good requests.

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use qiantai_core::Millis;
use qiantai_core::operation::OperationBody;
use qiantai_paysim::gateway::PhoneAction;
use qiantai_wire::api::{
    AttemptAnswer, Event, HealthAnswer, JoinAnswer, JoinRequest, OrderAnswer, QuoteAnswer,
    QuoteRequest,
};
use qiantai_wire::codes::RefusalCodeDto;
use qiantai_wire::feed::{AmountChoiceDto, FeedChange, SnapshotPage};
use qiantai_wire::text::Hex;
use qiantai_wire::{ApiError, ErrorCode};
use tower::ServiceExt;
use uuid::Uuid;

use crate::harness::{Shop, within_patience};
use crate::till::{Till, push_body};

/// The request is answered with that error, in its full form.
async fn check(shop: &Shop, request: Request<Body>, expected: ErrorCode) {
    let what = format!("{} {}", request.method(), request.uri());
    let (status, answer) = shop.send(request).await;
    let error: ApiError = serde_json::from_slice(&answer)
        .unwrap_or_else(|_| panic!("{what}: {}", String::from_utf8_lossy(&answer)));
    assert_eq!(error.error_code(), Some(expected), "{what}");
    assert_eq!(status.as_u16(), expected.http_status(), "{what}");
    assert_eq!(error.retryable, expected.is_retryable(), "{what}");
}

#[tokio::test]
async fn bad_requests_have_typed_answers() {
    let shop = Shop::open(1).await;
    let till = Till::open(&shop).await;
    let check = async |request, expected| check(&shop, request, expected).await;
    let to =
        |method: &str, path: &str, body: &str| till.request(method, path, body.as_bytes().to_vec());
    let no_one = Uuid::now_v7();
    check(to("GET", "/v1/nothing", ""), ErrorCode::NotFound).await;
    check(to("GET", "/", ""), ErrorCode::NotFound).await;
    check(to("GET", "/v1/operations", ""), ErrorCode::MethodNotAllowed).await;
    check(to("DELETE", "/v1/feed", ""), ErrorCode::MethodNotAllowed).await;
    for body in [
        "",
        "{",
        "[]",
        "null",
        "{\"operations\":7}",
        "{\"operations\":[\"*\"]}",
        "\u{0}",
    ] {
        check(to("POST", "/v1/operations", body), ErrorCode::BadRequest).await;
    }
    let too_many = push_body(&vec![vec![0_u8; 4].into(); 257]);
    check(
        till.request("POST", "/v1/operations", too_many),
        ErrorCode::BadRequest,
    )
    .await;
    let huge = format!("{{\"operations\":[\"{}\"]}}", "A".repeat(5 * 1_024 * 1_024));
    check(to("POST", "/v1/operations", &huge), ErrorCode::TooLarge).await;
    for query in [
        "",
        "?timeline=1",
        "?timeline=x&after=0",
        "?timeline=1&after=-1",
    ] {
        check(
            to("GET", &format!("/v1/feed{query}"), ""),
            ErrorCode::BadRequest,
        )
        .await;
    }
    check(
        to("GET", "/v1/feed?timeline=9&after=0", ""),
        ErrorCode::TimelineChanged,
    )
    .await;
    check(
        to("GET", "/v1/snapshot?after_member=x", ""),
        ErrorCode::BadRequest,
    )
    .await;
    check(to("GET", "/v1/orders/x", ""), ErrorCode::BadRequest).await;
    check(
        to("GET", &format!("/v1/orders/{no_one}"), ""),
        ErrorCode::NotFound,
    )
    .await;
    check(
        to("GET", &format!("/v1/attempts/{no_one}"), ""),
        ErrorCode::NotFound,
    )
    .await;
    check(
        to("POST", &format!("/v1/attempts/{no_one}/query"), ""),
        ErrorCode::NotFound,
    )
    .await;
    for body in ["", "{}", "{\"member\":\"x\"}"] {
        check(to("POST", "/v1/quotes", body), ErrorCode::BadRequest).await;
    }
    check(to("POST", "/v1/notify/nobody", ""), ErrorCode::NotFound).await;
    check(to("POST", "/v1/devices/join", "{}"), ErrorCode::BadRequest).await;
}

#[tokio::test]
async fn strangers_and_strange_versions_are_turned_away() {
    let shop = Shop::open(1).await;
    let till = Till::open(&shop).await;
    let check = async |request, expected| check(&shop, request, expected).await;
    let bare = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let with = |path: &str, name: &'static str, value: &str| {
        Request::get(path)
            .header(name, value)
            .body(Body::empty())
            .unwrap()
    };
    for path in ["/v1/feed?timeline=1&after=0", "/v1/events", "/v1/snapshot"] {
        check(bare(path), ErrorCode::Unauthorised).await;
        check(
            with(path, "authorization", "Bearer wrong"),
            ErrorCode::Unauthorised,
        )
        .await;
        check(
            with(path, "authorization", "Basic x"),
            ErrorCode::Unauthorised,
        )
        .await;
    }
    for (version, expected) in [
        ("99", ErrorCode::UpgradeNeeded),
        ("2", ErrorCode::UpgradeNeeded),
        ("0", ErrorCode::UpgradeNeeded),
        ("x", ErrorCode::BadRequest),
    ] {
        let mut request = till.request("GET", "/v1/snapshot", Vec::new());
        request
            .headers_mut()
            .insert("qiantai-protocol", version.parse().unwrap());
        check(request, expected).await;
    }
}

#[tokio::test]
async fn an_invitation_lets_one_terminal_in_for_ten_minutes() {
    let shop = Shop::open(1).await;
    let join = |invite: &str, seed: u8| {
        let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        let body = serde_json::to_vec(&JoinRequest {
            invite: invite.to_owned(),
            public_key: Hex(key.verifying_key().to_bytes()),
            name: "前台".to_owned(),
            terminal_code: None,
        });
        Request::post("/v1/devices/join")
            .body(Body::from(body.unwrap()))
            .unwrap()
    };
    let invite = shop.server.invite("00201").unwrap().text();
    let (status, answer) = shop.send(join(&invite, 1)).await;
    assert_eq!(status, StatusCode::OK);
    let first: JoinAnswer = serde_json::from_slice(&answer).unwrap();
    assert_eq!(first.terminal_code, "01");
    assert!(!format!("{first:?}").contains(&first.token));
    assert_eq!(
        shop.send(join(&invite, 2)).await.0,
        StatusCode::FORBIDDEN,
        "used"
    );

    let late = shop.server.invite("00201").unwrap().text();
    shop.time.advance(Millis(600_001));
    assert_eq!(
        shop.send(join(&late, 3)).await.0,
        StatusCode::FORBIDDEN,
        "too late"
    );
    let invite = shop.server.invite("00201").unwrap().text();
    let (_, answer) = shop.send(join(&invite, 4)).await;
    let second: JoinAnswer = serde_json::from_slice(&answer).unwrap();
    assert_eq!(second.terminal_code, "02");
    assert!(shop.server.invite("99999").is_err());
    assert_eq!(shop.send(join("guess", 5)).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_terminal_in_the_same_process_joins_again_as_itself() {
    let shop = Shop::open(1).await;
    let key = [2; 32];
    let key = ed25519_dalek::SigningKey::from_bytes(&key)
        .verifying_key()
        .to_bytes();
    let first = shop
        .server
        .enrol_local(shop.seeded.tenant, key, "01")
        .await
        .unwrap();
    let again = shop
        .server
        .enrol_local(shop.seeded.tenant, key, "01")
        .await
        .unwrap();
    assert_eq!(first.device, again.device);
    assert_ne!(first.token, again.token);
}

#[tokio::test]
async fn a_snapshot_comes_in_pages_and_ends() {
    let shop = Shop::open(25).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    till.show_qr(&shop, member, 300).await;
    let (mut after, mut members, mut orders, mut pages) = (None::<Uuid>, 0, 0, 0);
    loop {
        let query = after.map_or(String::new(), |id| format!("&after_member={id}"));
        let path = format!("/v1/snapshot?limit=10{query}");
        let page: SnapshotPage = till.call(&shop, "GET", &path, Vec::new()).await;
        pages += 1;
        assert_eq!(page.member_total, 25);
        let end = page.chain_end.unwrap();
        assert_eq!((end.device_seq, end.hash.0), (till.seq, till.prev));
        members += page
            .rows
            .iter()
            .filter(|row| matches!(row, FeedChange::Member(member) if member.profile.is_some()))
            .count();
        orders += page
            .rows
            .iter()
            .filter(|row| matches!(row, FeedChange::Order(_)))
            .count();
        let is_policy = |row: &FeedChange| matches!(row, FeedChange::Policy(_));
        assert_eq!(page.rows.iter().any(is_policy), after.is_none());
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((pages, members, orders), (3, 25, 1));
}

#[tokio::test]
async fn quotes_and_orders_answer_in_full() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let quote = async |member: Uuid, fen: i64| {
        let choice = AmountChoiceDto::Amount { amount_fen: fen };
        let body = serde_json::to_vec(&QuoteRequest {
            member,
            choice,
            cash: false,
        })
        .unwrap();
        till.call::<QuoteAnswer>(&shop, "POST", "/v1/quotes", body)
            .await
    };
    let QuoteAnswer::Quoted { quote: good } = quote(member.0, 120_000).await else {
        panic!("1 200 has a price");
    };
    assert_eq!((good.pay_fen, good.bonus_fen), (120_000, 23_000));
    assert!(!good.rules.is_empty());
    for (member, fen, expected) in [
        (Uuid::now_v7(), 30_000, RefusalCodeDto::MemberUnknown),
        (member.0, 0, RefusalCodeDto::AmountOutOfRange),
        (member.0, -500, RefusalCodeDto::AmountOutOfRange),
    ] {
        let QuoteAnswer::Refused { refusal } = quote(member, fen).await else {
            panic!("{fen} has no price");
        };
        assert_eq!(refusal.reason, expected, "{fen}");
    }
    let (order, attempt) = till.show_qr(&shop, member, 300).await;
    let path = format!("/v1/orders/{}", order.id);
    let answer: OrderAnswer = till.call(&shop, "GET", &path, Vec::new()).await;
    assert_eq!(answer.attempts.len(), 1);
    assert_eq!(answer.settlement, None);
    assert!(
        !answer.order.quote.rules.is_empty(),
        "the rule snapshot is frozen on the order"
    );
    let path = format!("/v1/attempts/{}", attempt.id);
    let answer: AttemptAnswer = till.call(&shop, "GET", &path, Vec::new()).await;
    assert_eq!(answer.attempt.qr_payload, attempt.qr_payload);
}

#[tokio::test]
async fn events_tell_of_payments_as_they_happen() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let (_, attempt) = till.show_qr(&shop, member, 300).await;
    let request = till.request("GET", "/v1/events", Vec::new());
    let response = shop.server.router().oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    let mut next = async || {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let text = String::from_utf8(frame.to_vec()).unwrap();
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim().to_owned()
        };
        Event::parse(&field("event:"), &field("data:")).unwrap()
    };
    assert!(matches!(next().await, Event::Hello(_)));
    assert!(matches!(next().await, Event::Channels(_)));
    shop.phone(&attempt, &PhoneAction::Pay);
    // An open stream makes the server ask every two seconds.
    shop.pass(Millis::seconds(2)).await;
    let Event::Attempt(event) = next().await else {
        panic!("the attempt comes first")
    };
    assert_eq!(event.attempt, attempt.id.0);
    assert_eq!(event.state, qiantai_wire::codes::AttemptStateDto::Succeeded);
    assert!(matches!(next().await, Event::Feed(_)));
    shop.server.end_streams();
    assert!(
        body.frame().await.is_none(),
        "the stream ends with the server"
    );
}

#[tokio::test]
async fn one_stream_too_many_ends_the_oldest_of_that_device() {
    let shop = Shop::open(1).await;
    let till = Till::open(&shop).await;
    let other = Till::with_key(&shop, [8; 32], "02").await;
    let listen = async |till: &Till| {
        let request = till.request("GET", "/v1/events", Vec::new());
        let response = shop.server.router().oneshot(request).await.unwrap();
        let mut body = response.into_body();
        for _ in ["hello", "channels"] {
            body.frame().await.unwrap().unwrap();
        }
        body
    };
    let mut elsewhere = listen(&other).await;
    let mut streams = Vec::new();
    for _ in 0..5 {
        streams.push(listen(&till).await);
    }
    let oldest = &mut streams[0];
    let ended = async { while oldest.frame().await.is_some() {} };
    within_patience("the oldest ends", ended).await;
    for stream in streams[1..].iter_mut().chain([&mut elsewhere]) {
        let beat = within_patience("a beat", stream.frame()).await;
        assert!(beat.is_some(), "it is open");
    }
}

#[tokio::test]
async fn health_follows_the_writers_and_a_stopped_server_refuses() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let health = || Request::get("/v1/health").body(Body::empty()).unwrap();
    let (status, answer) = shop.send(health()).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        serde_json::from_slice::<HealthAnswer>(&answer)
            .unwrap()
            .ready
    );
    let member = shop.members()[0];
    let cash = till.cash(&shop, member, 300).await;
    let signed = till.sign(OperationBody::RechargeCash(cash));
    shop.server.stop().await;
    let request = till.request("POST", "/v1/operations", push_body(&[signed]));
    let (status, answer) = shop.send(request).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        serde_json::from_slice::<ApiError>(&answer)
            .unwrap()
            .retryable
    );
}
