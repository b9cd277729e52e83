//! The counter on the smallest desktops: all of it is there, and nothing is cut off.

use qiantai_testkit::{Display, Looks, Method, Spill, SpillKind, Window};
use serde_json::json;

use crate::shop::{MEMBER, MEMBER_PHONE, Shop};
use crate::tour::LOOKS;

/// Both languages at the usual size of type, and the largest.
const WORN: &[Looks] = &[LOOKS[0], LOOKS[2], LOOKS[4]];

/// What the bars of a desktop leave of 1366×768, the smallest common counter PC.
#[tokio::test(flavor = "multi_thread")]
async fn a_top_up_fits_between_the_bars_of_a_small_desktop() {
    check(1366, 690, Bears::LargeTypeScrolls).await;
}

/// As small as the window can be made: amounts and methods scroll, and nothing else suffers.
#[tokio::test(flavor = "multi_thread")]
async fn a_top_up_fits_the_smallest_window() {
    check(1024, 660, Bears::PartsScroll).await;
}

/// What may scroll of a screen that does not fit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bears {
    /// Large type may scroll, as on every desktop.
    LargeTypeScrolls,
    /// Parts of it may, in any size of type.
    PartsScroll,
}

async fn check(width: u32, height: u32, bears: Bears) {
    let shop = Shop::before(Display::of_size(width, height).unwrap());
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let phone = cashier.customers_phone().await.unwrap();
    let size = window.run("return [innerWidth, innerHeight]").await;
    assert_eq!(size.unwrap(), json!([width, height]));
    let mut spills = Vec::new();
    spills.extend(look(&window, bears, "idle").await);

    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("2000").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    let received = shop.words.get("cash.tendered").unwrap();
    window.fill("textbox", &received, "2100").await.unwrap();
    spills.extend(look(&window, bears, "cash").await);

    cashier.choose_method(Method::Wechat).await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    spills.extend(look(&window, bears, "form").await);
    cashier.take_payment().await.unwrap();
    let wechat = shop.words.get("channel.wechat").unwrap();
    let code = shop.words.with("paying.qr", &[("channel", &wechat)]);
    window.control("img", &code.unwrap()).await.unwrap();
    spills.extend(look(&window, bears, "waiting").await);
    // The pointer of a display without a mouse is in its middle: in the smallest, over the code.
    if bears == Bears::LargeTypeScrolls {
        let code = cashier.payment_qr(Method::Wechat).await.unwrap();
        phone.pay(&phone.scan(code).await.unwrap()).await.unwrap();
        cashier.success().await.unwrap();
        spills.extend(look(&window, bears, "success").await);
    }
    assert!(spills.is_empty(), "{spills:#?}");
    window.close().await.unwrap();
}

async fn look(window: &Window, bears: Bears, screen: &str) -> Vec<String> {
    let mut found = Vec::new();
    for &looks in WORN {
        window.wear(looks).await.unwrap();
        let may_scroll = bears == Bears::PartsScroll || looks.type_percent > 100;
        let counts = |spill: &Spill| match spill.kind {
            SpillKind::Window | SpillKind::Cut | SpillKind::Covered | SpillKind::Turned => true,
            SpillKind::Part => spill.aside || !may_scroll,
            SpillKind::Control | SpillKind::List => spill.aside,
        };
        let spills = window.spills().await.unwrap().into_iter().filter(counts);
        let place = format!("{screen} ({})", looks.name());
        found.extend(spills.map(|spill| format!("{place}: {}", spill.what)));
    }
    window.wear(LOOKS[0]).await.unwrap();
    found
}
