//! A terminal that was destroyed comes back from its second copy, with everybody whom it registered.

use std::fs;
use std::path::Path;
use std::process::Command;

use qiantai_core::Money;
use qiantai_core::ids::{DeviceId, OrderId, TenantId};
use qiantai_core::operation::OperationBody;
use qiantai_server::copies::{Badness, BroughtBack, CopiesError, Stopped};
use qiantai_server::roster;
use qiantai_server::verify::verify;
use qiantai_wire::SignedOperation;
use qiantai_wire::copy::{CopyError, CopyHead, CopyRecord, EXTENSION, HEAD_LEN, find_records};
use qiantai_wire::feed::OutcomeDto;
use uuid::Uuid;

use crate::harness::{On, Place, Shop};
use crate::new_members::Registration;
use crate::till::Till;

pub fn head(till: &Till) -> CopyHead {
    CopyHead {
        tenant: TenantId(till.join.tenant),
        device: DeviceId(till.join.device),
        epoch: till.join.epoch,
        server_key: till.join.server_public_key.0,
    }
}

/// Writes a file of the copy, as the terminal does.
pub fn write(
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

/// What became of the one terminal of which there is a copy.
async fn brought_back(shop: &Shop, stick: &Path) -> BroughtBack {
    let copies = shop.server.bring_back_copies(stick).await.unwrap();
    assert_eq!((copies.terminals.len(), copies.strange), (1, vec![]));
    copies.terminals[0].clone()
}

/// A hundred operations that only the terminal has: a registration, top-ups, copies of slips.
pub async fn unsynced(shop: &Shop, till: &mut Till, new: &Registration) -> Vec<SignedOperation> {
    let mut members = shop.members();
    let mut written = vec![new.sign(till)];
    members.push(new.member);
    for number in 1..100_usize {
        let order = OrderId(Uuid::now_v7());
        let body = match number % 10 {
            3 => OperationBody::ReceiptReprint {
                order,
                copy: 1,
                approval: None,
            },
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

        let back = brought_back(&shop, stick.path()).await;
        assert_eq!((back.copied, back.new, back.kept), (100, 100, 0), "{on:?}");
        assert_eq!((back.stopped, back.missing), (None, vec![]), "{on:?}");
        let bad: Vec<_> = back.bad.iter().map(|it| it.number).collect();
        assert_eq!(bad, [Some(101)], "{on:?}");
        let paid = shop.principal(new.member);
        assert!(paid >= Money::from_yuan(600), "{on:?}: {paid}");
        assert!(ledger.profile(tenant, new.member).unwrap().is_some());
        let sold = shop.place.number("SELECT count(*) FROM recharge_order");
        assert_eq!(sold, 89, "{on:?}");
        let books = ledger.tenants().unwrap().remove(0);
        verify(ledger.as_ref(), &books).unwrap();

        let digest = ledger.digest(tenant).unwrap();
        let again = brought_back(&shop, stick.path()).await;
        assert_eq!((again.new, again.stopped), (0, None), "{on:?}");
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

/// A fact that holds by itself is taken wherever it stands; what has no meaning without those before
/// it waits, and is taken when a better copy brings them.
#[tokio::test]
async fn a_bad_record_costs_itself_and_a_better_copy_mends_it() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 4).await;
        let (ledger, tenant) = (shop.place.open(), shop.seeded.tenant);
        let mut till = Till::open(&shop).await;
        let new = Registration::of("赵敏", 7);
        let member = shop.members()[0];
        let mut written = vec![new.sign(&mut till)];
        for yuan in [100, 200, 300] {
            let cash = till.cash(&shop, member, yuan).await;
            written.push(till.sign(OperationBody::RechargeCash(cash)));
        }
        // A request: it asks about an order, and means nothing where that may be missing.
        let order = OrderId(Uuid::now_v7());
        written.push(till.sign(OperationBody::RechargeCancel { order }));
        let mut cash = till.cash(&shop, member, 400).await;
        cash.open.member = new.member;
        written.push(till.sign(OperationBody::RechargeCash(cash)));
        let before = shop.principal(member);
        let head = head(&till);
        let stick = tempfile::tempdir().unwrap();
        let whole = write(stick.path(), "1", &head, 2, &written, Some(&new));
        let (starts, _) = find_records(&whole[HEAD_LEN..]);
        // Number 2 is who registers, 3 to 5 are cash; number 4 does not hold, and the head neither.
        let mut damaged = whole.clone();
        damaged[9] ^= 1;
        damaged[HEAD_LEN + starts[2].0 + 60] ^= 1;
        let path = stick.path().join(format!("1.{EXTENSION}"));
        fs::write(&path, &damaged).unwrap();

        for round in 0..2 {
            let back = brought_back(&shop, stick.path()).await;
            let bad: Vec<_> = back
                .bad
                .iter()
                .map(|it| (it.at, it.number, it.why))
                .collect();
            let at = HEAD_LEN + starts[2].0;
            let length = starts[3].0 - starts[2].0;
            let expected = [
                (0, None, Badness::Head),
                (at as u64, Some(4), Badness::Damaged(length)),
            ];
            assert_eq!(bad, expected, "{on:?}");
            let counts = (back.copied, back.new, back.kept);
            assert_eq!(counts, (5, if round == 0 { 5 } else { 0 }, 1), "{on:?}");
            assert_eq!(back.missing, [(4, 4)], "{on:?}");
            let credited = shop.principal(member) - before;
            assert_eq!(credited, Money::from_yuan(400), "{on:?}: 100 and 300");
            assert_eq!(shop.principal(new.member), Money::from_yuan(400), "{on:?}");
            assert_eq!(
                ledger.quarantined(tenant).unwrap()[&head.device],
                1,
                "{on:?}"
            );
        }
        let books = ledger.tenants().unwrap().remove(0);
        verify(ledger.as_ref(), &books).unwrap();

        fs::write(&path, &whole).unwrap();
        let back = brought_back(&shop, stick.path()).await;
        assert!(back.is_whole(), "{on:?}: {back:?}");
        assert_eq!(back.new, 2, "{on:?}: what was bad, and what waited for it");
        assert_eq!(
            shop.principal(member) - before,
            Money::from_yuan(600),
            "{on:?}"
        );
        assert!(ledger.quarantined(tenant).unwrap().is_empty(), "{on:?}");
        assert_eq!(ledger.held_count().unwrap(), 0, "{on:?}");
        verify(ledger.as_ref(), &books).unwrap();
        // The chain has no gap: the till, mended after all, goes on.
        let cash = till.cash(&shop, new.member, 100).await;
        let taken = till.act(&shop, OperationBody::RechargeCash(cash)).await;
        assert_eq!(taken.outcome, OutcomeDto::Applied, "{on:?}");
        // And every word of it is explained by the log.
        crate::replay::is_the_same_elsewhere(&shop).await;
        shop.server.stop().await;
    }
}

/// Two histories of one terminal, one on each stick: both are kept, and the one that goes on posts.
#[tokio::test]
async fn two_operations_at_one_place_are_both_kept() {
    let shop = Shop::open(4).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let (seq, hash) = (till.seq, till.prev);
    let cash = till.cash(&shop, member, 100).await;
    let old = till.sign(OperationBody::RechargeCash(cash));
    (till.seq, till.prev) = (seq, hash);
    let mut written = Vec::new();
    for yuan in [200, 300] {
        let cash = till.cash(&shop, member, yuan).await;
        written.push(till.sign(OperationBody::RechargeCash(cash)));
    }
    let before = shop.principal(member);
    let stick = tempfile::tempdir().unwrap();
    write(stick.path(), "1", &head(&till), 2, &[old], None);
    write(stick.path(), "2", &head(&till), 2, &written, None);
    let back = brought_back(&shop, stick.path()).await;
    assert_eq!((back.stopped, back.kept), (Some(Stopped::Fork(2)), 1));
    assert_eq!(shop.principal(member) - before, Money::from_yuan(500));
    assert_eq!(shop.cases(), ["Fork"]);
    shop.server.stop().await;
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
        let back = brought_back(&shop, stick.path()).await;
        assert_eq!(back.stopped, expected, "{name}");
        back
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
    assert_eq!((closed.bad.len(), closed.new), (100, 0));
    let why = Badness::Closed(CopyError::Seal);
    assert!(closed.bad.iter().all(|it| it.why == why));
    assert_eq!(closed.missing, [(2, 101)]);
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

    let path = stick.path().join(format!("1.{EXTENSION}"));
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    fs::write(stick.path().join(format!("2.{EXTENSION}")), b"nothing").unwrap();
    let (code, said) = import();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("nothing tells whose it is"), "{said}");
    assert!(said.contains("operations=99 new=0 bad=1"), "{said}");
    assert!(said.contains("bad record number=101 in "), "{said}");
}
