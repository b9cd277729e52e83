use qiantai_core::ids::{MemberId, OpId, StaffId};
use qiantai_core::operation::Cursor;
use qiantai_core::policy::PinHash;
use qiantai_core::{Millis, Money};
use qiantai_store::{Answer, StoreError};
use qiantai_wire::feed::{ChainEndDto, FeedChange, OutcomeDto, PolicyDto, SnapshotPage};
use qiantai_wire::text::Hex;

use crate::fixture::{
    NOW, Shelf, account, append, cash_top_up, entry, id, member, page, policy, snapshot, staff,
};

const ZHANG: u128 = 0xa;

fn balance(shelf: &Shelf) -> Option<Money> {
    shelf
        .store
        .account(MemberId(id(ZHANG)))
        .unwrap()
        .map(|account| account.principal)
}

fn credited(server_seq: u64, op: u128, principal_fen: i64) -> qiantai_wire::feed::FeedEntry {
    entry(
        server_seq,
        op,
        vec![FeedChange::Account(account(ZHANG, principal_fen, NOW))],
    )
}

#[test]
fn rows_cover_and_cursor_move_together() {
    let shelf = Shelf::synced();
    append(&shelf.store, 1, cash_top_up(MemberId(id(ZHANG)), 0x0e));
    let cursor = shelf
        .store
        .apply_feed(&page(1, vec![credited(1, 1, 30_000)]))
        .unwrap();
    assert_eq!(
        cursor,
        Cursor {
            timeline: 1,
            server_seq: 1
        }
    );
    assert_eq!(balance(&shelf), Some(Money::from_yuan(300)));
    assert!(shelf.store.open_operations(None).unwrap().is_empty());
    // The acknowledgement was lost on the way; the feed told all the same.
    let own = shelf.store.operation(OpId(id(1))).unwrap().unwrap();
    assert_eq!(
        (own.server_seq, own.outcome),
        (Some(1), Some(OutcomeDto::Applied))
    );
    assert_eq!(shelf.store.unacknowledged().unwrap().count, 1);
}

#[test]
fn a_page_that_does_not_fit_changes_nothing() {
    type Expected = fn(&StoreError) -> bool;
    let cases: [(&str, u32, Vec<u64>, Expected); 3] = [
        ("gap before", 1, vec![3], |e| {
            matches!(
                e,
                StoreError::FeedGap {
                    expected: 2,
                    found: 3
                }
            )
        }),
        ("gap within", 1, vec![2, 4], |e| {
            matches!(
                e,
                StoreError::FeedGap {
                    expected: 3,
                    found: 4
                }
            )
        }),
        ("other timeline", 2, vec![2], |e| {
            matches!(e, StoreError::OtherTimeline { here: 1, found: 2 })
        }),
    ];
    let shelf = Shelf::synced();
    shelf
        .store
        .apply_feed(&page(1, vec![credited(1, 0x51, 100)]))
        .unwrap();
    for (name, timeline, seqs, expected) in cases {
        let entries = seqs.iter().map(|seq| credited(*seq, 0x60, 999)).collect();
        let error = shelf
            .store
            .apply_feed(&page(timeline, entries))
            .unwrap_err();
        assert!(expected(&error), "{name}: {error:?}");
        assert_eq!(balance(&shelf), Some(Money::from_fen(100)), "{name}");
        let cursor = shelf.store.sync_mark().unwrap().cursor;
        assert_eq!(
            cursor,
            Some(Cursor {
                timeline: 1,
                server_seq: 1
            }),
            "{name}"
        );
    }
}

#[test]
fn a_repeated_page_changes_nothing() {
    let shelf = Shelf::synced();
    let first = page(1, vec![credited(1, 0x51, 100)]);
    shelf.store.apply_feed(&first).unwrap();
    shelf
        .store
        .apply_feed(&page(1, vec![credited(2, 0x52, 200)]))
        .unwrap();
    let cursor = shelf.store.apply_feed(&first).unwrap();
    assert_eq!(cursor.server_seq, 2);
    assert_eq!(balance(&shelf), Some(Money::from_fen(200)));
}

#[test]
fn the_feed_is_not_followed_before_a_snapshot() {
    let shelf = Shelf::new();
    let error = shelf
        .store
        .apply_feed(&page(1, vec![credited(1, 0x51, 100)]))
        .unwrap_err();
    assert!(
        matches!(error, StoreError::OtherTimeline { here: 0, found: 1 }),
        "{error:?}"
    );
}

#[test]
fn a_snapshot_goes_on_after_a_restart() {
    let shelf = Shelf::new();
    let rows = vec![FeedChange::Member(member(1, "单雨", "13800000001"))];
    let next = shelf
        .store
        .apply_snapshot(None, &snapshot(1, 40, rows, Some(id(1))))
        .unwrap();
    assert_eq!(next, Some(id(1)));
    let shelf = shelf.reopened();
    let mark = shelf.store.sync_mark().unwrap();
    assert_eq!(mark.cursor, None);
    assert_eq!(mark.snapshot.unwrap().next, id(1));
    // The second page was read later, but the feed is followed from where the first one stood.
    let rows = vec![FeedChange::Member(member(2, "曾可", "13800000002"))];
    let page = snapshot(1, 45, rows, None);
    let wrong = shelf.store.apply_snapshot(Some(id(7)), &page).unwrap_err();
    assert!(matches!(wrong, StoreError::SnapshotOutOfStep), "{wrong:?}");
    assert_eq!(
        shelf.store.apply_snapshot(Some(id(1)), &page).unwrap(),
        None
    );
    let mark = shelf.store.sync_mark().unwrap();
    assert_eq!(
        mark.cursor,
        Some(Cursor {
            timeline: 1,
            server_seq: 40
        })
    );
    assert_eq!(mark.snapshot, None);
    assert_eq!(shelf.store.member_count().unwrap(), 2);
}

#[test]
fn a_row_of_a_later_page_is_not_set_back_by_the_feed() {
    let shelf = Shelf::new();
    shelf
        .store
        .apply_snapshot(None, &snapshot(1, 0, Vec::new(), Some(id(1))))
        .unwrap();
    let rows = vec![FeedChange::Account(account(ZHANG, 500, NOW))];
    shelf
        .store
        .apply_snapshot(Some(id(1)), &snapshot(1, 2, rows, None))
        .unwrap();
    shelf
        .store
        .apply_feed(&page(1, vec![credited(1, 0x51, 100)]))
        .unwrap();
    assert_eq!(balance(&shelf), Some(Money::from_fen(500)));
    let rest = vec![credited(2, 0x52, 500), credited(3, 0x53, 600)];
    shelf.store.apply_feed(&page(1, rest)).unwrap();
    assert_eq!(balance(&shelf), Some(Money::from_fen(600)));
}

/// docs: sync, "Pull": a server restored from a backup; the edge pushes again what it lacks.
#[test]
fn a_restored_server_is_asked_again_about_everything() {
    let shelf = Shelf::synced();
    for op in 1..=3 {
        let written = append(&shelf.store, op, cash_top_up(MemberId(id(ZHANG)), op << 8));
        let seq = u64::try_from(op).unwrap();
        let outcome = OutcomeDto::Applied;
        let answer = Answer {
            op_id: id(op),
            server_seq: Some(seq),
            outcome,
        };
        shelf
            .store
            .apply_answers(1, seq, &written.hash, &[answer])
            .unwrap();
        let fen = i64::try_from(op).unwrap() * 30_000;
        shelf
            .store
            .apply_feed(&page(1, vec![credited(seq, op, fen)]))
            .unwrap();
    }
    let gone = FeedChange::Member(member(0xb, "解放", "13800000003"));
    shelf
        .store
        .apply_feed(&page(1, vec![entry(4, 0x99, vec![gone])]))
        .unwrap();
    assert!(shelf.store.open_operations(None).unwrap().is_empty());

    // The backup holds operations 1 and 2 only.
    let rows = vec![FeedChange::Account(account(ZHANG, 60_000, NOW))];
    shelf
        .store
        .apply_snapshot(None, &snapshot(2, 2, rows, None))
        .unwrap();
    assert_eq!(balance(&shelf), Some(Money::from_yuan(600)));
    let open = shelf.store.open_operations(None).unwrap();
    assert_eq!(
        open.iter().map(|own| own.device_seq).collect::<Vec<_>>(),
        [3]
    );
    assert_eq!(shelf.store.unacknowledged().unwrap().count, 3);
    assert_eq!(
        shelf.store.member_count().unwrap(),
        0,
        "only the old timeline knew this member"
    );

    // Pushed again: the first two exist, the third is posted once more.
    let sent = shelf.store.operations_after(0, 256).unwrap();
    let answers: Vec<Answer> = sent
        .iter()
        .map(|own| {
            let outcome = if own.device_seq < 3 {
                OutcomeDto::Exists
            } else {
                OutcomeDto::Applied
            };
            Answer {
                op_id: own.op_id.0,
                server_seq: Some(own.device_seq),
                outcome,
            }
        })
        .collect();
    shelf
        .store
        .apply_answers(2, 3, &sent[2].signed.hash(), &answers)
        .unwrap();
    assert_eq!(shelf.store.open_operations(None).unwrap().len(), 1);
    shelf
        .store
        .apply_feed(&page(2, vec![credited(3, 3, 90_000)]))
        .unwrap();
    assert!(shelf.store.open_operations(None).unwrap().is_empty());
    assert_eq!(balance(&shelf), Some(Money::from_yuan(900)));
}

/// A push may be the first that a terminal hears of a restored server: its log is shorter, and the
/// place that it gives lies below the cursor of the old timeline.
#[test]
fn a_place_on_another_timeline_covers_nothing() {
    let shelf = Shelf::synced();
    let others = (1..=9).map(|seq| entry(seq, 0x90 + u128::from(seq), Vec::new()));
    let others = page(1, others.collect());
    shelf.store.apply_feed(&others).unwrap();
    let top_up = cash_top_up(MemberId(id(ZHANG)), 1 << 8);
    let written = append(&shelf.store, 1, top_up);
    let answer = |server_seq| Answer {
        op_id: id(1),
        server_seq: Some(server_seq),
        outcome: OutcomeDto::Applied,
    };
    let is_open = || !shelf.store.open_operations(None).unwrap().is_empty();
    let take = |timeline, server_seq| {
        let answers = [answer(server_seq)];
        let taken = shelf
            .store
            .apply_answers(timeline, 1, &written.hash, &answers);
        taken.unwrap();
    };
    take(2, 5);
    assert!(is_open(), "its rows are not here");
    assert_eq!(shelf.store.unacknowledged().unwrap().count, 0);
    let rows = vec![FeedChange::Account(account(ZHANG, 30_000, NOW))];
    let whole = snapshot(2, 5, rows, None);
    shelf.store.apply_snapshot(None, &whole).unwrap();
    take(2, 5);
    assert!(!is_open(), "its rows came with the snapshot");
}

/// The restored log has the terminal's first operation at its old place, another terminal's where its
/// second was, and its third at a later place than before: it had been sent again before the snapshot.
#[test]
fn a_snapshot_of_another_timeline_covers_as_far_as_it_has_the_chain() {
    let cases = [
        ("only the first", Some((1, true)), vec![2, 3]),
        ("all again", Some((3, true)), vec![]),
        ("none", Some((0, true)), vec![1, 2, 3]),
        ("the chain of another history", Some((1, false)), vec![3]),
        ("a server that does not say it", None, vec![3]),
    ];
    for (name, has, open) in cases {
        let shelf = Shelf::synced();
        let mut hashes = vec![[0; 32]];
        for op in 1..=3 {
            let written = append(&shelf.store, op, cash_top_up(MemberId(id(ZHANG)), op << 8));
            hashes.push(written.hash);
        }
        let others = |seq: u64| entry(seq, 0x90 + u128::from(seq), Vec::new());
        let told = vec![
            credited(1, 1, 30_000),
            credited(2, 2, 60_000),
            others(3),
            credited(4, 3, 90_000),
        ];
        shelf.store.apply_feed(&page(1, told)).unwrap();
        assert!(shelf.store.open_operations(None).unwrap().is_empty());

        let chain_end = has.map(|(device_seq, is_own)| ChainEndDto {
            device_seq,
            hash: Hex(match is_own {
                true => hashes[usize::try_from(device_seq).unwrap()],
                false => [9; 32],
            }),
        });
        let first = SnapshotPage {
            chain_end,
            ..snapshot(2, 3, Vec::new(), Some(id(1)))
        };
        // Of several pages the first counts.
        let second = SnapshotPage {
            chain_end: Some(ChainEndDto {
                device_seq: 2,
                hash: Hex(hashes[2]),
            }),
            ..snapshot(2, 9, Vec::new(), None)
        };
        shelf.store.apply_snapshot(None, &first).unwrap();
        shelf.store.apply_snapshot(Some(id(1)), &second).unwrap();
        let left = shelf.store.open_operations(None).unwrap();
        let left: Vec<u64> = left.iter().map(|own| own.device_seq).collect();
        assert_eq!(left, open, "{name}");
        let pending = shelf.store.unacknowledged().unwrap().count;
        assert_eq!(pending, 3, "{name}: each is asked for again");
    }
}

/// What a person has to decide is in the chain, and its effect in no row.
#[test]
fn what_is_held_stays_open_on_another_timeline() {
    let shelf = Shelf::synced();
    let written = append(&shelf.store, 1, cash_top_up(MemberId(id(ZHANG)), 1 << 8));
    let held = Answer {
        op_id: id(1),
        server_seq: None,
        outcome: OutcomeDto::Held,
    };
    shelf
        .store
        .apply_answers(1, 1, &written.hash, &[held])
        .unwrap();
    let whole = SnapshotPage {
        chain_end: Some(ChainEndDto {
            device_seq: 1,
            hash: Hex(written.hash),
        }),
        ..snapshot(2, 1, Vec::new(), None)
    };
    shelf.store.apply_snapshot(None, &whole).unwrap();
    assert_eq!(shelf.store.open_operations(None).unwrap().len(), 1);
}

#[test]
fn policies_are_kept_by_version_and_without_pin_hashes() {
    let shelf = Shelf::synced();
    let pin = PinHash {
        salt: [3; 16],
        hash: [0xab; 32],
    };
    let second = policy(2, NOW + Millis::hours(1), vec![staff(1, pin.clone(), true)]);
    let first = policy(1, NOW, vec![staff(1, pin, true)]);
    let rows = [&second, &first]
        .map(|policy| FeedChange::Policy(Box::new(PolicyDto::from(policy))))
        .to_vec();
    shelf
        .store
        .apply_feed(&page(1, vec![entry(1, 0x51, rows)]))
        .unwrap();
    let versions: Vec<u32> = shelf
        .store
        .policies()
        .unwrap()
        .iter()
        .map(|policy| policy.version)
        .collect();
    assert_eq!(versions, [1, 2]);
    let cases = [
        (-1, None),
        (0, Some(1)),
        (3_599_999, Some(1)),
        (3_600_000, Some(2)),
    ];
    for (after_ms, expected) in cases {
        let found = shelf.store.policy_at(NOW + Millis(after_ms)).unwrap();
        assert_eq!(found.map(|policy| policy.version), expected, "{after_ms}");
    }
    let kept = shelf.store.policy_at(NOW).unwrap().unwrap();
    assert_eq!(kept.staff[0].id, StaffId(id(1)));
    assert_eq!(kept.staff[0].pin.hash, [0; 32]);
}

#[test]
fn a_row_without_profile_leaves_the_known_one() {
    let shelf = Shelf::synced();
    let known = member(ZHANG, "张伟", "13812345678");
    let mut frozen = known.clone();
    frozen.profile = None;
    frozen.status = qiantai_wire::codes::MemberStatusDto::Frozen;
    for (seq, row) in [(1, known), (2, frozen)] {
        let change = vec![FeedChange::Member(row)];
        shelf
            .store
            .apply_feed(&page(1, vec![entry(seq, 0x50, change)]))
            .unwrap();
    }
    let found = shelf.store.member(MemberId(id(ZHANG))).unwrap().unwrap();
    assert_eq!(
        found.member.status,
        qiantai_core::member::MemberStatus::Frozen
    );
    assert_eq!(found.profile.unwrap().name, "张伟");
}
