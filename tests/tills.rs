//! A manager lets a new till in by a code on the screen, and takes one out of service.

use qiantai_server::sample::{ShopKind, TRAINING_STAFF};
use qiantai_testkit::{Cashier, Key};

use crate::books::Books;
use crate::rules::{click, fill};
use crate::screens::counter::{go, part};
use crate::shop::Shop;
use crate::tour::{AND_LARGE, EVERY, Tour};

const SECOND: &str = "二楼吧台";

async fn type_pin(cashier: &Cashier<'_>, pin: &str) {
    cashier.window.type_text(pin).await.unwrap();
    cashier.window.press(Key::Enter).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_lets_a_till_in_and_takes_it_out() {
    let shop = Shop::new();
    let books = Books::open(ShopKind::Salon, |_| {}).await;
    let window = shop.join(&books).await;
    let cashier = shop.cashier(&window);
    let word = |key: &str| shop.words.get(key).unwrap();
    let mut tour = Tour::of_page("tills");
    let (number, pin, _) = TRAINING_STAFF.last().unwrap();
    window.press(Key::F12).await.unwrap();
    cashier.sign_in_as(number, pin).await.unwrap();

    go(&cashier, Key::F9, "settings.name").await;
    part(&cashier, "terminals.name").await;
    window.text(&word("terminals.here")).await.unwrap();
    tour.stop(&window, "list", AND_LARGE).await;

    click(&cashier, "terminals.invite").await;
    type_pin(&cashier, "0000").await;
    let wrong = word("error.pin_wrong");
    let wrong = wrong.split('{').next().unwrap();
    window.text(wrong).await.unwrap();
    tour.stop(&window, "invite", EVERY).await;
    type_pin(&cashier, pin).await;
    window
        .control("img", &word("terminals.code"))
        .await
        .unwrap();
    tour.stop(&window, "code", AND_LARGE).await;
    let shown = window.run("return document.querySelector('dialog code').textContent");
    let shown = shown.await.unwrap();
    books.join_by(shown.as_str().unwrap(), SECOND).await;
    click(&cashier, "terminals.close").await;
    window.text(SECOND).await.unwrap();

    let ends = shop
        .words
        .with("terminals.end_name", &[("code", "02")])
        .unwrap();
    window.click("button", &ends).await.unwrap();
    window.control("dialog", &ends).await.unwrap();
    window.press(Key::Tab).await.unwrap();
    type_pin(&cashier, pin).await;
    window.text(&word("error.reason_empty")).await.unwrap();
    tour.stop(&window, "end", EVERY).await;
    fill(&cashier, "terminals.reason", "丢失").await;
    window.press(Key::Enter).await.unwrap();
    window.gone("dialog", &ends).await.unwrap();
    window
        .text(&word("terminals.state.out_of_service"))
        .await
        .unwrap();
    tour.stop(&window, "ended", EVERY).await;
    tour.end();
    window.close().await.unwrap();
}
