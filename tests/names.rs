//! Names that are written from right to left, and names as long as they may be: no amount changes
//! its side, and nothing leaves its place.

use std::fmt::Write;

use qiantai_server::sample::TRAINING_STAFF;
use qiantai_testkit::{Cashier, Key, Method, PATIENCE, until};
use serde_json::{Value, json};

use crate::shop::{Shop, synced};
use crate::tour::{EVERY, Tour};

const TURNED: &str = "محمد علي";
const PHONES: [&str; 2] = ["13800007777", "13900007777"];
const TAIL: &str = "7777";
const CASHIER: &str = "فاطمة";
const PIN: &str = "4713";

#[tokio::test(flavor = "multi_thread")]
async fn of_every_script_and_length_keep_their_place() {
    let shop = Shop::new();
    let window = shop.open().await;
    let cashier = shop.cashier(&window);
    cashier.sign_in().await.unwrap();
    let number = join(&cashier).await;
    window.press(Key::F12).await.unwrap();
    cashier.sign_in_as(&number, PIN).await.unwrap();
    cashier.open_shift().await.unwrap();
    let mut tour = Tour::new("names");
    // The time of the shift stands right after its cashier.
    tour.stop(&window, "idle", EVERY).await;
    let long = longest();
    register(&cashier, TURNED, PHONES[0]).await;
    tour.stop(&window, "turned", EVERY).await;
    window.press(Key::Escape).await.unwrap();
    register(&cashier, &long, PHONES[1]).await;
    tour.stop(&window, "long", EVERY).await;
    window.press(Key::Escape).await.unwrap();
    cashier.at_rest().await.unwrap();

    let search = shop.words.get("search.name").unwrap();
    window.fill("combobox", &search, TAIL).await.unwrap();
    for name in [TURNED, &long] {
        let hit = format!("/{name}.*¥0\\.00/");
        window.control("option", &hit).await.unwrap();
    }
    let highest = "return Math.ceil(Math.max(...[...document.querySelectorAll('[role=option]')] \
                   .map((hit) => hit.getBoundingClientRect().height)))";
    let highest = window.run(highest).await.unwrap().as_u64().unwrap();
    assert!(highest < 100, "a hit of {highest} px");
    tour.stop(&window, "hits", EVERY).await;
    for (name, screen) in [(TURNED, "success"), (&long, "success-long")] {
        pay(&cashier, name).await;
        tour.stop(&window, screen, EVERY).await;
        cashier.next_customer().await.unwrap();
    }
    tour.stop(&window, "served", EVERY).await;
    window.press(Key::F7).await.unwrap();
    window.text(TURNED).await.unwrap();
    tour.stop(&window, "orders", EVERY).await;
    tour.end();
    window.close().await.unwrap();
}

/// Forty full characters, each of them another.
fn longest() -> String {
    let mut name = String::new();
    for part in [
        "阿布都热依木",
        "吐尔逊江买提",
        "艾合买提卡哈尔",
        "玉素甫克力木",
    ] {
        write!(name, "{part}·").unwrap();
    }
    let rest = "穆罕默德祖农伊敏托合提尼亚孜".chars();
    name.extend(rest.take(40 - name.chars().count()));
    assert_eq!(name.chars().count(), 40);
    name
}

/// A cashier with such a name, and the number that the person gets.
async fn join(Cashier { window, .. }: &Cashier<'_>) -> String {
    let (number, pin, _) = TRAINING_STAFF.last().unwrap();
    let rules: Value = window.call("shop_rules", Value::Null).await.unwrap();
    let person = json!({ "name": CASHIER, "role": "cashier", "pin": PIN, "again": PIN });
    let change = json!({
        "version": rules["version"],
        "change": { "kind": "join", "person": person },
        "approval": { "staff_no": number, "pin": pin },
    });
    let _rules: Value = window.call("change_rules", change).await.unwrap();
    until("the news of the cashier", PATIENCE, || async {
        let session: Value = window.call("session", Value::Null).await?;
        let staff = session["staff"].as_array().cloned().unwrap_or_default();
        let found = staff.iter().find(|person| person["name"] == CASHIER);
        Ok(found.and_then(|person| person["staff_no"].as_str().map(str::to_owned)))
    })
    .await
    .unwrap()
}

async fn register(Cashier { window, words }: &Cashier<'_>, name: &str, phone: &str) {
    window.press_with(Key::Control, 'n').await.unwrap();
    let dialog = words.get("new_member.name").unwrap();
    window.control("dialog", &dialog).await.unwrap();
    for (field, text) in [("new_member.phone", phone), ("new_member.full_name", name)] {
        let field = words.get(field).unwrap();
        window.fill("textbox", &field, text).await.unwrap();
    }
    let register = format!("/^{}/", words.get("new_member.go").unwrap());
    window.click("button", &register).await.unwrap();
    window.gone("dialog", &dialog).await.unwrap();
    let title = words.with("top_up.title", &[("member", name)]).unwrap();
    window.control("heading", &title).await.unwrap();
}

/// By its name, so that hits and form are found as people find them.
async fn pay(cashier: &Cashier<'_>, name: &str) {
    cashier.find(TAIL, name).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.take_payment().await.unwrap();
    cashier.success().await.unwrap();
    synced(cashier.window).await;
    let amount = [("member", name), ("amount", "¥300.00")];
    let paid = cashier.words.with("success.paid", &amount).unwrap();
    cashier.window.text(&paid).await.unwrap();
}
