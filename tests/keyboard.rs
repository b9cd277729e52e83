//! Everything by keyboard: no mouse from the sign-in to the next customer.

use qiantai_testkit::{Key, PATIENCE, until};

use crate::shop::{MEMBER, MEMBER_PHONE, Shop};

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

    window.type_text(MEMBER_PHONE).await.unwrap();
    window
        .control("option", &format!("/{MEMBER}/"))
        .await
        .unwrap();
    window.press(Key::Enter).await.unwrap();
    let title = words.with("top_up.title", &[("member", MEMBER)]).unwrap();
    window.control("heading", &title).await.unwrap();

    // Three actions: the amount, the method, the payment.
    window.type_text("2").await.unwrap();
    window.type_text("c").await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    window.press(Key::Enter).await.unwrap();
    cashier.success().await.unwrap();
    let order = cashier.newest_order().await.unwrap();
    assert_eq!(order["stage"], "credited");
    assert_eq!(order["channel"], "cash");

    // A hasty Enter is not taken, so that the change stays in sight.
    let at_rest = words.get("idle.title").unwrap();
    until("the next customer after Enter", PATIENCE, || async {
        window.press(Key::Enter).await?;
        Ok(window.seen().await?.contains(&at_rest).then_some(()))
    })
    .await
    .unwrap();
    window.close().await.unwrap();
}
