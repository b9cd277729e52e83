//! From the first start of a terminal to an open shift.

use qiantai_server::sample::ShopKind;
use qiantai_testkit::{Key, Window};

use crate::books::Books;
use crate::shop::Shop;
use crate::tour::{AND_LARGE, EVERY, Tour};

/// Wrong PINs until a person is locked out (docs: domain §3.9).
const PINS_MAX: u32 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn the_start_of_a_terminal() {
    let shop = Shop::new();
    let books = Books::open(ShopKind::Salon, |_| {}).await;
    let window = Window::open(&shop.display, &books.first_launch(&shop))
        .await
        .unwrap();
    let mut tour = Tour::new("start");
    keep_the_code(&shop, &window, &mut tour).await;
    sign_in(&shop, &window, &mut tour).await;
    open_shift(&shop, &window, &mut tour).await;
    tour.end();
    window.close().await.unwrap();
}

async fn keep_the_code(shop: &Shop, window: &Window, tour: &mut Tour) {
    let code = shop.recovery_code(window).await;
    let (window, words) = (&window, Shop::words_of);
    tour.stop_at_start(window, "keep-code", |looks| async move {
        let title = words(looks).get("keep.title").unwrap();
        window.control("heading", &title).await.unwrap();
    })
    .await;
    tour.stop_at_start(window, "keep-code-wrong", |looks| async move {
        let words = words(looks);
        let field = words.get("keep.last_group").unwrap();
        window.fill("textbox", &field, "AAAA").await.unwrap();
        window.press(Key::Enter).await.unwrap();
        let wrong = words.get("error.recovery_wrong").unwrap();
        window.text(&wrong).await.unwrap();
    })
    .await;
    shop.confirm_recovery_code(window, &code).await;
}

async fn sign_in(shop: &Shop, window: &Window, tour: &mut Tour) {
    let words = &shop.words;
    let who = words.get("sign_in.who").unwrap();
    window.control("heading", &who).await.unwrap();
    tour.stop(window, "sign-in", AND_LARGE).await;

    // The second person, so that the first may work afterwards.
    window.type_text("2").await.unwrap();
    window
        .button(&words.get("sign_in.erase").unwrap())
        .await
        .unwrap();
    window.type_text("999").await.unwrap();
    tour.stop(window, "pin", AND_LARGE).await;
    for wrong in 1..=PINS_MAX {
        window.type_text("999").await.unwrap();
        window.press(Key::Enter).await.unwrap();
        if wrong < PINS_MAX {
            let left = (PINS_MAX - wrong).to_string();
            let said = words.with("error.pin_wrong", &[("left", &left)]).unwrap();
            window.text(&said).await.unwrap();
        }
        if wrong == 1 {
            tour.stop(window, "pin-wrong", EVERY).await;
        }
    }
    let locked = words.start_of("sign_in.locked").unwrap();
    window.text(locked).await.unwrap();
    tour.stop(window, "pin-locked", EVERY).await;
    window.press(Key::Escape).await.unwrap();
    let short = words.get("sign_in.locked_short").unwrap();
    window.text(&short).await.unwrap();
    tour.stop(window, "sign-in-locked", EVERY).await;
    shop.sign_in_joined(window).await;
}

async fn open_shift(shop: &Shop, window: &Window, tour: &mut Tour) {
    let words = &shop.words;
    let title = words.get("shift.title").unwrap();
    window.control("heading", &title).await.unwrap();
    tour.stop(window, "shift", AND_LARGE).await;
    let twenties = words.with("shift.note", &[("value", "20")]).unwrap();
    window.fill("textbox", &twenties, "x").await.unwrap();
    let wrong = words.get("shift.wrong_count").unwrap();
    window.text(&wrong).await.unwrap();
    tour.stop(window, "shift-wrong", EVERY).await;
    window.fill("textbox", &twenties, "0").await.unwrap();
    shop.cashier(window).open_shift().await.unwrap();
    tour.stop(window, "counter", AND_LARGE).await;
}
