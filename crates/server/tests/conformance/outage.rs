//! A PostgreSQL cluster that dies in the middle of the work, that has no connection left, and that
//! is reached encrypted or not at all.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::StatusCode;
use qiantai_core::operation::OperationBody;
use qiantai_server::db::postgres::{Holder, OpenPostgresError, PostgresLedger};
use qiantai_server::db::{Ledger, LedgerError};
use qiantai_server::verify::verify;
use qiantai_wire::api::PushAnswer;
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::{ApiError, ErrorCode, SignedOperation};
use uuid::Uuid;

use super::cluster::{OwnCluster, TestDatabase};
use crate::encryption::given;
use crate::harness::{Place, Shop, until};
use crate::till::{Till, push_body};

/// Between two tries of a terminal.
const AGAIN: Duration = Duration::from_millis(20);

fn open(url: &str) -> Result<PostgresLedger, OpenPostgresError> {
    PostgresLedger::open(url, Holder::fresh(Uuid::now_v7(), "here".into()))
}

/// Sends an operation until it is acknowledged; how often it was told to try again.
async fn send(shop: &Shop, till: &Till, operation: &SignedOperation) -> usize {
    let mut rounds = tokio::time::interval(AGAIN);
    for refused in 0.. {
        rounds.tick().await;
        let body = push_body(std::slice::from_ref(operation));
        let (status, answer) = shop
            .send(till.request("POST", "/v1/operations", body))
            .await;
        if status == StatusCode::OK {
            let answer: PushAnswer = serde_json::from_slice(&answer).unwrap();
            assert_eq!(answer.halt, None);
            assert_eq!(answer.results[0].outcome, OutcomeDto::Applied);
            return refused;
        }
        let error: ApiError = serde_json::from_slice(&answer).unwrap();
        assert_eq!(error.error_code(), Some(ErrorCode::Busy), "{error}");
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(error.retryable);
    }
    unreachable!("it is tried again for ever")
}

/// Tills with cash to record, each of its own member.
async fn tills(shop: &Shop, tills: u8, each: usize) -> Vec<(Till, Vec<SignedOperation>)> {
    let members = shop.members();
    let mut ready = Vec::new();
    for number in 0..tills {
        let code = format!("{:02}", number + 1);
        let mut till = Till::with_key(shop, [number + 20; 32], &code).await;
        let mut signed = Vec::new();
        for sale in 0..each {
            let member = members[usize::from(number) * each + sale];
            let cash = till.cash(shop, member, 300).await;
            signed.push(till.sign(OperationBody::RechargeCash(cash)));
        }
        ready.push((till, signed));
    }
    ready
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_dies_in_the_middle_loses_nothing() {
    const TILLS: u8 = 3;
    const EACH: usize = 12;
    const DEATHS: usize = 3;
    let cluster = OwnCluster::start(None);
    let place = Place::Cluster(TestDatabase::make_in(cluster.port));
    let shop = Arc::new(Shop::open_at(place, usize::from(TILLS) * EACH).await);
    let before = shop.balance("drawer");
    let taken = Arc::new(AtomicUsize::new(0));
    let work = tills(&shop, TILLS, EACH).await;
    let opened = shop.balance("drawer");
    let selling = work.into_iter().map(|(till, operations)| {
        let (shop, taken) = (Arc::clone(&shop), Arc::clone(&taken));
        tokio::spawn(async move {
            let mut refused = 0;
            for operation in &operations {
                refused += send(&shop, &till, operation).await;
                taken.fetch_add(1, Ordering::Relaxed);
            }
            refused
        })
    });
    let selling: Vec<_> = selling.collect();
    let mut cluster = cluster;
    for death in 1..=DEATHS {
        let enough = death * usize::from(TILLS) * EACH / (DEATHS + 1);
        until("sales before the crash", || {
            taken.load(Ordering::Relaxed) >= enough
        })
        .await;
        cluster = tokio::task::spawn_blocking(move || cluster.crash())
            .await
            .unwrap();
        cluster = tokio::task::spawn_blocking(move || cluster.start_again())
            .await
            .unwrap();
    }
    for till in selling {
        till.await.unwrap();
    }
    let sales = i64::from(TILLS) * i64::try_from(EACH).unwrap();
    assert_eq!(before, 0);
    assert_eq!(shop.balance("drawer"), opened + sales * 30_000);
    let books = shop.place.open();
    let tenant = books.tenants().unwrap().remove(0);
    verify(books.as_ref(), &tenant).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_connections_is_said_and_passes() {
    const TILLS: u8 = 4;
    let database = TestDatabase::make();
    let url = format!("{}?connections=8", database.url());
    let place = Place::Cluster(database);
    let mut shop = Shop::open_at(place, 12).await;
    let work = tills(&shop, TILLS, 3).await;
    shop.server.stop().await;
    shop.serve_on(Arc::new(open(&url).unwrap()));
    let Place::Cluster(database) = &shop.place else {
        unreachable!("the books are in the cluster");
    };
    let count = "SELECT count(*) FROM operation";
    let before = database.number(count);
    database.shut_out();
    for (till, operations) in &work {
        let body = push_body(std::slice::from_ref(&operations[0]));
        let (status, answer) = shop
            .send(till.request("POST", "/v1/operations", body))
            .await;
        let error: ApiError = serde_json::from_slice(&answer).unwrap();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(error.error_code(), Some(ErrorCode::Busy));
        assert!(error.retryable);
    }
    assert_eq!(database.number(count), before, "no half state");
    // Two for everybody: some wait their turn, some are told to come again, and all are served.
    database.limit_connections(2);
    let shop = Arc::new(shop);
    let selling = work.into_iter().map(|(till, operations)| {
        let shop = Arc::clone(&shop);
        tokio::spawn(async move {
            for operation in &operations {
                send(&shop, &till, operation).await;
            }
        })
    });
    for till in selling.collect::<Vec<_>>() {
        till.await.unwrap();
    }
    let Place::Cluster(database) = &shop.place else {
        unreachable!("the books are in the cluster");
    };
    database.let_in();
    assert_eq!(database.number(count), before + 12);
}

#[test]
fn no_more_connections_are_made_than_were_allowed() {
    let database = TestDatabase::make();
    let url = format!("{}?connections=3", database.url());
    let ledger = open(&url).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                for _ in 0..5 {
                    assert!(ledger.tenants().unwrap().is_empty());
                }
            });
        }
    });
    let ours = database.number(
        "SELECT count(*) FROM pg_stat_activity
         WHERE application_name = 'qiantai-server' AND datname = current_database()",
    );
    assert!((1..=3).contains(&ours), "{ours} connections");
}

#[test]
fn whoever_cannot_connect_is_told_why() {
    let check = |url: &str, busy: bool, says: &str| {
        let refused = open(url).err().expect("it cannot be opened");
        let OpenPostgresError::Connect { cause, .. } = &refused else {
            panic!("{refused:?}");
        };
        assert_eq!(matches!(cause, LedgerError::Busy), busy, "{cause:?}");
        let text = refused.to_string();
        assert!(text.contains(says), "{text}");
        assert!(!text.contains("secret"), "{text}");
    };
    let database = TestDatabase::make();
    let url = database.url();
    database.limit_connections(0);
    check(&url, true, "every connection that it allows is taken");
    database.let_in();
    let (place, name) = url.rsplit_once('/').unwrap();
    check(
        &format!("{place}/{name}x"),
        false,
        "make the database first",
    );
    let nobody = format!("{place}/{name}").replace("postgres://test", "postgres://nobody:secret");
    check(&nobody, false, "does not exist");
    check("postgres://a:secret@127.0.0.1:1/b", true, "refused");
}

#[test]
fn the_connection_is_encrypted_as_it_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    for folder in [folder.path(), other.path()] {
        // A certificate for `localhost`, signed by itself.
        given(folder, None);
    }
    let cluster = OwnCluster::start(Some(folder.path()));
    let port = cluster.port;
    let authority = |folder: &Path| format!("&sslrootcert={}", folder.join("cert.pem").display());
    let (ours, theirs) = (authority(folder.path()), authority(other.path()));
    let reach = |host: &str, query: &str, port: u16| {
        let url = format!("postgres://keeper@{host}:{port}/postgres{query}");
        let ledger = open(&url).map_err(|error| error.to_string())?;
        ledger.tenants().unwrap();
        let database = TestDatabase::existing("postgres", port);
        let sealed = database.number(
            "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
             WHERE application_name = 'qiantai-server' AND ssl",
        );
        Ok::<_, String>(sealed > 0)
    };
    let check = |host: &str, query: String, expected: Result<bool, &str>| match (
        reach(host, &query, port),
        expected,
    ) {
        (Ok(sealed), Ok(expected)) => assert_eq!(sealed, expected, "{host} {query}"),
        (Err(error), Err(says)) => assert!(error.contains(says), "{host} {query}: {error}"),
        (found, _) => panic!("{host} {query}: {found:?}"),
    };
    let full = "?sslmode=verify-full";
    check("localhost", format!("{full}{ours}"), Ok(true));
    check(
        "localhost",
        format!("{full}{theirs}"),
        Err("certificate verify failed"),
    );
    check(
        "127.0.0.1",
        format!("{full}{ours}"),
        Err("certificate verify failed"),
    );
    check("127.0.0.1", format!("?sslmode=verify-ca{ours}"), Ok(true));
    check(
        "127.0.0.1",
        format!("?sslmode=verify-ca{theirs}"),
        Err("certificate verify failed"),
    );
    check("127.0.0.1", "?sslmode=require".into(), Ok(true));
    fs::write(folder.path().join("cert.pem"), "nothing").unwrap();
    check("localhost", format!("{full}{ours}"), Err("sslrootcert "));
    let plain = TestDatabase::make();
    let plain = format!("{}?sslmode=require", plain.url());
    let refused = open(&plain).err().unwrap().to_string();
    assert!(refused.contains("does not support TLS"), "{refused}");
}
