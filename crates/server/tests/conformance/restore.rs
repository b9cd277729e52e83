//! Yesterday's backup is restored under living terminals: what was acknowledged since comes back
//! from the terminals and the gateway, and the totals are those of before.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use http::StatusCode;
use qiantai_core::Millis;
use qiantai_core::ids::{DeviceId, MemberId};
use qiantai_core::operation::OperationBody;
use qiantai_paysim::gateway::PhoneAction;
use qiantai_server::audit::Act;
use qiantai_server::backup::{BackupError, backup};
use qiantai_server::db::sqlite::SqliteLedger;
use qiantai_server::db::{Archive, Ledger, Revocation};
use qiantai_server::restore::{Allowed, RestoreError, restore_to_database, restore_to_folder};
use qiantai_server::roster;
use qiantai_server::verify::{replayed, verify};
use qiantai_wire::api::{JoinAnswer, JoinRequest, PushHalt};
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::text::Hex;
use qiantai_wire::{ApiError, ErrorCode, SignedOperation};

use crate::harness::{On, Place, Shop};
use crate::till::{Till, push_body};

const KEY: [u8; 32] = [6; 32];

/// Nothing is replaced, and somebody looked at the terminals.
const CHECKED: Allowed = Allowed {
    replace: false,
    terminals_checked: true,
};

/// What members have, what drawers hold, which orders were credited, and which attempts paid.
type Totals = BTreeMap<String, String>;

fn totals(ledger: &dyn Archive, shop: &Shop) -> Totals {
    let tenant = shop.seeded.tenant;
    let mut totals = Totals::new();
    for row in ledger.member_page(tenant, None, 1_000).unwrap() {
        let account = row.account.unwrap();
        let says = format!(
            "{} + {} fen, {} points, growth {}, tier {}",
            account.principal.fen(),
            account.bonus.fen(),
            account.points,
            account.growth,
            account.tier
        );
        totals.insert(format!("member {}", row.member.id), says);
    }
    for (shift, moved) in ledger.drawers(tenant).unwrap().moved {
        totals.insert(format!("drawer {shift}"), moved.to_string());
    }
    for order in ledger
        .orders_since(tenant, shop.policy.store.id, shop.now() - Millis::days(9))
        .unwrap()
    {
        let paid = order.paid.map(|paid| (paid.amount, paid.channel_txn_no));
        let state = format!("{:?} {paid:?}", order.state);
        totals.insert(format!("order {}", order.id), state);
        for attempt in ledger.attempts_of_order(tenant, order.id).unwrap() {
            let state = format!("{:?} {:?}", attempt.state, attempt.channel_txn_no);
            totals.insert(format!("attempt {}", attempt.id), state);
        }
    }
    totals
}

/// Every operation of a device as the terminal still holds it.
fn held_by(ledger: &dyn Ledger, shop: &Shop, till: &Till) -> Vec<SignedOperation> {
    let log = ledger.log(shop.seeded.tenant, 0, u32::MAX).unwrap();
    let own = log
        .into_iter()
        .filter(|row| row.device == DeviceId(till.join.device));
    own.map(|row| SignedOperation::from(row.bytes)).collect()
}

/// Sends everything again from the first operation on, some at a time, as far as the server
/// takes it, until it has all.
async fn send_again(shop: &Shop, till: &Till, held: &[SignedOperation], at_once: usize) {
    let mut from = 0;
    for _ in 0..200 {
        let end = (from + at_once).min(held.len());
        let answer = till.push(shop, &held[from..end]).await;
        let next = match answer.halt {
            None => usize::try_from(answer.acked_seq).unwrap(),
            Some(PushHalt::Gap { expected_seq }) => usize::try_from(expected_seq).unwrap() - 1,
            Some(fork @ PushHalt::Fork { .. }) => panic!("{fork:?}"),
        };
        if next == held.len() && end == held.len() {
            return;
        }
        from = next.max(if answer.halt.is_none() { end } else { 0 });
        shop.pass(Millis::seconds(3)).await;
    }
    panic!("the server has {from} of {} operations", held.len());
}

async fn credited(shop: &Shop, till: &mut Till, member: MemberId, yuan: i64) {
    let (order, attempt) = till.show_qr(shop, member, yuan).await;
    shop.phone(&attempt, &PhoneAction::Pay);
    shop.deliver_notices().await;
    shop.pass(Millis::seconds(10)).await;
    let order = shop.order(order.id);
    assert_eq!(format!("{:?}", order.state), "Credited");
}

/// Sales after the backup: cash, a QR code that was shown before it, one of after it, and an order
/// whose first attempt was declined.
async fn after_the_backup(shop: &Shop, till: &mut Till, other: &mut Till) {
    let members = shop.members();
    for member in [4, 5] {
        let cash = till.cash(shop, members[member], 1_000).await;
        let taken = till.act(shop, OperationBody::RechargeCash(cash)).await;
        assert_eq!(taken.outcome, OutcomeDto::Applied);
    }
    credited(shop, till, members[6], 500).await;
    let (order, declined) = till.show_qr(shop, members[7], 600).await;
    let cause = "balance_short".to_owned();
    shop.phone(&declined, &PhoneAction::Decline { cause });
    shop.pass(Millis::seconds(40)).await;
    let open = qiantai_core::operation::RechargeOpen {
        order: order.id,
        order_no: order.order_no.clone(),
        member: order.member,
        choice: order.choice,
        quote: order.quote.clone(),
        seller: None,
        duplicate_confirmed: true,
        cash_part: None,
    };
    let second = till.start_attempt(shop, &open).await;
    shop.server.settle_due().await.unwrap();
    shop.phone(&shop.attempt(second), &PhoneAction::PayWithoutNotice);
    shop.pass(Millis::seconds(40)).await;
    assert_eq!(format!("{:?}", shop.order(order.id).state), "Credited");
    let cash = other.cash(shop, members[8], 300).await;
    let taken = other.act(shop, OperationBody::RechargeCash(cash)).await;
    assert_eq!(taken.outcome, OutcomeDto::Applied);
}

/// A terminal of which the books know nothing joins by a manager's new invitation.
async fn join_again(shop: &Shop, till: &mut Till) {
    let asked = till.request("GET", "/v1/snapshot", Vec::new());
    assert_eq!(shop.send(asked).await.0, StatusCode::UNAUTHORIZED);
    let invitation = shop.server.invite(&shop.seeded.store_code).unwrap();
    let request = JoinRequest {
        invite: invitation.text(),
        public_key: Hex(till.key.verifying_key().to_bytes()),
        name: "前台".into(),
        terminal_code: Some(till.join.terminal_code.clone()),
    };
    let body = serde_json::to_vec(&request).unwrap();
    let joined: JoinAnswer = till.call(shop, "POST", "/v1/devices/join", body).await;
    let is = (joined.device, &joined.terminal_code);
    assert_eq!(is, (till.join.device, &till.join.terminal_code));
    till.join = joined;
}

fn restored(on: On, file: &Path, key: [u8; 32], shop: &Shop) -> (Place, Arc<dyn Archive>) {
    let place = Place::make(on);
    let now = shop.now();
    let ledger: Arc<dyn Archive> = match &place {
        Place::File(folder) => {
            restore_to_folder(file, key, folder.path(), CHECKED, now).unwrap();
            Arc::new(SqliteLedger::open(&place.file(), Some(key)).unwrap())
        }
        Place::Cluster(_) => {
            let ledger = place.open();
            let scratch = tempfile::tempdir().unwrap();
            restore_to_database(file, key, ledger.as_ref(), scratch.path(), true, now).unwrap();
            assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
            let again = restore_to_database(file, key, ledger.as_ref(), scratch.path(), true, now);
            assert!(matches!(again, Err(RestoreError::NotEmpty)), "{again:?}");
            ledger
        }
    };
    (place, ledger)
}

#[tokio::test]
async fn nothing_acknowledged_is_missing() {
    for (on, to, at_once) in [
        (On::Sqlite, On::Postgres, 3),
        (On::Postgres, On::Sqlite, 256),
    ] {
        let mut shop = Shop::open_on(on, 12).await;
        let mut till = Till::open(&shop).await;
        let mut other = Till::with_key(&shop, [4; 32], "02").await;
        let members = shop.members();
        credited(&shop, &mut till, members[0], 500).await;
        let (_, shown) = till.show_qr(&shop, members[1], 700).await;
        let (_, ended) = till.show_qr(&shop, members[2], 800).await;
        shop.phone(&ended, &PhoneAction::PayLate);

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("yesterday.backup");
        let beside = shop.place.open();
        let made = backup(beside.as_ref(), &file, KEY, shop.now()).unwrap();
        assert_eq!(
            made.books[0].head,
            shop.server.head(shop.seeded.tenant).unwrap()
        );
        // One that joins after the backup: the restored books have never heard of it.
        let mut late = Till::with_key(&shop, [5; 32], "07").await;
        let cash = late.cash(&shop, members[3], 400).await;
        let taken = late.act(&shop, OperationBody::RechargeCash(cash)).await;
        assert_eq!(taken.outcome, OutcomeDto::Applied);
        shop.phone(&shown, &PhoneAction::Pay);
        shop.deliver_notices().await;
        shop.pass(Millis::seconds(10)).await;
        after_the_backup(&shop, &mut till, &mut other).await;
        shop.pass(Millis::minutes(20)).await;

        let before = totals(beside.as_ref(), &shop);
        let credited = before.values().filter(|state| state.contains("Credited"));
        assert_eq!(credited.count(), 9, "{before:#?}");
        let held = [&till, &other, &late].map(|till| held_by(beside.as_ref(), &shop, till));
        shop.server.stop().await;
        shop.time.advance(Millis::days(1));

        let (_place, ledger) = restored(to, &file, KEY, &shop);
        assert_ne!(totals(ledger.as_ref(), &shop), before);
        shop.serve_on(Arc::clone(&ledger) as Arc<dyn Ledger>);
        let feed = till.request("GET", "/v1/feed?timeline=1&after=0", Vec::new());
        let (status, said) = shop.send(feed).await;
        assert_eq!(status, StatusCode::CONFLICT);
        let said: ApiError = serde_json::from_slice(&said).unwrap();
        assert_eq!(said.error_code(), Some(ErrorCode::TimelineChanged));

        send_again(&shop, &till, &held[0], at_once).await;
        send_again(&shop, &other, &held[1], at_once).await;
        join_again(&shop, &mut late).await;
        send_again(&shop, &late, &held[2], at_once).await;
        shop.pass(Millis::minutes(2)).await;
        shop.pass(Millis::minutes(2)).await;
        assert_eq!(totals(ledger.as_ref(), &shop), before, "{on:?} to {to:?}");
        let tenant = ledger.tenants().unwrap().remove(0);
        assert!(tenant.timeline > 1);
        verify(ledger.as_ref(), &tenant).unwrap();
        let scratch = std::env::temp_dir();
        replayed(ledger.as_ref(), &tenant, &scratch).await.unwrap();
        // What is sold now is decided now.
        till.join.timeline = tenant.timeline;
        let cash = till.cash(&shop, members[9], 200).await;
        let taken = till.act(&shop, OperationBody::RechargeCash(cash)).await;
        assert_eq!(taken.outcome, OutcomeDto::Applied);
        shop.server.stop().await;
    }
}

#[tokio::test]
async fn a_backup_is_whole_encrypted_and_never_overwritten() {
    let shop = Shop::open(8).await;
    let mut till = Till::open(&shop).await;
    let members = shop.members();
    credited(&shop, &mut till, members[0], 500).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.backup");
    let beside = shop.place.open();
    backup(beside.as_ref(), &file, KEY, shop.now()).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    assert!(!bytes.starts_with(b"SQLite format 3"), "it is encrypted");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let note = beside.newest_backup(shop.seeded.tenant).unwrap().unwrap();
    assert_eq!(note.made_at, shop.now());
    let again = backup(beside.as_ref(), &file, KEY, shop.now());
    assert!(matches!(again, Err(BackupError::Exists(_))), "{again:?}");
    assert_eq!(std::fs::read(&file).unwrap(), bytes);

    let check = |file: &Path, key, expected: &str| {
        let to = tempfile::tempdir().unwrap();
        let refused = restore_to_folder(file, key, &to.path().join("data"), CHECKED, shop.now());
        let said = refused.unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
        assert!(!to.path().join("data/ledger.db").exists());
    };
    check(&file, [7; 32], "the key does not fit");
    let mut damaged = bytes.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    let bad = folder.path().join("damaged.backup");
    std::fs::write(&bad, damaged).unwrap();
    check(&bad, KEY, "damaged");
    let plain = shop.place.file();
    check(&plain, KEY, "the key does not fit");

    // Books that do not hold are not copied as if they did.
    shop.place
        .execute("UPDATE account SET bonus_fen = bonus_fen + 1");
    let refused = backup(
        beside.as_ref(),
        &folder.path().join("b.backup"),
        KEY,
        shop.now(),
    );
    assert!(matches!(refused, Err(BackupError::Bad(_))), "{refused:?}");
    assert!(!folder.path().join("b.backup").exists());

    // A ledger that is there stays, under another name.
    let data = folder.path().join("data");
    restore_to_folder(&file, KEY, &data, CHECKED, shop.now()).unwrap();
    let refused = restore_to_folder(&file, KEY, &data, CHECKED, shop.now());
    assert!(
        matches!(refused, Err(RestoreError::Folder(_))),
        "{refused:?}"
    );
    let first = std::fs::read(data.join("ledger.db")).unwrap();
    let replacing = Allowed {
        replace: true,
        terminals_checked: false,
    };
    let books = restore_to_folder(&file, KEY, &data, replacing, shop.now()).unwrap();
    let aside = format!("ledger.db.replaced-{}", shop.now().ms());
    assert_eq!(std::fs::read(data.join(aside)).unwrap(), first);
    let ledger = SqliteLedger::open(&data.join("ledger.db"), Some(KEY)).unwrap();
    let restored = ledger.restored(shop.seeded.tenant).unwrap().unwrap();
    assert_eq!(restored, books[0].restored);
    let earlier = SqliteLedger::open(
        &data.join(format!("ledger.db.replaced-{}", shop.now().ms())),
        Some(KEY),
    )
    .unwrap();
    let before = earlier.head(shop.seeded.tenant).unwrap().timeline;
    assert!(restored.timeline > before, "a number is never used twice");
}

/// The backup believes a terminal that was stolen since.
#[tokio::test]
async fn who_went_out_of_service_stays_there() {
    for on in On::BOTH {
        let mut shop = Shop::open_on(on, 2).await;
        let (store, tenant) = (shop.seeded.store_code.clone(), shop.seeded.tenant);
        let till = Till::open(&shop).await;
        let mut lost = Till::with_key(&shop, [4; 32], "02").await;
        let cash = lost.cash(&shop, shop.members()[0], 300).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.backup");
        backup(shop.place.open().as_ref(), &file, KEY, shop.now()).unwrap();
        shop.server.stop().await;

        // The disk died: nobody knows, so a person looks first.
        let data = folder.path().join("data");
        let restore = |allowed| restore_to_folder(&file, KEY, &data, allowed, shop.now());
        let unchecked = |refused: Result<_, RestoreError>| match refused {
            Err(error @ RestoreError::TerminalsUnchecked(_)) => error.to_string(),
            other => panic!("{on:?}: {other:?}"),
        };
        let said = unchecked(restore(Allowed::default()).map(|_| ()));
        for says in [
            "terminal 01 (本机): in service; heard ",
            "--terminals-checked",
        ] {
            assert!(said.contains(says), "{says}: {said}");
        }
        assert!(!data.join("ledger.db").exists() && !data.join("ledger.db.restoring").exists());
        let database = Place::make(On::Postgres);
        let to = database.open();
        let scratch = tempfile::tempdir().unwrap();
        let (copy, to_database) = (scratch.path(), to.as_ref());
        let refused = restore_to_database(&file, KEY, to_database, copy, false, shop.now());
        unchecked(refused.map(|_| ()));
        assert!(to.tenants().unwrap().is_empty());
        assert!(restore(CHECKED).unwrap()[0].out_of_service.is_empty());

        // It is stolen, and so is one that joined after the backup.
        let opened = || SqliteLedger::open(&data.join("ledger.db"), Some(KEY)).unwrap();
        let since = opened();
        roster::revoke(&since, &store, "02", "stolen", shop.now()).unwrap();
        let joined_later = Revocation {
            device: DeviceId(uuid::Uuid::from_u128(5)),
            revoked_at: shop.now(),
            reason: "stolen too".into(),
        };
        since.save_revocation(tenant, &joined_later).unwrap();
        let mut gone = since.revocations(tenant).unwrap();
        drop(since);
        shop.time.advance(Millis::hours(2));
        let replacing = Allowed {
            replace: true,
            terminals_checked: false,
        };
        let restored = restore_to_folder(&file, KEY, &data, replacing, shop.now()).unwrap();
        let stay: Vec<_> = restored[0].out_of_service.iter().collect();
        assert_eq!(stay.len(), 1, "{stay:?}");
        assert_eq!(
            (stay[0].code.as_str(), stay[0].device.0),
            ("02", lost.join.device)
        );
        let ledger = Arc::new(opened());
        let mut carried = ledger.revocations(tenant).unwrap();
        for revocations in [&mut gone, &mut carried] {
            revocations.sort_by_key(|it| it.device);
        }
        assert_eq!(carried, gone, "with their time and reason");
        let deeds = ledger.audit_page(tenant, 0, 1_000).unwrap();
        let told = deeds
            .iter()
            .filter(|it| it.deed.act == Act::TerminalRevoked);
        assert_eq!(told.count(), 2);
        verify(ledger.as_ref(), &ledger.tenants().unwrap()[0]).unwrap();
        shop.serve_on(Arc::clone(&ledger) as Arc<dyn Ledger>);
        let offline = [lost.sign(OperationBody::RechargeCash(cash))];
        let sent = lost.request("POST", "/v1/operations", push_body(&offline));
        assert_eq!(shop.send(sent).await.0, StatusCode::FORBIDDEN, "{on:?}");
        assert_eq!(ledger.held_count().unwrap(), 1, "kept for review");
        let asked = till.request("GET", "/v1/snapshot", Vec::new());
        assert_eq!(shop.send(asked).await.0, StatusCode::OK, "{on:?}");
        shop.server.stop().await;
        drop(ledger);

        // What lies there says nothing: it is damaged, or holds no books.
        let ledger = data.join("ledger.db");
        std::fs::write(&ledger, [1; 8192]).unwrap();
        unchecked(restore_to_folder(&file, KEY, &data, replacing, shop.now()).map(|_| ()));
        std::fs::remove_file(&ledger).unwrap();
        drop(opened());
        unchecked(restore_to_folder(&file, KEY, &data, replacing, shop.now()).map(|_| ()));
    }
}
