//! All of an operation or nothing of it, wherever writing fails.

use std::sync::Arc;

use http::StatusCode;
use qiantai_core::attempt::AttemptState;
use qiantai_core::operation::OperationBody;
use qiantai_core::recharge::{AmountChoice, OrderState};
use qiantai_core::{Millis, Money};
use qiantai_paysim::gateway::PhoneAction;
use qiantai_server::db::sqlite::SqliteLedger;
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::{ApiError, ErrorCode};

use crate::harness::{On, Shop};
use crate::till::{Till, push_body};

/// Every table that settling a first top-up into silver writes.
const SETTLED: &[&str] = &[
    "operation",
    "payment_attempt",
    "recharge_order",
    "lot",
    "account",
    "journal",
    "posting",
    "earning_log",
    "tier_log",
    "coupon",
    "care_plan",
    "outbox",
    "action",
    "feed",
    "device",
    "head",
];

#[tokio::test]
async fn a_settlement_is_written_whole_or_not_at_all() {
    for on in On::BOTH {
        settle_under_sabotage(Shop::open_on(on, 150).await).await;
    }
}

async fn settle_under_sabotage(shop: Shop) {
    let mut till = Till::open(&shop).await;
    // New members, so that the package makes each of them silver.
    let ledger = shop.server.ledger();
    let mut members = shop.members();
    members.retain(|member| {
        let account = ledger
            .account(shop.seeded.tenant, *member)
            .unwrap()
            .unwrap();
        account.recharged.is_zero()
    });
    let package = shop.policy.packages.last().unwrap();
    let choice = AmountChoice::Package(package.id, package.version);
    let cases: Vec<_> = SETTLED
        .iter()
        .flat_map(|table| [(*table, "BEFORE"), (*table, "AFTER")])
        .collect();
    assert!(members.len() >= cases.len());
    for ((table, moment), member) in cases.into_iter().zip(members) {
        let (order, attempt) = till.show_qr_of(&shop, member, choice).await;
        shop.phone(&attempt, &PhoneAction::PayWithoutNotice);
        let before = (shop.place.row_counts(), shop.principal(member));
        shop.place.sabotage(table, moment);
        let path = format!("/v1/attempts/{}/query", attempt.id);
        let (status, _) = shop.send(till.request("POST", &path, Vec::new())).await;
        assert_eq!(
            status,
            StatusCode::INTERNAL_SERVER_ERROR,
            "{moment} {table}"
        );
        assert_eq!(
            shop.order(order.id).state,
            OrderState::PendingPayment,
            "{moment} {table}"
        );
        assert_eq!(shop.attempt(attempt.id).state, AttemptState::Submitted);
        assert_eq!(
            (shop.place.row_counts(), shop.principal(member)),
            before,
            "{moment} {table}"
        );
        shop.place.repair();
        shop.pass(Millis::seconds(16)).await;
        assert_eq!(
            shop.order(order.id).state,
            OrderState::Credited,
            "{moment} {table}"
        );
        assert_eq!(shop.principal(member) - before.1, package.pay);
    }
}

#[tokio::test]
async fn a_full_disk_is_named_and_writes_nothing() {
    let mut shop = Shop::open(2).await;
    shop.server.stop().await;
    let ledger = Arc::new(SqliteLedger::open(&shop.place.file(), None).unwrap());
    shop.serve_on(ledger.clone());
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let cash = till.cash(&shop, member, 300).await;
    let signed = till.sign(OperationBody::RechargeCash(cash));
    let before = (shop.place.row_counts(), shop.principal(member));
    let pages: u32 = shop
        .database()
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    ledger.limit_pages(pages).unwrap();
    let mut failures = 0;
    for _ in 0..2 {
        let body = push_body(std::slice::from_ref(&signed));
        let (status, answer) = shop
            .send(till.request("POST", "/v1/operations", body))
            .await;
        if status == StatusCode::INSUFFICIENT_STORAGE {
            let error: ApiError = serde_json::from_slice(&answer).unwrap();
            assert_eq!(error.error_code(), Some(ErrorCode::DiskFull));
            assert!(error.retryable);
            assert_eq!((shop.place.row_counts(), shop.principal(member)), before);
            failures += 1;
        }
    }
    assert_eq!(failures, 2, "the file has no free page left");
    ledger.limit_pages(u32::MAX / 4).unwrap();
    let answer = till.push(&shop, &[signed]).await;
    assert_eq!(answer.results[0].outcome, OutcomeDto::Applied);
}

#[tokio::test]
async fn what_is_written_once_stays_as_it_was_written() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let cash = till.cash(&shop, member, 300).await;
    till.act(&shop, OperationBody::RechargeCash(cash)).await;
    let tables = [
        "operation",
        "posting",
        "journal",
        "earning_log",
        "cash_movement",
        "outbox",
        "policy",
        "feed",
    ];
    for table in tables {
        let db = shop.database();
        let changed = db.execute(&format!("UPDATE {table} SET tenant_id = zeroblob(16)"), []);
        assert!(
            changed.unwrap_err().to_string().contains("append-only"),
            "{table}"
        );
        let deleted = db.execute(&format!("DELETE FROM {table}"), []);
        assert!(
            deleted.unwrap_err().to_string().contains("append-only"),
            "{table}"
        );
    }
}

#[tokio::test]
async fn an_operation_that_breaks_an_invariant_is_held_and_others_go_on() {
    let shop = Shop::open(3).await;
    let mut till = Till::open(&shop).await;
    let (broken, sound) = (shop.members()[0], shop.members()[2]);
    let before = shop.principal(sound);
    let first = till.cash(&shop, broken, 300).await;
    let second = till.cash(&shop, sound, 500).await;
    // Books that disagree with themselves: the account holds more than its lots.
    shop.database()
        .execute(
            "UPDATE account SET principal_fen = principal_fen + 1 WHERE member_id = ?1",
            [broken.0.as_bytes()],
        )
        .unwrap();
    let operations = [first, second].map(|cash| till.sign(OperationBody::RechargeCash(cash)));
    let answer = till.push(&shop, &operations).await;
    let outcomes: Vec<_> = answer
        .results
        .iter()
        .map(|result| result.outcome.clone())
        .collect();
    assert_eq!(outcomes, [OutcomeDto::Held, OutcomeDto::Applied]);
    assert_eq!(shop.principal(sound) - before, Money::from_yuan(500));
    assert_eq!(shop.cases(), ["Held"]);
    assert_eq!(shop.server.ledger().held_count().unwrap(), 1);
}
