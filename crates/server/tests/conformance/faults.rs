//! What a database can suffer, and what the ledger says to it.

use http::StatusCode;
use qiantai_core::operation::OperationBody;
use qiantai_server::db::postgres::{Holder, OpenPostgresError, PostgresLedger};
use qiantai_server::db::sqlite::SqliteLedger;
use qiantai_server::db::{Batch, Cursor, DeviceStanding, Head, Ledger, LedgerError};
use qiantai_wire::ApiError;
use qiantai_wire::feed::OutcomeDto;

use crate::harness::{On, Place, Shop};
use crate::till::{Till, push_body};

#[tokio::test]
async fn what_was_written_is_not_written_again() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 2).await;
        let (ledger, tenant) = (shop.server.ledger(), shop.seeded.tenant);
        let before = (shop.place.row_counts(), ledger.digest(tenant).unwrap());
        let head = ledger.head(tenant).unwrap();
        let row = ledger.log_row(tenant, head.server_seq).unwrap().unwrap();
        let write = |server_seq: u64| {
            let mut row = row.clone();
            row.server_seq = server_seq;
            row.hash = [9; 32];
            row.device_seq += 1;
            let cursor = Cursor {
                store: None,
                epoch: 1,
                last_seq: 99,
                last_hash: [9; 32],
                standing: DeviceStanding::Active,
                revoked_at: None,
            };
            let batch = Batch {
                cursors: vec![(row.device, cursor)],
                entries: vec![qiantai_server::db::Entry {
                    row,
                    changes: Vec::new(),
                    action: None,
                    attachment: None,
                    feed: "{}".into(),
                }],
                head: Some(Head { server_seq, ..head }),
                ..Batch::default()
            };
            ledger.write(tenant, &batch)
        };
        let taken = write(head.server_seq);
        assert!(
            matches!(taken, Err(LedgerError::Taken(_))),
            "{on:?}: {taken:?}"
        );
        let overtaken = write(head.server_seq + 2);
        assert!(
            matches!(overtaken, Err(LedgerError::Overtaken)),
            "{on:?}: {overtaken:?}"
        );
        assert_eq!(
            (shop.place.row_counts(), ledger.digest(tenant).unwrap()),
            before,
            "{on:?}"
        );
        write(head.server_seq + 1).unwrap();
        assert_eq!(ledger.head(tenant).unwrap().server_seq, head.server_seq + 1);
    }
}

#[tokio::test]
async fn a_lost_database_is_busy_and_comes_back() {
    let shop = Shop::open_on(On::Postgres, 2).await;
    let Place::Cluster(database) = &shop.place else {
        unreachable!("the books are in the cluster");
    };
    let (ledger, tenant) = (shop.server.ledger(), shop.seeded.tenant);
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let cash = till.cash(&shop, member, 300).await;
    let signed = till.sign(OperationBody::RechargeCash(cash));
    let before = (shop.place.row_counts(), shop.principal(member));

    database.shut_out();
    let lost = ledger.head(tenant);
    assert!(matches!(lost, Err(LedgerError::Busy)), "{lost:?}");
    let lost = ledger.digest(tenant);
    assert!(matches!(lost, Err(LedgerError::Busy)), "{lost:?}");
    let body = push_body(std::slice::from_ref(&signed));
    let (status, answer) = shop
        .send(till.request("POST", "/v1/operations", body))
        .await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let error: ApiError = serde_json::from_slice(&answer).unwrap();
    assert!(error.retryable);
    assert_eq!((shop.place.row_counts(), before.1), before);

    database.let_in();
    let answer = till.push(&shop, &[signed]).await;
    assert_eq!(answer.results[0].outcome, OutcomeDto::Applied);

    // A restart of the database between two requests is no more than new connections.
    database.cut();
    let mut reached = 0;
    for _ in 0..3 {
        match ledger.head(tenant) {
            Ok(_) => reached += 1,
            Err(error) => assert!(matches!(error, LedgerError::Busy), "{error:?}"),
        }
    }
    assert!(reached >= 2);
}

#[test]
fn a_database_without_a_free_connection_is_busy() {
    let place = Place::make(On::Postgres);
    let Place::Cluster(database) = &place else {
        unreachable!("the books are in the cluster");
    };
    drop(place.open());
    database.cut();
    database.limit_connections(0);
    let refused = PostgresLedger::open(
        &database.url(),
        Holder::fresh(uuid::Uuid::now_v7(), "here".into()),
    );
    assert!(
        matches!(
            refused,
            Err(OpenPostgresError::Connect {
                cause: LedgerError::Busy,
                ..
            })
        ),
        "{:?}",
        refused.err()
    );
    database.limit_connections(5);
    assert!(
        PostgresLedger::open(
            &database.url(),
            Holder::fresh(uuid::Uuid::now_v7(), "here".into())
        )
        .is_ok()
    );
}

#[test]
fn a_file_held_by_another_is_busy() {
    let place = Place::make(On::Sqlite);
    let ledger = SqliteLedger::open(&place.file(), None).unwrap();
    let other = rusqlite::Connection::open(place.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let held = ledger.write(
        qiantai_core::ids::TenantId(uuid::Uuid::nil()),
        &Batch::default(),
    );
    assert!(matches!(held, Err(LedgerError::Busy)), "{held:?}");
}

#[test]
fn an_address_that_is_none_is_named_without_its_password() {
    for url in ["postgres://a:secret@[::1", "mysql://a:secret@host/b", ""] {
        let refused = PostgresLedger::open(url, Holder::fresh(uuid::Uuid::now_v7(), "here".into()))
            .err()
            .expect("it cannot be opened");
        assert!(!refused.to_string().contains("secret"), "{url}: {refused}");
    }
    let refused = PostgresLedger::open(
        "postgres://a:secret@127.0.0.1:1/b",
        Holder::fresh(uuid::Uuid::now_v7(), "here".into()),
    )
    .err()
    .unwrap();
    assert!(
        matches!(
            refused,
            OpenPostgresError::Connect {
                cause: LedgerError::Busy,
                ..
            }
        ),
        "{refused:?}"
    );
}
