//! Those who ask too much, over the network: they are told to wait before the books are asked, and
//! keep nobody else waiting.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, StatusCode};
use qiantai_server::limits::Limits;
use qiantai_server::roster;
use tower::ServiceExt;

use crate::harness::{On, Shop};
use crate::till::Till;

/// An address at which many tills stand, and another.
const MALL: &str = "203.0.113.7:5000";
const STREET: &str = "198.51.100.1:5000";

fn router(shop: &Shop) -> Router {
    let limits = Limits {
        device_per_second: NonZeroU32::new(1_000).unwrap(),
        strangers_per_minute: NonZeroU32::new(2).unwrap(),
    };
    shop.server.network_router(limits, None)
}

async fn asks(router: &Router, from: &str, mut request: Request<Body>) -> StatusCode {
    let from: SocketAddr = from.parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(from));
    router.clone().oneshot(request).await.unwrap().status()
}

fn made_up(number: u32) -> Request<Body> {
    let token = format!("Bearer {number:064x}");
    let request = Request::get("/v1/terminals").header("authorization", token);
    request.body(Body::empty()).unwrap()
}

fn own(till: &Till) -> Request<Body> {
    till.request("GET", "/v1/channels", Vec::new())
}

#[tokio::test]
async fn made_up_tokens_cost_the_books_nothing_and_the_tills_beside_them_neither() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 1).await;
        let till = Till::open(&shop).await;
        let router = router(&shop);
        for number in 0..2 {
            let status = asks(&router, MALL, made_up(number)).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{on:?}");
        }
        // Whoever looked up a token now would fail.
        let rename = |one, other| {
            let sql = format!("ALTER TABLE {one} RENAME TO {other}");
            shop.place.execute(&sql);
        };
        rename("device_token", "away");
        let status = asks(&router, STREET, made_up(3)).await;
        assert!(status.is_server_error(), "{on:?} {status}");
        let status = asks(&router, MALL, made_up(3)).await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{on:?}");
        rename("away", "device_token");

        assert_eq!(asks(&router, MALL, own(&till)).await, StatusCode::OK);
        // Who joined since is a stranger once, wherever it stands.
        let late = Till::with_key(&shop, [8; 32], "02").await;
        let status = asks(&router, MALL, own(&late)).await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{on:?}");
        assert_eq!(asks(&router, STREET, own(&late)).await, StatusCode::OK);
        assert_eq!(asks(&router, MALL, own(&late)).await, StatusCode::OK);

        // Being remembered lets nobody in.
        let books = shop.place.open();
        let code = &shop.seeded.store_code;
        roster::revoke(books.as_ref(), code, "02", "stolen", shop.now()).unwrap();
        let status = asks(&router, MALL, own(&late)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{on:?}");
        shop.place.execute("DELETE FROM device_token");
        let status = asks(&router, MALL, own(&till)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{on:?}");
        let status = asks(&router, MALL, own(&till)).await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{on:?}");
    }
}

#[tokio::test]
async fn notices_and_probes_are_counted_by_address() {
    let shop = Shop::open(1).await;
    let till = Till::open(&shop).await;
    let router = router(&shop);
    let ask = async |from, method, path| {
        let request = Request::builder().method(method).uri(path);
        asks(&router, from, request.body(Body::empty()).unwrap()).await
    };
    for (method, path, usual) in [
        ("POST", "/v1/notify/nowhere", StatusCode::NOT_FOUND),
        ("GET", "/v1/health", StatusCode::OK),
    ] {
        let mut taken = 0;
        let refused = loop {
            match ask(MALL, method, path).await {
                status if status == usual && taken < 5_000 => taken += 1,
                status => break status,
            }
        };
        assert_eq!(refused, StatusCode::TOO_MANY_REQUESTS, "{path}");
        assert!(taken >= 500, "{path}: {taken}");
        // A gateway elsewhere is heard, and so is a till there.
        assert_eq!(ask(STREET, method, path).await, usual, "{path}");
        assert_eq!(asks(&router, MALL, own(&till)).await, StatusCode::OK);
    }
    // Who writes is asked of the same measure, which fills up again as time passes.
    let mut taken = 0;
    while ask(MALL, "GET", "/writez").await != StatusCode::TOO_MANY_REQUESTS {
        taken += 1;
        assert!(taken < 400, "a measure of its own");
    }
    assert_eq!(ask(STREET, "GET", "/writez").await, StatusCode::OK);
}

#[tokio::test]
async fn a_device_has_every_account_walked_over_now_and_then() {
    let shop = Shop::open(1).await;
    let till = Till::open(&shop).await;
    let other = Till::with_key(&shop, [8; 32], "02").await;
    let router = router(&shop);
    let digests = async |till: &Till| {
        let request = till.request("GET", "/v1/digests", Vec::new());
        asks(&router, MALL, request).await
    };
    let mut taken = 0;
    while digests(&till).await == StatusCode::OK {
        taken += 1;
        assert!(taken < 50);
    }
    assert!(taken >= 6, "{taken}");
    assert_eq!(digests(&till).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(digests(&other).await, StatusCode::OK);
    assert_eq!(asks(&router, MALL, own(&till)).await, StatusCode::OK);
}
