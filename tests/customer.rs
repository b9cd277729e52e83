//! The customer's display: a second window that shows what its customer may see, and nothing else.

use qiantai_testkit::{
    Display, Fault, Looks, Method, PATIENCE, Picture, SECOND_SCREEN, Window, until,
};
use serde_json::{Value, json};

use crate::shop::{MEMBER, MEMBER_PHONE, Shop, balance};
use crate::tour::{self, LOOKS};

const DISPLAY: &str = "/customer.html";
const COUNTER: &str = "/";
/// Where the display opens on a desktop without a window manager.
const SEEN: [u32; 4] = [0, 0, 1024, 640];

#[tokio::test(flavor = "multi_thread")]
async fn the_display_follows_the_counter() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let phone = cashier.customers_phone().await.unwrap();
    let mut walk = Walk::new(&window);
    open_display(&window, &shop).await;
    reads(&window, "heading", "/^动力健身/").await;
    walk.stop("brand").await;

    window.turn_to(COUNTER).await.unwrap();
    start_payment(&shop, &window).await;
    let on_counter = code_path(&window).await;
    window.turn_to(DISPLAY).await.unwrap();
    let code = code(&window).await;
    assert_eq!(
        code_path(&window).await,
        on_counter,
        "one code for one payment"
    );
    let size = side(&window).await;
    assert!(size >= 280, "a code of {size} px");
    says(
        &window,
        &["会员 张*", "¥300.00", "¥50.00"],
        &[MEMBER, MEMBER_PHONE, "138"],
    )
    .await;
    walk.stop("scan").await;

    phone.pay(&phone.scan(code).await.unwrap()).await.unwrap();
    reads(&window, "heading", "充值成功").await;
    window.turn_to(COUNTER).await.unwrap();
    cashier.success().await.unwrap();
    assert_eq!(balance(&window).await, 88_000);
    window.turn_to(DISPLAY).await.unwrap();
    says(
        &window,
        &["充值后余额 ¥880.00"],
        &[MEMBER, MEMBER_PHONE, "二维码"],
    )
    .await;
    walk.stop("done").await;

    window.turn_to(COUNTER).await.unwrap();
    next_customer(&shop, &window).await;
    window.turn_to(DISPLAY).await.unwrap();
    reads(&window, "heading", "/^动力健身/").await;
    says(&window, &["欢迎光临"], &["张*", "¥"]).await;
    window.turn_to(COUNTER).await.unwrap();
    walk.end();
    window.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_display_that_goes_leaves_the_payment_alone() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let phone = cashier.customers_phone().await.unwrap();
    open_display(&window, &shop).await;
    window.turn_to(COUNTER).await.unwrap();
    start_payment(&shop, &window).await;
    window.turn_to(DISPLAY).await.unwrap();
    let code = code(&window).await;
    window.close_page().await.unwrap();
    window.has_windows(1).await.unwrap();
    window.turn_to(COUNTER).await.unwrap();
    phone.pay(&phone.scan(code).await.unwrap()).await.unwrap();
    cashier.success().await.unwrap();
    assert_eq!(balance(&window).await, 88_000, "the payment went on");

    // Wanted anew, it shows what is on the counter's screen now.
    choose(&window, "off").await;
    choose(&window, "window").await;
    window.turn_to(DISPLAY).await.unwrap();
    reads(&window, "heading", "充值成功").await;
    window.turn_to(COUNTER).await.unwrap();
    choose(&window, "off").await;
    window.has_windows(1).await.unwrap();
    assert_eq!(balance(&window).await, 88_000);
    window.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_second_screen_that_is_pulled_while_paying() {
    let shop = Shop::before(Display::of_screens().unwrap());
    shop.display.plug_in().unwrap();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let phone = cashier.customers_phone().await.unwrap();
    choose(&window, "second_screen").await;
    window.has_windows(2).await.unwrap();
    start_payment(&shop, &window).await;
    let code = until("a code on the second screen", PATIENCE, || async {
        let screen = shop.display.eye().look()?.picture()?.part(SECOND_SCREEN);
        match screen.shows_a_code() {
            true => screen.png().map(Some),
            false => Ok(None),
        }
    })
    .await
    .unwrap();

    shop.display.pull().unwrap();
    window.has_windows(1).await.unwrap();
    phone.pay(&phone.scan(code).await.unwrap()).await.unwrap();
    cashier.success().await.unwrap();
    assert_eq!(balance(&window).await, 88_000, "the payment went on");

    shop.display.plug_in().unwrap();
    window.has_windows(2).await.unwrap();
    window.turn_to(DISPLAY).await.unwrap();
    reads(&window, "heading", "充值成功").await;
    window.turn_to(COUNTER).await.unwrap();
    window.close().await.unwrap();
}

/// As with the counter's window (docs: adr 18).
#[tokio::test(flavor = "multi_thread")]
async fn a_display_that_nobody_drives_shows_the_same() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    open_display(&window, &shop).await;
    reads(&window, "heading", "/^动力健身/").await;
    let driven = window.picture().await.unwrap().part(SEEN);
    window.turn_to(COUNTER).await.unwrap();
    window.close().await.unwrap();
    let eye = shop.display.eye();
    let bare = eye.look().unwrap().picture().unwrap().part(SEEN);
    assert!(!driven.is_like(&bare), "nothing was on the display");

    let _alone = shop.launch().alone(&shop.display).unwrap();
    until("the customer's display", PATIENCE * 2, || async {
        let seen = eye.look()?.picture()?.part(SEEN);
        Ok(seen.is_like(&driven).then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_display_may_do_nothing() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    open_display(&window, &shop).await;
    let heard = json!({ "event": "counter", "target": { "kind": "Any" }, "handler": 1 });
    for (command, arguments) in [
        ("call", json!({ "name": "session" })),
        ("open_phone", json!({})),
        ("show_customer", json!({ "orderId": null })),
        ("announce", json!({ "order": {} })),
        ("has_voice", json!({})),
        ("try_voice", json!({})),
        ("plugin:event|listen", heard),
        ("plugin:window|close", json!({ "label": "counter" })),
        (
            "plugin:webview|create_webview_window",
            json!({ "options": {} }),
        ),
    ] {
        let outcome = window.invoke(command, arguments).await;
        assert!(
            matches!(&outcome, Err(Fault::Refused { answer, .. })
                if answer.as_str().is_some_and(|why| why.contains("not allowed"))),
            "{command}: {outcome:?}"
        );
    }
    window.turn_to(COUNTER).await.unwrap();
    window.close().await.unwrap();
}

/// Opens the display by the settings and turns to it.
async fn open_display(window: &Window, shop: &Shop) {
    let words = &shop.words;
    let settings = words.get("rail.settings").unwrap();
    window
        .click("button", &format!("/{settings}/"))
        .await
        .unwrap();
    let own_window = words.get("settings.display_window").unwrap();
    window.choose("radio", &own_window).await.unwrap();
    let counter = words.get("rail.counter").unwrap();
    window
        .click("button", &format!("/{counter}/"))
        .await
        .unwrap();
    window.turn_to(DISPLAY).await.unwrap();
}

/// As the settings screen saves it, whatever is on the screen.
async fn choose(window: &Window, display: &str) {
    let session: Value = window.call("session", Value::Null).await.unwrap();
    let mut settings = session["settings"].clone();
    settings["customer_display"] = json!(display);
    let _session: Value = window.call("save_settings", settings).await.unwrap();
}

async fn start_payment(shop: &Shop, window: &Window) {
    let cashier = shop.cashier(window);
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Wechat).await.unwrap();
    cashier.take_payment().await.unwrap();
}

async fn next_customer(shop: &Shop, window: &Window) {
    let next = shop.words.get("success.next").unwrap();
    window.click("button", &format!("/{next}/")).await.unwrap();
    shop.cashier(window).at_rest().await.unwrap();
}

/// The code on the display as a phone sees it.
async fn code(window: &Window) -> Vec<u8> {
    reads(window, "heading", "请用微信扫码付款").await;
    until("a code that a phone can read", PATIENCE, || async {
        let shown = window.control("img", "微信付款二维码").await?;
        let picture = window.picture_of(&shown).await?;
        match picture.shows_a_code() {
            true => picture.png().map(Some),
            false => Ok(None),
        }
    })
    .await
    .unwrap()
}

async fn reads(window: &Window, role: &str, name: &str) {
    window.control(role, name).await.unwrap();
}

async fn says(window: &Window, there: &[&str], absent: &[&str]) {
    let plain = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    until("all that is to be read", PATIENCE, || async {
        let seen = plain(window.seen().await?);
        Ok(there.iter().all(|text| seen.contains(text)).then_some(()))
    })
    .await
    .unwrap();
    let page = window.source().await.unwrap();
    for text in absent {
        assert!(!page.contains(text), "{text} is on the display: {page}");
    }
}

/// The dark modules of the code on the page, once there is one.
async fn code_path(window: &Window) -> String {
    let script = "const code = document.querySelector('svg[role=img] path[fill]'); \
                  return code === null ? null : code.getAttribute('d')";
    until("a code", PATIENCE, || async {
        Ok(window.run(script).await?.as_str().map(str::to_owned))
    })
    .await
    .unwrap()
}

/// How wide the code is on the page, in points.
async fn side(window: &Window) -> u64 {
    let script = "return Math.floor(\
                  document.querySelector('svg[role=img]').getBoundingClientRect().width)";
    window.run(script).await.unwrap().as_u64().unwrap()
}

/// A walk through what the display shows, in every look.
struct Walk<'a> {
    window: &'a Window,
    findings: Vec<String>,
}

impl<'a> Walk<'a> {
    fn new(window: &'a Window) -> Walk<'a> {
        Walk {
            window,
            findings: Vec::new(),
        }
    }

    async fn stop(&mut self, screen: &str) {
        let name = tour::named("customer", screen);
        for looks in tour::looks_of(&name, &LOOKS[..4]) {
            self.wear(looks).await;
            let picture: Picture = self.window.picture().await.unwrap().part(SEEN);
            tour::keep(&picture, &name, looks);
            let findings = tour::findings(self.window, &name, looks, false).await;
            self.findings.extend(findings);
        }
        self.wear(LOOKS[0]).await;
    }

    /// Changes the looks in the counter's window and looks at the display.
    async fn wear(&self, looks: Looks) {
        self.window.turn_to(COUNTER).await.unwrap();
        self.window.wear(looks).await.unwrap();
        self.window.turn_to(DISPLAY).await.unwrap();
        self.worn(looks).await;
    }

    async fn worn(&self, looks: Looks) {
        let script = "const { lang, dataset } = document.documentElement; \
                      return [lang, dataset.theme]";
        let wanted = json!([looks.language, looks.theme]);
        until("the display to change its looks", PATIENCE, || async {
            Ok((self.window.run(script).await? == wanted).then_some(()))
        })
        .await
        .unwrap();
    }

    fn end(self) {
        assert!(self.findings.is_empty(), "{:#?}", self.findings);
    }
}
