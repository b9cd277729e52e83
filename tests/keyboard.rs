//! Everything by keyboard: no mouse from the sign-in to the next customer.

use qiantai_server::sample::ShopKind;
use qiantai_testkit::{Cashier, Key, Method, PATIENCE, until};
use serde_json::{Value, json};

use crate::books::Books;
use crate::shop::{MEMBER, MEMBER_PHONE, Shop, orders, sync_state};

#[tokio::test(flavor = "multi_thread")]
async fn a_cash_top_up_without_a_mouse() {
    let shop = Shop::new();
    let window = shop.open().await;
    let cashier = shop.cashier(&window);
    let words = &shop.words;

    let status = cashier.wait_until_open().await.unwrap();
    window
        .control("heading", &words.get("sign_in.who").unwrap())
        .await
        .unwrap();
    window.type_text("1").await.unwrap();
    window
        .button(&words.get("sign_in.enter").unwrap())
        .await
        .unwrap();
    window
        .type_text(status["training"]["pins"][0][1].as_str().unwrap())
        .await
        .unwrap();
    window.press(Key::Enter).await.unwrap();

    window
        .control("heading", &words.get("shift.title").unwrap())
        .await
        .unwrap();
    window.type_text("5").await.unwrap();
    window.press_with(Key::Control, Key::Enter).await.unwrap();
    cashier.at_rest().await.unwrap();

    find_by_keys(&cashier).await;
    let found = window.actions();
    window.type_text("2").await.unwrap();
    window.type_text("c").await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    window.press(Key::Enter).await.unwrap();
    cashier.success().await.unwrap();
    assert!(
        window.actions() - found <= 3,
        "{} actions after the search",
        window.actions() - found
    );
    let order = cashier.newest_order().await.unwrap();
    assert_eq!(order["stage"], "credited");
    assert_eq!(order["channel"], "cash");

    next_by_enter(&cashier).await;
    window.close().await.unwrap();
}

/// Once an amount stands, digits are the cash received and never another amount.
#[tokio::test(flavor = "multi_thread")]
async fn digits_after_the_amount_are_cash_received() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    find_by_keys(&cashier).await;
    window.type_text("c").await.unwrap();
    window
        .type_text(&key_of(&cashier, 50_000).await)
        .await
        .unwrap();
    window.type_text("505").await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    window.press(Key::Enter).await.unwrap();
    cashier.success().await.unwrap();
    let order = cashier.newest_order().await.unwrap();
    assert_eq!(order["pay_fen"], 50_000);
    assert_eq!(order["tendered_fen"], 50_500);
    assert_eq!(order["change_fen"], 500);
    window.close().await.unwrap();
}

/// Without the server cash is chosen already: the amount's digit and the cash are all that is typed.
#[tokio::test(flavor = "multi_thread")]
async fn offline_the_first_digit_is_the_amount_and_the_rest_is_cash() {
    let shop = Shop::new();
    let books = Books::open(ShopKind::Gym, |_| {}).await;
    let window = shop.join(&books).await;
    let cashier = shop.cashier(&window);
    books.cut_line();
    sync_state(&window, "offline").await;
    find_by_keys(&cashier).await;
    window
        .type_text(&key_of(&cashier, 50_000).await)
        .await
        .unwrap();
    cash_is_next(&cashier).await;
    window.type_text("505").await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    window.press(Key::Enter).await.unwrap();
    cashier.success().await.unwrap();
    tendered(&cashier, 50_000, 50_500).await;
    window.close().await.unwrap();
}

/// After a declined payment one key changes to cash, and digits are cash received.
#[tokio::test(flavor = "multi_thread")]
async fn cash_instead_of_a_declined_payment_takes_the_next_digits() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let phone = cashier.customers_phone().await.unwrap();
    find_by_keys(&cashier).await;
    window
        .type_text(&key_of(&cashier, 50_000).await)
        .await
        .unwrap();
    window.type_text("w").await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let code = cashier.payment_qr(Method::Wechat).await.unwrap();
    let payment = phone.scan(code).await.unwrap();
    let declined = json!({ "action": "decline", "cause": "card_balance_short" });
    phone.act(&payment, declined).await.unwrap();
    let words = &shop.words;
    let cash = words.get("channel.cash").unwrap();
    let instead = words.with("paying.by", &[("channel", &cash)]).unwrap();
    window.button(&format!("/^{instead}/")).await.unwrap();
    window.type_text("c").await.unwrap();
    cash_is_next(&cashier).await;
    window.type_text("505").await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    window.press(Key::Enter).await.unwrap();
    cashier.success().await.unwrap();
    tendered(&cashier, 50_000, 50_500).await;
    window.close().await.unwrap();
}

/// Waits for the field for the cash received.
async fn cash_is_next(cashier: &Cashier<'_>) {
    let field = cashier.words.get("cash.tendered").unwrap();
    cashier.window.control("textbox", &field).await.unwrap();
}

async fn tendered(cashier: &Cashier<'_>, pay_fen: i64, tendered_fen: i64) {
    let order = cashier.newest_order().await.unwrap();
    assert_eq!(order["stage"], "credited");
    assert_eq!(order["channel"], "cash");
    assert_eq!(order["pay_fen"], pay_fen);
    assert_eq!(order["tendered_fen"], tendered_fen);
}

/// The digit that chooses the offer of `fen`.
async fn key_of(cashier: &Cashier<'_>, fen: i64) -> String {
    let members: Vec<Value> = cashier
        .window
        .call(
            "search_members",
            json!({ "text": MEMBER_PHONE, "exact": true }),
        )
        .await
        .unwrap();
    let form: Value = cashier
        .window
        .call("top_up_form", json!({ "member_id": members[0]["id"] }))
        .await
        .unwrap();
    let offers = form["offers"].as_array().unwrap();
    let place = offers.iter().position(|offer| offer["pay_fen"] == fen);
    (place.unwrap() + 1).to_string()
}

/// The customer's phone pays; everything else is keys.
#[tokio::test(flavor = "multi_thread")]
async fn a_top_up_by_qr_code_without_a_mouse() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let phone = cashier.customers_phone().await.unwrap();
    find_by_keys(&cashier).await;
    let found = window.actions();
    window.type_text("1").await.unwrap();
    window.type_text("w").await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let code = cashier.payment_qr(Method::Wechat).await.unwrap();
    assert!(window.actions() - found <= 3);
    phone.pay(&phone.scan(code).await.unwrap()).await.unwrap();
    cashier.success().await.unwrap();

    window.type_text("p").await.unwrap();
    let receipt = shop.words.get("receipt.name").unwrap();
    window.control("dialog", &receipt).await.unwrap();
    let paper = shop.words.get("receipt.paper").unwrap();
    window.control("region", &paper).await.unwrap();
    window.type_text("r").await.unwrap();
    let reprinted = shop.words.start_of("receipt.reprinted").unwrap();
    window.text(reprinted).await.unwrap();
    window.press(Key::Escape).await.unwrap();
    window.gone("dialog", &receipt).await.unwrap();
    next_by_enter(&cashier).await;
    assert_eq!(orders(&window).await.len(), 1);
    window.close().await.unwrap();
}

async fn find_by_keys(cashier: &Cashier<'_>) {
    let Cashier { window, words } = cashier;
    window.type_text(MEMBER_PHONE).await.unwrap();
    let hit = format!("/{MEMBER}/");
    window.control("option", &hit).await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let title = words.with("top_up.title", &[("member", MEMBER)]).unwrap();
    window.control("heading", &title).await.unwrap();
}

/// A hasty Enter is not taken, so that the change stays in sight.
async fn next_by_enter(cashier: &Cashier<'_>) {
    let Cashier { window, words } = cashier;
    let at_rest = words.get("idle.title").unwrap();
    until("the next customer after Enter", PATIENCE, || async {
        window.press(Key::Enter).await?;
        Ok(window.seen().await?.contains(&at_rest).then_some(()))
    })
    .await
    .unwrap();
}
