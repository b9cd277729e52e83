//! The shop's own code while the server is away: on the counter's screen and the customer's
//! display, read as a phone reads it, recorded by hand, and unverified ever after.

use std::process::Command;

use qiantai_core::attempt::Channel;
use qiantai_core::merchant_account::MerchantAccount;
use qiantai_pay::channels::emv::MerchantCode;
use qiantai_server::sample::{ShopKind, TRAINING_STAFF};
use qiantai_testkit::{Cashier, Key, PATIENCE, Window, until};
use serde_json::Value;

use crate::books::Books;
use crate::shop::{MEMBER, MEMBER_PHONE, Shop, balance, orders, sync_state, synced};
use crate::tour::{EVERY, Tour};

fn account() -> MerchantAccount {
    MerchantAccount {
        acquirer: "31127040".to_owned(),
        forwarding: "70002044".to_owned(),
        merchant: "600000000000001".to_owned(),
        category: "7298".to_owned(),
        name: "JIANDAN SALON".to_owned(),
        city: "GUANGZHOU".to_owned(),
    }
}

/// What a phone's camera reads on the screen: of a shop's code account, amount and reference.
async fn read(window: &Window, label: &str) -> [String; 3] {
    let picture = until("a code that a phone can read", PATIENCE, || async {
        let shown = window.control("img", label).await?;
        let picture = window.picture_of(&shown).await?;
        match picture.shows_a_code() {
            true => picture.png().map(Some),
            false => Ok(None),
        }
    })
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("code.png");
    std::fs::write(&path, picture).unwrap();
    let mut zbarimg = Command::new("zbarimg");
    let output = zbarimg.args(["--quiet", "--raw"]).arg(&path).output();
    let output = output.unwrap_or_else(|error| panic!("zbarimg: {error}; install zbar-tools"));
    assert!(output.status.success(), "{output:?}");
    let payload = String::from_utf8(output.stdout).unwrap();
    let code = MerchantCode::parse(payload.trim_end()).unwrap();
    let value = |found: Option<&str>| found.unwrap().to_owned();
    [
        value(code.value(15)),
        value(code.value(54)),
        value(code.sub_value(62, 5)),
    ]
}

/// Up to the code on the screen.
async fn show(shop: &Shop, window: &Window, cashier: &Cashier<'_>, yuan: &str) {
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount(yuan).await.unwrap();
    let word = shop.words.get("channel.shop_code").unwrap();
    window.choose("radio", &format!("/{word}/")).await.unwrap();
    cashier.take_payment().await.unwrap();
}

async fn approve(shop: &Shop, window: &Window) {
    let (number, pin, _) = TRAINING_STAFF.last().unwrap();
    let field = shop.words.get("approval.number").unwrap();
    window.fill("textbox", &field, number).await.unwrap();
    window.press(Key::Tab).await.unwrap();
    window.type_text(pin).await.unwrap();
    window.press(Key::Enter).await.unwrap();
}

async fn receipt_is_marked(shop: &Shop, window: &Window) {
    window.type_text("p").await.unwrap();
    let receipt = shop.words.get("receipt.name").unwrap();
    window.control("dialog", &receipt).await.unwrap();
    window.text("店码（未核验）").await.unwrap();
    window.press(Key::Escape).await.unwrap();
    window.gone("dialog", &receipt).await.unwrap();
}

/// Leaves the page of the order open.
async fn list_and_page_are_marked(shop: &Shop, window: &Window, number: &str) {
    window.press(Key::F7).await.unwrap();
    let unverified = shop.words.get("shop_code.unverified").unwrap();
    window.text(&unverified).await.unwrap();
    let door = shop.words.with("orders.page_of", &[("no", number)]);
    window.click("button", &door.unwrap()).await.unwrap();
    let page = shop.words.get("order_page.name").unwrap();
    window.control("dialog", &page).await.unwrap();
    window.text(&unverified).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_top_up_by_the_shops_code_while_the_server_is_down() {
    let shop = Shop::new();
    let books = Books::open(ShopKind::Salon, |policy| {
        policy.channels.push(Channel::ShopCode);
        policy.merchant_account = Some(account());
    })
    .await;
    let window = shop.join(&books).await;
    let cashier = shop.cashier(&window);
    let word = |key: &str| shop.words.get(key).unwrap();
    let said = |key: &str, values: &[(&str, &str)]| shop.words.with(key, values).unwrap();
    let mut tour = Tour::new("shop-code");
    let before = balance(&window).await;
    books.cut_line();
    sync_state(&window, "offline").await;

    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    let method = format!("/{}/", word("channel.shop_code"));
    window.choose("radio", &method).await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    tour.stop(&window, "form", EVERY).await;
    cashier.take_payment().await.unwrap();
    let field = word("shop_code.reference");
    window.control("textbox", &field).await.unwrap();
    window
        .text(&word("shop_code.nobody_confirms"))
        .await
        .unwrap();
    tour.stop(&window, "shown", EVERY).await;
    let label = said("paying.qr", &[("channel", &word("channel.shop_code"))]);
    let [into, amount, reference] = read(&window, &label).await;
    assert_eq!(into, "3112704070002044600000000000001");
    assert_eq!(amount, "300.00");
    assert!(orders(&window).await.is_empty(), "nothing is written yet");

    // Enter with nothing keyed in records nothing.
    cashier.take_payment().await.unwrap();
    window.text(&word("error.reference_empty")).await.unwrap();
    tour.stop(&window, "no-reference", EVERY).await;
    window.fill("textbox", &field, "4200KM9").await.unwrap();
    let question = word("approval.title");
    // Keys as quick as these and their Enter may be taken for a scan, which waits for a person.
    cashier
        .take_payment_until("dialog", &question)
        .await
        .unwrap();
    assert!(orders(&window).await.is_empty(), "nor without a manager");
    approve(&shop, &window).await;
    cashier.success().await.unwrap();
    window
        .text(&said("recorded.by", &[("no", "4200KM9")]))
        .await
        .unwrap();
    tour.stop(&window, "success", EVERY).await;
    let order: Value = cashier.newest_order().await.unwrap();
    let number = order["order_no"].as_str().unwrap().to_owned();
    assert!(number.ends_with(&reference), "{number} and {reference}");
    receipt_is_marked(&shop, &window).await;
    cashier.next_customer().await.unwrap();

    // The same last places again: asked about.
    show(&shop, &window, &cashier, "500").await;
    window.fill("textbox", &field, "4200km9").await.unwrap();
    let asked = word("reference_used.title");
    // A press right after the code came is taken for the second of a double one.
    cashier
        .take_payment_until("alertdialog", &asked)
        .await
        .unwrap();
    tour.stop(&window, "used-today", EVERY).await;
    window.press(Key::Escape).await.unwrap();
    window.gone("alertdialog", &asked).await.unwrap();
    let back = format!("/{}/", word("shop_code.back"));
    window.click("button", &back).await.unwrap();
    assert_eq!(orders(&window).await.len(), 1);

    books.join_line();
    synced(&window).await;
    until("the server's word", PATIENCE, || async {
        let orders = orders(&window).await;
        Ok((orders[0]["provisional"] == false).then_some(()))
    })
    .await
    .unwrap();
    let kept = cashier.newest_order().await.unwrap();
    assert_eq!(kept["channel"], "shop_code");
    assert_eq!(kept["stage"], "credited");
    let credited = order["pay_fen"].as_i64().unwrap() + order["bonus_fen"].as_i64().unwrap();
    assert_eq!(balance(&window).await, before + credited);
    list_and_page_are_marked(&shop, &window, &number).await;
    tour.stop(&window, "order", EVERY).await;
    tour.end();
    window.close().await.unwrap();
}
