//! What people type into the amount, and what the window says to it.

use qiantai_testkit::{Key, PATIENCE, until};

use crate::shop::{MEMBER, MEMBER_PHONE, Shop, orders};

/// What is typed, and what comes of it: a price in fen, or the key of the sentence beside the field.
const CASES: &[(&str, Result<i64, &str>)] = &[
    ("0", Err("error.amount_zero")),
    ("-5", Err("error.amount_negative")),
    ("0.001", Err("error.amount_too_precise")),
    ("1e9", Err("error.amount_not_a_number")),
    ("99999999999999", Err("error.amount_too_large")),
    ("1,000", Ok(100_000)),
    ("５００", Ok(50_000)),
    ("三百", Ok(30_000)),
    ("123.45", Ok(12_345)),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_amount_gets_a_price_or_a_sentence() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let words = &shop.words;
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    let field = window
        .control("textbox", &words.get("top_up.custom").unwrap())
        .await
        .unwrap();

    for (typed, expected) in CASES {
        field.click().await.unwrap();
        window.press_with(Key::Control, 'a').await.unwrap();
        window.press(Key::Delete).await.unwrap();
        window.type_text(typed).await.unwrap();
        let sentence = match expected {
            Ok(fen) => format!("¥{}.{:02}", grouped(fen / 100), fen % 100),
            Err(key) => words.start_of(key).unwrap().to_owned(),
        };
        until(
            &format!("{sentence:?} after {typed:?}"),
            PATIENCE,
            || async { Ok(window.seen().await?.contains(&sentence).then_some(())) },
        )
        .await
        .unwrap();
    }
    assert!(
        orders(&window).await.is_empty(),
        "typing an amount opens no order"
    );
    window.close().await.unwrap();
}

fn grouped(yuan: i64) -> String {
    if yuan < 1_000 {
        yuan.to_string()
    } else {
        format!("{},{:03}", yuan / 1_000, yuan % 1_000)
    }
}
