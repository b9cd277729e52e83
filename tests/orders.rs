//! The list of orders, one order's page, and the map of the keys.

use qiantai_server::sample::{ShopKind, TRAINING_STAFF};
use qiantai_testkit::{Cashier, Key, Method, PATIENCE, Window, until};
use serde_json::Value;

use crate::books::Books;
use crate::shop::{MEMBER, MEMBER_PHONE, Shop};
use crate::tour::{AND_LARGE, EVERY, Tour};

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_finds_an_order_and_reads_what_it_did() {
    let shop = Shop::new();
    let books = Books::open(ShopKind::Gym, |_| {}).await;
    let window = shop.join(&books).await;
    let cashier = shop.cashier(&window);
    let word = |key: &str| shop.words.get(key).unwrap();
    let mut tour = Tour::new("orders");
    sell(&cashier).await;
    let door = door_of_newest(&cashier).await;
    window.press(Key::F12).await.unwrap();
    let (number, pin, _) = TRAINING_STAFF[1];
    cashier.sign_in_as(number, pin).await.unwrap();
    ask_for_money(&cashier).await;
    let asked = door_of_newest(&cashier).await;

    window.press(Key::F7).await.unwrap();
    lists(&window, &[&door, &asked], &[]).await;
    tour.stop(&window, "list", AND_LARGE).await;
    narrow(&cashier, &door, &asked).await;

    let find = word("orders.find");
    window.fill("textbox", &find, "无此人").await.unwrap();
    window.text(&word("orders.none_fit")).await.unwrap();
    tour.stop(&window, "none-fit", EVERY).await;
    window.fill("textbox", &find, "zw").await.unwrap();
    lists(&window, &[&door, &asked], &[]).await;
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

    // The newest stands first.
    lists(&window, &[&door, &asked], &[]).await;
    window.press(Key::Down).await.unwrap();
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

/// What opens the page of the newest order.
async fn door_of_newest(cashier: &Cashier<'_>) -> String {
    let order = cashier.newest_order().await.unwrap();
    let number = [("no", order["order_no"].as_str().unwrap())];
    cashier.words.with("orders.page_of", &number).unwrap()
}

/// Group, method and cashier, each by its own control: `cash` was credited by the first cashier,
/// `asked` waits for a payment that the second asked for.
async fn narrow(cashier: &Cashier<'_>, cash: &str, asked: &str) {
    let Cashier { window, words } = cashier;
    let word = |key: &str| words.get(key).unwrap();
    let all = word("orders.all");
    for (group, listed, absent) in [
        ("orders.group_open", asked, cash),
        ("orders.group_credited", cash, asked),
    ] {
        let group = word(group);
        window.choose("radio", &group).await.unwrap();
        lists(window, &[listed], &[absent]).await;
    }
    window.choose("radio", &all).await.unwrap();
    lists(window, &[cash, asked], &[]).await;

    let session: Value = window.call("session", Value::Null).await.unwrap();
    let staff = session["staff"].as_array().unwrap().iter();
    let (number, _, _) = TRAINING_STAFF[0];
    let first = staff.clone().find(|person| person["staff_no"] == number);
    let first = first.unwrap()["name"].as_str().unwrap();
    let second = session["signed_in"]["name"].as_str().unwrap();
    let (method, person) = (word("orders.method"), word("orders.cashier"));
    for (list, option, listed, absent) in [
        (&method, word("channel.cash").as_str(), cash, asked),
        (&method, word("channel.wechat").as_str(), asked, cash),
        (&person, second, asked, cash),
        (&person, first, cash, asked),
    ] {
        window.pick(list, option).await.unwrap();
        lists(window, &[listed], &[absent]).await;
        window.pick(list, &all).await.unwrap();
        lists(window, &[cash, asked], &[]).await;
    }
}

/// Waits until the list has these orders and not those, by what opens their pages.
async fn lists(window: &Window, there: &[&str], absent: &[&str]) {
    for door in absent {
        window.gone("button", door).await.unwrap();
    }
    for door in there {
        window.button(door).await.unwrap();
    }
}

/// A code on the screen that nobody pays.
async fn ask_for_money(cashier: &Cashier<'_>) {
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("500").await.unwrap();
    cashier.choose_method(Method::Wechat).await.unwrap();
    cashier.take_payment().await.unwrap();
    cashier.payment_qr(Method::Wechat).await.unwrap();
}

async fn sell(cashier: &Cashier<'_>) {
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.take_payment().await.unwrap();
    cashier.success().await.unwrap();
    cashier.next_customer().await.unwrap();
}
