//! The rules change between the price that is shown and the click that takes the money.

use qiantai_core::Money;
use qiantai_core::policy::LadderBonus;
use qiantai_server::sample::ShopKind;
use qiantai_testkit::{Cashier, Key, Method, PATIENCE, Window, until};
use serde_json::{Value, json};

use crate::books::Books;
use crate::shop::{MEMBER, MEMBER_PHONE, Shop, balance, member, orders};
use crate::tour::{AND_LARGE, Tour};

/// On no package, so that the ladder prices it.
const YUAN: &str = "1500";
const NEW_BONUS: i64 = 7_700;

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_price_is_asked_about_in_cash() {
    check(Method::Cash, Some(Tour::new("price"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_price_is_asked_about_before_a_code_is_shown() {
    check(Method::Wechat, None).await;
}

async fn check(method: Method, tour: Option<Tour>) {
    let shop = Shop::new();
    let books = Books::open(ShopKind::Salon, |_| {}).await;
    let window = shop.join(&books).await;
    let cashier = shop.cashier(&window);
    let words = &shop.words;
    let before = balance(&window).await;
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    let other = words.get("top_up.custom").unwrap();
    window.fill("textbox", &other, YUAN).await.unwrap();
    cashier.choose_method(method).await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    change_price(&books, &window).await;

    cashier.take_payment().await.unwrap();
    let title = words.get("changed.title").unwrap();
    window.control("alertdialog", &title).await.unwrap();
    if let Some(mut tour) = tour {
        tour.stop(&window, "changed-question", AND_LARGE).await;
        tour.end();
    }
    // A second Enter does not answer a question that nobody has read: it goes back.
    window.press(Key::Escape).await.unwrap();
    window.gone("alertdialog", &title).await.unwrap();
    assert!(orders(&window).await.is_empty(), "nothing was taken");
    window.text("¥77.00").await.unwrap();

    // What is shown now is what is charged.
    cashier.take_payment().await.unwrap();
    let order = paid(&cashier, &books, method).await;
    assert_eq!(order["pay_fen"], 150_000);
    assert_eq!(order["bonus_fen"], NEW_BONUS);
    assert_eq!(balance(&window).await, before + 150_000 + NEW_BONUS);
    window.close().await.unwrap();
}

/// Puts another bonus into force and waits until the terminal prices by it.
async fn change_price(books: &Books, window: &Window) {
    books
        .change_rules(|rules| {
            for row in rules.ladders.iter_mut().flat_map(|ladder| &mut ladder.rows) {
                row.bonus = LadderBonus::Fixed(Money::from_fen(NEW_BONUS));
            }
        })
        .await;
    let member = member(window).await.unwrap();
    let key = json!({ "member_id": member["id"] });
    until(
        "the terminal to hear of the new price",
        PATIENCE,
        || async {
            let form: Value = window.call("top_up_form", key.clone()).await?;
            let wish = json!({
                "intent": form["intent"],
                "member_id": member["id"],
                "choice": { "kind": "typed", "text": YUAN },
                "channel": "cash",
            });
            let quote: Value = window.call("quote", wish).await?;
            Ok((quote["bonus_fen"] == NEW_BONUS).then_some(()))
        },
    )
    .await
    .unwrap();
}

async fn paid(cashier: &Cashier<'_>, books: &Books, method: Method) -> Value {
    if method != Method::Cash {
        let code = cashier.payment_qr(method).await.unwrap();
        let payment = books.phone.scan(code).await.unwrap();
        books.phone.pay(&payment).await.unwrap();
    }
    cashier.success().await.unwrap();
    cashier.newest_order().await.unwrap()
}
