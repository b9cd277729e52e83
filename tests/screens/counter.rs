//! The counter in training, up to the moment of paying, and the screens beside it.

use qiantai_testkit::{Cashier, Key, Method, PATIENCE, Window, until};

use crate::shop::{MEMBER, MEMBER_PHONE, Shop, amount_in, fen_of, suggested};
use crate::tour::{AND_LARGE, EVERY, EVERY_SIZE, Tour};

#[tokio::test(flavor = "multi_thread")]
async fn the_counter() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let mut tour = Tour::new("counter");
    tour.stop(&window, "idle", EVERY_SIZE).await;
    search(&cashier, &mut tour).await;
    amounts(&cashier, &mut tour).await;
    cash(&cashier, &mut tour).await;
    beside(&cashier, &mut tour).await;
    settings(&cashier, &mut tour).await;
    tour.end();
    window.close().await.unwrap();
}

async fn search(cashier: &Cashier<'_>, tour: &mut Tour) {
    let Cashier { window, words } = cashier;
    let name = words.get("search.name").unwrap();
    window.fill("combobox", &name, "zw").await.unwrap();
    let hit = format!("/{MEMBER}/");
    window.control("option", &hit).await.unwrap();
    tour.stop(window, "search", EVERY_SIZE).await;
    window.fill("combobox", &name, "无此人").await.unwrap();
    let none = words.with("search.none", &[("text", "无此人")]).unwrap();
    window.text(&none).await.unwrap();
    tour.stop(window, "search-none", EVERY).await;
}

async fn amounts(cashier: &Cashier<'_>, tour: &mut Tour) {
    let Cashier { window, words } = cashier;
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    tour.stop(window, "top-up", EVERY_SIZE).await;
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Wechat).await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    tour.stop(window, "top-up-by-qr", EVERY_SIZE).await;
    let price = words.get("booked.price").unwrap();
    window.fill("textbox", &price, "100").await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let enough = words.with("booked.enough", &[("left", "¥430")]).unwrap();
    window.text(&enough).await.unwrap();
    tour.stop(window, "price-enough", EVERY).await;
    window.fill("textbox", &price, "660").await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let values = [("price", "¥660"), ("lacks", "¥130")];
    let lacks = words.with("booked.lacks", &values).unwrap();
    window.text(&lacks).await.unwrap();
    tour.stop(window, "price-lacks", AND_LARGE).await;
    step_to_what_covers_it(cashier).await;

    let other = words.get("top_up.custom").unwrap();
    for (typed, said, screen) in [
        ("0", words.get("error.amount_zero").unwrap(), "amount-zero"),
        (
            "0.001",
            words.get("error.amount_too_precise").unwrap(),
            "amount-too-precise",
        ),
        (
            "8000",
            words.get("top_up.blocked").unwrap(),
            "amount-over-the-limit",
        ),
    ] {
        window.fill("textbox", &other, typed).await.unwrap();
        window.text(&said).await.unwrap();
        tour.stop(window, screen, AND_LARGE).await;
    }
}

/// One step fills the form with what covers the price, whatever was chosen before.
async fn step_to_what_covers_it(cashier: &Cashier<'_>) {
    let covers = suggested(cashier).await;
    assert!(fen_of(&covers) >= 13_000, "{covers} is enough");
    cashier.choose_amount("2000").await.unwrap();
    let becomes = async |amount: &str| {
        until("another amount in the form", PATIENCE, || async {
            let button = cashier.ready_to_pay().await?;
            Ok((amount_in(&button.text().await?) == amount).then_some(()))
        })
        .await
        .unwrap();
    };
    becomes("¥2,000").await;
    let go = cashier.words.start_of("member.low_go").unwrap();
    let step = format!("/^{go} ?{covers}/");
    cashier.window.click("button", &step).await.unwrap();
    becomes(&covers).await;
}

async fn cash(cashier: &Cashier<'_>, tour: &mut Tour) {
    let Cashier { window, words } = cashier;
    cashier.choose_amount("2000").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    let tendered = words.get("cash.tendered").unwrap();
    window.fill("textbox", &tendered, "2100").await.unwrap();
    tour.stop(window, "cash", EVERY_SIZE).await;
    window.fill("textbox", &tendered, "100").await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let short = words.get("error.tendered_too_little").unwrap();
    window.text(&short).await.unwrap();
    tour.stop(window, "cash-short", EVERY).await;
    window.press(Key::Escape).await.unwrap();
    window.press(Key::Escape).await.unwrap();
    cashier.at_rest().await.unwrap();
}

/// Orders and queue before anything happened.
async fn beside(cashier: &Cashier<'_>, tour: &mut Tour) {
    for (key, heading, screen) in [
        (Key::F7, "orders.name", "orders-none"),
        (Key::F8, "queue.name", "queue-none"),
    ] {
        go(cashier, key, heading).await;
        tour.stop(cashier.window, screen, EVERY).await;
    }
}

async fn settings(cashier: &Cashier<'_>, tour: &mut Tour) {
    let Cashier { window, words } = cashier;
    go(cashier, Key::F9, "settings.name").await;
    part(cashier, "settings.screen").await;
    tour.stop(window, "settings-screen", EVERY_SIZE).await;
    part(cashier, "settings.selling").await;
    let try_it = words.get("settings.scan_try").unwrap();
    window.fill("textbox", &try_it, "12345").await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let tried = words.start_of("settings.scan_too_slow").unwrap();
    window.text(tried).await.unwrap();
    tour.stop(window, "settings-counter", AND_LARGE).await;
    let codes = words.get("offer_codes.open").unwrap();
    window.click("button", &codes).await.unwrap();
    let sheet = words.get("offer_codes.title").unwrap();
    window.control("dialog", &sheet).await.unwrap();
    window.control("img", "/.*/").await.unwrap();
    tour.stop(window, "settings-codes", EVERY).await;
    window.press(Key::Escape).await.unwrap();
    window.gone("dialog", &sheet).await.unwrap();

    part(cashier, "settings.shop").await;
    let colour = words.get("brand.colour.rose").unwrap();
    window.choose("radio", &colour).await.unwrap();
    let short = words.get("brand.short_name").unwrap();
    window
        .fill("textbox", &short, "十三个字的招牌名实在太长啦啦")
        .await
        .unwrap();
    let save = words.get("rules.save").unwrap();
    window.click("button", &save).await.unwrap();
    let most = [("most", "12")];
    let wrong = words.with("error.set_up_short_name_too_long", &most);
    window.text(&wrong.unwrap()).await.unwrap();
    tour.stop(window, "settings-shop", EVERY).await;

    part(cashier, "printer.name").await;
    tour.stop(window, "settings-printer", AND_LARGE).await;
    window
        .choose("radio", &words.get("printer.network").unwrap())
        .await
        .unwrap();
    let (host, port) = (
        words.get("printer.host").unwrap(),
        words.get("printer.port").unwrap(),
    );
    window.fill("textbox", &host, "bad host/x").await.unwrap();
    window.fill("textbox", &port, "99999").await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let wrong = words.get("printer.host_wrong").unwrap();
    window.text(&wrong).await.unwrap();
    tour.stop(window, "settings-wrong", EVERY).await;
}

/// Turns to a part of the settings by the key of its title.
pub async fn part(cashier: &Cashier<'_>, title: &str) {
    let Cashier { window, words } = cashier;
    let title = words.get(title).unwrap();
    window.click("button", &title).await.unwrap();
    window.control("heading", &title).await.unwrap();
}

/// Goes to another screen by its key.
pub async fn go(cashier: &Cashier<'_>, key: Key, heading: &str) {
    let window: &Window = cashier.window;
    window.press(key).await.unwrap();
    let heading = cashier.words.get(heading).unwrap();
    window.control("heading", &heading).await.unwrap();
}
