//! Work with the line to the server cut.

use qiantai_core::{Millis, Money};
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::{ErrorCode, MoneyMoved};
use qiantai_counter::view::order::Stage;
use qiantai_counter::view::queue::{OperationState, SyncState};
use qiantai_counter::view::top_up::ChannelView;
use qiantai_paysim::gateway::PhoneAction;

use crate::line::{Verdict, Weather};
use crate::paper::Paper;
use crate::shop::Shop;
use crate::till::{Setup, Till, key};

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_while_waiting_means_unknown_until_it_is_known() {
    for is_paid in [true, false] {
        let shop = Shop::salon().await;
        let till = Till::open(&shop).await;
        let member = till.zhang_wei().await;
        let order = till.show_qr(&member, "300").await;
        till.line.set(Weather::Cut);
        shop.time.advance(Millis::seconds(5));
        let unknown = till.until_stage(&order.id, Stage::Unknown).await;
        assert_eq!(unknown.qr, None);
        let refused = till.desk.query_payment(key(&order.id)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::ServerUnreachable);
        assert_eq!(
            (refused.money, refused.retryable),
            (MoneyMoved::Unknown, true)
        );
        assert_eq!(refused.message_key, "error.payment_unanswered");
        let again = till.retry(&order.id, ChannelView::Alipay).await.unwrap();
        assert_eq!(again.stage, Stage::Unknown, "no other attempt beside it");
        if is_paid {
            shop.phone(&order, &PhoneAction::Pay);
        }
        till.line.set(Weather::Fair);
        shop.time.advance(Millis::seconds(61));
        let stage = if is_paid {
            Stage::Credited
        } else {
            Stage::Waiting
        };
        till.until_stage(&order.id, stage).await;
        assert_eq!(shop.credits(&member).len(), usize::from(is_paid));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_payment_is_looked_after_again_after_a_restart() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let order = till.show_qr(&member, "300").await;
    till.crash().await;

    let till = Till::reopen(&shop, Weather::Fair).await;
    let waiting = till.until_stage(&order.id, Stage::Waiting).await;
    assert_eq!(waiting.qr, order.qr, "the same code is on the screen again");
    let mut events = till.desk.subscribe();
    till.line.set(Weather::Cut);
    shop.time.advance(Millis::seconds(5));
    let told = till.until("an event of the unknown payment", async || {
        use qiantai_counter::view::event::CounterEvent;
        let mut told = false;
        while let Ok(event) = events.try_recv() {
            told |= matches!(event, CounterEvent::Order { order } if order.stage == Stage::Unknown);
        }
        told.then_some(())
    });
    told.await;
    shop.phone(&order, &PhoneAction::Pay);
    till.mend(&shop).await;
    till.until_confirmed(&order.id).await;
    till.until_printed(&order, 2).await;
    assert_eq!(shop.credits(&member).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_server_no_code_is_shown_and_cash_goes_on_within_its_caps() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    // Two members: a day's sum of one is looked at by a person from 5 000 on.
    let other = till.find("00201000003").await;
    let qr = till.qr_offer(&member, "300", ChannelView::Wechat).await;
    till.cut(&shop).await;
    let refused = till.desk.start_qr(qr).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::ServerUnreachable);
    assert_eq!((refused.money, refused.retryable), (MoneyMoved::No, true));
    let refuses = async |amount: &str, expected: &str| {
        let offer = till.cash_offer(&other, amount).await;
        let refused = till.pay_cash(&offer).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::ApprovalNeeded, "{amount}");
        assert_eq!(refused.message_key, format!("error.{expected}"), "{amount}");
    };
    refuses("1000.01", "offline_cash_cap_order").await;
    for buyer in [&member, &member, &other, &member] {
        let order = till.cash(buyer, "1000").await;
        assert_eq!((order.stage, order.provisional), (Stage::Credited, true));
    }
    till.cash(&other, "900").await;
    refuses("100.01", "offline_cash_cap_terminal").await;
    let last = till.cash(&other, "100").await;
    refuses("0.01", "offline_cash_cap_terminal").await;
    till.until_printed(&last, 2).await;
    let slip = Paper::of(&till.folder, &last, "member");
    assert!(slip.says(&["离线待同步"]), "{:#?}", slip.lines());
    assert!(shop.credits(&member).is_empty());
    till.mend(&shop).await;
    assert_eq!(shop.credits(&member), [Money::from_yuan(1_000); 3]);
    assert_eq!(
        shop.credits(&other).into_iter().sum::<Money>(),
        Money::from_yuan(2_000)
    );
    till.cash(&other, "50").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sold_offline_survives_a_cold_start_and_arrives_once() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let device = till.device().await;
    let member = till.zhang_wei().await;
    till.cut(&shop).await;
    let before = shop.taken_from(device);
    let orders = [
        till.cash(&member, "1000").await,
        till.cash(&member, "200").await,
    ];
    till.until_printed(&orders[1], 2).await;
    till.crash().await;

    let till = Till::reopen(&shop, Weather::Cut).await;
    assert!(till.session().await.shift.is_some());
    for order in &orders {
        let view = till.order(&order.id).await;
        assert_eq!((view.stage, view.provisional), (Stage::Credited, true));
    }
    let view = till.member(&member).await;
    assert_eq!(
        (view.principal_fen.0, view.provisional_fen.0),
        (166_000, 143_000)
    );
    assert_eq!(view.tier, "金卡", "an upgrade applies offline");
    let queue = till.desk.queue(()).await.unwrap();
    assert_eq!(queue.operations.len(), 2);
    assert!(
        queue
            .operations
            .iter()
            .all(|row| row.state == OperationState::Pending)
    );
    assert_eq!(
        (queue.sync.state, queue.sync.pending),
        (SyncState::Offline, 2)
    );
    assert_eq!(
        queue.operations[0].order_no,
        Some(orders[0].order_no.clone())
    );
    assert_eq!(queue.operations[0].kind_key, "operation.recharge_cash");
    let third = till.cash(&member, "150").await;
    assert_eq!(shop.taken_from(device), before);

    till.mend(&shop).await;
    for order in orders.iter().chain([&third]) {
        till.until_confirmed(&order.id).await;
        assert_eq!(till.prints(order).await.len(), 2, "slips are queued once");
    }
    assert_eq!(shop.taken_from(device), before + 3);
    assert_eq!(shop.credits(&member).len(), 3);
    let view = till.member(&member).await;
    assert_eq!((view.principal_fen.0, view.provisional_fen.0), (181_000, 0));
    assert_eq!(view.tier, "金卡");
    assert!(till.desk.queue(()).await.unwrap().operations.is_empty());
    assert_eq!(shop.cases(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_post_nothing_twice() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let device = till.device().await;
    let member = till.zhang_wei().await;
    let before = shop.taken_from(device);
    till.line.set(Weather::LosesAnswers);
    let cash = till.cash(&member, "300").await;
    let qr = till.qr_offer(&member, "200", ChannelView::Wechat).await;
    let qr = till.desk.start_qr(qr).await;
    till.until("the server has what it cannot answer", async || {
        shop.time.advance(Millis::seconds(61));
        (shop.credits(&member).len() == 1).then_some(())
    })
    .await;
    till.mend(&shop).await;
    till.until_confirmed(&cash.id).await;
    let mut expected = before + 1;
    if let Ok(order) = qr {
        expected += 2;
        let waiting = till.until_stage(&order.id, Stage::Waiting).await;
        shop.phone(&waiting, &PhoneAction::Pay);
        till.until_confirmed(&order.id).await;
        assert_eq!(shop.credits(&member).len(), 2);
    } else {
        assert_eq!(shop.credits(&member).len(), 1);
    }
    assert_eq!(shop.taken_from(device), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_never_reached_the_server_can_be_cancelled_offline() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let offer = till.qr_offer(&member, "300", ChannelView::Wechat).await;
    // The terminal does not know yet that nothing gets through.
    till.line.judge(Some(Verdict::Deaf("/v1/operations")));
    let order = till.desk.start_qr(offer).await.unwrap();
    till.line.set(Weather::Cut);
    till.line.judge(None);
    assert_eq!((order.stage, order.qr), (Stage::Opening, None));
    till.until_pill(SyncState::Offline).await;
    assert_eq!(
        till.order(&order.id).await.stage,
        Stage::Opening,
        "nobody can have paid"
    );
    till.cancel(&order.id).await;
    till.mend(&shop).await;
    till.until_stage(&order.id, Stage::Ended).await;
    assert!(shop.credits(&member).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_has_its_books_starts_without_the_server() {
    let shop = Shop::salon().await;
    Till::open(&shop).await.crash().await;
    let setup = Setup {
        weather: Weather::Cut,
        ..Setup::default()
    };
    let till = Till::start(&shop, setup).await;
    till.sign_in().await;
    assert_eq!(
        till.member(&till.zhang_wei().await).await.principal_fen.0,
        46_000
    );
    assert_eq!(till.session().await.sync.state, SyncState::Offline);
}
