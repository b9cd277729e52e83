//! A terminal whose server is elsewhere: large amounts, long names, codes that expire, and work
//! without the line.

use qiantai_core::{Millis, Money};
use qiantai_server::sample::ShopKind;
use qiantai_testkit::{Cashier, Key, Method};

use super::counter::{go, part};
use crate::books::Books;
use crate::shop::{MEMBER, MEMBER_PHONE, Shop, orders, synced};
use crate::tour::{AND_LARGE, EVERY, Tour};

/// The member with ¥999,999.99, and the one whose name has twenty characters.
const RICH: &str = "单雨";
const LONG: &str = "买买提艾力·阿卜杜热合曼·吐尔逊江·依明";

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_of_its_own() {
    let shop = Shop::new();
    let books = Books::open(ShopKind::Salon, |rules| rules.qr_valid = Millis::seconds(3)).await;
    let window = shop.join(&books).await;
    let cashier = shop.cashier(&window);
    let mut tour = Tour::new("far");
    expired(&cashier, &mut tour).await;
    books
        .change_rules(|rules| rules.qr_valid = Millis::minutes(5))
        .await;
    large(&cashier, &mut tour).await;
    review(&cashier, &books, &mut tour).await;
    long_name(&cashier, &mut tour).await;
    without_the_line(&cashier, &books, &mut tour).await;
    books.join_line();
    synced(&window).await;
    second_copy(&cashier, &mut tour).await;
    tour.end();
    window.close().await.unwrap();
}

async fn expired(cashier: &Cashier<'_>, tour: &mut Tour) {
    let Cashier { window, words } = cashier;
    begin(cashier, Method::Alipay).await;
    let closed = words.get("decline.closed").unwrap();
    window.text(&closed).await.unwrap();
    tour.stop(window, "expired", EVERY).await;
    window.press(Key::Escape).await.unwrap();
    let ended = words.get("stage.ended.title").unwrap();
    window.text(&ended).await.unwrap();
    window.press(Key::Escape).await.unwrap();
    cashier.at_rest().await.unwrap();
}

async fn large(cashier: &Cashier<'_>, tour: &mut Tour) {
    let Cashier { window, words } = cashier;
    let other = words.get("top_up.custom").unwrap();
    cashier.find(RICH, RICH).await.unwrap();
    window.fill("textbox", &other, "5000").await.unwrap();
    cashier.choose_method(Method::Wechat).await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    tour.stop(window, "rich", AND_LARGE).await;

    // No counter has a place for a review, so no method makes an order of it.
    window.fill("textbox", &other, "6000").await.unwrap();
    let way_out = words.get("top_up.blocked_review").unwrap();
    window.text(&way_out).await.unwrap();
    let go = words.start_of("summary.go_amount").unwrap();
    let button = window.control("button", &format!("/^{go}/")).await.unwrap();
    assert!(!button.is_enabled().await.unwrap());
    tour.stop(window, "large", AND_LARGE).await;
    assert!(
        orders(window)
            .await
            .iter()
            .all(|order| order["stage"] == "ended")
    );
}

/// A limit that only the server knows of.
async fn review(cashier: &Cashier<'_>, books: &Books, tour: &mut Tour) {
    let Cashier { window, words } = cashier;
    let other = words.get("top_up.custom").unwrap();
    books.news.shut();
    books
        .change_rules(|rules| rules.review.single_pay = Money::from_fen(300_000))
        .await;
    window.fill("textbox", &other, "4000").await.unwrap();
    cashier.take_payment().await.unwrap();
    let opening = words.get("stage.opening.title").unwrap();
    window.text(&opening).await.unwrap();
    books.news.open();
    let review = words.get("stage.review.title").unwrap();
    window.text(&review).await.unwrap();
    tour.stop(window, "review", EVERY).await;
    books
        .change_rules(|rules| rules.review.single_pay = Money::from_fen(500_000))
        .await;
    // It can only be given up.
    window.press(Key::Escape).await.unwrap();
    let ended = words.get("stage.ended.title").unwrap();
    window.text(&ended).await.unwrap();
    window.press(Key::Escape).await.unwrap();
    cashier.at_rest().await.unwrap();
}

async fn long_name(cashier: &Cashier<'_>, tour: &mut Tour) {
    let Cashier { window, words } = cashier;
    cashier.find(LONG, LONG).await.unwrap();
    cashier.choose_amount("2000").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    tour.stop(window, "long-name", AND_LARGE).await;
    cashier.take_payment().await.unwrap();
    cashier.success().await.unwrap();
    tour.stop(window, "long-name-success", AND_LARGE).await;
    window.type_text("p").await.unwrap();
    let receipt = words.get("receipt.name").unwrap();
    window.control("dialog", &receipt).await.unwrap();
    let paper = words.get("receipt.paper").unwrap();
    window.control("region", &paper).await.unwrap();
    tour.stop(window, "long-name-receipt", EVERY).await;
    window.press(Key::Escape).await.unwrap();
    window.gone("dialog", &receipt).await.unwrap();
    cashier.next_customer().await.unwrap();
    tour.stop(window, "idle-with-orders", EVERY).await;
}

async fn without_the_line(cashier: &Cashier<'_>, books: &Books, tour: &mut Tour) {
    let Cashier { window, words } = cashier;
    begin(cashier, Method::Wechat).await;
    cashier.payment_qr(Method::Wechat).await.unwrap();
    books.cut_line();
    let cut_off = words.get("unknown.cut_off").unwrap();
    window.text(&cut_off).await.unwrap();
    tour.stop(window, "cut-off", EVERY).await;
    window.press(Key::F4).await.unwrap();
    cashier.at_rest().await.unwrap();
    tour.stop(window, "offline", AND_LARGE).await;

    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("500").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    tour.stop(window, "offline-top-up", AND_LARGE).await;
    cashier.take_payment().await.unwrap();
    let unsettled = words.get("unsettled.title").unwrap();
    window.control("alertdialog", &unsettled).await.unwrap();
    tour.stop(window, "unsettled-question", AND_LARGE).await;
    window.type_text("y").await.unwrap();
    cashier.success().await.unwrap();
    let provisional = words.get("success.title_provisional").unwrap();
    window.text(&provisional).await.unwrap();
    tour.stop(window, "offline-success", AND_LARGE).await;
    cashier.next_customer().await.unwrap();
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    tour.stop(window, "offline-member", EVERY).await;
    go(cashier, Key::F7, "orders.name").await;
    tour.stop(window, "offline-orders", EVERY).await;
    go(cashier, Key::F8, "queue.name").await;
    tour.stop(window, "offline-queue", EVERY).await;
}

async fn second_copy(cashier: &Cashier<'_>, tour: &mut Tour) {
    let Cashier { window, words } = cashier;
    go(cashier, Key::F9, "settings.name").await;
    part(cashier, "copy.name").await;
    tour.stop(window, "second-copy", AND_LARGE).await;
    let folder = words.get("copy.folder").unwrap();
    window.fill("textbox", &folder, "usb").await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let wrong = words.get("error.copy_not_absolute").unwrap();
    window.text(&wrong).await.unwrap();
    tour.stop(window, "second-copy-wrong", EVERY).await;
}

async fn begin(cashier: &Cashier<'_>, method: Method) {
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(method).await.unwrap();
    cashier.take_payment().await.unwrap();
}
