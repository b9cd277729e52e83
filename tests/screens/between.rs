//! States that last a moment, held still: an order on its way to the server, a code on its way from
//! the channel, and money that came for a member who may not be credited.

use qiantai_server::sample::ShopKind;
use qiantai_testkit::{Key, Method};

use crate::books::Books;
use crate::shop::{MEMBER, MEMBER_PHONE, Shop, orders};
use crate::tour::{EVERY, Tour};

#[tokio::test(flavor = "multi_thread")]
async fn every_state_that_lasts_a_moment() {
    let shop = Shop::new();
    let books = Books::open(ShopKind::Salon, |_| {}).await;
    let window = shop.join(&books).await;
    let cashier = shop.cashier(&window);
    let mut tour = Tour::new("between");
    let said = async |key: &str| {
        let said = shop.words.get(key).unwrap();
        window.text(&said).await.unwrap();
    };

    books.operations.shut();
    books.gateway.shut();
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Wechat).await.unwrap();
    cashier.take_payment().await.unwrap();
    said("stage.opening.title").await;
    tour.stop_while(&window, "opening", EVERY, "stage.opening.title")
        .await;

    books.operations.open();
    said("stage.preparing.title").await;
    tour.stop_while(&window, "preparing", EVERY, "stage.preparing.title")
        .await;

    books.gateway.open();
    cashier.payment_qr(Method::Wechat).await.unwrap();
    books.operations.shut();
    let cancel = format!("/^{}/", shop.words.get("paying.cancel").unwrap());
    window.click("button", &cancel).await.unwrap();
    said("stage.cancelling.title").await;
    let cancelling = "stage.cancelling.title";
    tour.stop_while(&window, "cancelling", EVERY, cancelling)
        .await;
    books.operations.open();
    said("stage.ended.title").await;
    window.press(Key::Escape).await.unwrap();
    cashier.at_rest().await.unwrap();

    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Wechat).await.unwrap();
    cashier.take_payment().await.unwrap();
    let code = cashier.payment_qr(Method::Wechat).await.unwrap();
    let payment = books.phone.scan(code).await.unwrap();
    books.freeze_members();
    books.phone.pay(&payment).await.unwrap();
    said("stage.paid.title").await;
    tour.stop_while(&window, "paid", EVERY, "stage.paid.title")
        .await;
    window.press(Key::Escape).await.unwrap();
    cashier.at_rest().await.unwrap();
    said("stage.paid.name").await;
    tour.stop(&window, "idle-with-a-paid-order", EVERY).await;
    let orders = orders(&window).await;
    assert_eq!(orders.len(), 2);
    assert_eq!(orders[0]["stage"], "paid", "it stays in sight");
    tour.end();
    window.close().await.unwrap();
}
