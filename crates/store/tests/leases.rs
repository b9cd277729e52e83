use qiantai_core::ids::{ActionId, LeaseId, MemberId, StoreId};
use qiantai_core::operation::{LeaseDraw, NamedLease, OperationBody, SpendOffline};
use qiantai_core::risk_floor::SpentBeyond;
use qiantai_core::{Millis, Money};
use qiantai_store::{Answer, CommitError, LeaseDue, StoreError};
use qiantai_wire::api::GrantedLease;
use qiantai_wire::codes::{CaseKindDto, LeaseStateDto};
use qiantai_wire::feed::{AccountDto, CaseDto, FeedChange, LeaseLotDto, LeaseRowDto, OutcomeDto};

use crate::fixture::{
    DEVICE, NOW, Shelf, account, append, entry, id, member, page, snapshot, try_append,
};

const ZHANG: u128 = 0xa;

/// The row of a lease with so much left.
fn row(number: u128, state: LeaseStateDto, left_fen: i64) -> FeedChange {
    FeedChange::Lease(LeaseRowDto {
        id: id(number),
        member: id(ZHANG),
        device: DEVICE.0,
        store: id(2),
        state,
        lots: vec![LeaseLotDto {
            lot: id(ZHANG << 32),
            principal_fen: left_fen,
            bonus_fen: 0,
        }],
        granted_at_ms: NOW.ms() + i64::try_from(number).unwrap(),
    })
}

fn granted(number: u128, granted_fen: i64, left_fen: i64) -> GrantedLease {
    GrantedLease {
        id: LeaseId(id(number)),
        member: MemberId(id(ZHANG)),
        granted: Money::from_fen(granted_fen),
        left: Money::from_fen(left_fen),
        bytes: vec![7],
    }
}

fn spend(draws: &[(u128, i64)]) -> OperationBody {
    let draw = |(lease, fen): &(u128, i64)| LeaseDraw {
        lease: LeaseId(id(*lease)),
        amount: Money::from_fen(*fen),
    };
    let draws: Vec<_> = draws.iter().map(draw).collect();
    OperationBody::SpendOffline(SpendOffline {
        member: MemberId(id(ZHANG)),
        amount: draws.iter().map(|draw| draw.amount).sum(),
        draws,
        approval: None,
    })
}

/// A terminal that knows the member and the leases 1 and 2, of 300 and 200 fen, as held.
fn shelf() -> Shelf {
    let shelf = Shelf::new();
    let rows = vec![
        row(2, LeaseStateDto::Held, 200),
        row(1, LeaseStateDto::Held, 300),
        FeedChange::Member(member(ZHANG, "张伟", "13800000001")),
        FeedChange::Account(account(ZHANG, 1_000, NOW)),
    ];
    let page = snapshot(1, 5, rows, None);
    shelf.store.apply_snapshot(None, &page).unwrap();
    shelf
}

fn due(shelf: &Shelf) -> Vec<LeaseDue> {
    let since = NOW - Millis::days(90);
    shelf.store.leases_due(StoreId(id(2)), since, 64).unwrap()
}

fn take(shelf: &Shelf, asked: &[LeaseDue], leases: &[GrantedLease]) {
    shelf.store.take_leases(asked, leases).unwrap();
}

/// Number and fen of each lease that may be drawn on.
fn spendable(shelf: &Shelf) -> Vec<(u128, i64)> {
    let leases = shelf.store.spendable_leases(MemberId(id(ZHANG))).unwrap();
    let leases = leases.iter();
    leases
        .map(|lease| (lease.id.0.as_u128(), lease.left.fen()))
        .collect()
}

fn ended(shelf: &Shelf) -> Vec<(u128, i64)> {
    let leases = shelf.store.ended_leases().unwrap();
    let leases = leases.iter();
    leases
        .map(|lease| (lease.id.0.as_u128(), lease.left.fen()))
        .collect()
}

#[test]
fn a_lease_gives_what_it_has_and_not_a_fen_more() {
    let mut shelf = shelf();
    let asked = due(&shelf);
    let both = [granted(1, 300, 300), granted(2, 200, 200)];
    take(&shelf, &asked, &both);
    assert_eq!(spendable(&shelf), [(1, 300), (2, 200)]);
    append(&shelf.store, 1, spend(&[(1, 120)]));
    assert_eq!(spendable(&shelf), [(1, 180), (2, 200)]);
    shelf = shelf.reopened();
    // Told again, by a server that has not heard of the payment.
    take(&shelf, &asked, &both);
    take(&shelf, &asked, &both);
    assert_eq!(spendable(&shelf), [(1, 180), (2, 200)]);
    append(&shelf.store, 2, spend(&[(1, 180), (2, 50)]));
    assert_eq!(spendable(&shelf), [(2, 150)]);
    let head = shelf.store.log_head().unwrap();
    for draws in [&[(2, 151)][..], &[(1, 1)], &[(3, 1)], &[(2, 10), (1, 1)]] {
        let refused = try_append(&shelf.store, 3, spend(draws), Vec::new());
        assert!(
            matches!(
                refused,
                Err(CommitError::Store(StoreError::LeaseShort { .. }))
            ),
            "{draws:?}: {refused:?}"
        );
        assert_eq!(spendable(&shelf), [(2, 150)], "{draws:?}");
        assert_eq!(shelf.store.log_head().unwrap(), head, "{draws:?}");
    }
    append(&shelf.store, 4, spend(&[(2, 150)]));
    assert_eq!(spendable(&shelf), []);
}

#[test]
fn an_intent_that_is_written_again_draws_once() {
    let shelf = shelf();
    take(&shelf, &due(&shelf), &[granted(1, 300, 300)]);
    append(&shelf.store, 1, spend(&[(1, 200)]));
    assert_eq!(spendable(&shelf), [(1, 100)]);
    // Another record, whose action is the same.
    append(&shelf.store, 1 << 64 | 1, spend(&[(1, 200)]));
    let records = shelf.store.operations_after(0, 9).unwrap();
    assert_eq!(records[0].action_id, records[1].action_id);
    assert_eq!(spendable(&shelf), [(1, 100)]);
}

#[test]
fn what_a_later_copy_of_the_disk_spent_counts() {
    let shelf = shelf();
    take(&shelf, &due(&shelf), &[granted(1, 300, 300)]);
    append(&shelf.store, 1, spend(&[(1, 20)]));
    take(&shelf, &due(&shelf), &[granted(1, 300, 300)]);
    assert_eq!(due(&shelf), [], "nothing moved since they were asked for");
    let moved = FeedChange::Account(account(ZHANG, 900, NOW));
    let feed = page(1, vec![entry(6, 77, vec![moved])]);
    shelf.store.apply_feed(&feed).unwrap();
    take(&shelf, &due(&shelf), &[granted(1, 300, 110)]);
    assert_eq!(spendable(&shelf), [(1, 110)]);
}

#[test]
fn a_lease_that_is_told_no_more_is_given_back_and_stays_so() {
    let mut shelf = shelf();
    let asked = due(&shelf);
    take(
        &shelf,
        &asked,
        &[granted(1, 300, 300), granted(2, 200, 200)],
    );
    append(&shelf.store, 1, spend(&[(1, 300), (2, 30)]));
    take(&shelf, &asked, &[]);
    // Of the first one nothing is left to give back.
    assert_eq!((spendable(&shelf), ended(&shelf)), (vec![], vec![(2, 170)]));
    shelf = shelf.reopened();
    assert_eq!(ended(&shelf), [(2, 170)]);
    let refused = try_append(&shelf.store, 2, spend(&[(2, 1)]), Vec::new());
    assert!(refused.is_err(), "{refused:?}");
    let named = NamedLease {
        lease: LeaseId(id(2)),
        member: MemberId(id(ZHANG)),
    };
    append(&shelf.store, 3, OperationBody::LeaseRelease(named));
    assert_eq!(ended(&shelf), []);
    // An answer from before comes late.
    take(&shelf, &asked, &[granted(2, 200, 200)]);
    assert_eq!((spendable(&shelf), ended(&shelf)), (vec![], vec![]));
}

#[test]
fn a_lease_is_drawn_on_while_the_replica_shows_it_held() {
    let shelf = shelf();
    let asked = due(&shelf);
    let three = [granted(1, 300, 300), granted(2, 200, 200), granted(3, 9, 9)];
    take(&shelf, &asked, &three);
    // The third is granted at a place that the cursor has not come to.
    assert_eq!(spendable(&shelf), [(1, 300), (2, 200)]);
    let feed = page(
        1,
        vec![entry(
            6,
            77,
            vec![
                row(1, LeaseStateDto::Lost, 300),
                row(2, LeaseStateDto::Spent, 0),
                row(3, LeaseStateDto::Held, 9),
            ],
        )],
    );
    shelf.store.apply_feed(&feed).unwrap();
    assert_eq!(spendable(&shelf), [(3, 9)]);
    let shown = shelf.store.leases_of(MemberId(id(ZHANG))).unwrap();
    let shown: Vec<_> = shown.iter().map(|lease| lease.id.0.as_u128()).collect();
    assert_eq!(shown, [1, 3], "a spent one is not kept");
    // A whole snapshot that says nothing of one says that it is over.
    let rows = vec![row(3, LeaseStateDto::Held, 9)];
    let later = snapshot(1, 8, rows, None);
    shelf.store.apply_snapshot(None, &later).unwrap();
    let shown = shelf.store.leases_of(MemberId(id(ZHANG))).unwrap();
    assert_eq!(shown.len(), 1);
}

/// What a payment on the risk floor counts beside it: the member's day, what the replica does not show
/// yet, and what the server told of overdrafts.
#[test]
fn what_was_taken_beyond_leases_counts_until_it_is_shown() {
    let mut shelf = shelf();
    let beyond = |member: u128, fen: i64| {
        OperationBody::SpendOffline(SpendOffline {
            member: MemberId(id(member)),
            amount: Money::from_fen(fen),
            draws: Vec::new(),
            approval: None,
        })
    };
    append(&shelf.store, 1, beyond(ZHANG, 500));
    append(&shelf.store, 2, beyond(0xb, 300));
    // The first intent once more.
    append(&shelf.store, 1 << 64 | 1, beyond(ZHANG, 500));
    shelf = shelf.reopened();
    let used = |member: u128| {
        let next = SpentBeyond {
            action: ActionId(id(9)),
            device: DEVICE,
            member: MemberId(id(member)),
            at: NOW + Millis::minutes(1),
            heard_at: Some(NOW),
            amount: Money::from_fen(1),
            is_open: false,
        };
        let used = shelf.store.floor_use(&next, 0).unwrap();
        let sums = [used.member_day, used.device].map(Money::fen);
        (sums, used.count, used.is_cut)
    };
    assert_eq!(used(ZHANG), ([500, 800], 2, false));
    assert_eq!(used(0xc), ([0, 800], 2, false));
    let sent = shelf.store.operations_after(0, 9).unwrap();
    let answer = |op_id: u128, server_seq, outcome| Answer {
        op_id: id(op_id),
        server_seq,
        outcome,
    };
    let answers = [
        answer(1, Some(6), OutcomeDto::Applied),
        answer(2, Some(7), OutcomeDto::Applied),
        answer(1 << 64 | 1, None, OutcomeDto::Exists),
    ];
    let hash = sent[2].signed.hash();
    shelf.store.apply_answers(1, 3, &hash, &answers).unwrap();
    assert_eq!(used(ZHANG), ([500, 800], 2, false));
    // The server says that the first one overdrew the member; the second is still to be shown.
    let owes = FeedChange::Account(AccountDto {
        debt_fen: 1,
        ..account(ZHANG, 0, NOW)
    });
    let case = FeedChange::Case(CaseDto {
        id: id(0xca5e),
        kind: CaseKindDto::Overdrawn,
        order: None,
        attempt: None,
        member: Some(id(ZHANG)),
        device: Some(DEVICE.0),
        amount_fen: 0,
        opened_at_ms: NOW.ms(),
    });
    let feed = page(1, vec![entry(6, 77, vec![owes, case])]);
    shelf.store.apply_feed(&feed).unwrap();
    assert_eq!(used(0xc), ([0, 300], 1, true), "the terminal is cut");
    let feed = page(1, vec![entry(7, 78, Vec::new())]);
    shelf.store.apply_feed(&feed).unwrap();
    assert_eq!(used(0xc), ([0, 0], 0, false), "everything is shown");
    assert_eq!(used(ZHANG), ([500, 0], 0, true), "who owes is cut");
}
