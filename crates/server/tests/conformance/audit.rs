//! The audit log says who saw and did what, whoever changes it behind the server's back is found,
//! and a history that was rewritten whole is told from the true one.

use std::collections::BTreeSet;
use std::fs;

use qiantai_core::Millis;
use qiantai_core::ids::{DeviceId, TenantId};
use qiantai_core::operation::OperationBody;
use qiantai_server::audit::{Act, AuditEntry, Deed};
use qiantai_server::backup::backup;
use qiantai_server::db::Archive;
use qiantai_server::restore::restore_to_database;
use qiantai_server::roster;
use qiantai_server::tree_head::{TreeHead, write_absent};
use qiantai_server::verify::VerifyError;
use qiantai_wire::feed::{FeedPage, SnapshotPage};

use super::verify::{disarm, verdict};
use crate::harness::{On, Place, Shop};
use crate::new_members::Registration;
use crate::till::Till;

/// Everything that the server enters: a terminal joins twice, takes a snapshot in parts, hears of a
/// new member, and is taken out of service.
async fn watched_day(shop: &Shop) -> Till {
    let mut till = Till::open(shop).await;
    let cash = till.cash(shop, shop.members()[0], 300).await;
    till.act(shop, OperationBody::RechargeCash(cash)).await;
    let first: SnapshotPage = till
        .call(shop, "GET", "/v1/snapshot?limit=8", Vec::new())
        .await;
    let rest = format!("/v1/snapshot?after_member={}", first.next.unwrap());
    let _: SnapshotPage = till.call(shop, "GET", &rest, Vec::new()).await;
    let new = Registration::of("赵敏", 7);
    let created = new.sign(&mut till);
    new.push(&till, shop, &[created]).await;
    let after = first.at_seq;
    let feed = format!("/v1/feed?timeline={}&after={after}", first.timeline);
    let told: FeedPage = till.call(shop, "GET", &feed, Vec::new()).await;
    assert_eq!(told.entries.len(), 1);
    // What names nobody is not entered.
    let feed = format!("/v1/feed?timeline={}&after={}", first.timeline, after + 1);
    let _: FeedPage = till.call(shop, "GET", &feed, Vec::new()).await;
    let invite = shop.server.invite("00201").unwrap().text();
    let key = ed25519_dalek::SigningKey::from_bytes(&[8; 32]);
    let key = key.verifying_key().to_bytes();
    shop.server.join(&invite, key, "二号").await.unwrap();
    let books = shop.place.open();
    let revoked = roster::revoke(books.as_ref(), "00201", "02", "stolen", shop.now());
    revoked.unwrap();
    till
}

fn entries(ledger: &dyn Archive, tenant: TenantId) -> Vec<AuditEntry> {
    ledger.audit_page(tenant, 0, 1_000).unwrap()
}

#[tokio::test]
async fn everything_that_was_seen_and_done_is_entered() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 12).await;
        let till = watched_day(&shop).await;
        let books = shop.place.open();
        let entries = entries(books.as_ref(), shop.seeded.tenant);
        let said: Vec<_> = entries
            .iter()
            .map(|entry| (entry.deed.act, entry.deed.subject.as_str()))
            .collect();
        let after = entries[1].server_seq;
        let [rest, fed] = [2, 3].map(|at: usize| said[at].1.to_owned());
        assert!(rest.starts_with("4 members: snapshot after "), "{rest}");
        assert_eq!(fed, format!("1 member: feed after {after}"));
        assert_eq!(
            said,
            [
                (Act::TerminalJoined, "terminal 01"),
                (Act::MembersSent, "8 members: snapshot"),
                (Act::MembersSent, rest.as_str()),
                (Act::MembersSent, fed.as_str()),
                (Act::TerminalInvited, "store 00201"),
                (Act::TerminalJoined, "terminal 02"),
                (Act::TerminalRevoked, "store 00201 terminal 02: stolen"),
            ],
            "{on:?}"
        );
        let own = DeviceId(till.join.device);
        assert!(entries[..4].iter().all(|it| it.deed.device == Some(own)));
        assert!(entries.iter().all(|entry| entry.deed.at == shop.now()));
        assert_eq!(verdict(&shop.place), "holds");
    }
}

#[tokio::test]
async fn nothing_is_shown_that_cannot_be_entered() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 3).await;
        let till = Till::open(&shop).await;
        let before = shop.place.number("SELECT count(*) FROM audit_entry");
        shop.place.sabotage("audit_entry", "BEFORE");
        let snapshot = || till.request("GET", "/v1/snapshot", Vec::new());
        let (status, body) = shop.send(snapshot()).await;
        assert!(status.is_server_error(), "{on:?} {status}");
        assert!(!String::from_utf8_lossy(&body).contains("张伟"), "{on:?}");
        shop.place.repair();
        let (status, body) = shop.send(snapshot()).await;
        assert!(status.is_success(), "{on:?} {status}");
        assert!(String::from_utf8_lossy(&body).contains("张伟"), "{on:?}");
        let after = shop.place.number("SELECT count(*) FROM audit_entry");
        assert_eq!(after, before + 1, "{on:?}");
    }
}

/// Those who enter at one time, from several processes, stand one behind the other.
#[tokio::test]
async fn entries_of_several_processes_make_one_chain() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 1).await;
        let tenant = shop.seeded.tenant;
        let deed = |subject: String| Deed {
            at: shop.now(),
            act: Act::MembersSent,
            device: None,
            address: None,
            subject,
        };
        std::thread::scope(|scope| {
            for process in 0..4 {
                let (books, deed) = (shop.place.open(), &deed);
                scope.spawn(move || {
                    for number in 0..10 {
                        let deed = deed(format!("{process}/{number}"));
                        books.save_deed(tenant, &deed).unwrap();
                    }
                });
            }
        });
        let entries = entries(shop.place.open().as_ref(), tenant);
        let subjects = entries.iter().map(|entry| entry.deed.subject.clone());
        assert_eq!(subjects.collect::<BTreeSet<_>>().len(), 40, "{on:?}");
        shop.server.stop().await;
        assert!(verdict_of_audit(&shop.place, tenant), "{on:?}");
    }
}

/// The books have no postings here, which [`verdict`] wants.
fn verdict_of_audit(place: &Place, tenant: TenantId) -> bool {
    let books = place.open();
    let tenants = books.tenants().unwrap();
    let tenant = tenants.iter().find(|row| row.id == tenant).unwrap();
    qiantai_server::verify::verify(books.as_ref(), tenant).is_ok()
}

/// What is changed, how it is changed back, and what is said between.
const CHANGES: &[(&str, &str, &str)] = &[
    (
        "UPDATE audit_entry SET subject = subject || '!' WHERE seq = 2",
        "UPDATE audit_entry SET subject = substr(subject, 1, length(subject) - 1) WHERE seq = 2",
        "audit entry 2: its hash does not seal",
    ),
    (
        "UPDATE audit_entry SET at_ms = at_ms + 1 WHERE seq = 3",
        "UPDATE audit_entry SET at_ms = at_ms - 1 WHERE seq = 3",
        "audit entry 3: its hash does not seal",
    ),
    (
        "UPDATE audit_entry SET act = 'backup.made' WHERE seq = 1",
        "UPDATE audit_entry SET act = 'terminal.joined' WHERE seq = 1",
        "audit entry 1: its hash does not seal",
    ),
    (
        "UPDATE audit_entry SET act = 'tea.made' WHERE seq = 5",
        "UPDATE audit_entry SET act = 'terminal.invited' WHERE seq = 5",
        "audit entry 5: act holds the unknown name",
    ),
    (
        "UPDATE audit_entry SET address = 'nowhere' WHERE seq = 4",
        "UPDATE audit_entry SET address = NULL WHERE seq = 4",
        "audit entry 4: address holds none",
    ),
    (
        "UPDATE audit_entry SET address = '10.0.0.1' WHERE seq = 4",
        "UPDATE audit_entry SET address = NULL WHERE seq = 4",
        "audit entry 4: its hash does not seal",
    ),
    (
        "UPDATE audit_entry SET device_id = NULL WHERE seq = 2",
        "UPDATE audit_entry SET device_id =
             (SELECT other.device_id FROM audit_entry AS other WHERE other.seq = 3) WHERE seq = 2",
        "audit entry 2: its hash does not seal",
    ),
    (
        "UPDATE audit_entry SET server_seq = server_seq - 1 WHERE seq = 3",
        "UPDATE audit_entry SET server_seq = server_seq + 1 WHERE seq = 3",
        "audit entry 3: its hash does not seal",
    ),
    (
        "UPDATE audit_entry SET seq = 1000 WHERE seq = 2",
        "UPDATE audit_entry SET seq = 2 WHERE seq = 1000",
        "table audit_entry: has rows beyond entry 7",
    ),
    (
        "UPDATE audit_head SET seq = seq - 1",
        "UPDATE audit_head SET seq = seq + 1",
        "table audit_entry: has rows beyond entry 6",
    ),
    (
        "UPDATE audit_head SET seq = seq + 1",
        "UPDATE audit_head SET seq = seq - 1",
        "audit entry 8: is missing",
    ),
    (
        "UPDATE audit_head SET hash = (SELECT log_hash FROM audit_entry WHERE seq = 1)",
        "UPDATE audit_head SET hash =
             (SELECT last.hash FROM audit_entry AS last WHERE last.seq = audit_head.seq)",
        "audit head of tenant ",
    ),
];

#[tokio::test]
async fn every_change_of_the_audit_log_is_named() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 12).await;
        watched_day(&shop).await;
        shop.server.stop().await;
        disarm(&shop.place);
        let check = |damage: &str, expected: &str| {
            shop.place.execute(damage);
            let said = verdict(&shop.place);
            assert!(said.starts_with(expected), "{on:?} {damage}: {said}");
        };
        for (damage, repair, expected) in CHANGES {
            check(damage, expected);
            shop.place.execute(repair);
        }
        assert_eq!(verdict(&shop.place), "holds", "{on:?}");
        // Entries that were made up later seal themselves, and not the log as it was.
        let (books, tenant) = (shop.place.open(), shop.seeded.tenant);
        let forge = |place| {
            let last = books.audit_standing(tenant).unwrap().head;
            let deed = entries(books.as_ref(), tenant).remove(0).deed;
            let forged = AuditEntry::after(&last, tenant, deed, place);
            books.copy_audit(tenant, &[forged]).unwrap();
            verdict(&shop.place)
        };
        let end = books.head(tenant).unwrap();
        let said = forge((end.server_seq, [9; 32]));
        let expected = format!("audit entry 8: operation {} was another", end.server_seq);
        assert!(said.starts_with(&expected), "{on:?} {said}");
        check(
            "DELETE FROM audit_entry WHERE seq = 8; UPDATE audit_head SET seq = 7, hash =
                 (SELECT last.hash FROM audit_entry AS last WHERE last.seq = 7)",
            "holds",
        );
        let said = forge((1, end.chain_hash));
        assert!(said.starts_with("audit entry 8: was made before"), "{said}");
        check(
            "DELETE FROM audit_entry WHERE seq = 8; UPDATE audit_head SET seq = 7, hash =
                 (SELECT last.hash FROM audit_entry AS last WHERE last.seq = 7)",
            "holds",
        );
        let said = forge((100_000, end.chain_hash));
        assert!(
            said.starts_with("audit entry 8: names operation 100000"),
            "{said}"
        );
        // Whoever is let in again stands in the log as taken out.
        check(
            "DELETE FROM audit_entry WHERE seq = 8; UPDATE audit_head SET seq = 7, hash =
                 (SELECT last.hash FROM audit_entry AS last WHERE last.seq = 7);
             DELETE FROM device_revocation",
            "audit entry 7: took terminal ",
        );
        check(
            "DELETE FROM audit_entry WHERE seq = 2",
            "audit entry 2: is missing",
        );
        check("DELETE FROM audit_entry", "audit entry 1: is missing");
    }
}

#[tokio::test]
async fn a_backup_carries_the_audit_log_and_goes_on_with_it() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 12).await;
        watched_day(&shop).await;
        let folder = tempfile::tempdir().unwrap();
        let (path, key) = (folder.path().join("books.backup"), [6; 32]);
        let books = shop.place.open();
        backup(books.as_ref(), &path, key, shop.now()).unwrap();
        let restored = Place::make(on);
        let to = restored.open();
        restore_to_database(&path, key, to.as_ref(), folder.path(), true, shop.now()).unwrap();
        assert_eq!(verdict(&restored), "holds", "{on:?}");
        let before = entries(books.as_ref(), shop.seeded.tenant);
        let after = entries(to.as_ref(), shop.seeded.tenant);
        assert_eq!(after[..before.len()], before, "{on:?}");
        let acts: Vec<_> = after.iter().map(|entry| entry.deed.act).collect();
        assert_eq!(
            acts[acts.len() - 2..],
            [Act::BackupMade, Act::BooksRestored]
        );
    }
}

/// What is said about a head.
fn proof(head: &TreeHead, books: &dyn Archive) -> String {
    let tenant = books.tenants().unwrap().remove(0);
    match head.prove(books, &tenant) {
        Ok(()) => "contained".into(),
        Err(VerifyError::Bad(bad)) => bad.to_string(),
        Err(error) => panic!("the books could not be read: {error}"),
    }
}

#[tokio::test]
async fn heads_of_the_books_are_written_once_a_day_and_proved() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 12).await;
        watched_day(&shop).await;
        let (books, folder) = (shop.place.open(), tempfile::tempdir().unwrap());
        let write = || write_absent(books.as_ref(), folder.path(), shop.now()).unwrap();
        let first = write();
        assert_eq!(first.len(), 1, "{on:?}");
        let name = first[0].file_name().unwrap().to_str().unwrap().to_owned();
        assert!(name.starts_with("2026-11-21-"), "{name}");
        let bytes = fs::read(&first[0]).unwrap();
        let invited = shop.server.invite("00201");
        invited.unwrap();
        assert!(write().is_empty(), "{on:?}");
        assert_eq!(fs::read(&first[0]).unwrap(), bytes, "{on:?}");
        // Midnight in China is ten hours away.
        shop.time.advance(Millis::hours(10));
        let second = write();
        assert_eq!(second.len(), 1, "{on:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "{on:?}");
        let [first, second] = [&first[0], &second[0]].map(|path| TreeHead::read(path).unwrap());
        assert!(second.audit_seq > first.audit_seq);
        for head in [&first, &second] {
            assert_eq!(proof(head, books.as_ref()), "contained", "{on:?}");
        }
        let mut edited = first.clone();
        edited.server_seq -= 1;
        let said = proof(&edited, books.as_ref());
        assert_eq!(said, "tree head of 2026-11-21: its signature does not hold");
        shop.server.stop().await;
        disarm(&shop.place);
        let check = |damage: String, expected: String| {
            shop.place.execute(&damage);
            let said = proof(&first, books.as_ref());
            assert!(said.starts_with(&expected), "{on:?} {damage}: {said}");
        };
        let entry = first.audit_seq;
        check(
            format!("UPDATE audit_entry SET hash = log_hash WHERE seq = {entry}"),
            format!("audit entry {entry}: is not the one"),
        );
        let end = first.server_seq;
        check(
            format!("DELETE FROM operation WHERE server_seq = {end}"),
            format!("operation {end}: is not the one"),
        );
    }
}

/// The same merchant with the same key, and every row of its books made again: they hold by
/// themselves.
#[tokio::test]
async fn a_history_rewritten_whole_is_told_from_the_true_one() {
    let [shop, other] = [Shop::open(12).await, Shop::open(12).await];
    assert_eq!(shop.seeded.tenant, other.seeded.tenant);
    for shop in [&shop, &other] {
        watched_day(shop).await;
        assert_eq!(verdict(&shop.place), "holds");
    }
    let folder = tempfile::tempdir().unwrap();
    let (true_books, rewritten) = (shop.place.open(), other.place.open());
    let written = write_absent(true_books.as_ref(), folder.path(), shop.now());
    let head = TreeHead::read(&written.unwrap()[0]).unwrap();
    assert_eq!(proof(&head, true_books.as_ref()), "contained");
    let said = proof(&head, rewritten.as_ref());
    let expected = format!("operation {}: is not the one", head.server_seq);
    assert!(said.starts_with(&expected), "{said}");
}
