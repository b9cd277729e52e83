//! What leaves the terminal after months, and what must not be missed then.

use std::time::Duration;

use qiantai_core::Millis;
use qiantai_counter::api::CounterApi;
use qiantai_counter::view::order::ReceiptRow;
use qiantai_counter::view::queue::SyncState;
use tokio::time::timeout;

use crate::line::{Verdict, Weather};
use crate::paper::{self, Paper};
use crate::shop::Shop;
use crate::till::{Setup, Till, copy_of, key};

#[tokio::test(flavor = "multi_thread")]
async fn after_months_a_receipt_is_still_the_same_and_nothing_prints_by_itself() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let order = till.cash(&member, "300").await;
    till.until_confirmed(&order.id).await;
    till.until_printed(&order, 2).await;
    let own = || {
        let sql = "SELECT count(*) FROM operation WHERE order_id IS NOT NULL";
        let books = till.books(&shop);
        books
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let code = async || {
        let receipt = till.desk.receipt(key(&order.id)).await.unwrap();
        let mut codes = receipt.rows.into_iter().filter_map(|row| match row {
            ReceiptRow::Qr { qr } => Some(qr.payload),
            _ => None,
        });
        codes.next().unwrap()
    };
    let (before, printed) = (code().await, paper::files(&till.folder));
    assert_eq!(own(), 1);
    shop.time.advance(Millis::days(80));
    till.until_synced().await;
    shop.time.advance(Millis::days(2));
    till.until_synced().await;
    assert_eq!(
        (own(), till.prints(&order).await.len()),
        (1, 2),
        "too early"
    );
    // The end of the log stays, so that something must follow.
    till.cash(&member, "200").await;
    till.until("nothing of the old sale", async || {
        shop.time.advance(Millis::days(3));
        till.until_synced().await;
        (own() == 1 && till.prints(&order).await.is_empty()).then_some(())
    })
    .await;
    assert_eq!(
        code().await,
        before,
        "what credited it is kept for its receipt"
    );
    let job = till.desk.reprint(copy_of(&order.id)).await.unwrap();
    assert_eq!(job.copy, 1);
    till.until_printed(&order, 1).await;
    assert!(Paper::of(&till.folder, &order, "member-copy1").says(&["补打 COPY 1"]));
    till.until("the server's count", async || {
        (till.order(&order.id).await.copies == 1).then_some(())
    })
    .await;
    till.until_synced().await;
    let of_the_sale = |file: &&String| file.starts_with(&order.order_no);
    let files = paper::files(&till.folder);
    let copy = 2;
    assert_eq!(
        files.iter().filter(of_the_sale).count(),
        printed.len() + copy,
        "the copy, and no original again: {files:?}"
    );
}

/// A cold start in the past, without a server that could tell better.
#[tokio::test(flavor = "multi_thread")]
async fn sales_under_a_clock_that_stood_years_back_are_not_old() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    till.until("the server's time after its answers", async || {
        shop.time.advance(Millis::seconds(61));
        let books = till.books(&shop);
        let sql = "SELECT count(*) FROM operation_delivery WHERE aged_from_ms IS NULL";
        let ageless: i64 = books.query_row(sql, [], |row| row.get(0)).unwrap();
        (ageless == 0).then_some(())
    })
    .await;
    // What came before is old, and would hold up nothing behind it.
    shop.time.advance(Millis::days(100));
    till.until_synced().await;
    till.crash().await;

    let setup = Setup {
        clock_wrong_by: Millis::days(-2_000),
        weather: Weather::Cut,
        ..Setup::default()
    };
    let till = Till::start(&shop, setup).await;
    till.sign_in().await;
    let member = till.zhang_wei().await;
    let sales = [
        till.cash(&member, "100").await,
        till.cash(&member, "200").await,
    ];
    till.clock.set_wrong_by(Millis(0));
    till.mend(&shop).await;
    for sale in &sales {
        till.until_confirmed(&sale.id).await;
    }
    let read = |sql: &str| {
        let books = till.books(&shop);
        books
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let is_shorter = || read("SELECT device_seq FROM chain_start") > 0;
    // Far fewer days than after which the sales would be old.
    for _ in 0..30 {
        shop.time.advance(Millis::days(1));
        till.until_synced().await;
        let gone = till.until("what came before goes", async || is_shorter().then_some(()));
        if timeout(Duration::from_secs(1), gone).await.is_ok() {
            break;
        }
    }
    assert!(is_shorter(), "what came before is still there");
    assert_eq!(
        read("SELECT count(*) FROM operation WHERE order_id IS NOT NULL"),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lacks_what_is_gone_here_says_so_in_its_own_words() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    for amount in ["100", "200"] {
        let sale = till.cash(&member, amount).await;
        till.until_confirmed(&sale.id).await;
    }
    let sql = "SELECT device_seq FROM chain_start";
    till.until("what is old goes", async || {
        shop.time.advance(Millis::days(30));
        till.until_synced().await;
        let books = till.books(&shop);
        let start: i64 = books.query_row(sql, [], |row| row.get(0)).unwrap();
        (start > 0).then_some(())
    })
    .await;
    till.line.judge(Some(Verdict::Lacks));
    till.cash(&member, "300").await;
    let pill = till.until_pill(SyncState::Stopped).await;
    assert_eq!(pill.stopped_key.as_deref(), Some("stop.server_behind"));
    assert_eq!(pill.pending, 1, "it is kept");
    till.line.judge(None);
    till.mend(&shop).await;
    till.until_synced().await;
    assert_eq!(shop.credits(&member).len(), 3);
    assert_eq!(till.session().await.sync.stopped_key, None);
}
