//! A log replayed into an empty ledger gives the same books.

use std::sync::Arc;

use qiantai_core::Millis;
use qiantai_core::ids::{ActionId, OrderId};
use qiantai_core::operation::OperationBody;
use qiantai_paysim::gateway::PhoneAction;
use qiantai_server::replay::replay;
use qiantai_server::{Channels, Server, ServerOptions, SystemClock};
use uuid::Uuid;

use crate::harness::Shop;
use crate::till::Till;

#[tokio::test]
async fn a_replayed_log_has_the_same_digest() {
    let shop = Shop::open(20).await;
    let mut till = Till::open(&shop).await;
    let members = shop.members();
    for (index, action) in [
        PhoneAction::Pay,
        PhoneAction::PayTwice,
        PhoneAction::PayLate,
        PhoneAction::PayAmountOff,
        PhoneAction::Ignore,
    ]
    .iter()
    .enumerate()
    {
        let (_, attempt) = till.show_qr(&shop, members[index], 500).await;
        shop.phone(&attempt, action);
        shop.deliver_notices().await;
        shop.pass(Millis::seconds(20)).await;
    }
    let action = ActionId(Uuid::now_v7());
    let cash = till.cash(&shop, members[6], 1_000).await;
    let first = till.sign_action(OperationBody::RechargeCash(cash.clone()), action);
    let again = till.sign_action(OperationBody::RechargeCash(cash), action);
    let refused = till.sign(OperationBody::RechargeCancel {
        order: OrderId(Uuid::now_v7()),
    });
    till.push(&shop, &[first, again, refused]).await;
    shop.pass(Millis::minutes(20)).await;
    // Then the till is cloned: what comes after is quarantined, and that is replayed too.
    let mut clone = till.clone();
    clone.seq -= 1;
    let forked = clone.sign(OperationBody::RechargeCancel {
        order: OrderId(Uuid::now_v7()),
    });
    clone.push(&shop, &[forked]).await;

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

    let db = shop.database();
    db.execute_batch("UPDATE account SET points = points + 1")
        .unwrap();
    assert_ne!(
        ledger.digest(tenant).unwrap(),
        shop.server.ledger().digest(tenant).unwrap()
    );
}
