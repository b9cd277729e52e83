//! The drawer opened without a sale in the real window, by the keyboard alone.

use qiantai_print::decode::Printed;
use qiantai_server::sample::TRAINING_STAFF;
use qiantai_testkit::{Key, PATIENCE, until};
use serde_json::{Value, json};

use crate::printing::change_printer;
use crate::screens::counter::go;
use crate::shop::{Shop, orders};
use crate::talking_printer::TalkingPrinter;
use crate::tour::{EVERY, Tour};

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_lets_the_drawer_open_and_it_opens_once() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let word = |key: &str| shop.words.get(key).unwrap();
    let mut tour = Tour::new("drawer");
    let printer = TalkingPrinter::with_roll(0).await;
    let works = json!({ "target": printer.target, "drawer": true, "copies": 1 });
    change_printer(&window, &works).await;

    window.press_with(Key::Control, 'k').await.unwrap();
    let line = word("command.line");
    window.control("combobox", &line).await.unwrap();
    window.fill("combobox", &line, "开钱箱").await.unwrap();
    window.text(&word("drawer.what")).await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let dialog = word("drawer.name");
    window.control("dialog", &dialog).await.unwrap();
    window
        .control("textbox", &word("approval.number"))
        .await
        .unwrap();
    let (number, pin, _) = TRAINING_STAFF.last().unwrap();
    window.type_text(number).await.unwrap();
    window.press(Key::Tab).await.unwrap();
    window.type_text("0000").await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let wrong = shop.words.with("error.pin_wrong", &[("left", "4")]);
    window.text(&wrong.unwrap()).await.unwrap();
    tour.stop(&window, "wrong-pin", EVERY).await;
    window.type_text(pin).await.unwrap();
    window.press(Key::Enter).await.unwrap();
    window.gone("dialog", &dialog).await.unwrap();

    // No paper: it stays shut, and is tried again when there is some.
    go(&cashier, Key::F8, "queue.name").await;
    window.text(&word("drawer.shut")).await.unwrap();
    tour.stop(&window, "shut", EVERY).await;
    assert_eq!(printer.printed(), []);
    printer.load(500);
    window.press(Key::Down).await.unwrap();
    window.press(Key::Enter).await.unwrap();
    window.text(&word("drawer.opened")).await.unwrap();
    until("the pulse", PATIENCE, || async {
        let out = printer.printed() == [Printed::DrawerPulse];
        Ok(out.then_some(()))
    })
    .await
    .unwrap();
    let queue: Value = window.call("queue", Value::Null).await.unwrap();
    assert_eq!(queue["prints"].as_array().map(Vec::len), Some(1));
    assert_eq!(orders(&window).await.len(), 0, "nothing was sold");
    tour.end();
    window.close().await.unwrap();
}
