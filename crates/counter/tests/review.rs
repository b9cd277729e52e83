//! A top-up that a person looks at before it may be paid (docs: domain §3.8).

use qiantai_core::Millis;
use qiantai_core::ids::OrderId;
use qiantai_core::recharge::OrderState;
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::{ErrorCode, MoneyMoved};
use qiantai_counter::view::code::StartCode;
use qiantai_counter::view::event::CounterEvent;
use qiantai_counter::view::order::{OrderView, Stage};
use qiantai_counter::view::top_up::{ChannelView, Choice, QuoteRequest, QuoteView};
use uuid::Uuid;

use crate::line::{Verdict, Weather};
use crate::shop::Shop;
use crate::till::Till;

/// No counter has a place where somebody looks: what it knows to need a review makes no order.
#[tokio::test(flavor = "multi_thread")]
async fn a_review_that_the_counter_knows_of_stops_every_method() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    for channel in [
        ChannelView::Wechat,
        ChannelView::Card,
        ChannelView::Transfer,
        ChannelView::Cash,
    ] {
        let quote = price(&till, &member, channel, "").await;
        assert_said(&quote);
    }
    assert_said(&price(&till, &member, ChannelView::Alipay, "100").await);
    assert_said(&price(&till, &member, ChannelView::Card, "100").await);

    let offer = till.qr_offer(&member, "6000", ChannelView::Wechat).await;
    let code = StartCode {
        intent: offer.intent.clone(),
        quote_id: offer.quote_id.clone(),
        channel: offer.channel,
        code: "134567890123456789".to_owned(),
        duplicate_confirmed: true,
    };
    let cash = till.cash_offer(&member, "6000").await;
    for refused in [
        till.desk.start_qr(offer).await,
        till.desk.start_code(code).await,
        till.pay_cash(&cash).await,
    ] {
        let refused = refused.expect_err("a review");
        assert_eq!(refused.code, ErrorCode::LimitBlocked);
        let said = (refused.message_key.as_str(), refused.money);
        assert_eq!(said, ("error.review_needed", MoneyMoved::No));
    }
    assert_eq!(till.desk.orders(()).await.unwrap(), []);
    till.until_synced().await;
    assert!(shop.credits(&member).is_empty());
    assert_eq!(shop.cases(), Vec::<String>::new());
}

/// The limit, and that it stops this here.
fn assert_said(quote: &QuoteView) {
    assert!(quote.blocked, "{quote:?}");
    let limit = quote.notices.iter().find(|notice| notice.blocks);
    let limit = limit.expect("it says which limit");
    let said = (limit.message_key.as_str(), limit.limit_fen.0, limit.reviews);
    assert_eq!(said, ("limit.single_pay", 500_000, true));
}

async fn price(till: &Till, member: &str, channel: ChannelView, cash_part: &str) -> QuoteView {
    let request = QuoteRequest {
        intent: till.intend(member).await,
        member_id: member.to_owned(),
        choice: Choice::Typed {
            text: "6000".to_owned(),
        },
        channel,
        cash_part: cash_part.to_owned(),
    };
    till.desk.quote(request).await.unwrap()
}

/// An order of 3,000 on its way to the server, which has heard of 2,500 elsewhere in the meantime.
async fn beyond_the_day(shop: &Shop, till: &Till) -> OrderView {
    let other = Till::open_another(shop).await;
    let member = till.zhang_wei().await;
    let offer = till.qr_offer(&member, "3000", ChannelView::Wechat).await;
    till.line.judge(Some(Verdict::Deaf("/v1/operations")));
    let opened = till.desk.start_qr(offer.clone()).await.unwrap();
    assert_eq!(opened.stage, Stage::Opening);
    other.show_qr(&member, "2500").await;
    let mut events = till.desk.subscribe();
    till.line.judge(None);
    // Further than the longest pause between two tries.
    shop.time.advance(Millis::seconds(61));
    till.until_stage(&opened.id, Stage::Review).await;
    let again = till.desk.start_qr(offer).await.unwrap();
    assert_eq!(again.id, opened.id, "a second click finds the first");
    while let Ok(event) = events.try_recv() {
        if let CounterEvent::Order { order } = event
            && order.id == opened.id
        {
            assert_ne!(order.stage, Stage::Refused, "its end would be final");
        }
    }
    opened
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_only_the_server_knows_asks_nobody_for_money() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let opened = beyond_the_day(&shop, &till).await;

    let check = async |till: &Till| {
        let order = till.order(&opened.id).await;
        assert_eq!((order.stage, order.provisional), (Stage::Review, false));
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
    till.until_synced().await;
    check(&till).await;
    let state = shop.order(&opened.id).expect("the server has it").state;
    assert_eq!(state, OrderState::PendingReview);
    let id = OrderId(Uuid::parse_str(&opened.id).unwrap());
    let ledger = shop.server.ledger();
    let attempts = ledger.attempts_of_order(shop.tenant, id).unwrap();
    assert!(attempts.is_empty(), "{attempts:?}");
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
    let opened = beyond_the_day(&shop, &till).await;
    till.cancel(&opened.id).await;
    till.until_stage(&opened.id, Stage::Ended).await;
    let member = till.zhang_wei().await;
    let sale = till.cash(&member, "300").await;
    till.until_confirmed(&sale.id).await;
    assert_eq!(shop.cases(), Vec::<String>::new());
}
