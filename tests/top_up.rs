//! The trunk: a member tops up, and everything follows at once.

use qiantai_testkit::{Key, Method, PATIENCE, until};
use serde_json::Value;

use crate::shop::{MEMBER, MEMBER_PHONE, Shop, balance, orders};

#[tokio::test(flavor = "multi_thread")]
async fn by_qr_code() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let phone = cashier.customers_phone().await.unwrap();
    let before = balance(&window).await;

    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Wechat).await.unwrap();
    cashier.take_payment().await.unwrap();
    let code = cashier.payment_qr(Method::Wechat).await.unwrap();
    let payload = cashier.newest_order().await.unwrap()["qr"]["payload"].clone();
    assert_eq!(
        decoded(&code),
        payload.as_str().unwrap(),
        "the QR on the screen is the order's"
    );

    phone.pay(&phone.scan(code).await.unwrap()).await.unwrap();
    cashier.success().await.unwrap();
    let order = cashier.newest_order().await.unwrap();
    assert_eq!(order["pay_fen"], 30_000);
    assert_eq!(order["provisional"], false, "the server itself settled it");
    let bonus = order["bonus_fen"].as_i64().unwrap();
    assert_eq!(order["credit"]["balance_before_fen"], before);
    assert_eq!(
        order["credit"]["balance_after_fen"],
        before + 30_000 + bonus
    );
    assert_eq!(balance(&window).await, before + 30_000 + bonus);
    receipts_are_printed(&shop, &order).await;
    window.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn by_cash_in_three_actions_after_the_search() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let before = balance(&window).await;

    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    let found = window.actions();
    cashier.choose_amount("500").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.take_payment().await.unwrap();
    cashier.success().await.unwrap();
    assert_eq!(window.actions() - found, 3, "clicks after the search");

    let order = cashier.newest_order().await.unwrap();
    let bonus = order["bonus_fen"].as_i64().unwrap();
    assert_eq!(
        order["credit"]["balance_after_fen"],
        before + 50_000 + bonus
    );
    receipts_are_printed(&shop, &order).await;

    // The server takes it over: the provisional mark goes, and the balance stays.
    until("the server to confirm it", PATIENCE, || async {
        let order = cashier.newest_order().await?;
        Ok((order["provisional"] == false).then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(balance(&window).await, before + 50_000 + bonus);
    window.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn twice_in_a_row_is_once() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let before = balance(&window).await;
    let phone = cashier.customers_phone().await.unwrap();
    let mut credited = 0;
    // Every amount once, so that no question about a repetition comes up.
    for (count, (yuan, method, twice)) in [
        ("300", Method::Cash, Twice::Click),
        ("500", Method::Cash, Twice::Enter),
        ("1000", Method::Wechat, Twice::Click),
        ("2000", Method::Wechat, Twice::Enter),
    ]
    .into_iter()
    .enumerate()
    {
        cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
        cashier.choose_amount(yuan).await.unwrap();
        cashier.choose_method(method).await.unwrap();
        match twice {
            Twice::Click => cashier.take_payment_twice().await.unwrap(),
            Twice::Enter => {
                cashier.ready_to_pay().await.unwrap();
                window.press_twice(Key::Enter).await.unwrap();
            }
        }
        if method != Method::Cash {
            let code = cashier.payment_qr(method).await.unwrap();
            phone.pay(&phone.scan(code).await.unwrap()).await.unwrap();
        }
        cashier.success().await.unwrap();
        let order = cashier.newest_order().await.unwrap();
        credited += order["pay_fen"].as_i64().unwrap() + order["bonus_fen"].as_i64().unwrap();
        assert_eq!(orders(&window).await.len(), count + 1, "{yuan} {method:?}");
        assert_eq!(balance(&window).await, before + credited);
        cashier.next_customer().await.unwrap();
    }
    window.close().await.unwrap();
}

enum Twice {
    Click,
    Enter,
}

/// What a phone's camera reads in a picture.
fn decoded(png: &[u8]) -> String {
    let picture = image::load_from_memory(png).unwrap().to_luma8();
    let (width, height) = picture.dimensions();
    let size = |pixels: u32| usize::try_from(pixels).unwrap();
    let luma = |x, y| picture.get_pixel(x as u32, y as u32).0[0];
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(size(width), size(height), luma);
    let found = prepared.detect_grids();
    assert_eq!(found.len(), 1, "one QR code on the screen");
    found[0].decode().unwrap().1
}

/// Two copies, each as PDF and as ESC/POS.
async fn receipts_are_printed(shop: &Shop, order: &Value) {
    let folder = shop.folder().join("receipts");
    let number = order["order_no"].as_str().unwrap();
    until("the receipts", PATIENCE, || async {
        let names = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let slips = names
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name.contains(number))
            .filter(|name| name.ends_with(".pdf") || name.ends_with(".escpos"));
        Ok((slips.count() == 4).then_some(()))
    })
    .await
    .unwrap();
}
