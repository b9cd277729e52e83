//! What was kept for review is admitted or refused by a person, once, and told in the audit log.

use std::path::Path;
use std::process::Command;

use qiantai_core::ids::OrderId;
use qiantai_core::operation::OperationBody;
use qiantai_core::{Millis, Money};
use qiantai_server::audit::Act;
use qiantai_server::copies::Stopped;
use qiantai_server::quarantine::{Chosen, ReviewError, Reviewed, review, waiting};
use qiantai_server::replay::replay;
use qiantai_server::roster;
use qiantai_server::verify::verify;
use qiantai_server::writer::Verdict;
use qiantai_wire::api::OpResultDto;
use qiantai_wire::codes::RefusalCodeDto;
use qiantai_wire::feed::{OutcomeDto, RefusalDto};
use qiantai_wire::{ApiError, ErrorCode, SignedOperation};
use uuid::Uuid;

use crate::copies::{head, unsynced, write};
use crate::harness::{On, Place, Shop, until};
use crate::new_members::Registration;
use crate::push::of_the_future;
use crate::till::{Till, push_body};

fn revoke(shop: &Shop) {
    let (books, store) = (shop.place.open(), &shop.seeded.store_code);
    roster::revoke(books.as_ref(), store, "01", "stolen", shop.now()).unwrap();
}

/// A registration, cash for two members, and a request.
async fn wrote(shop: &Shop, till: &mut Till, new: &Registration) -> Vec<SignedOperation> {
    let member = shop.members()[0];
    let mut written = vec![new.sign(till)];
    for (yuan, of) in [(100, member), (200, new.member), (5_000, member)] {
        let mut cash = till.cash(shop, member, yuan).await;
        cash.open.member = of;
        written.push(till.sign(OperationBody::RechargeCash(cash)));
    }
    let order = OrderId(Uuid::now_v7());
    written.push(till.sign(OperationBody::RechargeCancel { order }));
    written
}

/// Neither the copy nor the terminal itself.
async fn brings_nothing_more(shop: &Shop, till: &Till, stick: &Path, written: &[SignedOperation]) {
    let digest = || shop.server.ledger().digest(shop.seeded.tenant).unwrap();
    let before = digest();
    let back = shop.server.bring_back_copies(stick).await.unwrap();
    assert_eq!((back.terminals[0].new, back.terminals[0].kept), (0, 0));
    let pushed = till.request("POST", "/v1/operations", push_body(written));
    let (_, answer) = shop.send(pushed).await;
    let error: ApiError = serde_json::from_slice(&answer).unwrap();
    assert_eq!(error.error_code(), Some(ErrorCode::DeviceRevoked));
    assert_eq!(digest(), before);
}

/// What was decided about kept operations, without place and reason, which are always the same.
fn audited(shop: &Shop) -> Vec<String> {
    let (ledger, tenant) = (shop.place.open(), shop.seeded.tenant);
    let entries = ledger.audit_page(tenant, 0, 100).unwrap();
    let store = &shop.seeded.store_code;
    let said = entries.iter().filter_map(|entry| {
        let act = match entry.deed.act {
            Act::OperationsAdmitted => "admitted",
            Act::OperationsRefused => "refused",
            _ => return None,
        };
        let subject = entry.deed.subject.strip_suffix(": 王店长看过").unwrap();
        let of = format!("store {store} terminal 01 numbers ");
        Some(format!("{act} {}", subject.strip_prefix(&of).unwrap()))
    });
    said.collect()
}

#[tokio::test]
async fn what_a_terminal_wrote_before_it_was_revoked_goes_into_the_books_after_all() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 4).await;
        let (ledger, tenant) = (shop.place.open(), shop.seeded.tenant);
        let mut till = Till::open(&shop).await;
        let new = Registration::of("赵敏", 7);
        let member = shop.members()[0];
        let written = wrote(&shop, &mut till, &new).await;
        let stick = tempfile::tempdir().unwrap();
        write(stick.path(), "1", &head(&till), 2, &written, Some(&new));
        revoke(&shop);
        let before = shop.principal(member);
        let back = shop.server.bring_back_copies(stick.path()).await.unwrap();
        let back = &back.terminals[0];
        assert_eq!((back.stopped, back.kept), (Some(Stopped::NotBelieved), 5));
        assert_eq!(shop.principal(member), before, "{on:?}: nothing moved");

        let listed = waiting(ledger.as_ref(), shop.now()).unwrap();
        let told: Vec<_> = listed
            .iter()
            .map(|it| (it.number, it.kind.unwrap()))
            .collect();
        let expected = [
            (2, "member.create"),
            (3, "recharge.cash"),
            (4, "recharge.cash"),
            (5, "recharge.cash"),
            (6, "recharge.cancel"),
        ];
        assert_eq!(told, expected, "{on:?}");
        let text = listed[1].to_string();
        assert!(
            text.contains(" 100.00") && text.contains("not believed"),
            "{text}"
        );

        let say = async |numbers: &[u64], verdict| {
            let chosen = Chosen {
                store: &shop.seeded.store_code,
                terminal: "01",
                numbers,
                marks: &[],
            };
            review(&shop.server, ledger.as_ref(), chosen, verdict, "王店长看过").await
        };
        let unknown = say(&[3, 99], Verdict::Admit).await;
        assert!(
            matches!(unknown, Err(ReviewError::NotWaiting(99))),
            "{on:?}"
        );
        // The last one is no word of the shop: the terminal was stolen by then.
        let refused = say(&[5], Verdict::Refuse).await.unwrap();
        let turned_down = RefusalDto {
            reason: RefusalCodeDto::ReviewRefused,
            quote: None,
        };
        let turned_down = OutcomeDto::Refused(turned_down);
        assert_eq!(refused, [(5, Reviewed::Answered(turned_down))], "{on:?}");
        let admitted = say(&[], Verdict::Admit).await.unwrap();
        let applied = || Reviewed::Answered(OutcomeDto::Applied);
        let expected = [
            (2, applied()),
            (3, applied()),
            (4, applied()),
            (6, Reviewed::Request),
        ];
        assert_eq!(admitted, expected, "{on:?}");
        assert_eq!(
            shop.principal(member) - before,
            Money::from_yuan(100),
            "{on:?}"
        );
        assert_eq!(shop.principal(new.member), Money::from_yuan(200), "{on:?}");
        assert!(
            ledger.profile(tenant, new.member).unwrap().is_some(),
            "{on:?}"
        );
        assert!(say(&[], Verdict::Refuse).await.unwrap()[0].1.is_settled());
        assert!(
            waiting(ledger.as_ref(), shop.now()).unwrap().is_empty(),
            "{on:?}"
        );
        assert_eq!(ledger.held_count().unwrap(), 0, "{on:?}");

        // Once and for all: whoever brings it again gets the answer, and nothing moves.
        let again = say(&[3], Verdict::Admit).await;
        assert!(matches!(again, Err(ReviewError::NotWaiting(3))), "{on:?}");
        brings_nothing_more(&shop, &till, stick.path(), &written[1..]).await;
        assert_eq!(
            audited(&shop),
            ["refused 5", "admitted 2-4", "refused 6"],
            "{on:?}"
        );
        let books = ledger.tenants().unwrap().remove(0);
        verify(ledger.as_ref(), &books).unwrap();
        crate::replay::is_the_same_elsewhere(&shop).await;
        shop.server.stop().await;
    }
}

#[tokio::test]
async fn the_program_lists_and_admits() {
    let shop = Shop::open_on(On::Postgres, 4).await;
    let mut till = Till::open(&shop).await;
    let new = Registration::of("赵敏", 7);
    let written = unsynced(&shop, &mut till, &new).await;
    let stick = tempfile::tempdir().unwrap();
    write(stick.path(), "1", &head(&till), 2, &written, Some(&new));
    revoke(&shop);
    shop.server.stop().await;
    let run = |arguments: &[&str], path: Option<&Path>| run(&shop, arguments, path);
    let (code, said) = run(&["import-copy"], Some(stick.path()));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("kept_for_review=100 quarantined"), "{said}");
    let (code, said) = run(&["quarantine", "list"], None);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with("waiting=100\n"), "{said}");
    let of = [
        "--store",
        &shop.seeded.store_code,
        "--terminal",
        "01",
        "--reason",
        "looked at",
    ];
    let (code, said) = run(&[&["quarantine", "admit"], &of[..]].concat(), None);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches(": applied").count(), 100, "{said}");
    assert_eq!(run(&["quarantine", "list"], None).1, "waiting=0\n");
}

/// What the program says on the shop's books, with its exit status.
fn run(shop: &Shop, arguments: &[&str], path: Option<&Path>) -> (Option<i32>, String) {
    let Place::Cluster(database) = &shop.place else {
        panic!("on PostgreSQL")
    };
    let ended = Command::new(env!("CARGO_BIN_EXE_qiantai-server"))
        .args(arguments)
        .args(["--database-url", &database.url()])
        .args(path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    (ended.status.code(), said)
}

/// It has its place, and no word of a person makes it readable; but whoever looks sees it.
#[tokio::test]
async fn what_is_held_is_listed_with_its_reason() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 1).await;
        let ledger = shop.place.open();
        let mut till = Till::open(&shop).await;
        shop.time.advance(Millis::hours(1));
        let future = of_the_future(&mut till);
        let answer = till.push(&shop, &[future]).await;
        assert_eq!(answer.results[0].outcome, OutcomeDto::Held, "{on:?}");
        let held = waiting(ledger.as_ref(), shop.now()).unwrap().remove(0);
        let at = (held.number, held.kind, held.came_ms, held.held);
        assert_eq!(at, (till.seq, None, shop.now().ms(), true), "{on:?}");
        let (store, number) = (&shop.seeded.store_code, till.seq);
        let (kind, mark, now) = (held.kind_number, &held.mark, shop.now());
        assert_eq!(mark.len(), 8);
        let why = "this version does not know its kind";
        let line = format!(
            "store {store} terminal 01 number {number} mark {mark}: kind {kind}, held since {now}; {why}"
        );
        assert_eq!(held.to_string(), line, "{on:?}");
        let chosen = Chosen {
            store,
            terminal: "01",
            numbers: &[number],
            marks: &[],
        };
        for verdict in [Verdict::Admit, Verdict::Refuse] {
            let answer = review(&shop.server, ledger.as_ref(), chosen, verdict, "?").await;
            let still_held = [(number, Reviewed::Answered(OutcomeDto::Held))];
            assert_eq!(answer.unwrap(), still_held, "{on:?}");
        }
        assert_eq!(waiting(ledger.as_ref(), shop.now()).unwrap(), [held]);
        shop.server.stop().await;
        if on == On::Postgres {
            let said = run(&shop, &["quarantine", "list"], None);
            assert_eq!(said, (Some(0), format!("{line}\nheld=1\nwaiting=0\n")));
        }
    }
}

/// Books in which an older version held a cash top-up that this one can read, and a later one of
/// the same till that it could read; and the number of the first.
async fn held_by_an_older_version(on: On) -> (Shop, u64) {
    let mut shop = Shop::open(2).await;
    let mut till = Till::open(&shop).await;
    let members = shop.members();
    let cash = till.cash(&shop, members[0], 100).await;
    let result = till.act(&shop, OperationBody::RechargeCash(cash)).await;
    let number = till.seq;
    let cash = till.cash(&shop, members[1], 200).await;
    till.act(&shop, OperationBody::RechargeCash(cash)).await;
    let paid = shop.principal(members[1]);
    let place = result.server_seq.unwrap();
    let held = OpResultDto {
        server_seq: None,
        outcome: OutcomeDto::Held,
        ..result
    };
    let held = serde_json::to_string(&held).unwrap();
    shop.place.execute(&format!(
        "DROP TRIGGER operation_no_update;
         UPDATE operation SET standing = 'held', answer = '{held}' WHERE server_seq = {place};
         INSERT INTO held_operation SELECT tenant_id, server_seq, 'newer_version'
             FROM operation WHERE server_seq = {place}"
    ));
    // Replayed, the log makes the books that the older version had.
    let (from, tenant) = (shop.place.open(), shop.seeded.tenant);
    let place = Place::make(on);
    shop.server.stop().await;
    shop.serve_on(place.open());
    replay(from.as_ref(), tenant, &shop.server).await.unwrap();
    drop(from);
    shop.place = place;
    assert_eq!(shop.principal(members[1]), paid, "{on:?}");
    (shop, number)
}

/// Everything explains itself, and nothing waits.
async fn all_is_decided(shop: &Shop) {
    let ledger = shop.place.open();
    assert_eq!(waiting(ledger.as_ref(), shop.now()).unwrap(), []);
    assert_eq!(ledger.held_count().unwrap(), 0);
    let books = ledger.tenants().unwrap().remove(0);
    verify(ledger.as_ref(), &books).unwrap();
    crate::replay::is_the_same_elsewhere(shop).await;
}

#[tokio::test]
async fn what_an_older_version_held_is_decided_when_one_starts_that_can_read_it() {
    for on in On::BOTH {
        let (shop, number) = held_by_an_older_version(on).await;
        let (member, tenant) = (shop.members()[0], shop.seeded.tenant);
        let before = shop.principal(member);
        assert_eq!(shop.place.open().held(tenant).unwrap().len(), 1, "{on:?}");
        shop.server.start();
        until("it is decided", || shop.principal(member) != before).await;
        assert_eq!(
            shop.principal(member) - before,
            Money::from_yuan(100),
            "{on:?}"
        );
        all_is_decided(&shop).await;
        let entries = shop.place.open().audit_page(tenant, 0, 100).unwrap();
        let said = entries
            .iter()
            .filter(|it| it.deed.act == Act::OperationsAdmitted);
        let said: Vec<_> = said.map(|it| it.deed.subject.as_str()).collect();
        let why = format!(
            "store {} terminal 01 numbers {number}: an older version could not read them",
            shop.seeded.store_code
        );
        assert_eq!(said, [why], "{on:?}");
        shop.server.stop().await;
    }
}

#[tokio::test]
async fn what_is_held_and_can_be_read_is_decided_by_a_person() {
    for (on, verdict, yuan) in [
        (On::Sqlite, Verdict::Admit, 100),
        (On::Postgres, Verdict::Admit, 100),
        (On::Postgres, Verdict::Refuse, 0),
    ] {
        let (shop, number) = held_by_an_older_version(on).await;
        let (ledger, member) = (shop.place.open(), shop.members()[0]);
        let before = shop.principal(member);
        let chosen = Chosen {
            store: &shop.seeded.store_code,
            terminal: "01",
            numbers: &[],
            marks: &[],
        };
        let answers = review(&shop.server, ledger.as_ref(), chosen, verdict, "?").await;
        let answers = answers.unwrap();
        assert!(
            answers.len() == 1 && answers[0].0 == number,
            "{on:?}: {answers:?}"
        );
        assert!(answers[0].1.is_settled(), "{on:?}: {answers:?}");
        assert_eq!(
            shop.principal(member) - before,
            Money::from_yuan(yuan),
            "{on:?}"
        );
        drop(ledger);
        all_is_decided(&shop).await;
        shop.server.stop().await;
    }
}
