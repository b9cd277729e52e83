//! What customers and gateways do wrong, seen at the counter.

use qiantai_testkit::{Cashier, Method, ScannedPayment, Window};
use serde_json::{Value, json};

use crate::shop::{MEMBER, MEMBER_PHONE, Shop, balance};

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_payment_says_why_and_what_to_do() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let before = balance(&window).await;
    let payment = scanned(&cashier).await;
    let phone = cashier.customers_phone().await.unwrap();
    let action = json!({ "action": "decline", "cause": "balance_short" });
    phone.act(&payment, action).await.unwrap();

    window
        .text(shop.words.start_of("decline.balance_short").unwrap())
        .await
        .unwrap();
    assert_eq!(stage(&cashier).await, "failed");
    assert_eq!(balance(&window).await, before);
    window.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_that_differs_is_never_credited() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let before = balance(&window).await;
    let payment = scanned(&cashier).await;
    let phone = cashier.customers_phone().await.unwrap();
    phone
        .act(&payment, json!({ "action": "pay_amount_off" }))
        .await
        .unwrap();

    window
        .text(&shop.words.get("stage.abnormal.title_mismatch").unwrap())
        .await
        .unwrap();
    assert_eq!(balance(&window).await, before);
    window.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_without_notice_is_found_by_asking() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let payment = scanned(&cashier).await;
    let phone = cashier.customers_phone().await.unwrap();
    phone
        .act(&payment, json!({ "action": "pay_without_notice" }))
        .await
        .unwrap();
    cashier.success().await.unwrap();
    window.close().await.unwrap();
}

/// While nobody knows the outcome there is no way to charge again.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_hides_the_code_and_offers_no_second_charge() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let phone = cashier.customers_phone().await.unwrap();
    let silent = json!({ "answers": [{ "operation": "create", "fault": { "kind": "silent" } }] });
    phone.misbehave(&silent).await.unwrap();
    begin(&cashier).await;

    window
        .text(&shop.words.get("unknown.title").unwrap())
        .await
        .unwrap();
    assert!(no_code(&cashier).await, "the QR code is out of sight");
    let later = shop.words.get("paying.other_method_later").unwrap();
    assert!(
        !window
            .button(&later)
            .await
            .unwrap()
            .is_enabled()
            .await
            .unwrap()
    );
    window.close().await.unwrap();
}

async fn begin(cashier: &Cashier<'_>) {
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Wechat).await.unwrap();
    cashier.take_payment().await.unwrap();
}

async fn scanned(cashier: &Cashier<'_>) -> ScannedPayment {
    begin(cashier).await;
    let code = cashier.payment_qr(Method::Wechat).await.unwrap();
    cashier
        .customers_phone()
        .await
        .unwrap()
        .scan(code)
        .await
        .unwrap()
}

async fn stage(cashier: &Cashier<'_>) -> Value {
    cashier.newest_order().await.unwrap()["stage"].clone()
}

async fn no_code(cashier: &Cashier<'_>) -> bool {
    let channel = cashier.words.get("channel.wechat").unwrap();
    let name = cashier
        .words
        .with("paying.qr", &[("channel", &channel)])
        .unwrap();
    let window: &Window = cashier.window;
    window.look("img", &name).await.unwrap().is_none()
}
