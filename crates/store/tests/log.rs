use qiantai_core::ids::{ActionId, MemberId, OpId};
use qiantai_store::{Answer, CommitError, StoreError};
use qiantai_wire::SignedOperation;
use qiantai_wire::codes::RefusalCodeDto;
use qiantai_wire::feed::{OutcomeDto, RefusalDto};

use crate::fixture::{
    NOW, Shelf, append, cash_top_up, id, page, receipt, shift_open, signed, try_append,
};

const ZHANG: MemberId = MemberId(uuid::Uuid::from_u128(0xa));

#[test]
fn operations_are_chained_and_survive_a_restart() {
    let shelf = Shelf::new();
    let first = append(&shelf.store, 1, shift_open());
    let second = append(&shelf.store, 2, cash_top_up(ZHANG, 0x0e));
    assert_eq!((first.device_seq, second.device_seq), (1, 2));
    let shelf = shelf.reopened();
    shelf.store.verify_chain().unwrap();
    let head = shelf.store.log_head().unwrap();
    assert_eq!((head.device_seq, head.hash), (2, second.hash));
    let sent = shelf.store.operations_after(1, 256).unwrap();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].signed.hash(), second.hash);
    assert_eq!(sent[0].member, Some(ZHANG));
    let waiting = shelf.store.unacknowledged().unwrap();
    assert_eq!((waiting.count, waiting.oldest), (2, Some(NOW)));
}

#[test]
fn operations_are_found_by_name_intent_and_member() {
    let shelf = Shelf::new();
    append(&shelf.store, 1, shift_open());
    append(&shelf.store, 2, cash_top_up(ZHANG, 0x0e));
    append(&shelf.store, 3, cash_top_up(MemberId(id(0xb)), 0x0f));
    let store = &shelf.store;
    assert_eq!(store.operation(OpId(id(2))).unwrap().unwrap().device_seq, 2);
    assert_eq!(store.operation(OpId(id(9))).unwrap(), None);
    assert_eq!(
        store
            .operations_of_action(ActionId(id(3 << 64)))
            .unwrap()
            .len(),
        1
    );
    assert_eq!(store.open_operations(Some(ZHANG)).unwrap().len(), 1);
    assert_eq!(store.open_operations(None).unwrap().len(), 3);
    let latest: Vec<u64> = store
        .latest_operations(2)
        .unwrap()
        .iter()
        .map(|own| own.device_seq)
        .collect();
    assert_eq!(latest, [3, 2]);
}

#[test]
fn what_does_not_continue_the_log_is_not_written() {
    let shelf = Shelf::new();
    append(&shelf.store, 1, shift_open());
    let store = &shelf.store;
    let head = store.log_head().unwrap();
    let mut ahead = head;
    ahead.device_seq += 1;
    let mut other_hash = head;
    other_hash.hash[0] ^= 1;
    for wrong in [ahead, other_hash] {
        let error = store
            .commit(|_| {
                let signed = signed(wrong, 2, shift_open());
                Ok::<_, String>(qiantai_store::Commit {
                    signed,
                    prints: Vec::new(),
                })
            })
            .unwrap_err();
        assert!(
            matches!(error, CommitError::Misplaced { due: 2, .. }),
            "{error:?}"
        );
    }
    let garbage = SignedOperation {
        bytes: vec![1, 2, 3],
    };
    let error = store
        .commit(|_| {
            Ok::<_, String>(qiantai_store::Commit {
                signed: garbage,
                prints: Vec::new(),
            })
        })
        .unwrap_err();
    assert!(matches!(error, CommitError::Unreadable(_)), "{error:?}");
    let error = store.commit(|_| Err("no such shift")).unwrap_err();
    assert!(matches!(error, CommitError::Author("no such shift")));
    assert_eq!(store.log_head().unwrap(), head);
}

#[test]
fn a_sale_and_its_receipt_are_written_together_or_not_at_all() {
    let shelf = Shelf::new();
    let jobs = vec![
        receipt(0x10, 0x0e, b"one".to_vec()),
        receipt(0x11, 0x0e, b"two".to_vec()),
    ];
    try_append(&shelf.store, 1, cash_top_up(ZHANG, 0x0e), jobs).unwrap();
    assert_eq!(shelf.store.print_jobs(9).unwrap().len(), 2);
    // The same job id again breaks the transaction after the operation was inserted.
    let twice = vec![receipt(0x10, 0x0f, Vec::new())];
    let error = try_append(&shelf.store, 2, cash_top_up(ZHANG, 0x0f), twice).unwrap_err();
    assert!(matches!(error, CommitError::Store(_)), "{error:?}");
    assert_eq!(shelf.store.log_head().unwrap().device_seq, 1);
    assert_eq!(shelf.store.open_operations(None).unwrap().len(), 1);
    assert_eq!(shelf.store.print_jobs(9).unwrap().len(), 2);
}

#[test]
fn the_same_record_is_not_written_twice() {
    let shelf = Shelf::new();
    append(&shelf.store, 1, shift_open());
    let error = try_append(&shelf.store, 1, shift_open(), Vec::new()).unwrap_err();
    assert!(matches!(error, CommitError::Store(_)), "{error:?}");
    assert_eq!(shelf.store.log_head().unwrap().device_seq, 1);
}

/// The overlay after answers, by rule of sync.md "Pull".
#[test]
fn answers_take_operations_out_of_the_overlay_only_when_the_replica_shows_them() {
    let refused = OutcomeDto::Refused(RefusalDto {
        reason: RefusalCodeDto::from(qiantai_core::decide::RefusalCode::QuoteStale),
        quote: None,
    });
    let different = OutcomeDto::ExistsWithDifferent {
        field: "amount".to_owned(),
    };
    let cases = [
        ("applied, feed behind", OutcomeDto::Applied, Some(7), false),
        ("applied, feed there", OutcomeDto::Applied, Some(0), true),
        ("applied, place unknown", OutcomeDto::Applied, None, false),
        ("exists, feed behind", OutcomeDto::Exists, Some(7), false),
        ("exists, place unknown", OutcomeDto::Exists, None, true),
        ("other content", different, None, true),
        ("refused", refused, None, true),
        ("held", OutcomeDto::Held, None, false),
    ];
    for (name, outcome, server_seq, covered) in cases {
        let shelf = Shelf::synced();
        let written = append(&shelf.store, 1, cash_top_up(ZHANG, 0x0e));
        let answer = Answer {
            op_id: id(1),
            server_seq,
            outcome: outcome.clone(),
        };
        shelf
            .store
            .apply_answers(1, 1, &written.hash, &[answer])
            .unwrap();
        let own = shelf.store.operation(OpId(id(1))).unwrap().unwrap();
        assert_eq!(own.covered, covered, "{name}");
        assert_eq!(own.outcome, Some(outcome), "{name}");
        assert_eq!(
            shelf.store.open_operations(None).unwrap().is_empty(),
            covered,
            "{name}"
        );
        assert_eq!(shelf.store.unacknowledged().unwrap().count, 0, "{name}");
    }
}

#[test]
fn a_place_is_covered_once_the_cursor_passes_it() {
    let shelf = Shelf::synced();
    let written = append(&shelf.store, 1, cash_top_up(ZHANG, 0x0e));
    let answer = Answer {
        op_id: id(1),
        server_seq: Some(2),
        outcome: OutcomeDto::Exists,
    };
    shelf
        .store
        .apply_answers(1, 1, &written.hash, &[answer])
        .unwrap();
    for (server_seq, open) in [(1, 1), (2, 0)] {
        let other = 0x99 + u128::from(server_seq);
        let entry = crate::fixture::entry(server_seq, other, Vec::new());
        shelf.store.apply_feed(&page(1, vec![entry])).unwrap();
        assert_eq!(
            shelf.store.open_operations(None).unwrap().len(),
            open,
            "{server_seq}"
        );
    }
}

#[test]
fn an_acknowledgement_of_what_was_never_written_is_refused() {
    let shelf = Shelf::synced();
    let written = append(&shelf.store, 1, shift_open());
    for (acked_seq, hash) in [(1, [0; 32]), (2, written.hash)] {
        let error = shelf
            .store
            .apply_answers(1, acked_seq, &hash, &[])
            .unwrap_err();
        assert!(
            matches!(error, StoreError::ForeignAcknowledgement { .. }),
            "{error:?}"
        );
        assert_eq!(shelf.store.sync_mark().unwrap().acked_seq, 0);
    }
    // A late answer does not take back what was acknowledged since.
    let second = append(&shelf.store, 2, shift_open());
    shelf.store.apply_answers(1, 2, &second.hash, &[]).unwrap();
    shelf.store.apply_answers(1, 1, &written.hash, &[]).unwrap();
    assert_eq!(shelf.store.sync_mark().unwrap().acked_seq, 2);
}

#[test]
fn reading_and_writing_do_not_wait_for_each_other() {
    let shelf = Shelf::synced();
    let store = &shelf.store;
    std::thread::scope(|scope| {
        for writer in 0..2_u128 {
            scope.spawn(move || {
                for number in 0..40 {
                    let op = (writer << 32) + number + 1;
                    append(store, op, cash_top_up(ZHANG, op));
                }
            });
        }
        for _ in 0..5 {
            scope.spawn(move || {
                let mut seen = 0;
                for _ in 0..200 {
                    let open = store.open_operations(Some(ZHANG)).unwrap();
                    let last = open.last().map_or(0, |own| own.device_seq);
                    assert_eq!(open.len() as u64, last, "a read sees whole commits");
                    assert!(last >= seen, "a read never goes back");
                    seen = last;
                }
            });
        }
    });
    store.verify_chain().unwrap();
}
