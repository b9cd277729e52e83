//! A log replayed into an empty ledger gives the same books.

use std::sync::Arc;

use qiantai_server::replay::replay;
use qiantai_server::{Channels, Server, ServerOptions, SystemClock};

use crate::conformance::day::day;
use crate::harness::Shop;

#[tokio::test]
async fn a_replayed_log_has_the_same_digest() {
    let shop = Shop::open(20).await;
    day(&shop).await;
    is_the_same_elsewhere(&shop).await;

    let digest = || shop.server.ledger().digest(shop.seeded.tenant).unwrap();
    let before = digest();
    let db = shop.database();
    db.execute_batch("UPDATE account SET points = points + 1")
        .unwrap();
    assert_ne!(digest(), before);
}

/// Replays the shop's log into an empty ledger, and compares everything that it determines.
pub async fn is_the_same_elsewhere(shop: &Shop) {
    let folder = tempfile::tempdir().unwrap();
    let copy = Server::open(ServerOptions {
        path: folder.path().join("copy.db"),
        key: Some([5; 32]),
        clock: Arc::new(SystemClock),
        channels: Channels::default(),
    })
    .unwrap();
    let tenant = shop.seeded.tenant;
    replay(shop.server.ledger().as_ref(), tenant, &copy)
        .await
        .unwrap();
    let ledger = copy.ledger();
    assert_eq!(
        ledger.head(tenant).unwrap(),
        shop.server.head(tenant).unwrap()
    );
    assert_eq!(
        ledger.digest(tenant).unwrap(),
        shop.server.ledger().digest(tenant).unwrap()
    );
}
