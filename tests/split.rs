//! A top-up paid in two parts: some of it in cash, the rest by card or transfer, or by a code.

use qiantai_server::sample::ShopKind;
use qiantai_testkit::{Cashier, Key, Method, ScannedPayment, Window};
use serde_json::json;

use crate::books::Books;
use crate::shop::{MEMBER, MEMBER_PHONE, Shop, balance, orders};
use crate::tour::{AND_LARGE, EVERY, Tour};

/// What a sentence of the tables is filled with, by name.
type Values = &'static [(&'static str, &'static str)];

/// What is no part of 300, and the sentence beside it with its values.
const WRONG: [(&str, &str, Values); 4] = [
    ("0", "error.amount_zero", &[]),
    ("0.001", "error.amount_too_precise", &[]),
    ("300", "error.cash_part_whole", &[("amount", "300.00")]),
    ("300.01", "error.cash_part_whole", &[("amount", "300.00")]),
];

async fn reach(shop: &Shop, cashier: &Cashier<'_>, window: &Window, yuan: &str, method: &str) {
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount(yuan).await.unwrap();
    let word = shop.words.get(&format!("channel.{method}")).unwrap();
    window.choose("radio", &format!("/{word}/")).await.unwrap();
}

/// Empties a field as hands do, and types.
async fn fill(window: &Window, field: &str, text: &str) {
    let box_of_it = window.control("textbox", field).await.unwrap();
    box_of_it.click().await.unwrap();
    window.press_with(Key::Control, 'a').await.unwrap();
    window.press(Key::Delete).await.unwrap();
    if !text.is_empty() {
        window.type_text(text).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_top_up_is_paid_partly_in_cash_and_the_rest_by_card() {
    let shop = Shop::new();
    let books = Books::open(ShopKind::Salon, |_| {}).await;
    let window = shop.join(&books).await;
    let cashier = shop.cashier(&window);
    let word = |key: &str| shop.words.get(key).unwrap();
    let said = |key: &str, values: &[(&str, &str)]| shop.words.with(key, values).unwrap();
    let mut tour = Tour::new("split");
    let before = balance(&window).await;

    reach(&shop, &cashier, &window, "300", "card").await;
    let (part, voucher) = (word("split.part"), word("recorded.card.reference"));
    for (typed, key, values) in WRONG {
        fill(&window, &part, typed).await;
        window.text(&said(key, values)).await.unwrap();
    }
    tour.stop(&window, "wrong-part", EVERY).await;

    // The card comes first. It is declined: all of it in cash then, and nothing of the split is left.
    let amounts = [("other", "¥200.00"), ("cash", "¥100.00")];
    fill(&window, &part, "100").await;
    window
        .text(&said("split.card.what", &amounts))
        .await
        .unwrap();
    let cash = word("channel.cash");
    window.choose("radio", &format!("/{cash}/")).await.unwrap();
    window
        .control("textbox", &word("cash.tendered"))
        .await
        .unwrap();
    let card = word("channel.card");
    window.choose("radio", &format!("/{card}/")).await.unwrap();
    let whole = said("recorded.card.what", &[("amount", "¥300.00")]);
    window.text(&whole).await.unwrap();
    assert!(orders(&window).await.is_empty(), "nothing was recorded");

    fill(&window, &part, "100").await;
    window
        .text(&said("split.card.what", &amounts))
        .await
        .unwrap();
    fill(&window, &voucher, "000123").await;
    tour.stop(&window, "both-parts", AND_LARGE).await;
    cashier.take_payment().await.unwrap();
    cashier.success().await.unwrap();
    let both = [
        ("channel", card.as_str()),
        ("other", "¥200.00"),
        ("cash", "¥100.00"),
    ];
    let both = said("split.parts", &both);
    window.text(&both).await.unwrap();
    tour.stop(&window, "success", EVERY).await;
    window.type_text("p").await.unwrap();
    let receipt = word("receipt.name");
    window.control("dialog", &receipt).await.unwrap();
    window.text("组合付款").await.unwrap();
    window.text("刷卡（人工登记）").await.unwrap();
    tour.stop(&window, "receipt", EVERY).await;
    window.press(Key::Escape).await.unwrap();
    window.gone("dialog", &receipt).await.unwrap();
    let order = cashier.newest_order().await.unwrap();
    assert_eq!(order["parts"]["cash_fen"], 10_000);
    assert_eq!(order["parts"]["other_fen"], 20_000);
    assert_eq!(orders(&window).await.len(), 1);
    assert!(balance(&window).await >= before + 30_000);
    cashier.next_customer().await.unwrap();

    // Given up before the payment: nothing is written.
    reach(&shop, &cashier, &window, "500", "transfer").await;
    fill(&window, &part, "200").await;
    let amounts = [("other", "¥300.00"), ("cash", "¥200.00")];
    let what = said("split.transfer.what", &amounts);
    window.text(&what).await.unwrap();
    window.press(Key::Escape).await.unwrap();
    window.press(Key::Escape).await.unwrap();
    window.gone("textbox", &part).await.unwrap();
    assert_eq!(orders(&window).await.len(), 1);
    tour.end();
    window.close().await.unwrap();
}

/// 300 by WeChat with 100 of it in cash, up to the code for the rest on the screen.
async fn ask(
    shop: &Shop,
    cashier: &Cashier<'_>,
    window: &Window,
    tour: Option<&mut Tour>,
) -> ScannedPayment {
    let said = |key: &str, values: &[(&str, &str)]| shop.words.with(key, values).unwrap();
    let cash = [("cash", "¥100.00")];
    reach(shop, cashier, window, "300", "wechat").await;
    fill(window, &shop.words.get("split.part").unwrap(), "100").await;
    let channel = shop.words.get("channel.wechat").unwrap();
    let amounts = [
        ("cash", "¥100.00"),
        ("channel", channel.as_str()),
        ("other", "¥200.00"),
    ];
    let what = said("split.asked.what", &amounts);
    window.text(&what).await.unwrap();
    cashier.take_payment().await.unwrap();
    let first = said("split.first.title", &cash);
    window.control("alertdialog", &first).await.unwrap();
    if let Some(tour) = tour {
        tour.stop(window, "cash-first", EVERY).await;
    }
    let taken = format!("/{}/", said("split.first.go", &cash));
    window.click("button", &taken).await.unwrap();
    let code = cashier.payment_qr(Method::Wechat).await.unwrap();
    let keep = said("loose.keep.title", &cash);
    window.text(&keep).await.unwrap();
    let phone = cashier.customers_phone().await.unwrap();
    let payment = phone.scan(code).await.unwrap();
    assert_eq!(payment.shown["amount_fen"], 20_000, "the rest alone");
    payment
}

#[tokio::test(flavor = "multi_thread")]
async fn cash_lies_beside_a_code_until_it_is_paid_or_goes_back() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let said = |key: &str, values: &[(&str, &str)]| shop.words.with(key, values).unwrap();
    let cash = [("cash", "¥100.00")];
    let phone = cashier.customers_phone().await.unwrap();
    let mut tour = Tour::new("split-asked");
    let before = balance(&window).await;

    let payment = ask(&shop, &cashier, &window, Some(&mut tour)).await;
    tour.stop(&window, "waiting", AND_LARGE).await;
    let declined = json!({ "action": "decline", "cause": "balance_short" });
    phone.act(&payment, declined).await.unwrap();
    let either = said("loose.keep_or_give_back.title", &cash);
    window.text(&either).await.unwrap();
    tour.stop(&window, "failed", EVERY).await;
    let give_up = format!("/{}/", shop.words.get("paying.give_up").unwrap());
    window.click("button", &give_up).await.unwrap();
    let give_back = said("loose.give_back.title", &cash);
    window.text(&give_back).await.unwrap();
    tour.stop(&window, "given-back", EVERY).await;
    assert_eq!(balance(&window).await, before, "nothing was credited");
    cashier.next_customer().await.unwrap();

    let payment = ask(&shop, &cashier, &window, None).await;
    phone.pay(&payment).await.unwrap();
    cashier.success().await.unwrap();
    window
        .text(&said("split.into_drawer", &cash))
        .await
        .unwrap();
    tour.stop(&window, "success", EVERY).await;
    assert!(balance(&window).await >= before + 30_000);
    window.type_text("p").await.unwrap();
    let receipt = shop.words.get("receipt.name").unwrap();
    window.control("dialog", &receipt).await.unwrap();
    for line in ["组合付款", "微信支付", "200.00", "100.00"] {
        window.text(line).await.unwrap();
    }
    tour.end();
    window.close().await.unwrap();
}
