//! A top-up by the customer's payment code.

use qiantai_core::{Millis, Money};
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::CallError;
use qiantai_counter::view::Fen;
use qiantai_counter::view::code::{ChargeCode, Scan, ScanReading, StartCode};
use qiantai_counter::view::member::MemberKey;
use qiantai_counter::view::order::{AbnormalCause, OrderView, Stage};
use qiantai_counter::view::top_up::{ChannelView, Choice};
use qiantai_pay::channels::training::message::WalletName;
use qiantai_paysim::gateway::{
    AnswerFault, AnswerRule, CodeView, CodeWish, Operation, PhoneAction,
};

use crate::line::{Verdict, Weather};
use crate::paper::Paper;
use crate::shop::Shop;
use crate::till::{Till, sentence};

/// A member at the counter who pays by a code on the phone.
struct Scene {
    shop: Shop,
    till: Till,
    member: String,
}

impl Scene {
    async fn open() -> Scene {
        let shop = Shop::salon().await;
        let till = Till::open(&shop).await;
        let member = till.zhang_wei().await;
        Scene { shop, till, member }
    }

    /// A fresh code of WeChat: paid at once, after a password, or declined for a cause.
    fn code(&self, asks_password: bool, declines: Option<&str>) -> CodeView {
        let wish = CodeWish {
            wallet: WalletName::Wechat,
            asks_password,
            declines: declines.map(str::to_owned),
        };
        let shown = |gateway: &mut qiantai_paysim::Gateway, now| gateway.show_code_as(&wish, now);
        self.shop.simulator.with(shown).unwrap()
    }

    async fn start(&self, code: &CodeView) -> Result<OrderView, CallError> {
        let offer = self
            .till
            .qr_offer(&self.member, "300", ChannelView::Wechat)
            .await;
        let request = StartCode {
            intent: offer.intent,
            quote_id: offer.quote_id,
            channel: ChannelView::Wechat,
            code: code.digits.clone(),
            duplicate_confirmed: true,
        };
        self.till.desk.start_code(request).await
    }

    async fn charge(&self, order: &OrderView, code: &CodeView) -> Result<OrderView, CallError> {
        let request = ChargeCode {
            order_id: order.id.clone(),
            channel: ChannelView::Wechat,
            code: code.digits.clone(),
        };
        self.till.desk.charge_code(request).await
    }

    fn act(&self, code: &CodeView, action: &PhoneAction) {
        self.shop.simulator.with(|gateway, now| {
            gateway.act(&code.token, action, now).unwrap();
        });
    }

    /// Makes the gateway do what it is asked and never say so.
    fn silence(&self, operations: &[Operation]) {
        let rules = operations.iter().map(|operation| AnswerRule {
            attempt_no: None,
            operation: Some(*operation),
            fault: AnswerFault::Cut,
            times: None,
        });
        let rules: Vec<AnswerRule> = rules.collect();
        self.shop
            .simulator
            .with(|gateway, _| gateway.faults().answers = rules);
    }

    /// Lets time pass until the terminal sees `stage`.
    async fn until(&self, order: &OrderView, stage: Stage) -> OrderView {
        let what = format!("stage {stage:?}");
        self.till
            .until(&what, async || {
                self.shop.pass(Millis::seconds(1)).await;
                let view = self.till.order(&order.id).await;
                (view.stage == stage).then_some(view)
            })
            .await
    }

    fn check_not_credited(&self) {
        assert!(self.shop.credits(&self.member).is_empty());
    }

    async fn check_credited_once(&self, order: &OrderView) -> OrderView {
        let order = self.till.until_confirmed(&order.id).await;
        assert_eq!(self.shop.credits(&self.member), [Money::from_yuan(300)]);
        assert_eq!(self.shop.cases(), Vec::<String>::new());
        order
    }

    /// Payments that the gateway knows of.
    fn charges(&self) -> usize {
        let recent = |gateway: &mut qiantai_paysim::Gateway, now| gateway.recent_payments(20, now);
        self.shop.simulator.with(recent).len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_told_from_everything_else_that_is_scanned() {
    let scene = Scene::open().await;
    let code = |channel| ScanReading::PaymentCode { channel };
    let cases = [
        ("134567890123456789", code(Some(ChannelView::Wechat))),
        ("287654321098765432", code(Some(ChannelView::Alipay))),
        ("6212345678901234567", code(Some(ChannelView::Unionpay))),
        ("9876543210987654", code(None)),
        ("6901234567892", ScanReading::Other),
        ("QMON", ScanReading::Other),
        ("qmon:300", ScanReading::Other),
        ("00201-9000001", ScanReading::Other),
        ("", ScanReading::Other),
    ];
    for (text, expected) in cases {
        let scan = Scan {
            text: text.to_owned(),
        };
        assert!(!format!("{scan:?}").contains("345"));
        let reading = scene.till.desk.read_scan(scan).await.unwrap();
        assert_eq!(reading, expected, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn printed_codes_choose_what_they_were_printed_for_and_nothing_else() {
    let scene = Scene::open().await;
    let read = async |text: &str| {
        let scan = Scan {
            text: text.to_owned(),
        };
        scene.till.desk.read_scan(scan).await.unwrap()
    };
    let key = MemberKey {
        member_id: scene.member.clone(),
    };
    let form = scene.till.desk.top_up_form(key).await.unwrap();
    let codes = scene.till.desk.offer_codes(()).await.unwrap();
    assert_eq!(codes.len(), form.offers.len());
    for (code, offer) in codes.iter().zip(&form.offers) {
        assert_eq!(code.pay_fen, offer.pay_fen);
        let choice = Some(offer.choice.clone());
        let payload = &code.qr.payload;
        let reading = read(payload).await;
        assert_eq!(reading, ScanReading::Offer { choice }, "{payload}");
    }
    let fen = |fen| Some(Choice::Amount { fen: Fen(fen) });
    let gone = "QBON:01890000-0000-7000-8000-000000000000";
    let cases = [
        ("QMON:300", fen(30_000)),
        ("QMON:300.50", fen(30_050)),
        ("QMON:", None),
        ("QMON:0", None),
        ("QMON:-300", None),
        ("QMON:300.505", None),
        ("QMON:三百", None),
        ("QMON:99999999999", None),
        ("QBON:", None),
        (gone, None),
    ];
    for (text, choice) in cases {
        assert_eq!(read(text).await, ScanReading::Offer { choice }, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_charged_once_and_credited_with_its_channel_on_the_slip() {
    let scene = Scene::open().await;
    let code = scene.code(false, None);
    let order = scene.start(&code).await.unwrap();
    assert!(order.by_code && order.qr.is_none());
    let paid = scene.check_credited_once(&order).await;
    assert_eq!(paid.channel, Some(ChannelView::Wechat));
    assert!(paid.channel_txn_no.is_some());
    scene.till.until_printed(&paid, 2).await;
    let refused = sentence(scene.start(&code).await);
    assert_eq!(refused, "error.code_used");
    assert_eq!(scene.charges(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customer_has_time_for_the_password() {
    let scene = Scene::open().await;
    let code = scene.code(true, None);
    let order = scene.start(&code).await.unwrap();
    let asked = scene.till.until_stage(&order.id, Stage::UserPaying).await;
    let given = asked.expires_at_ms.unwrap().0 - asked.attempt_started_ms.unwrap().0;
    assert_eq!(given, 45_000);
    let another = scene.code(false, None);
    let refused = sentence(scene.charge(&order, &another).await);
    assert_eq!(refused, "error.customer_is_paying");
    scene.act(&code, &PhoneAction::Pay);
    scene.check_credited_once(&order).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_was_paid_and_not_credited_prints_its_slips() {
    let scene = Scene::open().await;
    let code = scene.code(true, None);
    let order = scene.start(&code).await.unwrap();
    scene.till.until_stage(&order.id, Stage::UserPaying).await;
    scene.shop.freeze_zhang_wei();
    scene.act(&code, &PhoneAction::Pay);
    let order = scene.until(&order, Stage::Paid).await;
    scene.till.until_printed(&order, 2).await;
    let slip = Paper::of(&scene.till.folder, &order, "member");
    assert!(slip.says(&["款已收，尚未入账"]), "{:#?}", slip.lines());
    scene.check_not_credited();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_never_comes_is_reversed_and_a_fresh_code_may_be_charged() {
    let scene = Scene::open().await;
    let order = scene.start(&scene.code(true, None)).await.unwrap();
    scene.till.until_stage(&order.id, Stage::UserPaying).await;
    let failed = scene.until(&order, Stage::Failed).await;
    assert_eq!(failed.failure.unwrap().message_key, "decline.reversed");
    scene.check_not_credited();
    let again = scene
        .charge(&order, &scene.code(false, None))
        .await
        .unwrap();
    assert_eq!(again.id, order.id);
    scene.check_credited_once(&order).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_names_its_cause_and_a_fresh_code_may_be_charged() {
    for cause in ["balance_short", "risk_control"] {
        let scene = Scene::open().await;
        let order = scene.start(&scene.code(false, Some(cause))).await.unwrap();
        let failed = scene.till.until_stage(&order.id, Stage::Failed).await;
        let expected = format!("decline.{cause}");
        assert_eq!(failed.failure.unwrap().message_key, expected);
        scene.check_not_credited();
        scene
            .charge(&order, &scene.code(false, None))
            .await
            .unwrap();
        scene.check_credited_once(&order).await;
    }
}

/// A code is good for a minute.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_too_old_says_so_and_a_fresh_one_is_charged() {
    let scene = Scene::open().await;
    let old = scene.code(false, None);
    scene.shop.pass(Millis::seconds(61)).await;
    let order = scene.start(&old).await.unwrap();
    let failed = scene.till.until_stage(&order.id, Stage::Failed).await;
    assert_eq!(failed.failure.unwrap().message_key, "decline.code_expired");
    scene.check_not_credited();
    let fresh = scene.code(false, None);
    scene.charge(&order, &fresh).await.unwrap();
    scene.check_credited_once(&order).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_outcome_is_unknown_no_code_is_taken() {
    let scene = Scene::open().await;
    scene.silence(&[Operation::Charge, Operation::Query]);
    let order = scene.start(&scene.code(true, None)).await.unwrap();
    scene.till.until_stage(&order.id, Stage::Unknown).await;
    let refused = sentence(scene.charge(&order, &scene.code(false, None)).await);
    assert_eq!(refused, "error.code_while_unknown");
    scene.silence(&[]);
    let failed = scene.until(&order, Stage::Failed).await;
    assert_eq!(failed.failure.unwrap().message_key, "decline.reversed");
    scene.check_not_credited();
    assert_eq!(scene.charges(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_payment_that_was_made_is_found_and_credited() {
    let scene = Scene::open().await;
    scene.silence(&[Operation::Charge, Operation::Query]);
    let code = scene.code(true, None);
    let order = scene.start(&code).await.unwrap();
    scene.till.until_stage(&order.id, Stage::Unknown).await;
    scene.act(&code, &PhoneAction::PayWithoutNotice);
    scene.silence(&[]);
    scene.until(&order, Stage::Credited).await;
    scene.check_credited_once(&order).await;
    assert_eq!(scene.charges(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_are_asked_for_again_and_charge_once() {
    let scene = Scene::open().await;
    let deaf = Verdict::Deaf("/v1/attempts");
    scene.till.line.judge(Some(deaf));
    let order = scene.start(&scene.code(false, None)).await.unwrap();
    let charging = scene.till.order(&order.id).await;
    assert_eq!(charging.stage, Stage::Charging);
    let refused = sentence(scene.charge(&order, &scene.code(false, None)).await);
    assert_eq!(refused, "error.code_under_way");
    scene.check_not_credited();
    scene.till.line.judge(None);
    scene.check_credited_once(&order).await;
    assert_eq!(scene.charges(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_lost_with_the_program_is_checked_and_can_be_given_up() {
    let mut scene = Scene::open().await;
    scene.till.line.judge(Some(Verdict::Deaf("/v1/attempts")));
    let order = scene.start(&scene.code(false, None)).await.unwrap();
    scene.till.until_synced().await;
    let Scene { shop, till, member } = scene;
    till.crash().await;
    let till = Till::reopen(&shop, Weather::Fair).await;
    scene = Scene { shop, till, member };
    scene.till.until_stage(&order.id, Stage::Unknown).await;
    let refused = sentence(scene.charge(&order, &scene.code(false, None)).await);
    assert_eq!(refused, "error.code_while_unknown");
    scene.till.cancel(&order.id).await;
    scene.till.until_stage(&order.id, Stage::Ended).await;
    scene.check_not_credited();
    assert_eq!(scene.charges(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_nothing_begins() {
    let scene = Scene::open().await;
    let offer = scene
        .till
        .qr_offer(&scene.member, "300", ChannelView::Wechat)
        .await;
    scene.till.cut(&scene.shop).await;
    let request = StartCode {
        intent: offer.intent,
        quote_id: offer.quote_id,
        channel: ChannelView::Wechat,
        code: scene.code(false, None).digits,
        duplicate_confirmed: true,
    };
    let refused = scene.till.desk.start_code(request).await.unwrap_err();
    assert_eq!(refused.message_key, "error.code_offline");
    assert!(refused.retryable);
    assert_eq!(scene.till.desk.orders(()).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_closes_the_qr_code_first_and_takes_its_place() {
    let scene = Scene::open().await;
    let shown = scene.till.show_qr(&scene.member, "300").await;
    let order = scene
        .charge(&shown, &scene.code(false, None))
        .await
        .unwrap();
    assert_ne!(order.id, shown.id);
    assert_eq!(order.pay_fen, shown.pay_fen);
    let closed = scene.till.order(&shown.id).await;
    assert_eq!((closed.stage, closed.qr), (Stage::Ended, None));
    scene.check_credited_once(&order).await;
    // The customer had scanned the QR code as well: that money waits for a person.
    scene.shop.phone(&shown, &PhoneAction::PayLate);
    scene.until(&shown, Stage::Abnormal).await;
    let late = scene.till.order(&shown.id).await;
    assert_eq!(late.abnormal, Some(AbnormalCause::Late));
    assert_eq!(scene.shop.credits(&scene.member).len(), 1);
    assert_eq!(scene.shop.cases().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_qr_code_that_was_paid_already_leaves_the_code_alone() {
    let scene = Scene::open().await;
    let shown = scene.till.show_qr(&scene.member, "300").await;
    scene.shop.phone(&shown, &PhoneAction::PayWithoutNotice);
    let code = scene.code(false, None);
    let order = match scene.charge(&shown, &code).await {
        Ok(order) => order,
        // Seen to be paid before the scan was.
        Err(refused) => {
            assert_eq!(refused.message_key, "error.no_payment_waits");
            shown.clone()
        }
    };
    assert_eq!(order.id, shown.id);
    scene.check_credited_once(&shown).await;
    assert_eq!(scene.charges(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_needs_no_money_takes_no_code() {
    let scene = Scene::open().await;
    let order = scene.start(&scene.code(false, None)).await.unwrap();
    scene.check_credited_once(&order).await;
    let refused = sentence(scene.charge(&order, &scene.code(false, None)).await);
    assert_eq!(refused, "error.no_payment_waits");
}

/// A kind that no table lists yet is the channel's that the customer named, and its gateway says
/// whether that is so. A code whose kind is known is nobody else's, and money on the spot takes none.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_unknown_kind_is_charged_by_the_channel_that_was_chosen() {
    let scene = Scene::open().await;
    let digits = |digits: &str| CodeView {
        digits: digits.to_owned(),
        ..scene.code(false, None)
    };
    for of_another in ["287654321098765432", "6212345678901234567", "6901234567892"] {
        let refused = sentence(scene.start(&digits(of_another)).await);
        assert_eq!(refused, "error.code_unknown", "{of_another}");
    }
    assert_eq!(scene.charges(), 0);
    let order = scene.start(&digits("9876543210987654")).await.unwrap();
    assert!(order.by_code);
    let failed = scene.till.until_stage(&order.id, Stage::Failed).await;
    assert_eq!(failed.failure.unwrap().message_key, "decline.code_invalid");
    let again = sentence(scene.charge(&order, &digits("9876543210987654")).await);
    assert_eq!(again, "error.code_used");
    let request = ChargeCode {
        order_id: order.id.clone(),
        channel: ChannelView::Cash,
        code: "9876543210987655".to_owned(),
    };
    scene.till.desk.charge_code(request).await.unwrap_err();
    scene
        .charge(&order, &scene.code(false, None))
        .await
        .unwrap();
    scene.check_credited_once(&order).await;
}
