//! Joining again: an answer that was lost leaves no device that nobody uses.

use qiantai_core::Millis;
use qiantai_server::AdminError;
use qiantai_wire::api::JoinAnswer;

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
