//! The customer's phone of training mode: the window that F10 opens, and its page by hand.

use qiantai_testkit::{Cashier, Glance, Key, Method, PATIENCE, until};
use serde_json::Value;

use crate::shop::{MEMBER, MEMBER_PHONE, Shop};
use crate::tour::{LOOKS, Tour, keep, named};

/// How wide the phone's window is; it opens in the corner of a display without a desktop.
const PHONE_WIDTH: u32 = 420;

/// WebDriver sees the first window only, so the second one is looked at from outside.
#[tokio::test(flavor = "multi_thread")]
async fn f10_opens_the_phone_beside_the_counter() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let eye = shop.display.eye();
    let counter = window.picture().await.unwrap();
    window.press(Key::F10).await.unwrap();
    let with_phone = until("the phone's window", PATIENCE, || async {
        let picture = eye.look().and_then(|now: Glance| now.picture())?;
        let phone = [0, 0, PHONE_WIDTH, 700];
        let colours = picture.part(phone).colours();
        let opened = colours > 16 && picture.part(phone) != counter.part(phone);
        Ok(opened.then_some(picture))
    })
    .await
    .unwrap();
    let beside = [PHONE_WIDTH + 20, 100, 800, 500];
    assert!(
        with_phone.part(beside) == counter.part(beside),
        "the counter stays in sight"
    );
    let picture = window.picture().await.unwrap();
    keep(&picture, &named("phone", "window"), LOOKS[0]);
    window.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_reads_pays_and_says_so() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let status = cashier.wait_until_open().await.unwrap();
    let payload = code(&cashier).await;

    let phone = &window;
    phone
        .visit(status["training"]["phone_url"].as_str().unwrap())
        .await
        .unwrap();
    let mut tour = Tour::of_page("phone");
    tour.look_as_it_is(phone, "scan").await;
    phone
        .fill("textbox", "或输入二维码内容", &payload)
        .await
        .unwrap();
    phone.click("button", "打开").await.unwrap();
    phone.text("¥300.00").await.unwrap();
    tour.look_as_it_is(phone, "payment").await;
    phone.click("button", "确认付款").await.unwrap();
    phone.gone("button", "确认付款").await.unwrap();
    tour.look_as_it_is(phone, "paid").await;
    phone.click("button", "English").await.unwrap();
    phone.control("heading", "/phone/").await.unwrap();
    tour.look_as_it_is(phone, "paid-en").await;
    tour.end();

    // Back at the counter the money is there.
    window.back().await.unwrap();
    until("the credit", PATIENCE, || async {
        let order = cashier.newest_order().await?;
        Ok((order["stage"] == "credited").then_some(()))
    })
    .await
    .unwrap();
    window.close().await.unwrap();
}

/// What a code on the counter says.
async fn code(cashier: &Cashier<'_>) -> String {
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Wechat).await.unwrap();
    cashier.take_payment().await.unwrap();
    cashier.payment_qr(Method::Wechat).await.unwrap();
    let order: Value = cashier.newest_order().await.unwrap();
    order["qr"]["payload"].as_str().unwrap().to_owned()
}
