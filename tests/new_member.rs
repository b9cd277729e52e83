//! A customer becomes a member in the real window: phone, Enter, name, Enter.

use std::time::{Duration, Instant};

use qiantai_testkit::{Cashier, Key, Method};

use crate::screens::counter::go;
use crate::shop::{
    MEMBER, MEMBER_PHONE, Shop, amount_in, expect_slow_scans, fen_of, orders, suggested, synced,
};
use crate::tour::{AND_LARGE, EVERY, Tour};

const PHONE: &str = "13800001111";
const NAME: &str = "赵敏";
const CARD: &str = "VIP-0088";
const PAYMENT_CODE: &str = "134567890123456789";
/// The card of [`MEMBER`].
const GIVEN: &str = "00101-9000001";

#[tokio::test(flavor = "multi_thread")]
async fn by_keyboard_alone_and_pays_at_once() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let words = &shop.words;
    let mut tour = Tour::new("new-member");
    known(&cashier, &mut tour).await;
    expect_slow_scans(&window).await;

    nobody_has(&cashier, &mut tour).await;
    let began = Instant::now();
    window.type_text(PHONE).await.unwrap();
    let none = words.with("search.none", &[("text", PHONE)]).unwrap();
    window.text(&none).await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let dialog = words.get("new_member.name").unwrap();
    window.control("dialog", &dialog).await.unwrap();
    window.type_text(NAME).await.unwrap();
    scan_card(&cashier).await;
    let register = format!("/^{}/", words.get("new_member.go").unwrap());
    window.button(&register).await.unwrap();
    window.press(Key::Enter).await.unwrap();
    window.gone("dialog", &dialog).await.unwrap();
    let title = words.with("top_up.title", &[("member", NAME)]).unwrap();
    window.control("heading", &title).await.unwrap();
    let took = began.elapsed();
    assert!(took < Duration::from_secs(15), "{took:?}");
    tour.stop(&window, "served", EVERY).await;

    // Nothing is on the account yet: one key fills the smallest amount on sale in.
    let low = words.start_of("member.low").unwrap();
    window.text(low).await.unwrap();
    let suggested = suggested(&cashier).await;
    window.type_text("l").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    let filled = cashier.ready_to_pay().await.unwrap().text().await.unwrap();
    assert_eq!(amount_in(&filled), suggested);
    cashier.take_payment().await.unwrap();
    cashier.success().await.unwrap();
    synced(&window).await;
    let order = cashier.newest_order().await.unwrap();
    assert_eq!(order["pay_fen"], fen_of(&suggested));
    assert_eq!(order["member"], NAME);
    assert_eq!(order["credit"]["balance_before_fen"], 0);
    cashier.next_customer().await.unwrap();
    cashier.find(CARD, NAME).await.unwrap();
    tour.end();
    scan_elsewhere(&cashier).await;
    window.close().await.unwrap();
}

/// A card that nobody has is said, and begins a registration only when asked.
async fn nobody_has(cashier: &Cashier<'_>, tour: &mut Tour) {
    let Cashier { window, words } = cashier;
    window.scan(CARD).await.unwrap();
    let none = words.with("search.no_card", &[("text", CARD)]).unwrap();
    window.text(&none).await.unwrap();
    tour.stop(window, "no-card", EVERY).await;
    window.press(Key::Enter).await.unwrap();
    let dialog = words.get("new_member.name").unwrap();
    window.control("dialog", &dialog).await.unwrap();
    window.press(Key::Escape).await.unwrap();
    window.gone("dialog", &dialog).await.unwrap();
}

/// With the keyboard in the name a scan is the card, and registers nobody: of somebody else's card
/// it is said whose it is.
async fn scan_card(cashier: &Cashier<'_>) {
    let Cashier { window, words } = cashier;
    let registered = words.get("new_member.registered").unwrap();
    window.scan(GIVEN).await.unwrap();
    window.control("region", &registered).await.unwrap();
    window.scan(CARD).await.unwrap();
    window.gone("region", &registered).await.unwrap();
}

/// The screens beside the counter give way to the member of the card; what is open over the counter
/// stays as it is, and says so.
async fn scan_elsewhere(cashier: &Cashier<'_>) {
    let window = cashier.window;
    for (screen, heading, card, member) in [
        (Key::F7, "orders.name", GIVEN, MEMBER),
        (Key::F8, "queue.name", CARD, NAME),
        (Key::F9, "settings.name", GIVEN, MEMBER),
    ] {
        go(cashier, screen, heading).await;
        window.scan(card).await.unwrap();
        served(cashier, member).await;
    }
    window.press(Key::F4).await.unwrap();
    stays(cashier, "member_page.name", CARD, "scan.close_first").await;
    window.press_with(Key::Control, 'k').await.unwrap();
    stays(cashier, "command.name", PAYMENT_CODE, "scan.answer_first").await;
    served(cashier, MEMBER).await;
    assert_eq!(orders(window).await.len(), 1);
}

/// The dialog takes no scan.
async fn stays(cashier: &Cashier<'_>, dialog: &str, code: &str, said: &str) {
    let Cashier { window, words } = cashier;
    let dialog = words.get(dialog).unwrap();
    window.control("dialog", &dialog).await.unwrap();
    window.scan(code).await.unwrap();
    window.text(&words.get(said).unwrap()).await.unwrap();
    window.control("dialog", &dialog).await.unwrap();
    window.press(Key::Escape).await.unwrap();
    window.gone("dialog", &dialog).await.unwrap();
}

async fn served(cashier: &Cashier<'_>, member: &str) {
    let title = cashier.words.with("top_up.title", &[("member", member)]);
    let title = title.unwrap();
    cashier.window.control("heading", &title).await.unwrap();
}

/// A phone that is registered leads to its member.
async fn known(cashier: &Cashier<'_>, tour: &mut Tour) {
    let Cashier { window, words } = cashier;
    window.press_with(Key::Control, 'n').await.unwrap();
    let dialog = words.get("new_member.name").unwrap();
    window.control("dialog", &dialog).await.unwrap();
    tour.stop(window, "empty", EVERY).await;
    let phone = words.get("new_member.phone").unwrap();
    window.fill("textbox", &phone, MEMBER_PHONE).await.unwrap();
    let registered = words.get("new_member.registered").unwrap();
    window.text(&registered).await.unwrap();
    tour.stop(window, "known", AND_LARGE).await;
    wrong(cashier, tour).await;
    window.fill("textbox", &phone, MEMBER_PHONE).await.unwrap();
    window.text(&registered).await.unwrap();
    window.press(Key::Enter).await.unwrap();
    window.gone("dialog", &dialog).await.unwrap();
    let title = words.with("top_up.title", &[("member", MEMBER)]).unwrap();
    window.control("heading", &title).await.unwrap();
    window.press(Key::Escape).await.unwrap();
    cashier.at_rest().await.unwrap();
}

/// What cannot be right is said at its field, and Enter registers nobody.
async fn wrong(cashier: &Cashier<'_>, tour: &mut Tour) {
    let Cashier { window, words } = cashier;
    for (field, typed, said) in [
        ("new_member.phone", "1380013800", "error.phone_too_short"),
        ("new_member.full_name", "1388", "error.name_no_letter"),
    ] {
        let field = words.get(field).unwrap();
        window.fill("textbox", &field, typed).await.unwrap();
        window.press(Key::Enter).await.unwrap();
        window.text(&words.get(said).unwrap()).await.unwrap();
    }
    tour.stop(window, "wrong", AND_LARGE).await;
    // As the system's own table of pictures puts it in; WebDriver types no such character.
    let name = words.get("new_member.full_name").unwrap();
    window.fill("textbox", &name, "小美").await.unwrap();
    let insert = "document.execCommand('insertText', false, '\u{1F600}')";
    window.run(insert).await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let refused = words.get("error.name_emoji").unwrap();
    window.text(&refused).await.unwrap();
}
