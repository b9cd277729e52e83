//! Every screen in both languages and both themes: a picture of it, and an accessibility scan that
//! finds nothing. The pictures are in `target/screens`.

use std::path::PathBuf;

use qiantai_testkit::{Cashier, Key, Method, Window};

use crate::shop::{MEMBER, MEMBER_PHONE, Shop};

#[tokio::test(flavor = "multi_thread")]
async fn in_chinese() {
    walk("zh-CN", "light").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_english() {
    walk("en", "light").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_dark() {
    walk("zh-CN", "dark").await;
}

async fn walk(language: &str, theme: &str) {
    let shop = Shop::in_language(language);
    let window = Window::open(&shop.display, &shop.launch().with(["--theme", theme]))
        .await
        .unwrap();
    let cashier = shop.cashier(&window);
    let words = &shop.words;
    let mut tour = Tour::new(&window, &format!("{language}-{theme}"));

    cashier.wait_until_open().await.unwrap();
    window
        .control("heading", &words.get("sign_in.who").unwrap())
        .await
        .unwrap();
    tour.stop("sign-in").await;
    cashier.sign_in().await.unwrap();
    window
        .control("heading", &words.get("shift.title").unwrap())
        .await
        .unwrap();
    tour.stop("shift").await;
    cashier.open_shift().await.unwrap();
    tour.stop("counter").await;

    let search = window
        .control("combobox", &words.get("search.name").unwrap())
        .await
        .unwrap();
    search.type_text("zw").await.unwrap();
    window
        .control("option", &format!("/{MEMBER}/"))
        .await
        .unwrap();
    tour.stop("search").await;
    search.clear().await.unwrap();
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    tour.stop("top-up").await;
    pay_by_qr(&cashier, &mut tour).await;
    pay_by_cash(&cashier, &mut tour).await;

    for (key, name, heading) in [
        (Key::F7, "orders", "orders.name"),
        (Key::F8, "queue", "queue.name"),
        (Key::F9, "settings", "settings.name"),
    ] {
        window.press(key).await.unwrap();
        window
            .control("heading", &words.get(heading).unwrap())
            .await
            .unwrap();
        tour.stop(name).await;
    }
    tour.end();
    window.close().await.unwrap();
}

async fn pay_by_qr(cashier: &Cashier<'_>, tour: &mut Tour<'_>) {
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Wechat).await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    tour.stop("top-up-chosen").await;
    cashier.take_payment().await.unwrap();
    let code = cashier.payment_qr(Method::Wechat).await.unwrap();
    tour.stop("paying").await;
    let phone = cashier.customers_phone().await.unwrap();
    phone.pay(&phone.scan(code).await.unwrap()).await.unwrap();
    cashier.success().await.unwrap();
    tour.stop("success").await;
    cashier.window.type_text("p").await.unwrap();
    let receipt = cashier.words.get("receipt.name").unwrap();
    cashier.window.control("dialog", &receipt).await.unwrap();
    tour.stop("receipt").await;
    cashier.window.press(Key::Escape).await.unwrap();
    cashier.window.gone("dialog", &receipt).await.unwrap();
    cashier.next_customer().await.unwrap();
}

async fn pay_by_cash(cashier: &Cashier<'_>, tour: &mut Tour<'_>) {
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("500").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    tour.stop("cash").await;
    cashier.take_payment().await.unwrap();
    cashier.success().await.unwrap();
    tour.stop("success-cash").await;
    cashier.next_customer().await.unwrap();
}

/// A walk through the screens that remembers what it saw.
struct Tour<'a> {
    window: &'a Window,
    folder: PathBuf,
    stops: u32,
    findings: Vec<String>,
}

impl Tour<'_> {
    fn new<'a>(window: &'a Window, name: &str) -> Tour<'a> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("target/screens")
            .join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Tour {
            window,
            folder,
            stops: 0,
            findings: Vec::new(),
        }
    }

    async fn stop(&mut self, screen: &str) {
        self.stops += 1;
        let picture = self.window.picture().await.unwrap().png().unwrap();
        std::fs::write(
            self.folder.join(format!("{:02}-{screen}.png", self.stops)),
            picture,
        )
        .unwrap();
        for finding in self.window.audit().await.unwrap() {
            self.findings.push(format!("{screen}: {finding:?}"));
        }
        let (wide, high) = self.window.overflow().await.unwrap();
        if wide > 0 || high > 0 {
            self.findings
                .push(format!("{screen}: scrolls by {wide} × {high} pixels"));
        }
    }

    fn end(self) {
        assert!(self.findings.is_empty(), "{:#?}", self.findings);
    }
}
