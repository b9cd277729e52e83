//! The app is killed in the middle of a top-up and started again: either there is no order, or one
//! that goes on. Never two credits.

use qiantai_testkit::{Method, PATIENCE, Window, until};
use serde_json::Value;

use crate::shop::{MEMBER, MEMBER_PHONE, Shop, balance, orders};

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_customer_pays() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let before = balance(&window).await;
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Alipay).await.unwrap();
    cashier.take_payment().await.unwrap();
    cashier.payment_qr(Method::Alipay).await.unwrap();
    window.kill().await.unwrap();

    let window = shop.open_again().await;
    let order = only_order(&window).await;
    assert!(
        ["waiting", "user_paying", "unknown", "preparing"]
            .contains(&order["stage"].as_str().unwrap()),
        "{order}"
    );
    assert_eq!(
        balance(&window).await,
        before,
        "nothing is credited before the money is there"
    );
    window.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_cash_was_taken() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.take_payment().await.unwrap();
    cashier.success().await.unwrap();
    let after = cashier.newest_order().await.unwrap()["credit"]["balance_after_fen"].clone();
    window.kill().await.unwrap();

    let window = shop.open_again().await;
    assert_eq!(only_order(&window).await["stage"], "credited");
    assert_eq!(balance(&window).await, after.as_i64().unwrap());
    window.close().await.unwrap();
}

/// Killed at once after the click, which may be before or after the order became durable.
#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_the_click() {
    let shop = Shop::new();
    let mut window = shop.open_counter().await;
    for _ in 0..3 {
        let before = balance(&window).await;
        let count = orders(&window).await.len();
        let cashier = shop.cashier(&window);
        cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
        cashier.choose_amount("300").await.unwrap();
        cashier.choose_method(Method::Cash).await.unwrap();
        cashier.take_payment().await.unwrap();
        window.kill().await.unwrap();

        window = shop.open_again().await;
        settled(&window).await;
        let (now, orders) = (balance(&window).await, orders(&window).await);
        match orders.len() - count {
            0 => assert_eq!(now, before),
            1 => {
                let newest = orders
                    .iter()
                    .max_by_key(|order| order["opened_at_ms"].as_i64())
                    .unwrap();
                let credit =
                    newest["pay_fen"].as_i64().unwrap() + newest["bonus_fen"].as_i64().unwrap();
                assert_eq!(newest["stage"], "credited");
                assert_eq!(now, before + credit);
            }
            more => panic!("one click made {more} orders"),
        }
        shop.cashier(&window).at_rest().await.unwrap();
    }
    window.close().await.unwrap();
}

async fn only_order(window: &Window) -> Value {
    let mut orders = orders(window).await;
    assert_eq!(orders.len(), 1);
    orders.remove(0)
}

/// Waits until the server has confirmed everything that this terminal did.
async fn settled(window: &Window) {
    until("the server to confirm everything", PATIENCE, || async {
        let session: Value = window.call("session", Value::Null).await?;
        Ok((session["sync"]["state"] == "synced").then_some(()))
    })
    .await
    .unwrap();
}
