//! Money that waits for a person: the manager is told, sees why, and has it credited.

use qiantai_server::sample::{ShopKind, TRAINING_STAFF};
use qiantai_testkit::{Key, Method, PATIENCE, Window, until};
use serde_json::Value;

use crate::books::Books;
use crate::shop::{MEMBER, MEMBER_PHONE, Shop, balance};
use crate::tour::{AND_LARGE, EVERY, Tour};

/// Whether the order of this terminal is where it should be.
async fn until_stage(shop: &Shop, window: &Window, stage: &str) -> Value {
    let cashier = shop.cashier(window);
    let what = format!("the stage {stage}");
    until(&what, PATIENCE * 3, || async {
        let order = cashier.newest_order().await?;
        Ok((order["stage"] == stage).then_some(order))
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_credits_money_that_waits() {
    let shop = Shop::new();
    let books = Books::open(ShopKind::Salon, |_| {}).await;
    let window = shop.join(&books).await;
    let cashier = shop.cashier(&window);
    let word = |key: &str| shop.words.get(key).unwrap();
    let rail = format!("/^{}/", word("rail.cases"));
    let mut tour = Tour::of_page("cases");
    let before = balance(&window).await;

    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Wechat).await.unwrap();
    cashier.take_payment().await.unwrap();
    let code = cashier.payment_qr(Method::Wechat).await.unwrap();
    let payment = books.phone.scan(code).await.unwrap();
    books.freeze_members();
    books.phone.pay(&payment).await.unwrap();
    until_stage(&shop, &window, "paid").await;
    let seen = window.look("button", &rail).await.unwrap();
    assert!(seen.is_none(), "cashiers have other work");

    window.press(Key::F12).await.unwrap();
    let (number, pin, _) = TRAINING_STAFF.last().unwrap();
    cashier.sign_in_as(number, pin).await.unwrap();
    let counted = format!("/^{}.*1/", word("rail.cases"));
    window.click("button", &counted).await.unwrap();
    window
        .control("heading", &word("cases.name"))
        .await
        .unwrap();
    window.text(&word("case.credit_blocked")).await.unwrap();
    window
        .text(&word("case_advice.credit_blocked"))
        .await
        .unwrap();
    tour.stop(&window, "waiting", AND_LARGE).await;

    books.thaw_members();
    let masked = "张*";
    let credit = [("member", masked), ("amount", "¥300.00")];
    let credit = shop.words.with("cases.credit_name", &credit).unwrap();
    window.click("button", &credit).await.unwrap();
    let question = word("cases.credit_title");
    window.control("dialog", &question).await.unwrap();
    let field = word("approval.number");
    window.fill("textbox", &field, number).await.unwrap();
    window.press(Key::Tab).await.unwrap();
    window.type_text("0000").await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let wrong = shop.words.with("error.pin_wrong", &[("left", "4")]);
    window.text(&wrong.unwrap()).await.unwrap();
    tour.stop(&window, "wrong-pin", EVERY).await;
    assert_eq!(balance(&window).await, before, "nothing is credited yet");

    window.type_text(pin).await.unwrap();
    window.press(Key::Enter).await.unwrap();
    window.gone("dialog", &question).await.unwrap();
    let order = until_stage(&shop, &window, "credited").await;
    let gained = order["pay_fen"].as_i64().unwrap() + order["bonus_fen"].as_i64().unwrap();
    until("the balance", PATIENCE, || async {
        Ok((balance(&window).await == before + gained).then_some(()))
    })
    .await
    .unwrap();
    window.text(&word("cases.sum_none")).await.unwrap();
    tour.stop(&window, "done", EVERY).await;
    tour.end();
    window.close().await.unwrap();
}
