//! A person new at the counter: led in three steps, by finger, and by a scanner alone.

use std::time::Duration;

use qiantai_testkit::{Cashier, Key, Method, PATIENCE, Window, until};
use serde_json::{Value, json};

use crate::shop::{MEMBER, MEMBER_PHONE, Shop, member, orders};
use crate::tour::{AND_LARGE, EVERY, Tour};

/// Longer than a scanner's own second reading of a code that stays before it.
const ANOTHER_READING: Duration = Duration::from_secs(4);

async fn set(window: &Window, name: &str, value: Value) {
    let session: Value = window.call("session", Value::Null).await.unwrap();
    let mut settings = session["settings"].clone();
    settings[name] = value;
    let _: Value = window.call("save_settings", settings).await.unwrap();
}

async fn step(cashier: &Cashier<'_>, place: u32, name: &str) {
    let place = place.to_string();
    let name = cashier.words.get(name).unwrap();
    let values = [("place", place.as_str()), ("count", "3"), ("name", &name)];
    let said = cashier.words.with("guide.said", &values).unwrap();
    cashier.window.text(&said).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn three_steps_by_keyboard_are_said_and_charge_at_the_last() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let mut tour = Tour::new("guide");
    set(&window, "guide", json!("first")).await;

    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    step(&cashier, 1, "guide.amount").await;
    tour.stop(&window, "amount", AND_LARGE).await;
    window.type_text("1").await.unwrap();
    step(&cashier, 2, "guide.method").await;
    tour.stop(&window, "method", AND_LARGE).await;
    window.type_text("c").await.unwrap();
    step(&cashier, 3, "guide.confirm").await;
    cashier.ready_to_pay().await.unwrap();
    tour.stop(&window, "confirm", AND_LARGE).await;
    assert!(orders(&window).await.is_empty(), "nothing is charged yet");
    window.press(Key::Enter).await.unwrap();
    cashier.success().await.unwrap();
    let order = cashier.newest_order().await.unwrap();
    assert_eq!(order["channel"], "cash");
    cashier.next_customer().await.unwrap();
    tour.end();
    window.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cash_received_is_entered_by_finger() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let mut tour = Tour::new("number-pad");
    set(&window, "number_pad", json!("always")).await;

    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    let received = shop.words.get("cash.tendered").unwrap();
    window.click("textbox", &received).await.unwrap();
    window.click("button", "5").await.unwrap();
    window.click("button", "00").await.unwrap();
    tour.stop(&window, "cash", EVERY).await;
    cashier.take_payment().await.unwrap();
    cashier.success().await.unwrap();
    let order = cashier.newest_order().await.unwrap();
    assert_eq!(order["tendered_fen"], 50_000);
    assert_eq!(order["change_fen"], 20_000);
    tour.end();
    window.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_alone_tops_up() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let phone = cashier.customers_phone().await.unwrap();
    let card = member(&window).await.unwrap()["member_no"].clone();
    let codes: Vec<Value> = window.call("offer_codes", Value::Null).await.unwrap();
    let offer = codes.iter().find(|code| code["pay_fen"] == 30_000).unwrap();
    let amount = offer["qr"]["payload"].as_str().unwrap();

    let title = shop.words.with("top_up.title", &[("member", MEMBER)]);
    let title = title.unwrap();
    scan_until(&window, card.as_str().unwrap(), async || {
        Ok(window.look("heading", &title).await?.is_some())
    })
    .await;
    let chosen = shop.words.start_of("scan.offer_chosen").unwrap();
    scan_until(&window, amount, async || {
        Ok(window.seen().await?.contains(chosen))
    })
    .await;

    // Chosen, and not confirmed: a payment code is worth nothing yet.
    let wish = json!({ "wallet": "WECHAT" });
    let code = phone.show_code(&wish).await.unwrap();
    let digits = code.shown["digits"].as_str().unwrap();
    let refused = shop.words.get("scan.confirm_first").unwrap();
    scan_until(&window, digits, async || {
        Ok(window.seen().await?.contains(&refused))
    })
    .await;
    assert!(orders(&window).await.is_empty(), "nothing is charged yet");

    let values = [("amount", "¥300.00")];
    let confirmed = shop.words.with("scan.offer_confirmed", &values).unwrap();
    scan_until(&window, amount, async || {
        Ok(window.seen().await?.contains(&confirmed))
    })
    .await;
    scan_until(&window, digits, async || {
        Ok(!orders(&window).await.is_empty())
    })
    .await;
    cashier.success().await.unwrap();
    let order = cashier.newest_order().await.unwrap();
    assert_eq!(order["pay_fen"], 30_000);
    assert_eq!(order["by_code"], true);
    assert_eq!(orders(&window).await.len(), 1);
    window.close().await.unwrap();
}

/// Scans until it has worked; a machine that hands the keys on too slowly makes a scanner look like
/// a hand.
async fn scan_until(
    window: &Window,
    text: &str,
    has_worked: impl AsyncFn() -> Result<bool, qiantai_testkit::Fault>,
) {
    until("the scan to work", PATIENCE * 3, || async {
        window.scan(text).await?;
        let worked = until("an answer to the scan", ANOTHER_READING, || async {
            Ok(has_worked().await?.then_some(()))
        });
        Ok(worked.await.ok())
    })
    .await
    .unwrap();
}
