//! Cash beyond the offline cap: a manager types number and PIN on the cashier's screen.

use qiantai_server::sample::{ShopKind, TRAINING_STAFF};
use qiantai_testkit::{Key, Method};
use serde_json::Value;

use crate::books::Books;
use crate::shop::{MEMBER, MEMBER_PHONE, Shop, orders, sync_state, synced};
use crate::tour::{EVERY, Tour};

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_lets_a_large_amount_through_while_the_line_is_cut() {
    let shop = Shop::new();
    let books = Books::open(ShopKind::Salon, |_| {}).await;
    let window = shop.join(&books).await;
    let cashier = shop.cashier(&window);
    let word = |key: &str| shop.words.get(key).unwrap();
    let mut tour = Tour::new("approval");
    books.cut_line();
    sync_state(&window, "offline").await;

    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    let other = word("top_up.custom");
    window.fill("textbox", &other, "1500").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.take_payment().await.unwrap();
    let question = word("approval.title");
    window.control("dialog", &question).await.unwrap();
    tour.stop(&window, "asked", EVERY).await;

    let (number, pin, _) = TRAINING_STAFF.last().unwrap();
    let field = word("approval.number");
    window.fill("textbox", &field, number).await.unwrap();
    window.press(Key::Tab).await.unwrap();
    window.type_text("0000").await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let wrong = shop.words.with("error.pin_wrong", &[("left", "4")]);
    window.text(&wrong.unwrap()).await.unwrap();
    tour.stop(&window, "wrong-pin", EVERY).await;
    assert!(orders(&window).await.is_empty(), "nothing was taken");

    window.type_text(pin).await.unwrap();
    window.press(Key::Enter).await.unwrap();
    cashier.success().await.unwrap();
    let order: Value = cashier.newest_order().await.unwrap();
    let name = order["approver"].as_str().unwrap();
    assert!(!name.is_empty());
    let approved = shop.words.with("success.approved", &[("name", name)]);
    window.text(&approved.unwrap()).await.unwrap();
    tour.stop(&window, "success", EVERY).await;
    window.type_text("p").await.unwrap();
    let receipt = word("receipt.name");
    window.control("dialog", &receipt).await.unwrap();
    window.text("店长授权").await.unwrap();
    tour.stop(&window, "receipt", EVERY).await;
    window.press(Key::Escape).await.unwrap();
    window.gone("dialog", &receipt).await.unwrap();
    cashier.next_customer().await.unwrap();

    books.join_line();
    synced(&window).await;
    let confirmed: Value = cashier.newest_order().await.unwrap();
    assert_eq!(confirmed["approver"], name);
    assert_eq!(confirmed["provisional"], false);
    tour.end();
    window.close().await.unwrap();
}
