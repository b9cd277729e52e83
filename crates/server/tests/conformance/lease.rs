//! One writer per tenant: of two that open the same books, one has the right to write.

use qiantai_core::ids::TenantId;
use qiantai_core::operation::OperationBody;
use qiantai_server::db::postgres::{Holder, PostgresLedger};
use qiantai_server::db::{Batch, Entry, Head, Ledger, LedgerError};

use super::cluster::TestDatabase;
use crate::harness::{On, Place, Shop};
use crate::till::Till;

fn open(database: &TestDatabase, address: &str) -> PostgresLedger {
    PostgresLedger::open(
        &database.url(),
        Holder::fresh(uuid::Uuid::now_v7(), address.into()),
    )
    .unwrap()
}

fn elsewhere<T: std::fmt::Debug>(answer: Result<T, LedgerError>) -> String {
    match answer {
        Err(LedgerError::WrittenElsewhere { address }) => address,
        other => panic!("{other:?}"),
    }
}

/// One more row after the head.
fn next(ledger: &dyn Ledger, tenant: TenantId) -> Batch {
    let head = ledger.head(tenant).unwrap();
    let mut row = ledger.log_row(tenant, head.server_seq).unwrap().unwrap();
    row.server_seq += 1;
    row.device_seq += 1_000;
    row.hash = [0; 32];
    row.hash[..8].copy_from_slice(&row.server_seq.to_be_bytes());
    row.chain_hash = row.hash;
    let head = Head {
        server_seq: row.server_seq,
        chain_hash: row.chain_hash,
        ..head
    };
    let entry = Entry {
        row,
        changes: Vec::new(),
        action: None,
        attachment: None,
        feed: "{}".into(),
    };
    Batch {
        entries: vec![entry],
        head: Some(head),
        ..Batch::default()
    }
}

#[tokio::test]
async fn a_writer_that_lost_its_right_writes_nothing() {
    let shop = Shop::open_on(On::Postgres, 2).await;
    let mut till = Till::open(&shop).await;
    let Place::Cluster(database) = &shop.place else {
        unreachable!("the books are in the cluster");
    };
    let tenant = shop.seeded.tenant;
    let cash = till.cash(&shop, shop.members()[0], 300).await;
    till.act(&shop, OperationBody::RechargeCash(cash)).await;
    shop.server.stop().await;

    let (one, other) = (open(database, "http://one"), open(database, "http://other"));
    one.hold(tenant).unwrap();
    assert_eq!(elsewhere(other.hold(tenant)), "http://one");
    assert_eq!(elsewhere(other.may_write(tenant)), "http://one");
    assert_eq!(
        elsewhere(other.write(tenant, &next(&other, tenant))),
        "http://one"
    );
    one.hold(tenant).unwrap();
    one.write(tenant, &next(&one, tenant)).unwrap();

    // The first is silent for too long, and does not know it.
    database.execute("UPDATE writer_lease SET expires_ms = 0");
    other.hold(tenant).unwrap();
    one.may_write(tenant).unwrap();
    let before = (shop.place.row_counts(), other.digest(tenant).unwrap());
    assert_eq!(
        elsewhere(one.write(tenant, &next(&one, tenant))),
        "http://other"
    );
    assert_eq!(
        (shop.place.row_counts(), other.digest(tenant).unwrap()),
        before
    );
    assert_eq!(elsewhere(one.may_write(tenant)), "http://other");
    other.write(tenant, &next(&other, tenant)).unwrap();

    // Run out and taken by nobody, it is still the last holder's.
    database.execute("UPDATE writer_lease SET expires_ms = 0");
    other.write(tenant, &next(&other, tenant)).unwrap();
    assert_eq!(elsewhere(one.hold(tenant)), "http://other");

    // Given back, it is anybody's at once; what was decided before is not written after.
    let decided = next(&other, tenant);
    other.let_go().unwrap();
    one.hold(tenant).unwrap();
    one.write(tenant, &next(&one, tenant)).unwrap();
    one.let_go().unwrap();
    other.hold(tenant).unwrap();
    let late = other.write(tenant, &decided);
    assert!(
        matches!(late, Err(LedgerError::Taken(_) | LedgerError::Overtaken)),
        "{late:?}"
    );
    let fence = database.number("SELECT fence FROM writer_lease");
    assert!(fence >= 5, "each change of hand counts: {fence}");
}

#[test]
fn of_many_that_ask_at_once_one_gets_it() {
    let database = TestDatabase::make();
    drop(open(&database, ""));
    let tenant = TenantId(uuid::Uuid::from_u128(5));
    let ledgers: Vec<_> = (0..6)
        .map(|index| open(&database, &format!("{index}")))
        .collect();
    for round in 0..5 {
        let got = std::thread::scope(|scope| {
            let asked: Vec<_> = ledgers
                .iter()
                .map(|ledger| scope.spawn(|| ledger.hold(tenant).is_ok()))
                .collect();
            asked
                .into_iter()
                .filter_map(|one| one.join().unwrap().then_some(()))
                .count()
        });
        assert_eq!(got, 1, "round {round}");
        ledgers.iter().for_each(|ledger| ledger.let_go().unwrap());
    }
}
