//! A top-up that a person looks at before it may be paid (docs: domain §3.8).

use qiantai_core::ids::OrderId;
use qiantai_core::recharge::OrderState;
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::{ErrorCode, MoneyMoved};
use qiantai_counter::view::order::Stage;
use qiantai_counter::view::top_up::ChannelView;
use uuid::Uuid;

use crate::line::Weather;
use crate::shop::Shop;
use crate::till::Till;

#[tokio::test(flavor = "multi_thread")]
async fn a_large_top_up_asks_nobody_for_money_before_it_is_approved() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let offer = till.qr_offer(&member, "6000", ChannelView::Wechat).await;
    let opened = till.desk.start_qr(offer.clone()).await.unwrap();
    assert_eq!((opened.stage, opened.provisional), (Stage::Review, true));
    till.until("the server's word", async || {
        let state = shop.order(&opened.id)?.state;
        (state == OrderState::PendingReview && !till.order(&opened.id).await.provisional)
            .then_some(())
    })
    .await;
    let again = till.desk.start_qr(offer).await.unwrap();
    assert_eq!(again.id, opened.id, "a second click finds the first");

    let check = async |till: &Till| {
        let order = till.order(&opened.id).await;
        assert_eq!(order.stage, Stage::Review);
        assert_eq!((&order.qr, &order.failure), (&None, &None));
        assert_eq!(order.channel, None, "nobody was asked for money");
        let retried = till.retry(&opened.id, ChannelView::Alipay).await.unwrap();
        assert_eq!(retried.stage, Stage::Review, "no method gets around it");
        let list = till.desk.orders(()).await.unwrap();
        assert_eq!(
            (list[0].id.as_str(), list[0].stage, list[0].channel),
            (opened.id.as_str(), Stage::Review, None)
        );
        assert!(till.prints(&order).await.is_empty());
    };
    check(&till).await;
    till.until_synced().await;
    let id = OrderId(Uuid::parse_str(&opened.id).unwrap());
    let ledger = shop.server.ledger();
    let attempts = ledger.attempts_of_order(shop.tenant, id).unwrap();
    assert!(attempts.is_empty(), "{attempts:?}");
    assert!(shop.credits(&member).is_empty());
    // An open order stays in front of everything that is done.
    let other = till.find("00201000003").await;
    let sale = till.cash(&other, "200").await;
    till.until_confirmed(&sale.id).await;
    check(&till).await;
    till.crash().await;
    let till = Till::reopen(&shop, Weather::Fair).await;
    till.until_synced().await;
    check(&till).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_can_be_given_up_and_then_counts_no_more() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let offer = till.qr_offer(&member, "6000", ChannelView::Wechat).await;
    let opened = till.desk.start_qr(offer).await.unwrap();
    assert_eq!(opened.stage, Stage::Review);
    till.cancel(&opened.id).await;
    till.until("the end of the order", async || {
        (till.order(&opened.id).await.stage == Stage::Ended).then_some(())
    })
    .await;
    let sale = till.cash(&member, "300").await;
    till.until_confirmed(&sale.id).await;
    assert_eq!(shop.cases(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn cash_that_needs_a_review_is_not_taken() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let offer = till.cash_offer(&member, "6000").await;
    let refused = till.pay_cash(&offer).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::LimitBlocked);
    assert_eq!(
        (refused.message_key.as_str(), refused.money),
        ("error.review_needed", MoneyMoved::No)
    );
    till.until_synced().await;
    assert!(shop.credits(&member).is_empty());
    assert_eq!(shop.cases(), Vec::<String>::new());
}
