//! A top-up paid in two parts: some of it in cash, and a gateway is asked for the rest. The cash is the
//! customer's until the gateway's part succeeds.

use qiantai_core::{Millis, Money};
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::{CallError, ErrorCode};
use qiantai_counter::view::Fen;
use qiantai_counter::view::code::{ChargeCode, StartCode};
use qiantai_counter::view::order::{LooseCash, OrderView, PartsView, Stage, StartQr};
use qiantai_counter::view::order_page::PostingView;
use qiantai_counter::view::top_up::ChannelView;
use qiantai_pay::channels::training::message::WalletName;
use qiantai_paysim::gateway::{CodeWish, PhoneAction};
use qiantai_wire::feed::OutcomeDto;

use crate::line::{Verdict, Weather};
use crate::paper::Paper;
use crate::shop::Shop;
use crate::split::{found_under, price};
use crate::till::{Till, key};

const WECHAT: ChannelView = ChannelView::Wechat;
const PARTS: PartsView = PartsView {
    cash_fen: Fen(10_000),
    other_fen: Fen(20_000),
};

/// A member who gave 100 in cash and has a code for 200 before them.
struct Scene {
    shop: Shop,
    till: Till,
    member: String,
    order: OrderView,
}

async fn offer(till: &Till, member: &str, parts: (&str, &str)) -> Result<StartQr, CallError> {
    let (intent, quote) = price(till, member, parts, WECHAT).await?;
    Ok(StartQr {
        intent,
        quote_id: quote.quote_id,
        channel: WECHAT,
        duplicate_confirmed: true,
    })
}

impl Scene {
    async fn open() -> Scene {
        let shop = Shop::salon().await;
        let till = Till::open(&shop).await;
        let member = till.zhang_wei().await;
        let offer = offer(&till, &member, ("300", "100")).await.unwrap();
        let order = till.desk.start_qr(offer).await.unwrap();
        let order = till.until_stage(&order.id, Stage::Waiting).await;
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

    async fn pass(&self, span: Millis, stage: Stage) -> OrderView {
        self.shop.pass(span).await;
        self.till.until_stage(&self.order.id, stage).await
    }

    /// What screen, list and page say of the cash.
    async fn check_said(&self, stage: Stage, expected: Option<LooseCash>) {
        let id = &self.order.id;
        let view = self.till.until_stage(id, stage).await;
        assert_eq!((view.loose_cash, view.parts), (expected, Some(PARTS)));
        let list = self.till.desk.orders(()).await.unwrap();
        let line = list.iter().find(|line| line.id == *id).unwrap();
        assert_eq!((line.loose_cash, line.parts), (expected, Some(PARTS)));
        let page = self.till.desk.order_page(key(id)).await.unwrap();
        assert_eq!(page.order.loose_cash, expected);
        assert_eq!(page.attempts[0].amount_fen, Fen(20_000), "the rest alone");
    }

    /// In the drawer by sales, on its way from channels, in suspense.
    fn books(&self) -> [i64; 3] {
        let ledger = self.shop.ledger();
        let sum = |rows: &str| -> i64 {
            let sql = format!("SELECT coalesce(sum(amount_fen), 0) FROM {rows}");
            ledger.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        [
            sum("cash_movement WHERE kind = 'sale'"),
            sum("posting WHERE account = 'clearing'"),
            -sum("posting WHERE account = 'suspense'"),
        ]
    }

    async fn check_paid(&self) {
        let order = self.till.until_confirmed(&self.order.id).await;
        assert_eq!((order.channel, order.parts), (Some(WECHAT), Some(PARTS)));
        assert_eq!(self.books(), [10_000, 20_000, 0]);
        assert_eq!(self.shop.credits(&self.member), [Money::from_yuan(300)]);
        self.check_said(Stage::Credited, None).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn success_credits_both_parts_on_one_slip() {
    let scene = Scene::open().await;
    scene
        .check_said(Stage::Waiting, Some(LooseCash::Keep))
        .await;
    assert_eq!(scene.books(), [0; 3], "cash in the hand is in no book");
    scene.phone(&PhoneAction::Pay);
    scene.check_paid().await;
    scene.till.until_printed(&scene.order, 2).await;
    let slips = ["shop", "member"].map(|who| Paper::of(&scene.till.folder, &scene.order, who));
    for slip in &slips {
        for words in [
            ["付款方式", "组合付款"],
            ["微信支付", "200.00"],
            ["现金", "100.00"],
        ] {
            assert!(slip.says(&words), "{words:?}: {:#?}", slip.lines());
        }
    }
    let pulses: Vec<_> = slips.iter().map(Paper::pulses).collect();
    assert_eq!(pulses, [1, 0], "now the drawer opens for its part");
    let page = scene.till.desk.order_page(key(&scene.order.id)).await;
    let received = page.unwrap().postings.into_iter();
    let received: Vec<_> = received
        .filter_map(|posting| match posting {
            PostingView::Received {
                channel,
                amount_fen,
            } => Some((channel, amount_fen.0)),
            _ => None,
        })
        .collect();
    assert_eq!(received, [(WECHAT, 20_000), (ChannelView::Cash, 10_000)]);
    for under in [WECHAT, ChannelView::Cash] {
        let found = found_under(&scene.till, under).await;
        assert_eq!(found, std::slice::from_ref(&scene.order.id));
    }
    assert_eq!(scene.shop.cases(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_code_is_charged_for_the_rest() {
    let scene = Scene::open().await;
    let show = |declines: Option<&str>| {
        let wish = CodeWish {
            wallet: WalletName::Wechat,
            asks_password: false,
            declines: declines.map(str::to_owned),
        };
        let shown = |gateway: &mut qiantai_paysim::Gateway, now| gateway.show_code_as(&wish, now);
        scene.shop.simulator.with(shown).unwrap().digits
    };
    // Over a code on the screen, another order would have to take the cash over.
    let charge = ChargeCode {
        order_id: scene.order.id.clone(),
        channel: WECHAT,
        code: show(None),
    };
    let refused = scene.till.desk.charge_code(charge).await.unwrap_err();
    assert_eq!(refused.message_key, "error.code_beside_cash");
    scene.phone(&PhoneAction::Decline {
        cause: "balance_short".to_owned(),
    });
    scene.pass(Millis::seconds(3), Stage::Failed).await;
    // After it, the order is paid by the code; and so is an order of its own.
    let charge = ChargeCode {
        order_id: scene.order.id.clone(),
        channel: WECHAT,
        code: show(None),
    };
    scene.till.desk.charge_code(charge).await.unwrap();
    scene.check_paid().await;
    let offer = offer(&scene.till, &scene.member, ("500", "499.99"))
        .await
        .unwrap();
    let start = StartCode {
        intent: offer.intent,
        quote_id: offer.quote_id,
        channel: WECHAT,
        code: show(None),
        duplicate_confirmed: true,
    };
    let order = scene.till.desk.start_code(start).await.unwrap();
    scene.till.until_confirmed(&order.id).await;
    assert_eq!(scene.books(), [59_999, 20_001, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_leaves_the_cash_for_another_try_or_to_be_given_back() {
    let scene = Scene::open().await;
    scene.phone(&PhoneAction::Decline {
        cause: "balance_short".to_owned(),
    });
    scene.shop.pass(Millis::seconds(3)).await;
    scene
        .check_said(Stage::Failed, Some(LooseCash::KeepOrGiveBack))
        .await;
    let again = scene.till.retry(&scene.order.id, ChannelView::Alipay).await;
    let waiting = scene
        .till
        .until_stage(&again.unwrap().id, Stage::Waiting)
        .await;
    assert_eq!(waiting.loose_cash, Some(LooseCash::Keep));
    scene.till.cancel(&scene.order.id).await;
    scene
        .check_said(Stage::Ended, Some(LooseCash::GiveBack))
        .await;
    assert_eq!(scene.books(), [0; 3]);
    assert!(scene.till.prints(&scene.order).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cash_is_kept_while_nobody_knows_and_said_after_a_restart() {
    let mut scene = Scene::open().await;
    scene.till.cut(&scene.shop).await;
    scene
        .check_said(Stage::Unknown, Some(LooseCash::Keep))
        .await;
    scene.till.crash().await;
    scene.till = Till::reopen(&scene.shop, Weather::Fair).await;
    scene
        .check_said(Stage::Waiting, Some(LooseCash::Keep))
        .await;
    // Paid while the cashier gives up: it was in time.
    scene.phone(&PhoneAction::PayWithoutNotice);
    scene.till.cancel(&scene.order.id).await;
    scene.check_paid().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_after_the_end_credits_nothing() {
    let mut scene = Scene::open().await;
    scene.phone(&PhoneAction::PayLate);
    scene.till.cancel(&scene.order.id).await;
    scene
        .check_said(Stage::Ended, Some(LooseCash::GiveBack))
        .await;
    scene.till.crash().await;
    scene.till = Till::reopen(&scene.shop, Weather::Fair).await;
    scene
        .check_said(Stage::Ended, Some(LooseCash::GiveBack))
        .await;
    scene.pass(Millis::minutes(2), Stage::Abnormal).await;
    scene
        .check_said(Stage::Abnormal, Some(LooseCash::GiveBack))
        .await;
    assert_eq!(scene.books(), [0, 20_000, 20_000]);
    assert!(scene.shop.credits(&scene.member).is_empty());
    assert_eq!(scene.shop.cases(), ["LatePayment"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cash_is_taken_for_nothing_that_waits_for_a_reviewer_or_cannot_be_read() {
    let scene = Scene::open().await;
    let (_, quote) = price(&scene.till, &scene.member, ("6000", "100"), WECHAT)
        .await
        .unwrap();
    assert!(quote.blocked, "{:?}", quote.notices);
    let waits = offer(&scene.till, &scene.member, ("6000", "100"))
        .await
        .unwrap();
    let refused = scene.till.desk.start_qr(waits).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::LimitBlocked);
    // A server before this version keeps what it cannot read.
    let other = scene.till.find("00201000002").await;
    let offer = offer(&scene.till, &other, ("300", "100")).await.unwrap();
    scene
        .till
        .line
        .judge(Some(Verdict::Outcome(OutcomeDto::Held)));
    let order = scene.till.desk.start_qr(offer).await.unwrap();
    let held = scene.till.until_stage(&order.id, Stage::Ended).await;
    assert_eq!(held.loose_cash, Some(LooseCash::GiveBack));
}
