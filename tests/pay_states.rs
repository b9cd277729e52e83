//! What a cashier sees of a payment by the customer's payment code, and of money that comes late.
//! The code is scanned as a scanner does it: keys without a pause, then Enter.

use qiantai_testkit::{Cashier, Key, Method, PATIENCE, Phone, ScannedPayment, Window, until};
use serde_json::{Value, json};

use crate::shop::{MEMBER, MEMBER_PHONE, Shop, balance};
use crate::tour::{IN_BRIEF, Tour};

/// Causes of errors-to-cashier that end an attempt unpaid and that a phone can bring about.
const CAUSES: [&str; 17] = [
    "balance_short",
    "card_balance_short",
    "daily_limit",
    "monthly_limit",
    "single_limit",
    "merchant_limit",
    "code_expired",
    "card_not_supported",
    "issuer_refused",
    "password_tries",
    "risk_control",
    "account_unusable",
    "customer_cancelled",
    "payer_is_merchant",
    "not_completed",
    "feature_off",
    "phone_not_reached",
];

/// What may be wrong with the shop's own set-up, and the sentence for it.
const FAULTS: [(&str, &str); 6] = [
    ("signature", "config_error"),
    ("clock", "config_clock"),
    ("not_permitted", "config_not_permitted"),
    ("merchant_blocked", "config_merchant_blocked"),
    ("bad_request", "config_bad_request"),
    ("forbidden_word", "config_forbidden_word"),
];

/// How often a payment is begun again whose customer was too slow: the channel's own times go on
/// while a slow machine takes pictures.
const TRIES: usize = 8;

/// As long as a payment code, and of no wallet's.
const UNKNOWN_KIND: &str = "9876543210987654";

struct Desk<'a> {
    cashier: Cashier<'a>,
    window: &'a Window,
    phone: Phone,
    tour: Tour,
}

impl<'a> Desk<'a> {
    async fn at(shop: &'a Shop, window: &'a Window, name: &'static str) -> Desk<'a> {
        let cashier = shop.cashier(window);
        let phone = cashier.customers_phone().await.unwrap();
        Desk {
            cashier,
            window,
            phone,
            tour: Tour::new(name),
        }
    }

    async fn code(&self, wish: Value) -> ScannedPayment {
        let mut whole = json!({ "wallet": "WECHAT" });
        for (name, value) in wish.as_object().unwrap() {
            whole[name] = value.clone();
        }
        self.phone.show_code(&whole).await.unwrap()
    }

    /// A QR code of `yuan` on the screen: a payment that waits.
    async fn waiting(&self, yuan: &str) {
        self.cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
        self.cashier.choose_amount(yuan).await.unwrap();
        self.cashier.choose_method(Method::Wechat).await.unwrap();
        self.cashier.take_payment().await.unwrap();
        self.cashier.payment_qr(Method::Wechat).await.unwrap();
    }

    /// Scans until the counter has taken the code; a machine that hands the keys on too slowly
    /// makes a scanner look like a hand, and then nothing happens.
    async fn scan(&self, code: &ScannedPayment) -> Value {
        let digits = code.shown["digits"].as_str().unwrap();
        let before = self.cashier.newest_order().await.unwrap();
        until("the scan to be taken", PATIENCE * 3, || async {
            self.window.scan(digits).await?;
            let patience = PATIENCE / 4;
            let taken = until("an answer to the scan", patience, || async {
                let order = self.cashier.newest_order().await?;
                let by_code = order["by_code"] == true;
                let other = order["attempt_started_ms"] != before["attempt_started_ms"];
                Ok((by_code && (other || order["id"] != before["id"])).then_some(order))
            });
            Ok(taken.await.ok())
        })
        .await
        .unwrap()
    }

    async fn said(&self, key: &str) {
        let said = self.cashier.words.start_of(key).unwrap();
        self.window.text(said).await.unwrap();
    }

    /// Scans until the window has said so; see `scan`.
    async fn scan_says(&self, digits: &str, key: &str) {
        let said = self.cashier.words.get(key).unwrap();
        until("what a scan is answered", PATIENCE * 3, || async {
            self.window.scan(digits).await?;
            let heard = until("the words", PATIENCE / 4, || async {
                Ok(self.window.seen().await?.contains(&said).then_some(()))
            });
            Ok(heard.await.ok())
        })
        .await
        .unwrap();
    }

    /// What a screen reader says of the payment; the screen itself has other words for it.
    async fn announced(&self, stage: &str) {
        let values = [("member", MEMBER), ("amount", "¥300.00")];
        let key = format!("stage.{stage}.said");
        let said = self.cashier.words.with(&key, &values).unwrap();
        self.window.text(&said).await.unwrap();
    }

    async fn stop(&mut self, screen: &str) {
        self.tour.stop(self.window, screen, IN_BRIEF).await;
    }

    /// Lets the gateway charge and never say so, nor hear of it again.
    async fn fall_silent(&self) {
        let rule = |operation: &str, kind: &str| json!({ "operation": operation, "fault": { "kind": kind } });
        let rules = [
            rule("charge", "cut"),
            rule("query", "lost"),
            rule("reverse", "lost"),
        ];
        let lost = json!([{ "fault": { "kind": "lose", "tries": 9 } }]);
        let faults = json!({ "answers": rules, "notices": lost });
        self.phone.misbehave(&faults).await.unwrap();
    }

    async fn speak_again(&self) {
        self.phone.misbehave(&json!({})).await.unwrap();
    }

    /// The gateway refuses what the shop set up: nothing is charged, and no button offers the same
    /// channel again.
    async fn set_up_refused(&mut self, cause: &str, sentence: &str) {
        let fault = json!({ "kind": "set_up_refused", "cause": cause });
        let rule = json!({ "operation": "charge", "fault": fault, "times": 1 });
        self.phone
            .misbehave(&json!({ "answers": [rule] }))
            .await
            .unwrap();
        let code = self.code(json!({})).await;
        self.scan(&code).await;
        self.reached(&["failed"]).await;
        self.said(&format!("decline.{sentence}")).await;
        self.said("stage.failed.words").await;
        self.not_offered("paying.same_again").await;
        self.stop(sentence).await;
    }

    /// Waits until the newest order is at one of `stages`.
    async fn reached(&self, stages: &[&str]) -> String {
        let what = format!("one of {stages:?}");
        until(&what, PATIENCE * 3, || async {
            let order = self.cashier.newest_order().await?;
            let stage = order["stage"].as_str().unwrap_or_default().to_owned();
            Ok(stages.contains(&stage.as_str()).then_some(stage))
        })
        .await
        .unwrap()
    }

    /// A code of a kind that nobody knows is charged by the method that the customer names.
    async fn whose_code(&mut self) {
        let before = self.cashier.newest_order().await.unwrap();
        self.scan_says(UNKNOWN_KIND, "scan.whose.what").await;
        self.stop("whose-code").await;
        self.window.type_text("w").await.unwrap();
        until("the charge", PATIENCE, || async {
            let order = self.cashier.newest_order().await?;
            let other = order["attempt_started_ms"] != before["attempt_started_ms"];
            Ok(other.then_some(()))
        })
        .await
        .unwrap();
        self.reached(&["failed"]).await;
        self.said("decline.code_invalid").await;
    }

    async fn no_way_to_charge_again(&self) {
        for key in ["paying.same_again", "paying.by", "paying.again"] {
            self.not_offered(key).await;
        }
    }

    /// No button says it, of whatever channel.
    async fn not_offered(&self, key: &str) {
        let any = [("channel", ".*")];
        let name = format!("/^{}/", self.cashier.words.with(key, &any).unwrap());
        let button = self.window.look("button", &name).await.unwrap();
        assert!(button.is_none(), "{key}");
    }
}

/// Every cause is said with what to do, and a fresh code is charged on the same order.
#[tokio::test(flavor = "multi_thread")]
async fn every_decline_of_a_code_says_why_and_a_fresh_code_pays() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let before = balance(&window).await;
    let mut desk = Desk::at(&shop, &window, "code-declined").await;
    desk.waiting("300").await;
    for (index, cause) in CAUSES.into_iter().enumerate() {
        let code = desk.code(json!({ "declines": cause })).await;
        desk.scan(&code).await;
        desk.reached(&["failed"]).await;
        desk.said(&format!("decline.{cause}")).await;
        desk.said("stage.failed.words").await;
        desk.stop(cause).await;
        assert_eq!(balance(&window).await, before, "{cause}");
        // Between answers, so that the channel is not taken to be down.
        if let Some((cause, sentence)) = FAULTS.get(index) {
            desk.set_up_refused(cause, sentence).await;
            assert_eq!(balance(&window).await, before, "{cause}");
        }
    }
    let unheard = ScannedPayment {
        token: String::new(),
        shown: json!({ "digits": "130000000000000000" }),
    };
    desk.scan(&unheard).await;
    desk.reached(&["failed"]).await;
    desk.said("decline.code_invalid").await;
    desk.announced("failed").await;
    desk.stop("code-invalid").await;
    let digits = unheard.shown["digits"].as_str().unwrap();
    desk.scan_says(digits, "error.code_used").await;
    desk.whose_code().await;

    let code = desk.code(json!({})).await;
    desk.scan(&code).await;
    desk.cashier.success().await.unwrap();
    assert_eq!(balance(&window).await, before + 35_000);
    desk.stop("paid").await;
    desk.tour.end();
    window.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customer_is_given_time_for_the_password() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let mut desk = Desk::at(&shop, &window, "code-password").await;
    desk.waiting("300").await;
    for _ in 0..TRIES {
        let code = desk.code(json!({ "asks_password": true })).await;
        desk.scan(&code).await;
        if desk.reached(&["user_paying", "failed"]).await == "failed" {
            continue;
        }
        desk.said("stage.user_paying.title").await;
        window.control("timer", "/.*/").await.unwrap();
        desk.stop("user-paying").await;
        if desk.phone.pay(&code).await.is_ok() {
            break;
        }
        desk.reached(&["failed"]).await;
    }
    desk.cashier.success().await.unwrap();
    desk.tour.end();
    window.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_code_payment_is_found_to_be_paid() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let before = balance(&window).await;
    let mut desk = Desk::at(&shop, &window, "code-unknown-paid").await;
    desk.waiting("300").await;
    for _ in 0..TRIES {
        desk.fall_silent().await;
        let code = desk.code(json!({})).await;
        desk.scan(&code).await;
        desk.reached(&["unknown", "reversing"]).await;
        desk.speak_again().await;
        // Once it is being reversed the money goes back.
        if desk.reached(&["credited", "failed"]).await == "credited" {
            break;
        }
    }
    desk.cashier.success().await.unwrap();
    assert_eq!(balance(&window).await, before + 35_000);
    desk.stop("paid").await;
    desk.tour.end();
    window.close().await.unwrap();
}

/// While nobody knows, nothing can be charged again; then the charge is undone.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_code_payment_is_reversed() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let before = balance(&window).await;
    let mut desk = Desk::at(&shop, &window, "code-unknown-reversed").await;
    desk.waiting("300").await;
    desk.fall_silent().await;
    let code = desk.code(json!({})).await;
    desk.scan(&code).await;
    desk.reached(&["unknown", "reversing"]).await;
    desk.no_way_to_charge_again().await;
    desk.stop("unknown").await;
    desk.scan_says("139999999999999999", "error.code_while_unknown")
        .await;
    desk.no_way_to_charge_again().await;
    desk.reached(&["reversing"]).await;
    desk.said("stage.reversing.title").await;
    desk.no_way_to_charge_again().await;
    desk.stop("reversing").await;
    desk.speak_again().await;
    desk.reached(&["failed"]).await;
    desk.said("decline.reversed_and_returned").await;
    desk.stop("reversed").await;
    assert_eq!(balance(&window).await, before);
    desk.tour.end();
    window.close().await.unwrap();
}

/// Money for a QR code that was closed waits for a person, and is said.
#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_late_is_said() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let before = balance(&window).await;
    let mut desk = Desk::at(&shop, &window, "late-money").await;
    desk.waiting("300").await;
    let picture = desk.cashier.payment_qr(Method::Wechat).await.unwrap();
    let payment = desk.phone.scan(picture).await.unwrap();
    let cancel = json!({ "order_id": desk.cashier.newest_order().await.unwrap()["id"] });
    let _asked: Value = window.call("cancel_order", cancel).await.unwrap();
    desk.reached(&["ended"]).await;
    desk.said("stage.ended.title").await;
    let late = json!({ "action": "pay_late" });
    desk.phone.act(&payment, late).await.unwrap();
    desk.reached(&["abnormal"]).await;
    desk.said("stage.abnormal.title").await;
    desk.stop("abnormal").await;
    assert_eq!(balance(&window).await, before);
    desk.tour.end();
    window.close().await.unwrap();
}

/// A channel that makes no QR code asks nobody for money, and the order can be given up.
#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_down_asks_nobody_for_money() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let mut desk = Desk::at(&shop, &window, "channel-down").await;
    let busy = json!({ "answers": [{ "operation": "create", "fault": { "kind": "busy" } }] });
    desk.phone.misbehave(&busy).await.unwrap();
    desk.cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    desk.cashier.choose_amount("300").await.unwrap();
    desk.cashier.choose_method(Method::Wechat).await.unwrap();
    desk.cashier.take_payment().await.unwrap();
    until("an order without a QR code", PATIENCE, || async {
        // Not before it is in the list.
        let Ok(order) = desk.cashier.newest_order().await else {
            return Ok(None);
        };
        let stage = order["stage"].as_str().unwrap_or_default().to_owned();
        let down = order["qr"].is_null() && ["preparing", "unknown"].contains(&stage.as_str());
        Ok(down.then_some(()))
    })
    .await
    .unwrap();
    desk.no_way_to_charge_again().await;
    desk.stop("no-code").await;
    window.press(Key::F4).await.unwrap();
    desk.cashier.at_rest().await.unwrap();
    desk.tour.end();
    window.close().await.unwrap();
}
