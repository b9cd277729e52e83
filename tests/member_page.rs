//! The member page in the real window.

use qiantai_testkit::{Key, Method};

use crate::shop::MEMBER;
use crate::shop::{MEMBER_PHONE, Shop, synced};
use crate::tour::{AND_LARGE, Tour};

#[tokio::test(flavor = "multi_thread")]
async fn says_where_the_balance_comes_from() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let words = &shop.words;
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.take_payment().await.unwrap();
    cashier.success().await.unwrap();
    synced(&window).await;
    window.press(Key::F4).await.unwrap();
    let name = words.get("member_page.name").unwrap();
    window.control("dialog", &name).await.unwrap();
    window.control("table", "/.*/").await.unwrap();
    window.control("button", "/¥300\\.00/").await.unwrap();
    let mut tour = Tour::of_page("member-page");
    tour.stop(&window, "lots", AND_LARGE).await;
    tour.end();
    window.press(Key::Escape).await.unwrap();
    window.gone("dialog", &name).await.unwrap();
    window.close().await.unwrap();
}
