//! A terminal that was destroyed comes back from its second copy, with everybody whom it registered.

use std::fs;
use std::path::Path;
use std::process::Command;

use qiantai_core::Money;
use qiantai_core::ids::{DeviceId, OrderId, TenantId};
use qiantai_core::operation::OperationBody;
use qiantai_server::copies::{CopiesError, Stopped};
use qiantai_server::roster;
use qiantai_server::verify::verify;
use qiantai_wire::SignedOperation;
use qiantai_wire::copy::{CopyHead, CopyRecord, EXTENSION};
use qiantai_wire::feed::OutcomeDto;
use uuid::Uuid;

use crate::harness::{On, Place, Shop};
use crate::new_members::Registration;
use crate::till::Till;

fn head(till: &Till) -> CopyHead {
    CopyHead {
        tenant: TenantId(till.join.tenant),
        device: DeviceId(till.join.device),
        epoch: till.join.epoch,
        server_key: till.join.server_public_key.0,
    }
}

/// Writes a file of the copy, as the terminal does.
fn write(
    folder: &Path,
    name: &str,
    head: &CopyHead,
    first_seq: u64,
    operations: &[SignedOperation],
    registered: Option<&Registration>,
) -> Vec<u8> {
    let mut bytes = head.to_bytes();
    for (device_seq, signed) in (first_seq..).zip(operations) {
        let profile = registered.map(Registration::profile);
        let is_its = profile.is_some_and(|profile| {
            let operation = signed.operation().unwrap();
            matches!(&operation.body, OperationBody::MemberCreate(new) if new.member.0 == profile.member)
        });
        let record = CopyRecord::seal(head, device_seq, signed, profile.filter(|_| is_its));
        bytes.extend_from_slice(&record.unwrap().to_bytes());
    }
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(format!("{name}.{EXTENSION}")), &bytes).unwrap();
    bytes
}

/// A hundred operations that only the terminal has: a registration, top-ups, copies of slips.
async fn unsynced(shop: &Shop, till: &mut Till, new: &Registration) -> Vec<SignedOperation> {
    let mut members = shop.members();
    let mut written = vec![new.sign(till)];
    members.push(new.member);
    for number in 1..100_usize {
        let order = OrderId(Uuid::now_v7());
        let body = match number % 10 {
            3 => OperationBody::ReceiptReprint { order, copy: 1 },
            // The server knows nothing yet of who was registered, and prices as for anybody.
            _ => {
                let mut cash = till.cash(shop, members[0], 100).await;
                cash.open.member = members[number % members.len()];
                OperationBody::RechargeCash(cash)
            }
        };
        written.push(till.sign(body));
    }
    written
}

#[tokio::test]
async fn a_destroyed_terminal_with_100_unsynced_operations_comes_back_complete() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 12).await;
        let (ledger, tenant) = (shop.place.open(), shop.seeded.tenant);
        let mut till = Till::open(&shop).await;
        let new = Registration::of("赵敏", 7);
        let written = unsynced(&shop, &mut till, &new).await;
        assert_eq!(written.len(), 100);
        let stick = tempfile::tempdir().unwrap();
        let below = stick.path().join("qiantai-copy");
        let head = head(&till);
        write(&below, "1", &head, 2, &written[..60], Some(&new));
        let rest = write(&below, "2", &head, 62, &written[60..], Some(&new));
        // The till died in the middle of a record of what it had written before.
        let torn = &rest[..rest.len() - 9];
        fs::write(below.join(format!("3.{EXTENSION}")), torn).unwrap();

        let back = shop.server.bring_back_copies(stick.path()).await.unwrap();
        assert_eq!(back.len(), 1, "{on:?}");
        assert_eq!((back[0].copied, back[0].new), (100, 100), "{on:?}");
        assert_eq!((back[0].stopped, back[0].damaged), (None, 1), "{on:?}");
        let paid = shop.principal(new.member);
        assert!(paid >= Money::from_yuan(600), "{on:?}: {paid}");
        assert!(ledger.profile(tenant, new.member).unwrap().is_some());
        let sold = shop.place.number("SELECT count(*) FROM recharge_order");
        assert_eq!(sold, 89, "{on:?}");
        let books = ledger.tenants().unwrap().remove(0);
        verify(ledger.as_ref(), &books).unwrap();

        let digest = ledger.digest(tenant).unwrap();
        let again = shop.server.bring_back_copies(stick.path()).await.unwrap();
        assert_eq!((again[0].new, again[0].stopped), (0, None), "{on:?}");
        // And the till, mended after all.
        for part in written.chunks(40) {
            let answer = new.push(&till, &shop, part).await;
            assert_eq!(answer.halt, None, "{on:?}");
        }
        assert_eq!(ledger.digest(tenant).unwrap(), digest, "{on:?}");
        let cash = till.cash(&shop, new.member, 100).await;
        let taken = till.act(&shop, OperationBody::RechargeCash(cash)).await;
        assert_eq!(taken.outcome, OutcomeDto::Applied, "{on:?}");
        shop.server.stop().await;
    }
}

#[tokio::test]
async fn what_is_damaged_missing_or_not_ours_is_told() {
    let shop = Shop::open(4).await;
    let mut till = Till::open(&shop).await;
    let new = Registration::of("赵敏", 7);
    let written = unsynced(&shop, &mut till, &new).await;
    let before = shop.server.head(shop.seeded.tenant).unwrap();
    let check = async |name: &str, head: &CopyHead, from: u64, operations: &[_], expected| {
        let stick = tempfile::tempdir().unwrap();
        write(stick.path(), name, head, from, operations, Some(&new));
        let back = shop.server.bring_back_copies(stick.path()).await.unwrap();
        assert_eq!(back[0].stopped, expected, "{name}");
        back[0].clone()
    };
    let ours = head(&till);
    let other = CopyHead {
        tenant: TenantId(Uuid::now_v7()),
        ..ours
    };
    let stranger = CopyHead {
        device: DeviceId(Uuid::now_v7()),
        ..ours
    };
    let sealed_for_another = CopyHead {
        server_key: till.key.verifying_key().to_bytes(),
        ..ours
    };
    check("other", &other, 2, &written, Some(Stopped::OtherBooks)).await;
    check(
        "stranger",
        &stranger,
        2,
        &written,
        Some(Stopped::UnknownTerminal),
    )
    .await;
    let closed = check("sealed", &sealed_for_another, 2, &written, None).await;
    assert_eq!((closed.damaged, closed.new), (100, 0));
    check("gap", &ours, 4, &written[2..], Some(Stopped::Gap(2))).await;
    assert_eq!(shop.server.head(shop.seeded.tenant).unwrap(), before);
    let begun = check("begin", &ours, 2, &written[..5], None).await;
    assert_eq!(begun.new, 5);

    let empty = tempfile::tempdir().unwrap();
    let nothing = shop.server.bring_back_copies(empty.path()).await;
    assert!(
        matches!(nothing, Err(CopiesError::Nothing(_))),
        "{nothing:?}"
    );
    let gone = shop.server.bring_back_copies(&empty.path().join("x")).await;
    assert!(matches!(gone, Err(CopiesError::File { .. })), "{gone:?}");

    let store = shop.seeded.store_code.clone();
    roster::revoke(
        shop.place.open().as_ref(),
        &store,
        "01",
        "stolen",
        shop.now(),
    )
    .unwrap();
    let kept = check("revoked", &ours, 2, &written, Some(Stopped::NotBelieved)).await;
    assert_eq!(kept.new, 95, "kept for review");
    let cases = shop.cases();
    let held = cases.iter().filter(|case| *case == "Held").count();
    assert_eq!(held, 1, "one case for all of it: {cases:?}");
    shop.server.stop().await;
}

#[tokio::test]
async fn the_program_brings_back_a_copy() {
    let shop = Shop::open_on(On::Postgres, 4).await;
    let mut till = Till::open(&shop).await;
    let new = Registration::of("赵敏", 7);
    let written = unsynced(&shop, &mut till, &new).await;
    let stick = tempfile::tempdir().unwrap();
    write(stick.path(), "1", &head(&till), 2, &written, Some(&new));
    shop.server.stop().await;
    let Place::Cluster(database) = &shop.place else {
        panic!("on PostgreSQL")
    };
    let import = || {
        let ended = Command::new(env!("CARGO_BIN_EXE_qiantai-server"))
            .args(["import-copy", "--database-url", &database.url()])
            .arg(stick.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        (ended.status.code(), said)
    };
    let (code, said) = import();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with(" operations=100 new=100\n"), "{said}");
    let (code, said) = import();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with(" operations=100 new=0\n"), "{said}");
}
