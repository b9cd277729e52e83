//! The command bar in the real window: one line, one look, one top-up.

use qiantai_testkit::{Key, PATIENCE, Window, until};

use crate::shop::{MEMBER, Shop, balance, orders};
use crate::tour::{AND_LARGE, EVERY, Tour};

#[tokio::test(flavor = "multi_thread")]
async fn one_line_fills_the_form_and_charges_nothing() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let words = &shop.words;
    let before = balance(&window).await;
    let mut tour = Tour::new("command");

    // Any screen will do: the bar brings the counter.
    window.press(Key::F7).await.unwrap();
    open_bar(&window, &words.get("command.line").unwrap()).await;
    tour.stop(&window, "examples", AND_LARGE).await;

    // Three people have this name: nobody is taken until the cashier chooses.
    type_line(&window, words, "张伟 充 300 现金").await;
    let ask = words.with("command.ask", &[("count", "3")]).unwrap();
    window.text(&ask).await.unwrap();
    tour.stop(&window, "ask", AND_LARGE).await;
    window.press(Key::Enter).await.unwrap();
    let name = words.get("command.name").unwrap();
    window.control("dialog", &name).await.unwrap();

    type_line(&window, words, "张伟 退 300").await;
    let other = words.get("command.other_action").unwrap();
    window.text(&other).await.unwrap();
    tour.stop(&window, "no-top-up", EVERY).await;

    type_line(&window, words, "张伟 5678 充三百 现金").await;
    let hit = format!("/{MEMBER}.*¥300\\.00/");
    window.control("option", &hit).await.unwrap();
    tour.stop(&window, "understood", AND_LARGE).await;
    assert_eq!(orders(&window).await.len(), 0, "nothing has happened yet");
    window.press(Key::Enter).await.unwrap();
    window.gone("dialog", &name).await.unwrap();

    let title = words.with("top_up.title", &[("member", MEMBER)]).unwrap();
    window.control("heading", &title).await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    tour.stop(&window, "filled", EVERY).await;
    assert_eq!(orders(&window).await.len(), 0, "the form is only filled");
    assert_eq!(balance(&window).await, before);

    until("the order after Enter", PATIENCE, || async {
        window.press(Key::Enter).await?;
        Ok((orders(&window).await.len() == 1).then_some(()))
    })
    .await
    .unwrap();
    cashier.success().await.unwrap();
    let order = cashier.newest_order().await.unwrap();
    assert_eq!(order["pay_fen"], 30_000);
    assert_eq!(order["channel"], "cash");
    let bonus = order["bonus_fen"].as_i64().unwrap();
    assert!(bonus > 0, "the package of the form, with its bonus");
    assert_eq!(balance(&window).await, before + 30_000 + bonus);
    tour.end();
    window.close().await.unwrap();
}

async fn open_bar(window: &Window, line: &str) {
    window.press_with(Key::Control, 'k').await.unwrap();
    window.control("combobox", line).await.unwrap();
}

async fn type_line(window: &Window, words: &qiantai_testkit::Words, line: &str) {
    let name = words.get("command.line").unwrap();
    window.fill("combobox", &name, line).await.unwrap();
}
