//! A screen that is locked while a customer pays, and a window that is gone.

use qiantai_counter::api::CounterApi;
use qiantai_counter::error::ErrorCode;
use qiantai_counter::view::event::CounterEvent;
use qiantai_counter::view::order::Stage;
use qiantai_paysim::gateway::PhoneAction;

use crate::shop::Shop;
use crate::till::{Till, key};

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_under_way_is_followed_on_a_locked_screen() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let sale = till.cash(&member, "200").await;
    till.until_confirmed(&sale.id).await;
    let waiting = till.show_qr(&member, "300").await;
    till.desk.sign_out(()).await.unwrap();
    let refused = till.desk.order(key(&sale.id)).await.unwrap_err();
    assert_eq!(
        refused.code,
        ErrorCode::NotSignedIn,
        "only what is paid now"
    );
    assert_eq!(till.order(&waiting.id).await.qr, waiting.qr);
    let mut events = till.desk.subscribe();
    shop.phone(&waiting, &PhoneAction::PayWithoutNotice);
    till.desk.query_payment(key(&waiting.id)).await.unwrap();
    let told = till.until("the payment's end", async || {
        let mut told = false;
        while let Ok(event) = events.try_recv() {
            told |= matches!(event, CounterEvent::Order { order }
                if order.id == waiting.id && order.stage == Stage::Credited);
        }
        told.then_some(())
    });
    told.await;
    let over = till.desk.order(key(&waiting.id)).await.unwrap_err();
    assert_eq!(over.code, ErrorCode::NotSignedIn, "it is over");
    till.sign_in().await;
    let order = till.until_confirmed(&waiting.id).await;
    till.until_printed(&order, 2).await;
}

/// SQLite folds its log into the file and removes it when the last connection closes.
#[tokio::test(flavor = "multi_thread")]
async fn a_desk_that_is_dropped_lets_its_database_go() {
    let (shop, elsewhere) = (Shop::salon().await, Shop::salon().await);
    let mut till = Till::open(&shop).await;
    let other = Till::open(&elsewhere).await;
    let member = till.zhang_wei().await;
    let order = till.cash(&member, "300").await;
    till.until_printed(&order, 2).await;
    let log = till.folder.join("terminal.db-wal");
    assert!(log.exists());
    // The runtime with its tasks lives on; only the desk goes.
    till.desk = std::sync::Arc::clone(&other.desk);
    other
        .until("a closed database", async || (!log.exists()).then_some(()))
        .await;
}
