//! A manager changes the shop's rules at the counter: people, receipt, payment methods.

use qiantai_server::sample::{ShopKind, TRAINING_STAFF};
use qiantai_testkit::{Cashier, Key, PATIENCE, Window, until};
use serde_json::Value;

use crate::books::Books;
use crate::screens::counter::{go, part};
use crate::shop::{MEMBER, MEMBER_PHONE, Shop};
use crate::tour::{AND_LARGE, EVERY, Tour};

const NEWCOMER: &str = "林小满";
const BRAND: &str = "简单";

/// Clicks the button of a sentence's key.
pub async fn click(cashier: &Cashier<'_>, key: &str) {
    let name = cashier.words.get(key).unwrap();
    cashier.window.click("button", &name).await.unwrap();
}

/// Fills the text field of a sentence's key.
pub async fn fill(cashier: &Cashier<'_>, key: &str, text: &str) {
    let field = cashier.words.get(key).unwrap();
    cashier.window.fill("textbox", &field, text).await.unwrap();
}

/// A manager's number and PIN in the question that is open.
async fn allow(cashier: &Cashier<'_>) {
    let Cashier { window, words } = cashier;
    let question = words.get("rules.allow_title").unwrap();
    window.control("dialog", &question).await.unwrap();
    let (number, pin, _) = TRAINING_STAFF.last().unwrap();
    fill(cashier, "approval.number", number).await;
    window.press(Key::Tab).await.unwrap();
    window.type_text(pin).await.unwrap();
    window.press(Key::Enter).await.unwrap();
    window.gone("dialog", &question).await.unwrap();
}

/// The account of the shop's code, wrong at first.
async fn enter_account(cashier: &Cashier<'_>, tour: &mut Tour) {
    let Cashier { window, words } = cashier;
    click(cashier, "rules.account_add").await;
    for (field, text) in [
        ("acquirer", "31127040"),
        ("forwarding", "70002044"),
        ("merchant", "60000000000000"),
        ("category", "7298"),
        ("name", "JIANDAN SALON"),
        ("city", "GUANGZHOU"),
    ] {
        fill(cashier, &format!("first_start.account.{field}"), text).await;
    }
    click(cashier, "rules.save").await;
    let wrong = words.with("error.set_up_places", &[("places", "15")]);
    window.text(&wrong.unwrap()).await.unwrap();
    tour.stop(window, "account-wrong", EVERY).await;
    fill(cashier, "first_start.account.merchant", "600000000000001").await;
    click(cashier, "rules.save").await;
    allow(cashier).await;
    let remove = words.get("rules.account_remove_name").unwrap();
    window.control("button", &remove).await.unwrap();
    let code = words.get("channel.shop_code").unwrap();
    let box_of_code = format!("/{code}/");
    window.control("checkbox", &box_of_code).await.unwrap();
    tour.stop(window, "account", AND_LARGE).await;
}

/// Moves a method one place up, which a manager lets happen.
async fn move_up(cashier: &Cashier<'_>, method: &str) {
    let Cashier { window, words } = cashier;
    let method = words.get(method).unwrap();
    let up = words.with("rules.up_name", &[("method", &method)]).unwrap();
    window.click("button", &up).await.unwrap();
    click(cashier, "rules.save").await;
    allow(cashier).await;
}

/// Everything that the form lets choose, in its order.
async fn offered(window: &Window) -> Vec<String> {
    let script = "return window.__testkit.queryAllByRole('radio', /./) \
                  .map((radio) => radio.closest('label').innerText)";
    let names = window.run(script).await.unwrap();
    serde_json::from_value(names).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_changes_who_works_here_and_what_receipts_say() {
    let shop = Shop::new();
    let books = Books::open(ShopKind::Salon, |_| {}).await;
    let window = shop.join(&books).await;
    let cashier = shop.cashier(&window);
    let word = |key: &str| shop.words.get(key).unwrap();
    let mut tour = Tour::of_page("rules");

    go(&cashier, Key::F9, "settings.name").await;
    part(&cashier, "rules.people").await;
    window
        .control("list", &word("first_start.people.list"))
        .await
        .unwrap();
    tour.stop(&window, "people", AND_LARGE).await;
    fill(&cashier, "first_start.people.name", NEWCOMER).await;
    fill(&cashier, "first_start.people.pin", "4713").await;
    fill(&cashier, "first_start.people.again", "4712").await;
    click(&cashier, "first_start.people.add").await;
    window
        .text(&word("error.set_up_pin_differs"))
        .await
        .unwrap();
    tour.stop(&window, "wrong-pin-twice", EVERY).await;
    fill(&cashier, "first_start.people.again", "4713").await;
    click(&cashier, "first_start.people.add").await;
    let question = word("rules.allow_title");
    window.control("dialog", &question).await.unwrap();
    tour.stop(&window, "allow", EVERY).await;
    allow(&cashier).await;
    let leaves = [("name", NEWCOMER)];
    let leaves = shop.words.with("rules.leave_name", &leaves).unwrap();
    window.control("button", &leaves).await.unwrap();
    tour.stop(&window, "joined", EVERY).await;

    part(&cashier, "rules.receipt").await;
    fill(&cashier, "first_start.receipt.address", "新街 8 号").await;
    tour.stop(&window, "receipt", AND_LARGE).await;
    click(&cashier, "rules.save").await;
    allow(&cashier).await;

    part(&cashier, "rules.methods").await;
    let wechat = word("channel.wechat");
    window
        .control("checkbox", &format!("/{wechat}/"))
        .await
        .unwrap();
    tour.stop(&window, "methods", AND_LARGE).await;
    move_up(&cashier, "channel.alipay").await;
    enter_account(&cashier, &mut tour).await;
    part(&cashier, "settings.shop").await;
    let slate = word("brand.colour.slate");
    window.choose("radio", &slate).await.unwrap();
    fill(&cashier, "brand.short_name", BRAND).await;
    tour.stop(&window, "brand", AND_LARGE).await;
    click(&cashier, "rules.save").await;
    allow(&cashier).await;
    until("the shop's looks", PATIENCE, || async {
        let session: Value = window.call("session", Value::Null).await?;
        let brand = &session["brand"];
        let is_new = brand["accent"] == "slate" && brand["short_name"] == BRAND;
        Ok(is_new.then_some(()))
    })
    .await
    .unwrap();
    tour.end();

    // The newcomer signs in, and the next receipt says the new address.
    let number = until("the news of the newcomer", PATIENCE, || async {
        let session: Value = window.call("session", Value::Null).await?;
        let staff = session["staff"].as_array().cloned().unwrap_or_default();
        let newcomer = staff.iter().find(|person| person["name"] == NEWCOMER);
        Ok(newcomer.and_then(|person| person["staff_no"].as_str().map(str::to_owned)))
    })
    .await
    .unwrap();
    window.press(Key::F12).await.unwrap();
    cashier.sign_in_as(&number, "4713").await.unwrap();
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    let offered = offered(&window).await;
    let place = |method: &str| offered.iter().position(|name| name.contains(&word(method)));
    let (alipay, wechat) = (place("channel.alipay"), place("channel.wechat"));
    assert!(alipay.is_some() && alipay < wechat, "{offered:?}");
    cashier.choose_amount("300").await.unwrap();
    let cash = word("channel.cash");
    window.choose("radio", &format!("/{cash}/")).await.unwrap();
    cashier.take_payment().await.unwrap();
    cashier.success().await.unwrap();
    window.type_text("p").await.unwrap();
    window
        .control("dialog", &word("receipt.name"))
        .await
        .unwrap();
    window.text("新街 8 号").await.unwrap();
    window.close().await.unwrap();
}
