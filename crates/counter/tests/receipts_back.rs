//! A terminal is destroyed before it sent anything, and its customers bring their receipts.

use qiantai_core::Money;
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::{ErrorCode, MoneyMoved};
use qiantai_counter::view::code::{Scan, ScanReading};
use qiantai_counter::view::order::ReceiptRow;
use qiantai_counter::view::receipt_back::{ReceiptBack, ReceiptStanding, ScannedReceipt};

use crate::line::Weather;
use crate::shop::Shop;
use crate::till::{Till, key};

/// The code on the slip of an order.
async fn printed(till: &Till, order: &str) -> String {
    let receipt = till.desk.receipt(key(order)).await.unwrap();
    let mut codes = receipt.rows.into_iter().filter_map(|row| match row {
        ReceiptRow::Qr { qr } => Some(qr.payload),
        _ => None,
    });
    codes.next().unwrap()
}

async fn bring(till: &Till, text: &str) -> ReceiptBack {
    let text = text.to_owned();
    till.desk.bring_back(ScannedReceipt { text }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_of_a_destroyed_terminal_are_scanned_one_after_another() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    till.cut(&shop).await;
    let mut codes = Vec::new();
    for yuan in ["300", "200", "100"] {
        let order = till.cash(&member, yuan).await;
        codes.push((order.order_no, printed(&till, &order.id).await));
    }
    let lost = till.device().await;
    till.crash().await;
    for folder in ["till", "keys"] {
        std::fs::remove_dir_all(shop.path(folder)).unwrap();
    }
    assert_eq!(shop.credits(&member), []);

    let till = Till::open(&shop).await;
    assert_ne!(till.device().await, lost);
    let scan = Scan {
        text: codes[0].1.clone(),
    };
    assert_eq!(
        till.desk.read_scan(scan).await.unwrap(),
        ScanReading::Receipt
    );
    // The second sale's receipt was thrown away.
    for (at, missing) in [(0, 0), (2, 1)] {
        let (order_no, code) = &codes[at];
        let back = bring(&till, code).await;
        assert_eq!(back.standing, ReceiptStanding::New);
        assert_eq!(back.sentence_key, "receipts.new");
        assert_eq!(back.order_no.as_ref(), Some(order_no));
        assert_eq!(back.member.as_deref(), Some("张伟"));
        assert_eq!(back.terminal.as_deref(), Some("01"));
        assert_eq!(back.missing_before, missing);
        let again = bring(&till, code).await;
        assert_eq!(again.standing, ReceiptStanding::Known);
        assert_eq!(again.id, back.id, "the same line of the list");
    }
    let expected = [Money::from_yuan(300), Money::from_yuan(100)];
    assert_eq!(shop.credits(&member), expected);

    // One sign of the code is another: what it says is not repeated.
    let mut torn = codes[1].1.clone();
    let last = torn.pop().unwrap();
    torn.push(if last == '0' { '1' } else { '0' });
    let refused = bring(&till, &torn).await;
    assert_eq!(refused.standing, ReceiptStanding::Refused);
    assert_eq!((refused.order_no, refused.amount_fen), (None, None));
    let other = bring(&till, "6901234567892").await;
    assert_eq!(other.sentence_key, "receipts.not_a_receipt");

    till.line.set(Weather::Cut);
    let text = codes[1].1.clone();
    let failed = till.desk.bring_back(ScannedReceipt { text });
    let failed = failed.await.unwrap_err();
    assert_eq!(failed.code, ErrorCode::ServerUnreachable);
    assert_eq!(
        (failed.money, failed.retryable),
        (MoneyMoved::Unknown, true)
    );
    till.mend(&shop).await;
    let back = bring(&till, &codes[1].1).await;
    assert_eq!(
        (back.standing, back.missing_before),
        (ReceiptStanding::New, 0)
    );
    assert_eq!(shop.credits(&member).len(), 3);

    till.desk.sign_out(()).await.unwrap();
    let text = codes[1].1.clone();
    let refused = till.desk.bring_back(ScannedReceipt { text });
    assert_eq!(refused.await.unwrap_err().code, ErrorCode::NotSignedIn);
}
