//! The owner of a shop enters a payment account in the window: wrongly, reads why, corrects it, and
//! takes the first payment by it.

use std::path::Path;
use std::sync::Arc;

use qiantai_pay::credentials::Credentials;
use qiantai_pay::{Surroundings, SystemSurroundings};
use qiantai_paysim::{Gateway, Simulator, accounts, serve};
use qiantai_server::gateways::{GatewaySettings, Gateways};
use qiantai_server::sample::{ShopKind, TRAINING_STAFF};
use qiantai_testkit::{Key, Launch, Method, PATIENCE, Phone, Window, until};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::books::Books;
use crate::shop::{Shop, app, synced};
use crate::tour::{AND_LARGE, EVERY, Tour};

const OWNER: (&str, &str, &str) = ("周岚", "8001", "8021");
const MEMBER: (&str, &str) = ("王芳", "13900139000");

/// A gateway on the network of this machine; the settings of its accounts lie in the folder.
async fn gateway(folder: &Path) -> String {
    let mut gateway = Gateway::new([7; 32]);
    let any = "127.0.0.1:0".parse().unwrap();
    let (listener, address) = serve::listen(any, false).await.unwrap();
    let base = format!("http://{address}");
    let now = SystemSurroundings.now();
    accounts::open_all(&mut gateway, "云上美发", &base, folder, now).unwrap();
    let simulator = Simulator::new(gateway, Arc::new(SystemSurroundings));
    let router = serve::router(simulator);
    tokio::spawn(serve::serve(listener, router, std::future::pending()));
    base
}

fn settings(folder: &Path, account: &str) -> Value {
    let path = folder.join(format!("{account}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// What stands between the lines of a key, as gateways' own tools hand it out.
fn bare(pem: &Value) -> String {
    let lines = pem.as_str().unwrap().lines();
    lines.filter(|line| !line.starts_with("-----")).collect()
}

/// A shop of its own on this computer, made as the first start makes it.
async fn own_shop(shop: &Shop) -> Window {
    let launch = Launch::of(app())
        .in_folder(shop.folder())
        .with(["--lang", shop.words.language()]);
    let window = Window::open(&shop.display, &launch).await.unwrap();
    let answer = async |answer: Value| -> Value { window.call("set_up", answer).await.unwrap() };
    let made = json!({
        "name": "云上美发", "trade": "salon", "profile": "cn_service", "bonus": true,
    });
    let status = until("the first start", PATIENCE * 4, || async {
        let status: Value = window.call("boot_status", Value::Null).await?;
        Ok((status["state"]["kind"] == "first_start").then_some(status))
    });
    status.await.unwrap();
    let status = answer(json!({ "kind": "shop", "shop": made })).await;
    let code = status["state"]["first_start"]["code"].as_str().unwrap();
    let last = json!({ "last_group": code.rsplit('-').next().unwrap() });
    let status: Value = window.call("confirm_recovery_code", last).await.unwrap();
    let printer = status["state"]["first_start"]["settings"]["printer"].clone();
    let owner = json!({
        "name": OWNER.0, "role": "manager", "pin": OWNER.2, "again": OWNER.2,
    });
    answer(json!({ "kind": "person", "person": owner })).await;
    let receipt = json!({
        "address": "文三路 1 号", "phone": "0571-88880000",
        "complaint_phone": "12315", "refund_rule": "七日内可退",
    });
    answer(json!({ "kind": "receipt", "receipt": receipt })).await;
    answer(json!({ "kind": "printer", "printer": printer })).await;
    answer(json!({ "kind": "methods", "methods": ["wechat", "cash"] })).await;
    window
}

struct Desk<'a> {
    shop: &'a Shop,
    window: &'a Window,
}

impl Desk<'_> {
    fn word(&self, key: &str) -> String {
        self.shop.words.get(key).unwrap()
    }

    fn of_wechat(&self, key: &str) -> String {
        self.of("wechat", key)
    }

    fn of(&self, gateway: &str, key: &str) -> String {
        let name = self.word(&format!("set_up.gateway.{gateway}"));
        self.shop.words.with(key, &[("name", &name)]).unwrap()
    }

    async fn click(&self, name: &str) {
        self.window.click("button", name).await.unwrap();
    }

    async fn fill(&self, place: &str, text: &str) {
        self.fill_of("wechat", place, text).await;
    }

    async fn fill_of(&self, gateway: &str, place: &str, text: &str) {
        let name = self.word(&format!("set_up.field.{gateway}.{place}"));
        self.window.fill("textbox", &name, text).await.unwrap();
    }

    async fn open_settings(&self) {
        self.window.press(Key::F9).await.unwrap();
        let settings = self.word("settings.name");
        self.window.control("heading", &settings).await.unwrap();
    }

    /// Sends what stands in the fields.
    async fn save(&self) {
        self.click(&self.word("set_up.save")).await;
    }

    /// Waits for the sentence of a fault, its values whatever they are.
    async fn said(&self, fault: &str) {
        let key = format!("set_up.fault.{fault}");
        let sentence = self.word(&key);
        let longest = sentence.split(['{', '}']).max_by_key(|part| part.len());
        self.window.text(longest.unwrap().trim()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_entered_wrongly_then_rightly_and_takes_a_payment() {
    let folder = TempDir::new().unwrap();
    let base = gateway(folder.path()).await;
    let shop = Shop::new();
    let window = own_shop(&shop).await;
    let desk = Desk {
        shop: &shop,
        window: &window,
    };
    let cashier = shop.cashier(&window);
    cashier.sign_in_as(OWNER.1, OWNER.2).await.unwrap();
    cashier.open_shift().await.unwrap();
    synced(&window).await;
    let mut tour = Tour::of_page("accounts");

    desk.open_settings().await;
    desk.click(&desk.word("set_up.name")).await;
    desk.window
        .text(&desk.word("set_up.state.not_set_up"))
        .await
        .unwrap();
    tour.stop(&window, "none", AND_LARGE).await;

    let good = settings(folder.path(), "wechat-key");
    let other = settings(folder.path(), "wechat-certificates");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    desk.click(&desk.of_wechat("set_up.enter_name")).await;
    desk.fill("appid", &text(&good["appid"])).await;
    desk.fill("mchid", &text(&good["mchid"])).await;
    desk.fill("private_key", &bare(&good["private_key"])).await;
    desk.fill("certificate", &bare(&other["certificate"])).await;
    desk.fill("public_keys.0.id", &text(&good["public_keys"][0]["id"]))
        .await;
    desk.fill("public_keys.0.key", &bare(&good["public_keys"][0]["key"]))
        .await;
    desk.fill("api_v3_key", "too short").await;
    // The last field but the PIN, which nobody can find by its role.
    desk.fill("unattended_notify_url", "https://shop.example.com/")
        .await;
    window.press(Key::Tab).await.unwrap();
    window.type_text(OWNER.2).await.unwrap();
    tour.stop(&window, "form", AND_LARGE).await;
    desk.save().await;
    desk.said("not_thirty_two").await;
    tour.stop(&window, "wrong", AND_LARGE).await;

    desk.fill("api_v3_key", &text(&good["api_v3_key"])).await;
    desk.save().await;
    desk.said("not_of_certificate").await;
    desk.fill("certificate", &bare(&good["certificate"])).await;
    desk.click(&desk.word("set_up.more")).await;
    desk.fill("base_url", "http://127.0.0.1:1").await;
    desk.save().await;
    desk.said("no_connection").await;
    desk.fill("base_url", &base).await;
    desk.save().await;
    window.text(&desk.of_wechat("set_up.good")).await.unwrap();
    tour.stop(&window, "taken", AND_LARGE).await;
    let seen = window.seen().await.unwrap();
    assert!(!seen.contains(&text(&good["api_v3_key"])), "{seen}");
    nothing_in_clear(shop.folder(), &text(&good["api_v3_key"]));
    let good = settings(folder.path(), "shouqianba");
    activate(&desk, &good, &mut tour).await;
    nothing_in_clear(shop.folder(), &text(&good["activation_code"]));
    tour.end();

    take_payment(&desk, &base).await;
    window.close().await.unwrap();
}

/// This computer becomes a terminal: by a code that is refused, then by the right one.
async fn activate(desk: &Desk<'_>, good: &Value, tour: &mut Tour) {
    const NAME: &str = "shouqianba";
    let fill = async |place: &str| {
        let text = good[place].as_str().unwrap();
        desk.fill_of(NAME, place, text).await;
    };
    desk.click(&desk.of(NAME, "set_up.enter_name")).await;
    desk.click(&desk.word("set_up.more")).await;
    fill("base_url").await;
    desk.click(&desk.word("set_up.fewer")).await;
    for place in ["vendor_sn", "vendor_key", "app_id"] {
        fill(place).await;
    }
    desk.fill_of(NAME, "activation_code", "A1B2C3").await;
    desk.window.press(Key::Tab).await.unwrap();
    desk.window.type_text(OWNER.2).await.unwrap();
    desk.save().await;
    desk.said("activation_refused").await;
    tour.stop(desk.window, "activation", AND_LARGE).await;
    fill("activation_code").await;
    desk.save().await;
    let ready = desk.of(NAME, "set_up.good");
    desk.window.text(&ready).await.unwrap();
}

/// A new member pays by QR code, through the account that was entered.
async fn take_payment(desk: &Desk<'_>, base: &str) {
    let Desk { shop, window } = desk;
    let cashier = shop.cashier(window);
    let form: Value = window.call("new_member_form", Value::Null).await.unwrap();
    let (name, phone) = MEMBER;
    let member = json!({
        "intent": form["intent"], "name": name, "phone": phone, "card_no": "",
    });
    let _: Value = window.call("create_member", member).await.unwrap();
    window.press(Key::F6).await.unwrap();
    cashier.find(phone, name).await.unwrap();
    let amount = desk.word("top_up.custom");
    window.fill("textbox", &amount, "300").await.unwrap();
    cashier.choose_method(Method::Wechat).await.unwrap();
    cashier.take_payment().await.unwrap();
    let picture = cashier.payment_qr(Method::Wechat).await.unwrap();
    let customer = Phone::at(&format!("{base}/phone"));
    let payment = customer.scan(picture).await.unwrap();
    customer.pay(&payment).await.unwrap();
    until("the payment to be credited", PATIENCE * 3, || async {
        let order = cashier.newest_order().await?;
        Ok((order["stage"] == "credited").then_some(()))
    })
    .await
    .unwrap();
    cashier.success().await.unwrap();
}

/// No file of the shop, the web view's among them, holds the text.
fn nothing_in_clear(folder: &Path, text: &str) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            nothing_in_clear(&path, text);
        } else if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let mut parts = bytes.windows(text.len());
            assert!(!parts.any(|part| part == text.as_bytes()), "{path:?}");
        }
    }
}

/// Where the server is elsewhere, its accounts are looked at by managers alone.
#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_a_server_elsewhere_are_looked_at() {
    let folder = TempDir::new().unwrap();
    gateway(folder.path()).await;
    let mut account = settings(folder.path(), "wechat-key");
    let key = account["private_key"].take();
    account["private_key"] = json!({ "file": "key.pem" });
    let put = |text: &str| std::fs::write(folder.path().join("key.pem"), text).unwrap();
    put(key.as_str().unwrap());
    let account = GatewaySettings::read("wechat", account).unwrap();
    let credentials = Credentials::new(folder.path());
    let gateways = Gateways::open(vec![account], credentials, None).unwrap();
    let books = Books::with_channels(ShopKind::Salon, gateways.channels()).await;
    let shop = Shop::new();
    let window = shop.join(&books).await;
    let desk = Desk {
        shop: &shop,
        window: &window,
    };
    desk.open_settings().await;
    let part = desk.word("set_up.name");
    let offered = window.look("button", &part).await.unwrap();
    assert!(offered.is_none(), "cashiers set nothing up");
    window.press(Key::F12).await.unwrap();
    let (number, pin, _) = TRAINING_STAFF[3];
    shop.cashier(&window).sign_in_as(number, pin).await.unwrap();
    desk.open_settings().await;
    desk.click(&part).await;
    window
        .text("qiantai-server pay wechat check")
        .await
        .unwrap();
    let mut tour = Tour::of_page("accounts");
    desk.click(&desk.of_wechat("set_up.check_name")).await;
    window.text(&desk.of_wechat("set_up.good")).await.unwrap();
    tour.stop(&window, "there", EVERY).await;
    put("no key");
    desk.click(&desk.of_wechat("set_up.check_name")).await;
    desk.said("not_a_private_key").await;
    tour.stop(&window, "there-wrong", EVERY).await;
    tour.end();
    window.close().await.unwrap();
}
