//! A card payment on the bank's own terminal and a transfer, recorded by their references.

use qiantai_server::sample::ShopKind;
use qiantai_testkit::{Cashier, Key, Window};

use crate::books::Books;
use crate::shop::{MEMBER, MEMBER_PHONE, Shop, balance, orders};
use crate::tour::{EVERY, Tour};

/// What a tired hand leaves in the field, the sentence beside it, and what that sentence names.
type Refused = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const WRONG: [Refused; 4] = [
    ("", "error.reference_empty", &[]),
    ("12", "error.reference_too_short", &[("least", "4")]),
    (
        "123456789012345678901234567890123",
        "error.reference_too_long",
        &[("most", "32")],
    ),
    (
        "凭0001",
        "error.reference_character",
        &[("character", "凭")],
    ),
];

/// Up to the field for the reference; the method is told by its word.
async fn reach(shop: &Shop, cashier: &Cashier<'_>, window: &Window, yuan: &str, method: &str) {
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount(yuan).await.unwrap();
    let word = shop.words.get(&format!("channel.{method}")).unwrap();
    window.choose("radio", &format!("/{word}/")).await.unwrap();
}

/// Empties the field as hands do, types, and takes the payment.
async fn record(window: &Window, cashier: &Cashier<'_>, field: &str, reference: &str) {
    let box_of_it = window.control("textbox", field).await.unwrap();
    box_of_it.click().await.unwrap();
    window.press_with(Key::Control, 'a').await.unwrap();
    window.press(Key::Delete).await.unwrap();
    if !reference.is_empty() {
        window.type_text(reference).await.unwrap();
    }
    cashier.take_payment().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_payment_and_a_transfer_are_recorded_once() {
    let shop = Shop::new();
    let books = Books::open(ShopKind::Salon, |_| {}).await;
    let window = shop.join(&books).await;
    let cashier = shop.cashier(&window);
    let word = |key: &str| shop.words.get(key).unwrap();
    let said = |key: &str, values: &[(&str, &str)]| shop.words.with(key, values).unwrap();
    let mut tour = Tour::new("recorded");
    let before = balance(&window).await;

    reach(&shop, &cashier, &window, "300", "card").await;
    let voucher = word("recorded.card.reference");
    for (typed, key, values) in WRONG {
        record(&window, &cashier, &voucher, typed).await;
        window.text(&said(key, values)).await.unwrap();
    }
    tour.stop(&window, "wrong-reference", EVERY).await;
    assert!(orders(&window).await.is_empty(), "nothing was recorded");
    record(&window, &cashier, &voucher, "000123").await;
    cashier.success().await.unwrap();
    let marked = said("recorded.by", &[("no", "000123")]);
    window.text(&marked).await.unwrap();
    tour.stop(&window, "success", EVERY).await;
    window.type_text("p").await.unwrap();
    window
        .control("dialog", &word("receipt.name"))
        .await
        .unwrap();
    window.text("刷卡（人工登记）").await.unwrap();
    window.press(Key::Escape).await.unwrap();
    window.gone("dialog", &word("receipt.name")).await.unwrap();
    cashier.next_customer().await.unwrap();

    // The same voucher number again: asked about, and another payment after all.
    reach(&shop, &cashier, &window, "500", "card").await;
    record(&window, &cashier, &voucher, "000123").await;
    let question = word("reference_used.title");
    window.control("alertdialog", &question).await.unwrap();
    tour.stop(&window, "used-today", EVERY).await;
    assert_eq!(orders(&window).await.len(), 1, "nothing before the answer");
    window.type_text("y").await.unwrap();
    cashier.success().await.unwrap();
    cashier.next_customer().await.unwrap();

    reach(&shop, &cashier, &window, "1000", "transfer").await;
    let serial = word("recorded.transfer.reference");
    record(&window, &cashier, &serial, "2026-AB-0001").await;
    cashier.success().await.unwrap();
    let first = cashier.newest_order().await.unwrap();
    cashier.next_customer().await.unwrap();

    // The same transfer again is no other payment.
    reach(&shop, &cashier, &window, "2000", "transfer").await;
    record(&window, &cashier, &serial, "2026-ab-0001").await;
    let number = first["order_no"].as_str().unwrap();
    let taken = said("error.reference_taken", &[("no", number)]);
    window.text(&taken).await.unwrap();
    tour.stop(&window, "transfer-taken", EVERY).await;
    assert_eq!(orders(&window).await.len(), 3);
    let principal = 30_000 + 50_000 + 100_000;
    assert!(balance(&window).await >= before + principal);
    tour.end();
    window.close().await.unwrap();
}
