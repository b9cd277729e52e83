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
    let invite = shop.server.invite("00201").unwrap();
    let first = join(&shop, &invite, 1).await.unwrap();
    let check = async |invite: &str, seed, is_same: bool| match join(&shop, invite, seed).await {
        Ok(again) => {
            assert!(is_same, "key {seed}");
            assert_eq!(again.device, first.device);
            assert_eq!(again.terminal_code, first.terminal_code);
            assert_ne!(again.token, first.token);
        }
        Err(AdminError::InviteInvalid) => assert!(!is_same, "key {seed}"),
        Err(other) => panic!("{other}"),
    };
    check(&invite, 1, true).await;
    check(&invite, 2, false).await;
    shop.time.advance(Millis::minutes(10));
    check(&invite, 1, true).await;
    shop.time.advance(Millis(1));
    check(&invite, 1, false).await;
    let later = shop.server.invite("00201").unwrap();
    check(&later, 1, true).await;
    check(&later, 2, false).await;
    assert_eq!(terminals(&shop), 1);
}

#[tokio::test]
async fn terminals_that_join_at_one_time_are_told_apart() {
    let shop = Shop::open(1).await;
    let [one, other] = [(); 2].map(|()| shop.server.invite("00201").unwrap());
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
