//! Two stores of one merchant.

use qiantai_core::ids::StoreId;
use qiantai_wire::feed::{FeedChange, FeedPage, SnapshotPage};
use uuid::Uuid;

use crate::harness::Shop;
use crate::till::Till;

#[tokio::test]
async fn a_terminal_hears_of_the_rules_of_its_own_store_only() {
    let shop = Shop::open(1).await;
    let first = Till::open(&shop).await;
    let mut policy = (*shop.policy).clone();
    policy.store.id = StoreId(Uuid::now_v7());
    policy.store.code = "00202".to_owned();
    shop.server.publish_policy(policy).await.unwrap();
    let mut second = first.clone();
    let invite = shop.server.invite("00202").unwrap().text();
    let key = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let public = key.verifying_key().to_bytes();
    second.join = shop.server.join(&invite, public, "二店").await.unwrap();
    assert_ne!(first.join.store, second.join.store);

    let stores = |rows: &[FeedChange]| -> Vec<Uuid> {
        let store = |row: &FeedChange| match row {
            FeedChange::Policy(policy) => Some(policy.store.id),
            _ => None,
        };
        rows.iter().filter_map(store).collect()
    };
    for till in [&first, &second] {
        let snapshot: SnapshotPage = till.call(&shop, "GET", "/v1/snapshot", Vec::new()).await;
        assert_eq!(stores(&snapshot.rows), [till.join.store]);
        let path = "/v1/feed?timeline=1&after=0";
        let feed: FeedPage = till.call(&shop, "GET", path, Vec::new()).await;
        let rows: Vec<_> = feed
            .entries
            .iter()
            .flat_map(|entry| entry.changes.clone())
            .collect();
        assert_eq!(stores(&rows), [till.join.store]);
        let seqs: Vec<u64> = feed.entries.iter().map(|entry| entry.server_seq).collect();
        let gapless: Vec<u64> = (1..=feed.head).collect();
        assert_eq!(
            seqs, gapless,
            "an entry without rows still moves the cursor"
        );
    }
}
