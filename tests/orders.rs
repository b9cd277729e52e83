//! The list of orders, one order's page, and the map of the keys.

use qiantai_testkit::{Cashier, Key, Method, PATIENCE, until};

use crate::shop::{MEMBER, MEMBER_PHONE, Shop};
use crate::tour::{AND_LARGE, EVERY, Tour};

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_finds_an_order_and_reads_what_it_did() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let word = |key: &str| shop.words.get(key).unwrap();
    let mut tour = Tour::new("orders");
    sell(&cashier).await;
    let order = cashier.newest_order().await.unwrap();
    let number = order["order_no"].as_str().unwrap();

    window.press(Key::F7).await.unwrap();
    let door = shop
        .words
        .with("orders.page_of", &[("no", number)])
        .unwrap();
    window.button(&door).await.unwrap();
    tour.stop(&window, "list", AND_LARGE).await;

    let find = word("orders.find");
    window.fill("textbox", &find, "无此人").await.unwrap();
    window.text(&word("orders.none_fit")).await.unwrap();
    tour.stop(&window, "none-fit", EVERY).await;
    window.fill("textbox", &find, "zw").await.unwrap();
    window.button(&door).await.unwrap();
    window
        .choose("radio", &word("orders.period_days"))
        .await
        .unwrap();
    let from = word("orders.from");
    window.fill("textbox", &from, "2026-13-01").await.unwrap();
    window.text(&word("error.day_wrong")).await.unwrap();
    tour.stop(&window, "day-wrong", AND_LARGE).await;
    window.click("button", &word("orders.clear")).await.unwrap();
    window.gone("textbox", &from).await.unwrap();

    window.button(&door).await.unwrap();
    window.press(Key::Down).await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let page = word("order_page.name");
    window.control("dialog", &page).await.unwrap();
    let seen = [
        "rule.package",
        "posting.drawer",
        "posting.principal",
        "operation.recharge_cash",
    ];
    for key in seen {
        let sentence = word(key);
        until(&sentence, PATIENCE, || async {
            Ok(window.seen().await?.contains(&sentence).then_some(()))
        })
        .await
        .unwrap();
    }
    tour.stop(&window, "page", AND_LARGE).await;
    window.press(Key::Escape).await.unwrap();
    window.gone("dialog", &page).await.unwrap();
    tour.end();
    window.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn f1_shows_the_keys() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let name = shop.words.get("keys.name").unwrap();
    let mut tour = Tour::new("keys");
    window.press(Key::F1).await.unwrap();
    window.control("dialog", &name).await.unwrap();
    for key in ["keys.at.everywhere", "keys.at.top_up", "keys.at.paying"] {
        let place = shop.words.get(key).unwrap();
        window.control("region", &place).await.unwrap();
    }
    tour.stop(&window, "map", AND_LARGE).await;
    window.press(Key::Escape).await.unwrap();
    window.gone("dialog", &name).await.unwrap();
    tour.end();
    window.close().await.unwrap();
}

async fn sell(cashier: &Cashier<'_>) {
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.take_payment().await.unwrap();
    cashier.success().await.unwrap();
    cashier.next_customer().await.unwrap();
}
