//! A scanner before the counter is open: what it reads is nobody's PIN and no count of notes.

use qiantai_server::sample::TRAINING_STAFF;
use qiantai_testkit::{Key, Window};

use crate::shop::{Shop, expect_slow_scans};

const PAYMENT_CODE: &str = "134567890123456789";
/// Wrong PINs after which a person is locked out.
const PINS_MAX: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_nobodys_pin_and_no_count_of_notes() {
    let shop = Shop::new();
    let window = shop.open().await;
    shop.cashier(&window).sign_in().await.unwrap();
    expect_slow_scans(&window).await;

    let words = &shop.words;
    let hundreds = words.with("shift.note", &[("value", "100")]).unwrap();
    window.click("textbox", &hundreds).await.unwrap();
    window.scan(PAYMENT_CODE).await.unwrap();
    said(&shop, &window, "scan.first.shift").await;
    let open = words.start_of("shift.open").unwrap();
    let nothing = format!("/^{open}.*¥0\\.00/");
    window.button(&nothing).await.unwrap();

    window.press(Key::F12).await.unwrap();
    let who = words.get("sign_in.who").unwrap();
    window.control("heading", &who).await.unwrap();
    for _ in 0..=PINS_MAX {
        window.scan(PAYMENT_CODE).await.unwrap();
    }
    said(&shop, &window, "scan.first.sign_in").await;
    window.control("heading", &who).await.unwrap();

    // The first wrong PIN is a hand's, and counts as the first.
    window
        .click("button", &format!("/{}/", TRAINING_STAFF[0].0))
        .await
        .unwrap();
    window.type_text("999").await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let left = (PINS_MAX - 1).to_string();
    let wrong = words.with("error.pin_wrong", &[("left", &left)]).unwrap();
    window.text(&wrong).await.unwrap();
    window.close().await.unwrap();
}

async fn said(shop: &Shop, window: &Window, first: &str) {
    let first = shop.words.get(first).unwrap();
    let whole = shop.words.with("scan.early_code", &[("first", &first)]);
    window.text(&whole.unwrap()).await.unwrap();
}
