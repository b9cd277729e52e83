//! Methods of payment while their gateway fails: behind the others, said, and back by themselves.

use qiantai_testkit::{Method, PATIENCE, Window, until};
use serde_json::{Value, json};

use crate::shop::{MEMBER, MEMBER_PHONE, Shop, member};
use crate::tour::{AND_LARGE, Tour};

/// The order of the sample shops.
const USUAL: [&str; 7] = [
    "wechat", "alipay", "unionpay", "cash", "ecny", "card", "transfer",
];
/// The one gateway of training carries every wallet.
const FAILING: [&str; 7] = [
    "cash", "card", "transfer", "wechat", "alipay", "unionpay", "ecny",
];

async fn channels(window: &Window) -> Vec<Value> {
    let member = member(window).await.unwrap()["id"].clone();
    let form = window.call("top_up_form", json!({ "member_id": member }));
    let form: Value = form.await.unwrap();
    let offers = form["channels"].as_array().unwrap().iter();
    offers.map(|offer| offer["channel"].clone()).collect()
}

async fn until_in_order(window: &Window, order: &[&str]) {
    until("the methods in another order", PATIENCE * 6, || async {
        let channels = channels(window).await;
        Ok((channels == order).then_some(()))
    })
    .await
    .unwrap();
}

/// Waits until every gateway is known to answer again: until then cash is first, and chosen.
pub async fn until_all_are_up(window: &Window) {
    until_in_order(window, &USUAL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_whose_gateway_fails_is_moved_down_and_comes_back() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let phone = cashier.customers_phone().await.unwrap();
    let wechat = format!("/{}/", shop.words.get("channel.wechat").unwrap());
    let is_free = async || {
        let radio = window.control("radio", &wechat).await.unwrap();
        radio.is_enabled().await.unwrap()
    };
    assert_eq!(channels(&window).await, USUAL);
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Wechat).await.unwrap();
    cashier.take_payment().await.unwrap();
    cashier.payment_qr(Method::Wechat).await.unwrap();

    // The server asks about the open payment, and nothing that it hears makes sense.
    let garbled = json!({ "answers": [{ "fault": { "kind": "garbled" } }] });
    phone.misbehave(&garbled).await.unwrap();
    until_in_order(&window, &FAILING).await;
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    let names = ["wechat", "alipay", "unionpay"].map(|name| {
        let name = shop.words.get(&format!("channel.{name}"));
        name.unwrap()
    });
    let last = shop.words.get("channel.ecny").unwrap();
    let names = format!("{}和{last}", names.join("、"));
    let said = shop.words.with("top_up.down", &[("channels", &names)]);
    let said = said.unwrap().split('{').next().unwrap().to_owned();
    window.text(&said).await.unwrap();
    assert!(!is_free().await, "nobody can choose it");
    cashier.choose_amount("300").await.unwrap();
    // Cash is first now, and chosen for the cashier.
    let cash = shop.words.start_of("summary.go_cash").unwrap();
    window.button(&format!("/^{cash}.*300/")).await.unwrap();
    let mut tour = Tour::new("method-down");
    tour.stop(&window, "form", AND_LARGE).await;

    phone.misbehave(&json!({})).await.unwrap();
    until_in_order(&window, &USUAL).await;
    until("a method that can be chosen", PATIENCE, || async {
        Ok(is_free().await.then_some(()))
    })
    .await
    .unwrap();
    assert!(!window.seen().await.unwrap().contains(&said));
    tour.end();
    window.close().await.unwrap();
}
