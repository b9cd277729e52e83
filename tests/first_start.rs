//! A computer on which nothing was set up becomes a shop: in the real window, killed at every step.

use std::path::{Path, PathBuf};

use qiantai_testkit::{Key, Launch, Looks, PATIENCE, Window, until};
use serde_json::Value;
use tempfile::TempDir;

use crate::shop::{Shop, app, synced};
use crate::tour::{LOOKS, Tour};

const NAME: &str = "云上美发";
const OWNER: (&str, &str, &str) = ("周岚", "8001", "8021");
const CASHIER: (&str, &str, &str) = ("陈静", "1001", "4713");

/// How the app is started on a computer without a shop.
fn launch(shop: &Shop) -> Launch {
    let language = shop.words.language();
    Launch::of(app())
        .in_folder(shop.folder())
        .with(["--lang", language])
}

fn word(shop: &Shop, key: &str) -> String {
    shop.words.get(key).unwrap()
}

async fn click(shop: &Shop, window: &Window, key: &str) {
    window.click("button", &word(shop, key)).await.unwrap();
}

async fn fill(shop: &Shop, window: &Window, key: &str, text: &str) {
    let name = word(shop, key);
    window.fill("textbox", &name, text).await.unwrap();
}

/// Waits for the screen of `step` in the language of `looks`.
async fn shows(window: &Window, looks: Looks, step: &str) {
    let title = format!("first_start.{step}.title");
    let title = Shop::words_of(looks).get(&title).unwrap();
    window.control("heading", &title).await.unwrap();
}

async fn look(window: &Window, tour: &mut Tour, step: &str) {
    tour.stop_at_start(window, step, |looks| shows(window, looks, step))
        .await;
}

/// Kills the app and starts it again: it is where it was.
async fn again(shop: &Shop, window: Window, step: &str) -> Window {
    window.kill().await.unwrap();
    let window = Window::open(&shop.display, &launch(shop)).await.unwrap();
    // Whatever look the page was shown in when it died.
    window.open_page_in(LOOKS[0]).await.unwrap();
    shows(&window, LOOKS[0], step).await;
    window
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_is_made_although_every_step_is_killed() {
    let shop = Shop::new();
    let mut tour = Tour::new("first-start");
    let mut window = Window::open(&shop.display, &launch(&shop)).await.unwrap();
    look(&window, &mut tour, "welcome").await;
    click(&shop, &window, "first_start.create").await;

    look(&window, &mut tour, "shop").await;
    window = again(&shop, window, "shop").await;
    // Nothing is asked twice, and nothing is passed over.
    click(&shop, &window, "first_start.next").await;
    window
        .text(&word(&shop, "error.set_up_empty"))
        .await
        .unwrap();
    fill(&shop, &window, "first_start.shop.name", NAME).await;
    click(&shop, &window, "first_start.next").await;

    look(&window, &mut tour, "code").await;
    window = again(&shop, window, "code").await;
    keep_code(&shop, &window).await;

    let title = word(&shop, "first_start.people.title");
    window.control("heading", &title).await.unwrap();
    look(&window, &mut tour, "people").await;
    window = again(&shop, window, "people").await;
    add(&shop, &window, "first_start.people.owner_name", OWNER).await;
    window = again(&shop, window, "people").await;
    window.text(OWNER.0).await.unwrap();
    add(&shop, &window, "first_start.people.name", CASHIER).await;
    window = again(&shop, window, "people").await;
    window.text(CASHIER.0).await.unwrap();
    click(&shop, &window, "first_start.next").await;

    look(&window, &mut tour, "receipt").await;
    window = again(&shop, window, "receipt").await;
    fill(&shop, &window, "first_start.receipt.address", "文三路 1 号").await;
    fill(&shop, &window, "first_start.receipt.phone", "0571-88880000").await;
    click(&shop, &window, "first_start.next").await;

    look(&window, &mut tour, "printer").await;
    window = again(&shop, window, "printer").await;
    print_into(&shop, &window, &shop.folder().join("paper")).await;
    click(&shop, &window, "first_start.next").await;

    look(&window, &mut tour, "methods").await;
    window = again(&shop, window, "methods").await;
    click(&shop, &window, "first_start.methods.open").await;
    tour.end();
    works(&shop, window).await;
}

async fn keep_code(shop: &Shop, window: &Window) {
    let status: Value = window.call("boot_status", Value::Null).await.unwrap();
    let code = status["state"]["first_start"]["code"].as_str().unwrap();
    shop.confirm_recovery_code(window, code).await;
}

async fn add(shop: &Shop, window: &Window, field: &str, (name, _, pin): (&str, &str, &str)) {
    fill(shop, window, field, name).await;
    fill(shop, window, "first_start.people.pin", pin).await;
    fill(shop, window, "first_start.people.again", pin).await;
    window.press(Key::Enter).await.unwrap();
    let remove = shop
        .words
        .with("first_start.people.remove", &[("name", name)]);
    window.button(&remove.unwrap()).await.unwrap();
}

/// Chooses a folder for slips, and looks at the page that it gets.
async fn print_into(shop: &Shop, window: &Window, paper: &Path) {
    let folder = word(shop, "printer.folder");
    window.choose("radio", &folder).await.unwrap();
    fill(shop, window, "printer.path", &paper.to_string_lossy()).await;
    click(shop, window, "printer.test").await;
    window.text(&word(shop, "printer.tested")).await.unwrap();
    assert_eq!(std::fs::read_dir(paper).unwrap().count(), 2, "PDF, ESC/POS");
}

/// The shop works: people sign in, a shift opens, and its server takes what the till says. So it
/// does after it was killed.
async fn works(shop: &Shop, window: Window) {
    let cashier = shop.cashier(&window);
    cashier.sign_in_as(CASHIER.1, CASHIER.2).await.unwrap();
    cashier.open_shift().await.unwrap();
    synced(&window).await;
    let session: Value = window.call("session", Value::Null).await.unwrap();
    assert_eq!(session["shop"], NAME);
    window.kill().await.unwrap();

    let window = Window::open(&shop.display, &launch(shop)).await.unwrap();
    let owner = shop.cashier(&window);
    owner.sign_in_as(OWNER.1, OWNER.2).await.unwrap();
    let session: Value = window.call("session", Value::Null).await.unwrap();
    assert_eq!(session["shift"]["cashier"], CASHIER.0, "the shift is open");
    assert_eq!(session["staff"].as_array().unwrap().len(), 2);
    let status: Value = window.call("boot_status", Value::Null).await.unwrap();
    assert_eq!(status["training"], Value::Null, "no training");
    window.close().await.unwrap();
}

/// One click, from any step; the shop that is being made waits.
#[tokio::test(flavor = "multi_thread")]
async fn training_opens_beside_a_shop_that_is_made() {
    let shop = Shop::new();
    let home = TempDir::new().unwrap();
    let data = home.path().to_string_lossy().into_owned();
    let launch = launch(&shop).env("XDG_DATA_HOME", &data);
    let window = Window::open(&shop.display, &launch).await.unwrap();
    click(&shop, &window, "first_start.create").await;
    click(&shop, &window, "first_start.practise").await;
    let trained = home.path().join("qiantai/training");
    until("a training shop", PATIENCE * 4, || async {
        let books = folders(&trained)
            .into_iter()
            .find(|it| it.join("ledger.db").exists());
        Ok(books)
    })
    .await
    .unwrap();
    click(&shop, &window, "first_start.practise").await;
    let open = word(&shop, "first_start.training_open");
    window.text(&open).await.unwrap();
    assert_eq!(folders(&trained).len(), 1, "one training is enough");
    let title = word(&shop, "first_start.shop.title");
    window.control("heading", &title).await.unwrap();
    window.close().await.unwrap();
}

fn folders(below: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(below) else {
        return Vec::new();
    };
    entries.map(|entry| entry.unwrap().path()).collect()
}
