//! A window that nobody drives is painted in another way than one that WebDriver drives (docs: adr
//! 18), and must show the same.

use qiantai_testkit::{PATIENCE, until};

use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_nobody_drives_shows_the_same() {
    let shop = Shop::new();
    let blank = shop.display.eye().look().unwrap().picture().unwrap();
    let window = shop.open().await;
    let who = shop.words.get("sign_in.who").unwrap();
    window.control("heading", &who).await.unwrap();
    let driven = window.picture().await.unwrap();
    assert!(!driven.is_like(&blank), "nothing is on the display");
    window.close().await.unwrap();

    let _alone = shop.launch().alone(&shop.display).unwrap();
    until("the sign-in screen", PATIENCE, || async {
        let seen = shop.display.eye().look()?.picture()?;
        Ok(seen.is_like(&driven).then_some(()))
    })
    .await
    .unwrap();
}
