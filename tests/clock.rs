//! A terminal whose clock is wrong: it says so, goes on selling, and works by the server's time.

use qiantai_core::Millis;
use qiantai_server::sample::ShopKind;
use qiantai_testkit::{Method, PATIENCE, Window, until};
use serde_json::Value;

use crate::books::Books;
use crate::shop::{MEMBER, MEMBER_PHONE, Shop, balance, synced};
use crate::tour::{AND_LARGE, Tour};

const MINUTES_OFF: i64 = 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_runs_ahead() {
    check(-MINUTES_OFF, Some(Tour::new("clock"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_runs_behind() {
    check(MINUTES_OFF, None).await;
}

/// Sells while the server's clock is `minutes` off from the terminal's.
async fn check(minutes: i64, tour: Option<Tour>) {
    let shop = Shop::new();
    let books = Books::open(ShopKind::Salon, |_| {}).await;
    books.set_clock_off(Millis::minutes(minutes));
    let window = shop.join(&books).await;
    let cashier = shop.cashier(&window);
    let off = MINUTES_OFF.to_string();
    let warning = shop.words.with("frame.clock_off", &[("minutes", &off)]);
    let warning = warning.unwrap();
    window.text(&warning).await.unwrap();
    let before = balance(&window).await;

    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("500").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    if let Some(mut tour) = tour {
        tour.stop(&window, "top-up", AND_LARGE).await;
        tour.end();
    }
    cashier.take_payment().await.unwrap();
    cashier.success().await.unwrap();
    synced(&window).await;
    let order = cashier.newest_order().await.unwrap();
    assert_eq!(order["provisional"], false);
    let bonus = order["bonus_fen"].as_i64().unwrap();
    assert_eq!(balance(&window).await, before + 50_000 + bonus);
    let away = books.now().ms() - order["opened_at_ms"].as_i64().unwrap();
    assert!(
        away.abs() < Millis::minutes(MINUTES_OFF / 2).0,
        "the order is {away} ms from the server's time"
    );

    // Put right, the clock is warned about no longer.
    books.set_clock_off(Millis(0));
    cashier.next_customer().await.unwrap();
    top_up_again(&shop, &window).await;
    until("the warning to go", PATIENCE * 2, || async {
        Ok((!window.seen().await?.contains(&warning)).then_some(()))
    })
    .await
    .unwrap();
    window.close().await.unwrap();
}

/// Anything that makes the terminal hear from the server.
async fn top_up_again(shop: &Shop, window: &Window) {
    let cashier = shop.cashier(window);
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("1000").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.take_payment().await.unwrap();
    cashier.success().await.unwrap();
    synced(window).await;
    let session: Value = window.call("session", Value::Null).await.unwrap();
    assert_eq!(session["sync"]["pending"], 0);
}
