//! What is removed by age, and what stays at any age.

use qiantai_core::Millis;
use qiantai_core::decide::RefusalCode;
use qiantai_core::ids::{MemberId, OpId, OrderId};
use qiantai_sqlite::{OpenOptions, open};
use qiantai_store::{Answer, Old, PrintState, Pruned, Store, StoreError};
use qiantai_wire::codes::RefusalCodeDto;
use qiantai_wire::feed::{OutcomeDto, RefusalDto};

use crate::fixture::{NOW, Shelf, append, cash_top_up, entry, id, page, receipt, snapshot};

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
            .apply_answers(seq, &written.hash, &[answer])
            .unwrap();
        let entry = entry(server_seq, 0x99 + number, Vec::new());
        shelf.store.apply_feed(&page(1, vec![entry])).unwrap();
    }
    shelf
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
    // The fixture writes an operation each millisecond.
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
    store.apply_answers(2, &written[1].hash, &answers).unwrap();
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
        .apply_answers(2, &second.signed.hash(), &[])
        .expect("the hash of what is gone is still known");
    let foreign = store.apply_answers(2, &[1; 32], &[]).unwrap_err();
    assert!(matches!(foreign, StoreError::ForeignAcknowledgement { .. }));
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
    let shelf = Shelf::new();
    let store = &shelf.store;
    let end = |job: u128, at| {
        store.queue_prints(&[receipt(job, 0x0e, vec![1])]).unwrap();
        store.take_print_job("counter", &[], at).unwrap().unwrap();
    };
    end(1, NOW);
    store.print_done(id(1), NOW).unwrap();
    end(2, NOW);
    store
        .print_troubled(id(2), "error.printer_timeout", false, NOW)
        .unwrap();
    end(3, NOW);
    store.print_done(id(3), NOW + Millis::days(2)).unwrap();
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
