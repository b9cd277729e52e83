//! A replica that shows something else than the server is found out and mended.

use qiantai_core::Millis;
use qiantai_counter::view::Fen;

use crate::shop::Shop;
use crate::till::Till;

/// What was done to the terminal's file behind its back. Every account of the shop is in it.
const DAMAGES: [&str; 6] = [
    "UPDATE replica_account SET json =
         json_set(json, '$.principal_fen', json_extract(json, '$.principal_fen') + 100)",
    "UPDATE replica_account SET json =
         json_set(json, '$.recharged_fen', json_extract(json, '$.recharged_fen') + 100)",
    "UPDATE replica_account SET json = json_set(json, '$.tier',
         (SELECT json_extract(json, '$.member') FROM replica_account LIMIT 1))",
    "UPDATE replica_account SET json = '{', revision = revision + 1000",
    "DELETE FROM replica_account WHERE member = (SELECT max(member) FROM replica_account)",
    "INSERT INTO replica_account SELECT zeroblob(16), revision, json FROM replica_account LIMIT 1",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_drifted_is_found_and_mended() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let order = till.cash(&member, "300").await;
    till.until_confirmed(&order.id).await;
    till.until_synced().await;
    let whole = || {
        let sql = "SELECT group_concat(hex(member) || json_remove(json, '$.lots'), ';')
                   FROM (SELECT * FROM replica_account ORDER BY member)";
        let books = till.books(&shop);
        books
            .query_row(sql, [], |row| row.get::<_, String>(0))
            .unwrap()
    };
    let before = whole();
    let balance: Fen = till.member(&member).await.available_fen;
    for damage in DAMAGES {
        till.books(&shop).execute_batch(damage).unwrap();
        till.until("the accounts of the server", async || {
            // The first comparison comes ten minutes after the start, the others daily.
            shop.time.advance(Millis::hours(12));
            till.until_synced().await;
            let sql = "SELECT count(*) FROM replica_account WHERE NOT json_valid(json)";
            let books = till.books(&shop);
            let unreadable: i64 = books.query_row(sql, [], |row| row.get(0)).unwrap();
            (unreadable == 0 && whole() == before).then_some(())
        })
        .await;
        assert_eq!(
            till.member(&member).await.available_fen,
            balance,
            "{damage}"
        );
    }
}
