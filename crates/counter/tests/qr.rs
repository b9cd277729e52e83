//! A top-up by QR code.

use qiantai_core::Millis;
use qiantai_core::ids::OrderId;
use qiantai_core::recharge::OrderState;
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::ErrorCode;
use qiantai_counter::view::order::{AbnormalCause, OrderView, Stage};
use qiantai_counter::view::top_up::ChannelView;
use qiantai_paysim::gateway::{AnswerFault, AnswerRule, Operation, PhoneAction};
use uuid::Uuid;

use crate::shop::Shop;
use crate::till::{Till, key};

/// A member in front of a QR code of 300 yuan.
struct Scene {
    shop: Shop,
    till: Till,
    member: String,
    order: OrderView,
}

impl Scene {
    async fn of_300() -> Scene {
        let shop = Shop::salon().await;
        let till = Till::open(&shop).await;
        let member = till.zhang_wei().await;
        let order = till.show_qr(&member, "300").await;
        Scene {
            shop,
            till,
            member,
            order,
        }
    }

    fn phone(&self, action: &PhoneAction) {
        self.shop.phone(&self.order, action);
    }

    /// Moves the clock on, and waits until the terminal sees `stage`.
    async fn pass(&self, span: Millis, stage: Stage) -> OrderView {
        self.shop.pass(span).await;
        self.till.until_stage(&self.order.id, stage).await
    }

    /// One credit of 300 + 50, two slips, and nothing open.
    async fn check_credited_once(&self) {
        let order = self.till.until_confirmed(&self.order.id).await;
        let credit = order.credit.as_ref().unwrap();
        assert_eq!(credit.balance_after_fen.0, 53_000 + 35_000);
        assert_eq!((order.qr, order.failure), (None, None));
        self.till.until_printed(&self.order, 2).await;
        assert_eq!(
            self.shop.credits(&self.member),
            [qiantai_core::Money::from_yuan(300)]
        );
        assert_eq!(self.till.member(&self.member).await.available_fen.0, 88_000);
    }

    fn check_not_credited(&self) {
        assert!(self.shop.credits(&self.member).is_empty());
    }

    async fn check_no_slip(&self) {
        assert!(self.till.prints(&self.order).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_on_the_screen_is_the_attempts_and_paying_credits_once() {
    let scene = Scene::of_300().await;
    let id = OrderId(Uuid::parse_str(&scene.order.id).unwrap());
    let attempts = scene
        .shop
        .server
        .ledger()
        .attempts_of_order(scene.shop.tenant, id)
        .unwrap();
    assert_eq!(attempts.len(), 1);
    let code = scene.order.qr.as_ref().unwrap();
    assert_eq!(Some(&code.payload), attempts[0].qr_payload.as_ref());
    assert!(code.modules > 20 && code.path.starts_with('M'));
    let left_ms = scene.order.expires_at_ms.unwrap().0 - scene.shop.time.now().ms();
    assert!((290_000..=300_000).contains(&left_ms), "{left_ms}");
    scene.check_not_credited();
    scene.check_no_slip().await;
    scene.phone(&PhoneAction::Pay);
    scene.check_credited_once().await;
    assert_eq!(scene.shop.cases(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_opens_one_order() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let offer = till.qr_offer(&member, "300", ChannelView::Wechat).await;
    let clicks = (0..5).map(|_| till.desk.start_qr(offer.clone()));
    let orders = futures::future::join_all(clicks).await;
    let first = orders[0].as_ref().unwrap().id.clone();
    assert!(
        orders
            .iter()
            .all(|order| order.as_ref().unwrap().id == first)
    );
    till.until_stage(&first, Stage::Waiting).await;
    let list = till.desk.orders(()).await.unwrap();
    assert_eq!(list.len(), 1, "{list:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_names_its_cause_and_another_method_works() {
    let cases = [
        ("balance_short", "decline.balance_short"),
        ("daily_limit", "decline.daily_limit"),
        ("risk_control", "decline.risk_control"),
    ];
    for (cause, expected) in cases {
        let scene = Scene::of_300().await;
        scene.phone(&PhoneAction::Decline {
            cause: cause.to_owned(),
        });
        let failed = scene.pass(Millis::seconds(3), Stage::Failed).await;
        assert_eq!(failed.failure.as_ref().unwrap().message_key, expected);
        assert_eq!(failed.qr, None, "{cause}: a dead code is not shown");
        scene.check_not_credited();
        let again = scene
            .till
            .retry(&failed.id, ChannelView::Alipay)
            .await
            .unwrap();
        assert_eq!(again.id, scene.order.id);
        let waiting = scene.till.until_stage(&again.id, Stage::Waiting).await;
        assert_eq!(waiting.channel, Some(ChannelView::Alipay));
        assert_ne!(waiting.qr, scene.order.qr);
        scene.shop.phone(&waiting, &PhoneAction::Pay);
        scene.check_credited_once().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_qr_methods_show_a_code() {
    let scene = Scene::of_300().await;
    for channel in [ChannelView::Cash, ChannelView::Card, ChannelView::Transfer] {
        let refused = scene
            .till
            .retry(&scene.order.id, channel)
            .await
            .unwrap_err();
        assert_eq!(
            refused.message_key, "error.channel_not_offered",
            "{channel:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_nobody_pays_expires_and_the_order_ends() {
    let scene = Scene::of_300().await;
    let failed = scene.pass(Millis::minutes(6), Stage::Failed).await;
    assert_eq!(failed.failure.unwrap().message_key, "decline.closed");
    scene.pass(Millis::minutes(11), Stage::Ended).await;
    scene.check_not_credited();
    scene.check_no_slip().await;
    let refused = scene
        .till
        .retry(&scene.order.id, ChannelView::Wechat)
        .await
        .unwrap();
    assert_eq!(
        refused.stage,
        Stage::Ended,
        "an ended order is paid by nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_ends_an_unpaid_order() {
    let scene = Scene::of_300().await;
    let asked = scene.till.cancel(&scene.order.id).await;
    assert!(
        matches!(asked.stage, Stage::Cancelling | Stage::Ended),
        "{:?}",
        asked.stage
    );
    assert_eq!(asked.qr, None, "nobody may scan it any more");
    scene.till.until_stage(&scene.order.id, Stage::Ended).await;
    assert_eq!(scene.till.cancel(&scene.order.id).await.stage, Stage::Ended);
    scene.check_not_credited();
    scene.check_no_slip().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_a_failed_order_ends_it() {
    let scene = Scene::of_300().await;
    scene.phone(&PhoneAction::Decline {
        cause: "balance_short".to_owned(),
    });
    scene.pass(Millis::seconds(3), Stage::Failed).await;
    scene.till.cancel(&scene.order.id).await;
    scene.till.until_stage(&scene.order.id, Stage::Ended).await;
    scene.check_not_credited();
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_arrives_while_cancelling_is_credited() {
    let scene = Scene::of_300().await;
    scene.phone(&PhoneAction::PayWithoutNotice);
    scene.till.cancel(&scene.order.id).await;
    scene.check_credited_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_payment_goes_back() {
    let scene = Scene::of_300().await;
    scene.phone(&PhoneAction::PayTwice);
    scene.check_credited_once().await;
    scene
        .till
        .until("the refund", async || {
            scene.shop.pass(Millis::seconds(30)).await;
            let payments = scene
                .shop
                .simulator
                .with(|gateway, now| gateway.recent_payments(9, now));
            let received: i64 = payments.iter().map(|payment| payment.received_fen).sum();
            (received == 30_000).then_some(())
        })
        .await;
    scene.check_credited_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_amount_than_asked_waits_for_a_person() {
    let scene = Scene::of_300().await;
    scene.phone(&PhoneAction::PayAmountOff);
    let order = scene
        .till
        .until_stage(&scene.order.id, Stage::Abnormal)
        .await;
    assert_eq!(order.abnormal, Some(AbnormalCause::Mismatch));
    scene.check_not_credited();
    scene.check_no_slip().await;
    assert_eq!(scene.shop.cases().len(), 1, "{:?}", scene.shop.cases());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_without_notice_is_found_by_asking() {
    let scene = Scene::of_300().await;
    scene.phone(&PhoneAction::PayWithoutNotice);
    scene
        .till
        .desk
        .query_payment(key(&scene.order.id))
        .await
        .unwrap();
    scene.check_credited_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_notice_credits_nothing() {
    let scene = Scene::of_300().await;
    scene.phone(&PhoneAction::ForgeNotice);
    scene.shop.pass(Millis::seconds(3)).await;
    scene
        .till
        .desk
        .query_payment(key(&scene.order.id))
        .await
        .unwrap();
    let order = scene.till.order(&scene.order.id).await;
    assert!(
        matches!(order.stage, Stage::Waiting | Stage::UserPaying),
        "{:?}",
        order.stage
    );
    scene.check_not_credited();
    scene.phone(&PhoneAction::Pay);
    scene.check_credited_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_after_the_end_of_its_order_waits_for_a_person() {
    let scene = Scene::of_300().await;
    scene.phone(&PhoneAction::PayLate);
    scene.shop.pass(Millis::minutes(6)).await;
    scene.shop.pass(Millis::minutes(11)).await;
    scene
        .till
        .until("the late money", async || {
            scene.shop.pass(Millis::minutes(1)).await;
            let order = scene.shop.order(&scene.order.id)?;
            (order.state == OrderState::Abnormal || order.credit.is_some()).then_some(())
        })
        .await;
    assert!(scene.shop.credits(&scene.member).len() <= 1);
    assert!(!scene.shop.cases().is_empty() || !scene.shop.credits(&scene.member).is_empty());
}

/// While nobody knows whether money moved, nothing else is charged.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_gateway_means_unknown_and_no_other_attempt() {
    let scene = Scene::of_300().await;
    let silent = |operation| AnswerRule {
        attempt_no: None,
        operation: Some(operation),
        fault: AnswerFault::Silent,
        times: None,
    };
    scene.shop.simulator.with(|gateway, _| {
        gateway.faults().answers = vec![silent(Operation::Query), silent(Operation::Close)];
    });
    scene.phone(&PhoneAction::PayWithoutNotice);
    scene.shop.time.advance(Millis::seconds(3));
    let unknown = scene
        .till
        .until_stage(&scene.order.id, Stage::Unknown)
        .await;
    assert_eq!(
        unknown.qr, None,
        "a code whose fate is unknown is not shown"
    );
    let again = scene
        .till
        .retry(&scene.order.id, ChannelView::Alipay)
        .await
        .unwrap();
    assert_eq!(
        (again.id.as_str(), again.stage),
        (scene.order.id.as_str(), Stage::Unknown)
    );
    let id = OrderId(Uuid::parse_str(&scene.order.id).unwrap());
    let attempts = || {
        scene
            .shop
            .server
            .ledger()
            .attempts_of_order(scene.shop.tenant, id)
            .unwrap()
    };
    assert_eq!(attempts().len(), 1);
    scene.check_not_credited();
    scene
        .shop
        .simulator
        .with(|gateway, _| gateway.faults().answers.clear());
    scene
        .till
        .until("an answer", async || {
            scene.shop.pass(Millis::seconds(3)).await;
            (scene.till.order(&scene.order.id).await.stage == Stage::Credited).then_some(())
        })
        .await;
    assert_eq!(attempts().len(), 1);
    scene.check_credited_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_down_shows_no_code_and_nothing_is_lost() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    shop.simulator.with(|gateway, _| {
        gateway.faults().answers = vec![AnswerRule {
            attempt_no: None,
            operation: Some(Operation::Create),
            fault: AnswerFault::Lost,
            times: Some(1),
        }];
    });
    let offer = till.qr_offer(&member, "300", ChannelView::Wechat).await;
    let order = till.desk.start_qr(offer).await.unwrap();
    assert_eq!(order.qr, None);
    // In real time: a clock moved on by hand would outrun the code's validity.
    let waiting = till.until_stage(&order.id, Stage::Waiting).await;
    shop.phone(&waiting, &PhoneAction::Pay);
    till.until_confirmed(&order.id).await;
    assert_eq!(shop.credits(&member).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn open_orders_come_first_in_the_list() {
    let scene = Scene::of_300().await;
    let sale = scene.till.cash(&scene.member, "200").await;
    let list = scene.till.desk.orders(()).await.unwrap();
    let ids: Vec<&str> = list.iter().map(|order| order.id.as_str()).collect();
    assert_eq!(ids, [scene.order.id.as_str(), sale.id.as_str()]);
    assert_eq!(
        (list[0].stage, list[1].stage),
        (Stage::Waiting, Stage::Credited)
    );
    assert_eq!(
        (list[0].member.as_str(), list[1].channel),
        ("张伟", Some(ChannelView::Cash))
    );
    for (id, code) in [
        ("x", ErrorCode::NotFound),
        (&Uuid::nil().to_string(), ErrorCode::NotFound),
    ] {
        assert_eq!(scene.till.desk.order(key(id)).await.unwrap_err().code, code);
    }
}
