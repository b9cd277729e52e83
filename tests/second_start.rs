//! A second start on the same folder: the window that is open comes to the front, and nothing else
//! happens.

use qiantai_testkit::{Key, PATIENCE, until};

use crate::shop::{Shop, balance};

/// Where the customer's phone lies over the counter: in the corner of a display without a desktop.
const PHONE: [u32; 4] = [0, 0, 420, 700];

#[tokio::test(flavor = "multi_thread")]
async fn the_second_brings_the_first_to_the_front_and_ends() {
    let shop = Shop::new();
    let first = shop.open_counter().await;
    let eye = shop.display.eye();
    let counter = first.picture().await.unwrap().part(PHONE);
    first.press(Key::F10).await.unwrap();
    until("another window over the counter", PATIENCE, || async {
        let covered = !eye.look()?.picture()?.part(PHONE).is_like(&counter);
        Ok(covered.then_some(()))
    })
    .await
    .unwrap();

    let (status, words) = shop.launch().to_its_end(&shop.display).await.unwrap();
    assert!(status.success(), "{status}: {words}");
    for said in ["已经打开", "open on this folder already"] {
        assert!(words.contains(said), "{words}");
    }
    until("the counter in front again", PATIENCE, || async {
        let seen = eye.look()?.picture()?.part(PHONE);
        Ok(seen.is_like(&counter).then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(balance(&first).await, 53_000, "the first goes on");

    // Another folder is another shop.
    let beside = Shop::new();
    let other = beside.open().await;
    beside.cashier(&other).wait_until_open().await.unwrap();
    other.close().await.unwrap();
    first.kill().await.unwrap();

    // A bell that nobody answers any more stops nobody.
    let again = shop.open_again().await;
    assert_eq!(balance(&again).await, 53_000);
    again.close().await.unwrap();
}
