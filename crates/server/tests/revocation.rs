//! Terminals that are taken out of service: refused from their next contact on, and nothing that
//! they send is lost.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use futures::StreamExt;
use http::StatusCode;
use qiantai_core::ids::{DeviceId, OrderId, StaffId};
use qiantai_core::operation::OperationBody;
use qiantai_core::{Millis, Money, Timestamp};
use qiantai_server::db::DeviceStanding;
use qiantai_server::roster::{self, RevokeError};
use qiantai_sync::transport::{HttpTransport, Trust, introduce};
use qiantai_sync::{CallFailed, Client, TransportError};
use qiantai_wire::api::JoinRequest;
use qiantai_wire::enrol::EnrolCode;
use qiantai_wire::text::Hex;
use qiantai_wire::{ApiError, ErrorCode};
use uuid::Uuid;

use crate::harness::{On, Shop, within_patience};
use crate::process::{Running, enrolled, program};
use crate::till::{Till, push_body};

fn anything() -> OperationBody {
    let order = OrderId(Uuid::now_v7());
    OperationBody::RechargeCancel { order }
}

async fn refused(shop: &Shop, till: &Till, method: &str, path: &str, body: Vec<u8>) {
    let (status, answer) = shop.send(till.request(method, path, body)).await;
    let error: ApiError = serde_json::from_slice(&answer).unwrap();
    assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    assert_eq!(error.error_code(), Some(ErrorCode::DeviceRevoked), "{path}");
}

#[tokio::test]
async fn a_revoked_terminal_is_refused_and_what_it_sends_is_kept() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 1).await;
        let (books, tenant) = (shop.place.open(), shop.seeded.tenant);
        let (store, now) = (shop.seeded.store_code.clone(), shop.now());
        let mut lost = Till::open(&shop).await;
        let mut other = Till::with_key(&shop, [8; 32], "02").await;
        let member = shop.members()[0];
        let cash = lost.cash(&shop, member, 300).await;
        lost.act(&shop, OperationBody::RechargeCash(cash)).await;
        let before = shop.principal(member);
        let digest = books.digest(tenant).unwrap();

        let unknown = roster::revoke(books.as_ref(), &store, "77", "stolen", now);
        assert!(
            matches!(unknown, Err(RevokeError::Unknown { .. })),
            "{on:?}"
        );
        let revoked = roster::revoke(books.as_ref(), &store, "01", "stolen", now).unwrap();
        assert_eq!(revoked.device, DeviceId(lost.join.device));
        let again = roster::revoke(books.as_ref(), &store, "01", "again", now);
        assert!(matches!(again, Err(RevokeError::Already { .. })), "{on:?}");
        assert_eq!(
            books.digest(tenant).unwrap(),
            digest,
            "the log says nothing of it"
        );

        for path in ["/v1/feed?timeline=1&after=0", "/v1/snapshot", "/v1/events"] {
            refused(&shop, &lost, "GET", path, Vec::new()).await;
        }
        // What it took offline before it was revoked arrives too late: a person looks at it.
        let cash = other.cash(&shop, member, 500).await;
        let held = [
            lost.sign(OperationBody::RechargeCash(cash)),
            lost.sign(anything()),
        ];
        for _ in 0..2 {
            refused(&shop, &lost, "POST", "/v1/operations", push_body(&held)).await;
        }
        assert_eq!(shop.principal(member), before, "{on:?}: no money moved");
        assert_eq!(shop.cases(), ["Held"], "one case for all that it sends");
        assert_eq!(books.held_count().unwrap(), 2);
        let rows = books.log(tenant, 0, 1_000).unwrap();
        for signed in &held {
            assert!(rows.iter().any(|row| row.bytes == signed.bytes), "{on:?}");
        }

        // Everybody else goes on, also with the batch's writer.
        let cash = other.cash(&shop, member, 100).await;
        other.act(&shop, OperationBody::RechargeCash(cash)).await;
        assert_eq!(shop.principal(member) - before, Money::from_yuan(100));

        let later = now + Millis::minutes(5);
        let listed = roster::terminals(books.as_ref(), later).unwrap();
        let listed: Vec<_> = listed
            .iter()
            .map(|it| (it.code.as_str(), it.standing, it.waiting))
            .collect();
        let expected = [
            ("01", DeviceStanding::Revoked, 2),
            ("02", DeviceStanding::Active, 0),
        ];
        assert_eq!(listed, expected, "{on:?}");
        let said = roster::terminals(books.as_ref(), later).unwrap()[0].to_string();
        assert!(
            said.contains("out of service for 5 minutes: stolen"),
            "{said}"
        );
        assert!(said.contains("2 operations wait for review"), "{said}");
    }
}

/// A terminal's way to the server of a code, as the counter goes it.
async fn way(code: &EnrolCode) -> Result<Client, CallFailed> {
    let authority = introduce(&code.server, &code.authority.unwrap()).await?;
    let transport = HttpTransport::new(&code.server, &Trust::Authority(authority))?;
    Ok(Client::new(Arc::new(transport)))
}

async fn join(code: &EnrolCode, seed: u8) -> Result<Till, CallFailed> {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let request = JoinRequest {
        invite: code.invite(),
        public_key: Hex(key.verifying_key().to_bytes()),
        name: "前台".into(),
        terminal_code: None,
    };
    let join = way(code).await?.join(&request).await?;
    let wall = Timestamp::from_ms(1_795_240_800_000);
    Ok(Till::joined(key, join, StaffId(Uuid::nil()), wall))
}

fn is_refused_as<T>(answer: &Result<T, CallFailed>, code: ErrorCode) -> bool {
    matches!(answer, Err(CallFailed::Refused(error)) if error.error_code() == Some(code))
}

/// The programs themselves, encrypted: from the code to the end of the terminal's service.
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_enrolled_once_and_revoked_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let books = ["--data", data.to_str().unwrap(), "--plain-http", "never"];
    let run = |arguments: &[&str]| {
        let done = program().args(arguments).args(books).output().unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        let error = String::from_utf8_lossy(&done.stderr).into_owned();
        (done.status.success(), said, error)
    };
    assert!(run(&["init", "--sample", "gym", "--members", "5"]).0);
    let (_server, address) = Running::serve(&books);
    let url = format!("https://{address}");
    let enrol = || enrolled("00101", &[&books[..], &["--address", &url]].concat());

    let code = enrol();
    assert_eq!(code.server, url);
    let mut till = join(&code, 1).await.unwrap();
    assert!(is_refused_as(&join(&code, 2).await, ErrorCode::InviteUsed));
    let again = join(&code, 1).await.unwrap();
    assert_eq!(
        again.join.device, till.join.device,
        "the answer may have been lost"
    );
    let foreign = EnrolCode {
        secret: [0; 16],
        ..code.clone()
    };
    assert!(is_refused_as(
        &join(&foreign, 3).await,
        ErrorCode::InviteInvalid
    ));
    let elsewhere = EnrolCode {
        authority: Some([0; 32]),
        ..enrol()
    };
    let failed = join(&elsewhere, 3).await.err();
    assert_eq!(
        failed,
        Some(CallFailed::Transport(TransportError::Untrusted))
    );
    let old = enrol();
    let_time_pass_over_codes(&data);
    assert!(is_refused_as(
        &join(&old, 3).await,
        ErrorCode::InviteExpired
    ));

    let client = way(&code).await.unwrap().with_token(&till.join.token);
    let push = async |till: &mut Till| client.push(&[till.sign(anything())], Vec::new()).await;
    assert_eq!(push(&mut till).await.unwrap().results.len(), 1);
    let mut live = client.events().await.unwrap();
    assert!(live.next().await.unwrap().is_ok());
    let listed = run(&["terminals", "list"]).1;
    assert!(
        listed.contains("store 00101 terminal 01 (前台): in service"),
        "{listed}"
    );

    let revoke = [
        "terminals",
        "revoke",
        "--store",
        "00101",
        "--terminal",
        "01",
    ];
    let revoke = [&revoke[..], &["--reason", "stolen"]].concat();
    let (done, said, error) = run(&revoke);
    assert!(done, "{error}");
    assert!(said.contains("out of service"), "{said}");
    let (done, _, error) = run(&revoke);
    assert!(!done && error.contains("out of service already"), "{error}");

    let refused = push(&mut till).await;
    assert!(
        is_refused_as(&refused, ErrorCode::DeviceRevoked),
        "{refused:?}"
    );
    within_patience("the live events end", async {
        while live.next().await.is_some_and(|event| event.is_ok()) {}
    })
    .await;
    let events = client.events().await.err();
    let events = events.map_or(Ok(()), Err);
    assert!(
        is_refused_as(&events, ErrorCode::DeviceRevoked),
        "{events:?}"
    );
    let listed = run(&["terminals", "list"]).1;
    assert!(listed.contains("1 operation waits for review"), "{listed}");
    assert!(run(&["verify"]).0, "the books hold");
}

/// Makes every code that was not used too old.
fn let_time_pass_over_codes(data: &std::path::Path) {
    let key = std::fs::read_to_string(data.join("ledger.key")).unwrap();
    let books = rusqlite::Connection::open(data.join("ledger.db")).unwrap();
    let change = "UPDATE invite SET expires_ms = 0 WHERE used_ms IS NULL";
    let change = format!("PRAGMA key = \"x'{}'\"; {change}", key.trim());
    books.execute_batch(&change).unwrap();
}
