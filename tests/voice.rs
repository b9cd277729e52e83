//! What is said aloud: a voice stands in for the system's and keeps what it was asked to say.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use qiantai_testkit::{Key, Method, PATIENCE, Window, until};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::shop::{MEMBER, MEMBER_PHONE, Shop, balance};
use crate::tour::{EVERY, Tour};

#[tokio::test(flavor = "multi_thread")]
async fn money_that_arrived_is_said_and_nothing_else() {
    let shop = Shop::new();
    let voice = Voice::new();
    let launch = shop.launch().env("PATH", &voice.path());
    let window = Window::open(&shop.display, &launch).await.unwrap();
    let cashier = shop.cashier(&window);
    cashier.sign_in().await.unwrap();
    cashier.open_shift().await.unwrap();
    let phone = cashier.customers_phone().await.unwrap();

    choose(&shop, &window, "300", Method::Wechat).await;
    let code = cashier.payment_qr(Method::Wechat).await.unwrap();
    assert_eq!(voice.said(), [""; 0], "before anything was paid");
    phone.pay(&phone.scan(code).await.unwrap()).await.unwrap();
    cashier.success().await.unwrap();
    voice.has_said(&["-w -l zh -i 0 -- 微信收款三百元"]).await;

    // Silent in two ways; what speaks again in the end would be heard after them.
    for (silence, yuan) in [
        (json!({ "voice": false }), "500"),
        (json!({ "voice": true, "sound": false }), "1000"),
    ] {
        set(&window, &silence).await;
        choose(&shop, &window, yuan, Method::Cash).await;
        cashier.success().await.unwrap();
    }
    set(&window, &json!({ "sound": true, "volume_percent": 30 })).await;
    choose(&shop, &window, "2000", Method::Cash).await;
    cashier.success().await.unwrap();
    let said = [
        "-w -l zh -i 0 -- 微信收款三百元",
        "-w -l zh -i -40 -- 现金充值两千元",
    ];
    voice.has_said(&said).await;
    listen(&shop, &window, "settings.voice_tried").await;
    let trial = ["-w -l zh -i -40 -- 试听，没有收款"];
    voice.has_said(&[&said[..], &trial].concat()).await;
    window.close().await.unwrap();
}

/// Without a voice of any kind the money is there all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_shop_without_a_voice_loses_nothing() {
    let shop = Shop::new();
    // The driver is the only program that the app's search path leads to.
    let programs = TempDir::new().unwrap();
    let driver = "WebKitWebDriver";
    let path = std::env::var_os("PATH").unwrap();
    let mut found = std::env::split_paths(&path).map(|folder| folder.join(driver));
    let found = found.find(|program| program.exists()).unwrap();
    std::os::unix::fs::symlink(found, programs.path().join(driver)).unwrap();
    let launch = shop
        .launch()
        .env("PATH", &programs.path().to_string_lossy());
    let window = Window::open(&shop.display, &launch).await.unwrap();
    let cashier = shop.cashier(&window);
    cashier.sign_in().await.unwrap();
    cashier.open_shift().await.unwrap();
    choose(&shop, &window, "300", Method::Cash).await;
    cashier.success().await.unwrap();
    assert_eq!(balance(&window).await, 88_000);
    let notices = window.seen().await.unwrap();
    assert!(!notices.contains("error."), "{notices}");
    // Who looks at the settings is told before and after a trial.
    cashier.next_customer().await.unwrap();
    listen(&shop, &window, "settings.voice_none").await;
    let mut tour = Tour::new("voice");
    tour.stop(&window, "none", EVERY).await;
    tour.end();
    window.close().await.unwrap();
}

/// Presses the trial of the settings and waits for what they say of it.
async fn listen(shop: &Shop, window: &Window, said: &str) {
    window.press(Key::F9).await.unwrap();
    let listen = shop.words.get("settings.voice_try").unwrap();
    window.click("button", &listen).await.unwrap();
    window.text(&shop.words.get(said).unwrap()).await.unwrap();
}

async fn choose(shop: &Shop, window: &Window, yuan: &str, method: Method) {
    let cashier = shop.cashier(window);
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount(yuan).await.unwrap();
    cashier.choose_method(method).await.unwrap();
    cashier.take_payment().await.unwrap();
}

/// Changes settings as their screen does.
async fn set(window: &Window, changes: &Value) {
    let session: Value = window.call("session", Value::Null).await.unwrap();
    let mut settings = session["settings"].clone();
    for (name, value) in changes.as_object().unwrap() {
        settings[name] = value.clone();
    }
    let _session: Value = window.call("save_settings", settings).await.unwrap();
}

/// The program that speaks, in a folder of its own.
pub struct Voice {
    folder: TempDir,
}

impl Voice {
    pub fn new() -> Voice {
        let folder = TempDir::new().unwrap();
        let program = folder.path().join("spd-say");
        let heard = folder.path().join("heard");
        let script = format!("#!/bin/sh\necho \"$*\" >> '{}'\n", heard.display());
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        Voice { folder }
    }

    /// The search path of programs with this one before all others.
    pub fn path(&self) -> String {
        let others = std::env::var("PATH").unwrap();
        format!("{}:{others}", self.folder.path().display())
    }

    fn said(&self) -> Vec<String> {
        lines(&self.folder.path().join("heard"))
    }

    pub async fn has_said(&self, expected: &[&str]) {
        until("the voice to speak", PATIENCE, || async {
            Ok((self.said().len() >= expected.len()).then_some(()))
        })
        .await
        .unwrap();
        assert_eq!(self.said(), expected);
    }
}

fn lines(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
