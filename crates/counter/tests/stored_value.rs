//! Payments from stored value without the server, from what the terminal may spend by itself.

use qiantai_core::Money;
use qiantai_core::account::Account;
use qiantai_core::ids::{ActionId, MemberId};
use qiantai_core::risk_floor::RiskFloor;
use qiantai_counter::SpendingOffline;
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::{CallError, ErrorCode};
use uuid::Uuid;

use crate::line::Weather;
use crate::shop::Shop;
use crate::till::{Till, sentence};

async fn spend(till: &Till, member: &str, intent: Uuid, yuan: i64) -> Result<Account, CallError> {
    let counter = till.desk.counter().unwrap();
    let request = SpendingOffline {
        intent: ActionId(intent),
        member: MemberId(member.parse().unwrap()),
        amount: Money::from_yuan(yuan),
        approval: None,
    };
    let spending = tokio::task::spawn_blocking(move || counter.spend_offline(&request));
    spending.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_pay_without_the_server_and_no_more_than_they_hold() {
    let shop = Shop::salon().await;
    let mut till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let order = till.cash(&member, "1000").await;
    till.until_confirmed(&order.id).await;
    till.until_synced().await;
    let intent = Uuid::now_v7();
    let nothing_leased = spend(&till, &member, intent, 1).await;
    assert_eq!(sentence(nothing_leased), "error.lease_short");
    let counter = till.desk.counter().unwrap();
    let held = MemberId(member.parse().unwrap());
    counter.lease_keeper().unwrap().round().await.unwrap();
    drop(counter);
    let before = shop.account(&member);
    let balance = before.principal + before.bonus;
    let leased = before.frozen_principal + before.frozen_bonus;
    assert_eq!(leased, Money::from_yuan(300));
    till.until("the lease in the replica", async || {
        let sql =
            "SELECT count(*) FROM replica_lease r JOIN lease l USING (id) WHERE l.member = ?1";
        let books = till.books(&shop);
        let bytes = held.0.into_bytes();
        let known: i64 = books.query_row(sql, [bytes], |row| row.get(0)).unwrap();
        (known == 1).then_some(())
    })
    .await;
    till.cut(&shop).await;
    let shown = spend(&till, &member, intent, 120).await.unwrap();
    assert_eq!(
        shown.principal + shown.bonus,
        balance - Money::from_yuan(120)
    );
    // The same intent once more, as after a screen that was lost.
    let again = spend(&till, &member, intent, 120).await.unwrap();
    assert_eq!(again, shown);
    let other = spend(&till, &member, intent, 50).await.unwrap_err();
    assert_eq!(
        other.code,
        ErrorCode::WrongState,
        "an intent pays one price"
    );
    till.crash().await;
    till = Till::reopen(&shop, Weather::Cut).await;
    let short = spend(&till, &member, Uuid::now_v7(), 181)
        .await
        .unwrap_err();
    assert_eq!(short.message_key, "error.lease_short");
    assert_eq!(short.params["missing"], "1.00");
    let shown = spend(&till, &member, Uuid::now_v7(), 180).await.unwrap();
    assert_eq!(
        shop.account(&member),
        before,
        "the server has heard of nothing"
    );
    till.mend(&shop).await;
    assert_eq!(
        shop.account(&member),
        shown,
        "what was shown is what was booked"
    );
    assert_eq!(shown.principal + shown.bonus, balance - leased);
    assert_eq!((shown.frozen_principal + shown.frozen_bonus).fen(), 0);
    risks(&shop, till, &member).await;
}

/// Beyond the leases, which are spent, the shop's floor lets payments pass, and no fen more.
async fn risks(shop: &Shop, till: Till, member: &str) {
    let yuan = Money::from_yuan;
    let floor = RiskFloor {
        per_transaction: yuan(5),
        per_member_day: yuan(8),
        per_device: yuan(20),
        count: 9,
        hours: 8,
    };
    shop.change_rules(|rules| rules.offline.risk_floor = floor)
        .await;
    let newest = shop.policy().version;
    till.until("the floor at the till", async || {
        let rules = till.desk.shop_rules(()).await.unwrap();
        (rules.version == newest).then_some(())
    })
    .await;
    till.cut(shop).await;
    for (asked, missing) in [(6, Some("1.00")), (5, None), (4, Some("1.00")), (3, None)] {
        let paid = spend(&till, member, Uuid::now_v7(), asked).await;
        let short = paid.as_ref().err().map(|error| &error.params["missing"]);
        assert_eq!(short.map(String::as_str), missing, "{asked}: {paid:?}");
    }
    till.crash().await;
    let till = Till::reopen(shop, Weather::Cut).await;
    let short = spend(&till, member, Uuid::now_v7(), 1).await;
    assert_eq!(sentence(short), "error.lease_short");
    let before = shop.account(member);
    till.mend(shop).await;
    let after = shop.account(member);
    let taken = (before.principal + before.bonus) - (after.principal + after.bonus);
    assert_eq!((taken, after.debt), (yuan(8), Money::ZERO));
    let told = shop.server.ledger().cases(shop.tenant, 9).unwrap();
    assert!(told.is_empty(), "{told:?}");
}
