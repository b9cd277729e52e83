//! Joining again: an answer that was lost leaves no device that nobody uses.

use axum::body::Body;
use http::{Request, StatusCode};
use qiantai_core::Millis;
use qiantai_server::AdminError;
use qiantai_wire::api::{JoinAnswer, JoinRequest};
use qiantai_wire::text::Hex;

use crate::harness::Shop;

fn key(seed: u8) -> [u8; 32] {
    let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
    key.verifying_key().to_bytes()
}

async fn join(shop: &Shop, invite: &str, seed: u8) -> Result<JoinAnswer, AdminError> {
    shop.server.join(invite, key(seed), "前台").await
}

fn terminals(shop: &Shop) -> usize {
    let devices = shop.server.ledger().devices(shop.seeded.tenant).unwrap();
    devices
        .iter()
        .filter(|(device, _)| !device.is_server)
        .count()
}

#[tokio::test]
async fn a_key_that_has_joined_joins_again_as_itself() {
    let shop = Shop::open(1).await;
    let invite = shop.server.invite("00201").unwrap().text();
    let first = join(&shop, &invite, 1).await.unwrap();
    let check = async |invite: &str, seed, refused: Option<&str>| match (
        join(&shop, invite, seed).await,
        refused,
    ) {
        (Ok(again), None) => {
            assert_eq!(again.device, first.device);
            assert_eq!(again.terminal_code, first.terminal_code);
            assert_ne!(again.token, first.token);
        }
        (Err(error), Some(why)) => assert_eq!(error.to_string(), why, "key {seed}"),
        (joined, refused) => panic!("key {seed}: {joined:?}, not {refused:?}"),
    };
    let (used, old) = ("the invitation was used", "the invitation is too old");
    check(&invite, 1, None).await;
    check(&invite, 2, Some(used)).await;
    check(&"0".repeat(32), 2, Some("the invitation is unknown")).await;
    let unused = shop.server.invite("00201").unwrap().text();
    shop.time.advance(Millis::minutes(10));
    check(&invite, 1, None).await;
    shop.time.advance(Millis(1));
    check(&invite, 1, Some(old)).await;
    check(&invite, 2, Some(used)).await;
    check(&unused, 2, Some(old)).await;
    let later = shop.server.invite("00201").unwrap().text();
    check(&later, 1, None).await;
    check(&later, 2, Some(used)).await;
    assert_eq!(terminals(&shop), 1);
}

/// Books that were restored from before a terminal joined know it by its key alone.
#[tokio::test]
async fn a_key_is_one_device_of_a_store_and_keeps_its_code() {
    let (shop, restored) = (Shop::open(1).await, Shop::open(1).await);
    let join_with = async |shop: &Shop, seed, had: Option<&str>| {
        let request = JoinRequest {
            invite: shop.server.invite("00201").unwrap().text(),
            public_key: Hex(key(seed)),
            name: "前台".into(),
            terminal_code: had.map(str::to_owned),
        };
        let body = Body::from(serde_json::to_vec(&request).unwrap());
        let request = Request::post("/v1/devices/join");
        let request = request.header("content-type", "application/json");
        let (status, said) = shop.send(request.body(body).unwrap()).await;
        (status, serde_json::from_slice::<JoinAnswer>(&said).ok())
    };
    let check = async |shop: &Shop, seed, had, code: &str| {
        let (status, joined) = join_with(shop, seed, had).await;
        let joined = joined.unwrap_or_else(|| panic!("{status}"));
        assert_eq!(joined.terminal_code, code, "key {seed}");
        joined.device
    };
    let first = check(&shop, 1, None, "01").await;
    let second = check(&shop, 2, None, "02").await;
    assert_eq!(check(&restored, 2, Some("02"), "02").await, second);
    check(&restored, 3, None, "01").await;
    // Another one has it by now.
    assert_eq!(check(&restored, 1, Some("01"), "03").await, first);
    assert_eq!(check(&restored, 1, Some("09"), "03").await, first);
    for wrong in ["", "00", "1", "100", "ab"] {
        let (status, _) = join_with(&restored, 4, Some(wrong)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn terminals_that_join_at_one_time_are_told_apart() {
    let shop = Shop::open(1).await;
    let [one, other] = [(); 2].map(|()| shop.server.invite("00201").unwrap().text());
    let (first, again, second) = tokio::join!(
        join(&shop, &one, 1),
        join(&shop, &one, 1),
        join(&shop, &other, 2)
    );
    let [first, again, second] = [first, again, second].map(Result::unwrap);
    assert_eq!(first.device, again.device);
    assert_ne!(first.terminal_code, second.terminal_code);
    assert_eq!(terminals(&shop), 2);
}
