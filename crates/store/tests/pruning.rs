//! What is removed by age, and what stays at any age.

use ed25519_dalek::SigningKey;
use qiantai_core::decide::RefusalCode;
use qiantai_core::ids::{MemberId, OpId, OrderId};
use qiantai_core::{Millis, Timestamp};
use qiantai_sqlite::{OpenOptions, open};
use qiantai_store::{
    Answer, Commit, CommitError, Old, PrintState, PrintTrouble, Pruned, Store, StoreError,
};
use qiantai_wire::SignedOperation;
use qiantai_wire::codes::RefusalCodeDto;
use qiantai_wire::feed::{FeedEntry, FeedPage, OutcomeDto, RefusalDto};

use crate::fixture::{NOW, Shelf, append, cash_top_up, entry, id, page, receipt, signed, snapshot};

const ZHANG: MemberId = MemberId(uuid::Uuid::from_u128(0xa));

/// Name, what the server said to each operation, and what is left of them.
type Case<'a> = (&'a str, [&'a Option<OutcomeDto>; 4], &'a [u64]);

/// Everything written so far is old, except of what is held.
fn all() -> Old {
    let later = NOW + Millis::days(1);
    Old {
        operations: later,
        held: NOW,
        prints: later,
    }
}

/// A log of `outcomes`, acknowledged and covered; `None` has no answer yet.
fn log(outcomes: &[Option<OutcomeDto>]) -> Shelf {
    let shelf = Shelf::synced();
    let mut server_seq = 0;
    for (number, outcome) in (1..).zip(outcomes) {
        let written = append(&shelf.store, number, cash_top_up(ZHANG, number));
        let Some(outcome) = outcome else { continue };
        server_seq += 1;
        let is_held = matches!(outcome, OutcomeDto::Held);
        let answer = Answer {
            op_id: id(number),
            server_seq: (!is_held).then_some(server_seq),
            outcome: outcome.clone(),
        };
        let seq = written.device_seq;
        shelf
            .store
            .apply_answers(1, seq, &written.hash, &[answer])
            .unwrap();
        let entry = entry(server_seq, 0x99 + number, Vec::new());
        let answered_at = NOW + Millis(i64::try_from(number).unwrap() - 1);
        shelf
            .store
            .apply_feed(&told(answered_at, vec![entry]))
            .unwrap();
    }
    shelf
}

/// A page of the feed that says what time it is at the server.
fn told(server_time: Timestamp, entries: Vec<FeedEntry>) -> FeedPage {
    FeedPage {
        server_time_ms: server_time.ms(),
        ..page(1, entries)
    }
}

fn left(store: &Store) -> Vec<u64> {
    let rows = store.operations_after(0, 99).unwrap();
    rows.iter().map(|row| row.device_seq).collect()
}

#[test]
fn operations_go_from_the_start_once_nobody_needs_them() {
    let applied = Some(OutcomeDto::Applied);
    let refused = Some(OutcomeDto::Refused(RefusalDto {
        reason: RefusalCodeDto::from(RefusalCode::QuoteStale),
        quote: None,
    }));
    let different = Some(OutcomeDto::ExistsWithDifferent {
        field: "amount".to_owned(),
    });
    let held = Some(OutcomeDto::Held);
    let exists = Some(OutcomeDto::Exists);
    let cases: [Case<'_>; 6] = [
        (
            "the last stays",
            [&applied, &exists, &refused, &applied],
            &[4],
        ),
        (
            "not acknowledged",
            [&applied, &applied, &None, &None],
            &[3, 4],
        ),
        ("held", [&applied, &held, &applied, &applied], &[2, 3, 4]),
        (
            "reused",
            [&applied, &different, &applied, &applied],
            &[2, 3, 4],
        ),
        ("nothing yet", [&None, &None, &None, &None], &[1, 2, 3, 4]),
        (
            "held first",
            [&held, &applied, &applied, &applied],
            &[1, 2, 3, 4],
        ),
    ];
    for (name, outcomes, expected) in cases {
        let shelf = log(&outcomes.map(Clone::clone));
        let head = shelf.store.log_head().unwrap();
        let pruned = shelf.store.prune(all()).unwrap();
        assert_eq!(left(&shelf.store), expected, "{name}");
        assert_eq!(pruned.operations, 4 - expected.len() as u64, "{name}");
        let again = shelf.store.prune(all()).unwrap();
        assert_eq!(again, Pruned::default(), "{name}");
        // The rest proves itself, and the log goes on where it ended.
        shelf.store.verify_chain().unwrap();
        let shelf = shelf.reopened();
        assert_eq!(shelf.store.log_head().unwrap(), head, "{name}");
        append(&shelf.store, 9, cash_top_up(ZHANG, 9));
        shelf.store.verify_chain().unwrap();
        shelf.store.check_everything().unwrap();
    }
}

#[test]
fn nothing_goes_before_its_time() {
    let applied = Some(OutcomeDto::Applied);
    let shelf = log(&[applied.clone(), applied.clone(), applied.clone(), applied]);
    // The server answers an operation each millisecond.
    let old = |ms| Old {
        operations: NOW + Millis(ms),
        held: NOW,
        prints: NOW,
    };
    for (ms, expected) in [(0, &[1, 2, 3, 4][..]), (1, &[2, 3, 4]), (2, &[3, 4])] {
        shelf.store.prune(old(ms)).unwrap();
        assert_eq!(left(&shelf.store), expected, "{ms} ms");
    }
    let held = Some(OutcomeDto::Held);
    let shelf = log(&[held, Some(OutcomeDto::Applied)]);
    shelf
        .store
        .prune(Old {
            held: NOW + Millis::days(1),
            ..all()
        })
        .unwrap();
    assert_eq!(left(&shelf.store), [2], "held for long enough");
}

/// Writes a top-up under a clock that says `wall_time`, and a slip that came out then.
fn sell_at(store: &Store, number: u128, wall_time: Timestamp) -> SignedOperation {
    let mut written = None;
    store
        .commit(|head| -> Result<Commit, CommitError<String>> {
            let mut operation = signed(head, number, cash_top_up(ZHANG, number))
                .operation()
                .unwrap();
            operation.wall_time = wall_time;
            let signed = SignedOperation::sign(&operation, &SigningKey::from_bytes(&[5; 32]));
            written = Some(signed.clone());
            Ok(Commit {
                signed,
                prints: vec![receipt(number, number, vec![1])],
            })
        })
        .unwrap();
    assert!(
        store
            .print_begins(id(number), "counter", wall_time)
            .unwrap()
    );
    assert!(store.print_done(id(number), wall_time).unwrap());
    written.unwrap()
}

/// The server applies the operations up to `last`, the numbers of which are their places.
fn acknowledge(store: &Store, last: &SignedOperation) {
    let acked_seq = last.operation().unwrap().device_seq;
    let answers: Vec<Answer> = (1..=acked_seq)
        .map(|seq| Answer {
            op_id: id(u128::from(seq)),
            server_seq: Some(seq),
            outcome: OutcomeDto::Applied,
        })
        .collect();
    store
        .apply_answers(1, acked_seq, &last.hash(), &answers)
        .unwrap();
}

#[test]
fn age_is_the_servers_time_since_its_answer_whatever_the_clock_said() {
    let cases = [
        ("right", NOW),
        ("2020", Timestamp::from_ms(1_577_836_800_000)),
        ("2099", Timestamp::from_ms(4_070_908_800_000)),
    ];
    let kept = Millis::days(90);
    let at = |server_time| Old {
        operations: server_time - kept,
        held: NOW - Millis::days(400),
        prints: server_time - kept,
    };
    for (clock, wall_time) in cases {
        let shelf = Shelf::synced();
        let store = &shelf.store;
        sell_at(store, 1, wall_time);
        let last = sell_at(store, 2, wall_time);
        acknowledge(store, &last);
        assert_eq!(
            store.prune(at(NOW + kept + Millis::days(1))).unwrap(),
            Pruned::default(),
            "{clock}: answered since the server last told its time"
        );
        let entries = vec![entry(1, 1, Vec::new()), entry(2, 2, Vec::new())];
        let answered_at = NOW + Millis::days(5);
        store.apply_feed(&told(answered_at, entries)).unwrap();
        // Later contacts make nothing younger.
        let next = answered_at + Millis::days(1);
        store.apply_feed(&told(next, Vec::new())).unwrap();
        let days = [(0, 0, 0), (90, 0, 0), (91, 1, 2)];
        for (days, operations, prints) in days {
            let pruned = store.prune(at(answered_at + Millis::days(days))).unwrap();
            assert_eq!(
                pruned,
                Pruned { operations, prints },
                "{clock}, {days} days"
            );
        }
        assert_eq!(left(store), [2], "{clock}");
    }
}

/// A server from a backup answers anew, and from then on the copy here is needed as long again.
#[test]
fn a_new_timeline_makes_everything_young_again() {
    let shelf = Shelf::synced();
    let store = &shelf.store;
    sell_at(store, 1, NOW);
    let last = sell_at(store, 2, NOW);
    acknowledge(store, &last);
    store.apply_feed(&told(NOW, Vec::new())).unwrap();
    let restored_at = NOW + Millis::days(100);
    let mut whole = snapshot(2, 0, Vec::new(), None);
    whole.server_time_ms = restored_at.ms();
    store.apply_snapshot(None, &whole).unwrap();
    acknowledge(store, &last);
    let mut followed = page(2, vec![entry(1, 1, Vec::new()), entry(2, 2, Vec::new())]);
    followed.server_time_ms = restored_at.ms();
    store.apply_feed(&followed).unwrap();
    let old = |operations| Old {
        operations,
        held: NOW,
        prints: NOW,
    };
    store.prune(old(restored_at)).unwrap();
    assert_eq!(left(store), [1, 2]);
    store.prune(old(restored_at + Millis(1))).unwrap();
    assert_eq!(left(store), [2]);
}

#[test]
fn rows_from_before_ages_were_kept_count_from_the_next_contact() {
    let shelf = Shelf::synced();
    sell_at(&shelf.store, 1, NOW);
    let last = sell_at(&shelf.store, 2, NOW);
    acknowledge(&shelf.store, &last);
    shelf.store.apply_feed(&told(NOW, Vec::new())).unwrap();
    let options = OpenOptions {
        key: Some([7; 32]),
        create: false,
        read_only: false,
    };
    let connection = open(&shelf.path(), options).unwrap();
    for table in ["operation_delivery", "print_job"] {
        let sql = format!("UPDATE {table} SET aged_from_ms = NULL");
        assert_eq!(connection.execute(&sql, []).unwrap(), 2, "{table}");
    }
    drop(connection);
    let store = &shelf.store;
    let entries = vec![entry(1, 1, Vec::new()), entry(2, 2, Vec::new())];
    let contact = NOW + Millis::days(300);
    let until = |before| Old {
        operations: before,
        held: NOW,
        prints: before,
    };
    assert_eq!(store.prune(until(contact)).unwrap(), Pruned::default());
    store.apply_feed(&told(contact, entries)).unwrap();
    assert_eq!(store.prune(until(contact)).unwrap(), Pruned::default());
    let pruned = store.prune(until(contact + Millis(1))).unwrap();
    assert_eq!((pruned.operations, pruned.prints), (1, 2));
}

#[test]
fn an_operation_that_the_replica_does_not_show_stays() {
    let shelf = Shelf::synced();
    let mut written = Vec::new();
    for number in [1, 2] {
        written.push(append(&shelf.store, number, cash_top_up(ZHANG, number)));
    }
    let answers = [1, 2].map(|number| Answer {
        op_id: id(number),
        server_seq: Some(u64::try_from(number).unwrap()),
        outcome: OutcomeDto::Applied,
    });
    let store = &shelf.store;
    store
        .apply_answers(1, 2, &written[1].hash, &answers)
        .unwrap();
    store.prune(all()).unwrap();
    assert_eq!(left(store), [1, 2], "the overlay needs it");
    let entries = vec![entry(1, 0x91, Vec::new()), entry(2, 0x92, Vec::new())];
    store.apply_feed(&page(1, entries)).unwrap();
    store.prune(all()).unwrap();
    assert_eq!(left(store), [2]);
}

/// A server from a backup asks again; what is gone here cannot be sent, and is not asked for.
#[test]
fn a_new_timeline_starts_after_what_is_gone() {
    let applied = Some(OutcomeDto::Applied);
    let shelf = log(&[applied.clone(), applied.clone(), applied]);
    let store = &shelf.store;
    let second = store.operation(OpId(id(2))).unwrap().unwrap();
    store.prune(all()).unwrap();
    store
        .apply_snapshot(None, &snapshot(2, 1, Vec::new(), None))
        .unwrap();
    assert_eq!(store.sync_mark().unwrap().acked_seq, 2);
    assert_eq!(store.unacknowledged().unwrap().count, 1);
    store
        .apply_answers(2, 2, &second.signed.hash(), &[])
        .expect("the hash of what is gone is still known");
    let foreign = store.apply_answers(2, 2, &[1; 32], &[]).unwrap_err();
    assert!(matches!(foreign, StoreError::ForeignAcknowledgement { .. }));
}

#[test]
fn a_server_that_lacks_what_is_gone_here_is_told_from_a_foreign_one() {
    type Expected = fn(&Result<(), StoreError>) -> bool;
    let applied = Some(OutcomeDto::Applied);
    let shelf = log(&[applied.clone(), applied.clone(), applied.clone(), applied]);
    let store = &shelf.store;
    let hash = |seq: u128| {
        let own = store.operation(OpId(id(seq))).unwrap().unwrap();
        own.signed.hash()
    };
    let hashes = [[0; 32], hash(1), hash(2), hash(3), hash(4)];
    store
        .prune(Old {
            operations: NOW + Millis(2),
            ..all()
        })
        .unwrap();
    assert_eq!(left(store), [3, 4]);
    let lacks: Expected = |found| {
        let Err(StoreError::ServerLacksPruned { gone_through, .. }) = found else {
            return false;
        };
        *gone_through == 2
    };
    let taken: Expected = |found| found.is_ok();
    let foreign: Expected = |found| matches!(found, Err(StoreError::ForeignAcknowledgement { .. }));
    let other = [1; 32];
    let cases = [
        ("nothing", 0, hashes[0], lacks),
        ("below", 1, hashes[1], lacks),
        ("below, another hash", 1, other, lacks),
        ("at", 2, hashes[2], taken),
        ("at, another hash", 2, other, foreign),
        ("above", 3, hashes[3], taken),
        ("above, another hash", 3, other, foreign),
        ("the end", 4, hashes[4], taken),
        ("beyond the end", 5, other, foreign),
    ];
    for (name, acked_seq, hash, expected) in cases {
        let found = store.apply_answers(1, acked_seq, &hash, &[]);
        assert!(expected(&found), "{name}: {found:?}");
        assert_eq!(store.sync_mark().unwrap().acked_seq, 4, "{name}");
    }
}

#[test]
fn the_file_refuses_to_forget_anything_else() {
    let shelf = log(&[Some(OutcomeDto::Applied), Some(OutcomeDto::Applied), None]);
    let options = OpenOptions {
        key: Some([7; 32]),
        create: false,
        read_only: false,
    };
    let connection = open(&shelf.path(), options).unwrap();
    connection
        .execute("DELETE FROM operation_delivery", [])
        .unwrap();
    let start_at = |seq: i64| {
        let sql = "UPDATE chain_start SET device_seq = ?1, hash =
                       (SELECT hash FROM operation WHERE device_seq = ?1)";
        connection.execute(sql, [seq]).unwrap();
    };
    let remove =
        |seq: i64| connection.execute("DELETE FROM operation WHERE device_seq = ?1", [seq]);
    remove(1).expect_err("the chain starts before it");
    start_at(3);
    remove(3).expect_err("not acknowledged, and the last");
    connection
        .execute("UPDATE cursor SET acked_seq = 3", [])
        .unwrap();
    remove(3).expect_err("the last");
    remove(1).unwrap();
}

#[test]
fn only_old_slips_that_came_out_go() {
    let shelf = Shelf::synced();
    let store = &shelf.store;
    let end = |job: u128, at| {
        store.queue_prints(&[receipt(job, 0x0e, vec![1])]).unwrap();
        let job = store.next_print_job("counter", &[]).unwrap().unwrap();
        assert!(store.print_begins(job.id, "counter", at).unwrap());
    };
    end(1, NOW);
    store.print_done(id(1), NOW).unwrap();
    store.apply_feed(&told(NOW, Vec::new())).unwrap();
    end(2, NOW);
    let given_up = PrintTrouble {
        code: "error.printer_timeout",
        try_again: false,
        torn: true,
    };
    store
        .print_troubled(id(2), "counter", &given_up, NOW)
        .unwrap();
    end(3, NOW);
    let later = NOW + Millis::days(2);
    store.print_done(id(3), later).unwrap();
    store.apply_feed(&told(later, Vec::new())).unwrap();
    store.queue_prints(&[receipt(4, 0x0e, vec![1])]).unwrap();
    assert_eq!(store.prune(all()).unwrap().prints, 1);
    let left = store.print_jobs_of(OrderId(id(0x0e))).unwrap();
    let left: Vec<_> = left
        .iter()
        .map(|job| (job.id.as_u128(), job.state))
        .collect();
    let expected = [
        (2, PrintState::Failed),
        (3, PrintState::Printed),
        (4, PrintState::Queued),
    ];
    assert_eq!(left, expected);
}
