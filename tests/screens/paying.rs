//! Every state of a payment in training, brought about by the customer's phone and the gateway's
//! faults.

use qiantai_testkit::{Cashier, Key, Looks, Method, Phone, ScannedPayment, Window};
use serde_json::{Value, json};

use super::counter::go;
use crate::methods::until_all_are_up;
use crate::shop::{MEMBER, MEMBER_PHONE, Shop};
use crate::tour::{AND_LARGE, EVERY, Tour};

/// Somebody else, whose payment stays open.
const OTHER: &str = "单雨";

struct Walk<'a> {
    cashier: Cashier<'a>,
    window: &'a Window,
    phone: Phone,
    tour: Tour,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_state_of_a_payment() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let phone = cashier.customers_phone().await.unwrap();
    let mut walk = Walk {
        window: &window,
        cashier,
        phone,
        tour: Tour::new("paying"),
    };
    walk.declined_and_ended().await;
    walk.abnormal().await;
    walk.unknown().await;
    walk.paid_and_printed().await;
    walk.again_within_two_minutes().await;
    walk.paid_in_cash().await;
    walk.afterwards().await;
    walk.tour.end();
    window.close().await.unwrap();
}

impl Walk<'_> {
    async fn begin(&self, query: &str, member: &str, yuan: &str) {
        self.cashier.find(query, member).await.unwrap();
        self.cashier.choose_amount(yuan).await.unwrap();
        self.cashier.choose_method(Method::Wechat).await.unwrap();
        self.cashier.take_payment().await.unwrap();
    }

    async fn scanned(&self) -> ScannedPayment {
        let code = self.cashier.payment_qr(Method::Wechat).await.unwrap();
        self.phone.scan(code).await.unwrap()
    }

    async fn said(&self, key: &str) {
        let said = self.cashier.words.get(key).unwrap();
        self.window.text(&said).await.unwrap();
    }

    async fn stop(&mut self, screen: &str) {
        self.tour.stop(self.window, screen, EVERY).await;
    }

    /// Waits for a state and looks at it while it lasts.
    async fn stop_while(&mut self, screen: &str, few: &[Looks], key: &str) {
        self.said(key).await;
        self.tour.stop_while(self.window, screen, few, key).await;
    }

    async fn declined_and_ended(&mut self) {
        self.begin(MEMBER_PHONE, MEMBER, "300").await;
        self.cashier.payment_qr(Method::Wechat).await.unwrap();
        self.stop_while("waiting", AND_LARGE, "stage.waiting.title")
            .await;
        let payment = self.scanned().await;
        self.window.press(Key::F5).await.unwrap();
        self.stop_while("user-paying", EVERY, "stage.user_paying.title")
            .await;
        self.window.press(Key::Escape).await.unwrap();
        self.said("cancel.title").await;
        self.stop("cancel-question").await;
        self.window.press(Key::Escape).await.unwrap();

        let declined = json!({ "action": "decline", "cause": "card_balance_short" });
        self.phone.act(&payment, declined).await.unwrap();
        self.stop_while("failed", AND_LARGE, "decline.card_balance_short")
            .await;
        self.window.press(Key::Escape).await.unwrap();
        self.stop_while("ended", EVERY, "stage.ended.title").await;
        self.window.press(Key::Escape).await.unwrap();
        self.cashier.at_rest().await.unwrap();
    }

    async fn abnormal(&mut self) {
        self.begin(MEMBER_PHONE, MEMBER, "500").await;
        let payment = self.scanned().await;
        let off = json!({ "action": "pay_amount_off" });
        self.phone.act(&payment, off).await.unwrap();
        self.stop_while("abnormal", EVERY, "stage.abnormal.title_mismatch")
            .await;
        self.window.press(Key::Escape).await.unwrap();
        self.cashier.at_rest().await.unwrap();
    }

    async fn unknown(&mut self) {
        self.misbehave("create").await;
        self.begin(OTHER, OTHER, "300").await;
        self.stop_while("unknown", AND_LARGE, "unknown.title").await;
        self.window.press(Key::F4).await.unwrap();
        self.cashier.at_rest().await.unwrap();
        self.said("stage.unknown.name").await;
        self.stop("idle-with-an-open-order").await;
        self.phone.misbehave(&json!({})).await.unwrap();
        until_all_are_up(self.window).await;
    }

    async fn beyond_two_copies(&mut self) {
        let words = self.cashier.words;
        self.window.type_text("r").await.unwrap();
        let second = words.with("receipt.reprinted", &[("copy", "2")]).unwrap();
        self.window.text(&second).await.unwrap();
        self.window.type_text("r").await.unwrap();
        let asked = words.get("receipt.allow_title").unwrap();
        self.window.control("dialog", &asked).await.unwrap();
        self.stop("reprint-limit").await;
        self.window.press(Key::Escape).await.unwrap();
        self.window.gone("dialog", &asked).await.unwrap();
    }

    async fn paid_and_printed(&mut self) {
        self.begin(MEMBER_PHONE, MEMBER, "300").await;
        let payment = self.scanned().await;
        self.phone.pay(&payment).await.unwrap();
        self.cashier.success().await.unwrap();
        self.tour.stop(self.window, "success", AND_LARGE).await;
        self.window.type_text("p").await.unwrap();
        let receipt = self.cashier.words.get("receipt.name").unwrap();
        self.window.control("dialog", &receipt).await.unwrap();
        let paper = self.cashier.words.get("receipt.paper").unwrap();
        self.window.control("region", &paper).await.unwrap();
        self.stop("receipt").await;
        self.window.type_text("r").await.unwrap();
        let reprinted = self.cashier.words.start_of("receipt.reprinted").unwrap();
        self.window.text(reprinted).await.unwrap();
        self.stop("reprint").await;
        self.beyond_two_copies().await;
        self.window.press(Key::Escape).await.unwrap();
        self.window.gone("dialog", &receipt).await.unwrap();
        self.cashier.next_customer().await.unwrap();
    }

    async fn again_within_two_minutes(&mut self) {
        self.begin(MEMBER_PHONE, MEMBER, "300").await;
        self.said("duplicate.title").await;
        self.stop("duplicate-question").await;
        self.window.press(Key::Escape).await.unwrap();
    }

    async fn paid_in_cash(&mut self) {
        self.cashier.choose_amount("2000").await.unwrap();
        self.cashier.choose_method(Method::Cash).await.unwrap();
        let tendered = self.cashier.words.get("cash.tendered").unwrap();
        self.window
            .fill("textbox", &tendered, "2100")
            .await
            .unwrap();
        self.cashier.take_payment().await.unwrap();
        self.cashier.success().await.unwrap();
        let order: Value = self.cashier.newest_order().await.unwrap();
        assert_eq!(order["change_fen"], 10_000);
        assert_ne!(
            order["credit"]["tier_before"],
            order["credit"]["tier_after"]
        );
        self.tour.stop(self.window, "success-cash", AND_LARGE).await;
        self.cashier.next_customer().await.unwrap();
    }

    async fn afterwards(&mut self) {
        go(&self.cashier, Key::F7, "orders.name").await;
        self.tour.stop(self.window, "orders", AND_LARGE).await;
        go(&self.cashier, Key::F8, "queue.name").await;
        self.tour.stop(self.window, "queue", AND_LARGE).await;
    }

    /// Makes the gateway fail each request of a kind after it was done.
    async fn misbehave(&self, operation: &str) {
        let fault = json!({ "kind": "fail_after_done" });
        let faults = json!({ "answers": [{ "operation": operation, "fault": fault }] });
        self.phone.misbehave(&faults).await.unwrap();
    }
}
