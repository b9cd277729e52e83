//! What the engine does in each situation.

use qiantai_core::clock::Millis;
use qiantai_core::operation::Cursor;
use qiantai_sync::engine::{
    Action, Failure, Input, LocalPosition, PollIntervals, Pulled, StopReason, SyncEngine,
    SyncStatus,
};
use qiantai_wire::api::{Event, FeedEvent};

use crate::world::{Mood, START, World};

const SECOND: Millis = Millis::seconds(1);
const MINUTE: Millis = Millis::minutes(1);

fn is_push(action: &Action) -> bool {
    matches!(action, Action::Push { .. })
}

fn is_pull(action: &Action) -> bool {
    matches!(action, Action::Pull { .. })
}

#[test]
fn a_new_terminal_learns_everything_first() {
    let mut world = World::with(LocalPosition::default());
    world.run(SECOND);
    let calls = world.calls_since(START);
    let snapshots = calls
        .iter()
        .filter(|call| matches!(call, Action::Snapshot { .. }))
        .count();
    assert_eq!(snapshots, 3);
    assert!(matches!(calls[0], Action::Snapshot { after: None }));
    assert!(calls.contains(&Action::OpenEvents));
    let progress = SyncStatus::Syncing {
        done: 2_000,
        total: 3_000,
    };
    assert!(world.statuses.contains(&progress), "{:?}", world.statuses);
    assert!(matches!(world.statuses[0], SyncStatus::Offline { .. }));
    world.assert_all_posted_once();
}

#[test]
fn an_interrupted_snapshot_goes_on_where_it_stopped() {
    let mut world = World::with(LocalPosition {
        snapshot_next: Some(uuid::Uuid::from_u128(1)),
        ..LocalPosition::default()
    });
    world.run(SECOND);
    assert!(matches!(
        world.calls[0].1,
        Action::Snapshot { after: Some(_) }
    ));
    assert_eq!(world.status(), SyncStatus::Synced);
}

#[test]
fn a_snapshot_out_of_step_begins_again() {
    let mut world = World::with(LocalPosition {
        snapshot_next: Some(uuid::Uuid::from_u128(1)),
        ..LocalPosition::default()
    });
    world.server.mood = Mood::Refuses(Failure::OutOfStep);
    world.run(Millis(1));
    world.server.mood = Mood::Answers;
    world.run(MINUTE);
    assert_eq!(world.calls[1].1, Action::Snapshot { after: None });
    assert_eq!(world.status(), SyncStatus::Synced);
}

#[test]
fn what_is_written_goes_up_at_once_and_comes_back() {
    let mut world = World::known();
    world.run(SECOND);
    world.write(1);
    let before = world.now;
    world.run(Millis(1));
    let calls = world.calls_since(before);
    assert!(is_push(&calls[0]) && is_pull(&calls[1]), "{calls:?}");
    assert_eq!(calls.len(), 2);
    world.assert_all_posted_once();
}

#[test]
fn a_lost_answer_means_the_same_operations_again() {
    let mut world = World::known();
    world.run(SECOND);
    world.server.mood = Mood::LosesAnswers;
    world.write(3);
    world.run(Millis(10));
    assert_eq!(world.server.has, 3, "the server took them");
    assert!(matches!(
        world.status(),
        SyncStatus::Offline { pending: 3, .. }
    ));
    world.server.mood = Mood::Answers;
    let before = world.now;
    world.run(Millis::seconds(2));
    let again = Action::Push {
        from_seq: 1,
        limit: 256,
    };
    assert_eq!(world.calls_since(before)[0], again);
    world.assert_all_posted_once();
}

#[test]
fn a_night_without_the_server_ends_by_itself() {
    let mut world = World::known();
    world.run(SECOND);
    world.server.mood = Mood::Down;
    world.break_events();
    let down = world.now;
    for _ in 0..70 {
        world.write(10);
        world.run(Millis::minutes(5));
    }
    assert_eq!(world.server.has, 0);
    let SyncStatus::Offline {
        since,
        pending,
        oldest,
    } = world.status()
    else {
        panic!("{:?}", world.status());
    };
    assert_eq!((pending, oldest), (700, Some(down)));
    assert!(since >= down && since < down + SECOND);

    let tries = world.calls_since(down).len();
    let minutes = 70 * 5;
    assert!(
        (minutes - 10..minutes * 4).contains(&tries),
        "{tries} tries in {minutes} minutes"
    );

    world.server.mood = Mood::Answers;
    world.server.events = true;
    let back = world.now;
    world.run(Millis::minutes(2));
    world.assert_all_posted_once();
    let calls = world.calls_since(back);
    assert_eq!(
        calls.iter().filter(|call| is_push(call)).count(),
        3,
        "256 each"
    );
    assert!(calls.contains(&Action::OpenEvents));
    let progress = SyncStatus::Syncing {
        done: 256,
        total: 700,
    };
    assert!(world.statuses.contains(&progress), "{:?}", world.statuses);
}

#[test]
fn tries_are_spread_and_never_more_than_a_minute_apart() {
    let mut world = World::known();
    world.server.mood = Mood::Down;
    world.run(Millis::minutes(30));
    let gaps: Vec<i64> = world
        .calls
        .windows(2)
        .map(|pair| (pair[1].0 - pair[0].0).0)
        .collect();
    assert!(gaps[0] >= 500 && gaps[0] <= 1_000, "{gaps:?}");
    assert!(
        gaps.iter().all(|&gap| (500..=60_000).contains(&gap)),
        "{gaps:?}"
    );
    assert!(gaps[7..].iter().all(|&gap| gap >= 30_000), "{gaps:?}");
    let mut late = gaps[7..].to_vec();
    late.sort_unstable();
    late.dedup();
    assert!(late.len() > 5, "no jitter: {gaps:?}");
}

#[test]
fn selling_offline_tries_at_most_each_second() {
    let mut world = World::known();
    world.server.mood = Mood::Down;
    world.run(Millis::minutes(10));
    let start = world.now;
    for _ in 0..100 {
        world.write(1);
        world.run(Millis(100));
    }
    let tries = world.calls_since(start).len();
    assert!((8..=11).contains(&tries), "{tries} tries in 10 s");
}

#[test]
fn a_person_can_ask_to_try_now() {
    let mut world = World::known();
    world.server.mood = Mood::Down;
    world.run(Millis::minutes(10));
    world.server.mood = Mood::Answers;
    world.tell(Input::Hurry);
    world.run(Millis::seconds(1));
    assert_eq!(world.status(), SyncStatus::Synced);
}

#[test]
fn a_gap_is_filled_from_where_the_server_says() {
    let mut world = World::with(LocalPosition {
        last_seq: 40,
        acked_seq: 30,
        cursor: Some(Cursor {
            timeline: 1,
            server_seq: 10,
        }),
        ..LocalPosition::default()
    });
    world.server.has = 12;
    world.server.posted = (1..=12).map(|seq| (seq, 1)).collect();
    world.run(SECOND);
    let pushes: Vec<_> = world
        .calls
        .iter()
        .map(|(_, call)| call.clone())
        .filter(is_push)
        .collect();
    let push = |from_seq| Action::Push {
        from_seq,
        limit: 256,
    };
    assert_eq!(pushes, [push(31), push(13)]);
    world.assert_all_posted_once();
}

#[test]
fn a_long_gap_takes_several_pushes() {
    let mut world = World::with(LocalPosition {
        last_seq: 1_000,
        acked_seq: 999,
        cursor: Some(Cursor {
            timeline: 1,
            server_seq: 10,
        }),
        ..LocalPosition::default()
    });
    world.server.has = 0;
    world.server.posted.clear();
    world.run(Millis::seconds(5));
    world.assert_all_posted_once();
}

#[test]
fn a_server_from_a_backup_gets_back_what_it_lacks() {
    let mut world = World::known();
    world.write(500);
    world.run(Millis::seconds(2));
    world.assert_all_posted_once();
    world.server.timeline = 2;
    world.server.has = 300;
    world.server.posted.retain(|&seq, _| seq <= 300);
    world.server.head = 310;
    world.write(1);
    world.run(Millis::seconds(10));
    world.assert_all_posted_once();
    assert_eq!(world.local.cursor.unwrap().timeline, 2);
}

#[test]
fn a_fork_stops_pushing_and_keeps_everything() {
    let mut world = World::known();
    world.run(SECOND);
    world.server.mood = Mood::Forked;
    world.write(5);
    world.run(SECOND);
    let stopped = |status| {
        matches!(
            status,
            SyncStatus::Stopped {
                reason: StopReason::Forked,
                pending: 5,
                oldest: Some(_)
            }
        )
    };
    assert!(stopped(world.status()), "{:?}", world.status());
    let start = world.now;
    world.elsewhere(3);
    world.run(Millis::minutes(10));
    assert!(stopped(world.status()), "{:?}", world.status());
    let calls = world.calls_since(start);
    assert!(calls.iter().filter(|call| is_push(call)).count() <= 10);
    assert!(calls.iter().any(is_pull), "reading goes on");
    assert_eq!(world.local.cursor.unwrap().server_seq, world.server.head);
    world.server.mood = Mood::Answers;
    world.run(Millis::minutes(2));
    world.assert_all_posted_once();
}

#[test]
fn a_disk_rolled_back_is_a_fork() {
    let mut world = World::known();
    world.server.has = 9;
    world.write(2);
    world.run(SECOND);
    let status = world.status();
    assert!(
        matches!(
            status,
            SyncStatus::Stopped {
                reason: StopReason::Forked,
                ..
            }
        ),
        "{status:?}"
    );
}

#[test]
fn refusals_stop_it_until_somebody_acted() {
    for reason in [
        StopReason::Unauthorised,
        StopReason::Revoked,
        StopReason::UpgradeNeeded,
        StopReason::Rejected { code: 9_999 },
        StopReason::LocalLog,
    ] {
        let mut world = World::known();
        world.write(2);
        world.server.mood = Mood::Refuses(Failure::Stop(reason));
        world.run(Millis::minutes(10));
        let SyncStatus::Stopped {
            reason: shown,
            pending,
            ..
        } = world.status()
        else {
            panic!("{:?}", world.status());
        };
        assert_eq!((shown, pending), (reason, 2));
        assert!(
            world.calls.len() <= 12,
            "{reason:?}: {} calls",
            world.calls.len()
        );
        world.server.mood = Mood::Answers;
        world.run(Millis::minutes(2));
        world.assert_all_posted_once();
    }
}

#[test]
fn without_events_the_feed_is_polled() {
    let mut world = World::known();
    world.run(SECOND);
    let pulls = |world: &World, since| {
        world
            .calls_since(since)
            .iter()
            .filter(|c| is_pull(c))
            .count()
    };

    let live = world.now;
    world.run(Millis::minutes(10));
    assert!(
        (9..=10).contains(&pulls(&world, live)),
        "{}",
        pulls(&world, live)
    );

    world.break_events();
    let idle = world.now;
    world.run(Millis::minutes(10));
    assert!(
        (38..=41).contains(&pulls(&world, idle)),
        "{}",
        pulls(&world, idle)
    );
    let opened = world
        .calls_since(idle)
        .iter()
        .filter(|c| **c == Action::OpenEvents)
        .count();
    assert!((10..=30).contains(&opened), "{opened} tries to open");
    assert_eq!(world.status(), SyncStatus::Synced);

    world.tell(Input::Paying(true));
    let paying = world.now;
    world.run(MINUTE);
    assert!(
        (28..=31).contains(&pulls(&world, paying)),
        "{}",
        pulls(&world, paying)
    );

    world.tell(Input::Paying(false));
    let idle = world.now;
    world.run(MINUTE);
    assert!(
        (3..=5).contains(&pulls(&world, idle)),
        "{}",
        pulls(&world, idle)
    );

    world.server.events = true;
    world.run(Millis::minutes(2));
    let live = world.now;
    world.elsewhere(1);
    world.run(Millis(1));
    assert_eq!(pulls(&world, live), 1, "an event is read at once");
    assert_eq!(world.local.cursor.unwrap().server_seq, world.server.head);
}

/// Nothing is pending, no payment is open: the end of the live events is the only sign.
#[test]
fn a_cut_is_told_by_the_call_after_the_events_ended() {
    let cases = [
        ("nobody listens", false, Millis(0)),
        ("nobody answers", true, Millis(1_500)),
    ];
    for (name, mute, within) in cases {
        let mut world = World::known();
        world.run(SECOND);
        assert_eq!(world.status(), SyncStatus::Synced, "{name}");
        world.server.mood = Mood::Down;
        world.mute = mute;
        world.break_events();
        let at = world.now;
        world.run(within);
        assert!(
            matches!(world.status(), SyncStatus::Offline { since, .. } if since == at + within),
            "{name}: {:?}",
            world.status()
        );
    }
}

/// A server whose beat is slower than the silence, or a proxy that holds the beat back.
#[test]
fn events_that_end_again_and_again_are_opened_ever_more_seldom() {
    let cases = [
        (Millis(2_500), 30..61),
        (Millis::seconds(30), 30..61),
        (Millis(30_001), 0..2),
    ];
    for (lasting, pauses) in cases {
        let mut world = World::known();
        world.server.events_last = Some(lasting);
        world.run(SECOND);
        let seen = world.statuses.len();
        world.run(Millis::minutes(30));
        let opened: Vec<_> = world
            .calls
            .iter()
            .filter(|(_, call)| *call == Action::OpenEvents)
            .map(|(at, _)| *at)
            .collect();
        let waits: Vec<_> = opened
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).0 - lasting.0)
            .collect();
        assert!((500..=1_000).contains(&waits[0]), "{lasting:?}: {waits:?}");
        assert!(
            waits[7..]
                .iter()
                .all(|wait| pauses.contains(&(wait / 1_000))),
            "{lasting:?}: {waits:?}"
        );
        assert_eq!(world.statuses[seen..], [], "the pill does not flicker");
        world.elsewhere(1);
        world.run(Millis::seconds(15));
        assert_eq!(world.local.cursor.unwrap().server_seq, world.server.head);
    }
}

#[test]
fn a_refusal_stays_one_when_the_events_end_after_it() {
    let mut world = World::known();
    world.run(SECOND);
    let revoked = Failure::Stop(StopReason::Revoked);
    world.server.mood = Mood::Refuses(revoked);
    world.write(1);
    world.run(SECOND);
    let stopped = world.status();
    assert!(matches!(stopped, SyncStatus::Stopped { .. }), "{stopped:?}");
    let at = world.now;
    world.break_events();
    world.run(Millis::seconds(30));
    assert_eq!(world.calls_since(at).len(), 1, "it is asked once");
    assert_eq!(world.status(), stopped);
}

#[test]
fn a_server_that_only_closes_the_events_is_not_lost() {
    let mut world = World::known();
    world.run(SECOND);
    let seen = world.statuses.len();
    let at = world.now;
    world.break_events();
    world.run(Millis(1));
    assert_eq!(
        world.calls_since(at).iter().filter(|c| is_pull(c)).count(),
        1
    );
    world.run(MINUTE);
    assert_eq!(world.statuses[seen..], [], "the pill does not flicker");
}

#[test]
fn an_answer_that_comes_late_ends_the_doubt() {
    let mut world = World::known();
    world.run(SECOND);
    world.mute = true;
    world.break_events();
    world.run(MINUTE);
    assert!(matches!(world.status(), SyncStatus::Offline { .. }));
    world.mute = false;
    let pulled = Pulled {
        local: world.local,
        head: world.server.head,
    };
    world.tell(Input::Pulled(Ok(pulled)));
    world.run(Millis(1));
    assert_eq!(world.status(), SyncStatus::Synced);
}

#[test]
fn a_page_without_news_is_no_endless_loop() {
    let mut world = World::known();
    world.run(SECOND);
    world.server.mood = Mood::Stuck;
    world.elsewhere(5);
    let start = world.now;
    world.run(Millis::minutes(10));
    assert!(
        world.calls_since(start).len() < 40,
        "{} calls",
        world.calls_since(start).len()
    );
}

#[test]
fn a_clock_set_back_by_a_day_stops_nothing() {
    let mut world = World::known();
    world.server.mood = Mood::Down;
    world.run(Millis::minutes(10));
    world.server.mood = Mood::Answers;
    let early = START - Millis::days(1);
    let actions = world.engine.handle(Input::Tick, early, 1);
    assert!(actions.iter().any(is_pull), "{actions:?}");
    let soon = |action: &Action| matches!(action, Action::WaitUntil(at) if *at <= early + MINUTE);
    assert!(actions.iter().any(soon), "{actions:?}");
}

#[test]
fn news_that_comes_while_a_page_is_on_its_way_is_read_next() {
    let at = |server_seq| LocalPosition {
        cursor: Some(Cursor {
            timeline: 1,
            server_seq,
        }),
        ..LocalPosition::default()
    };
    let mut engine = SyncEngine::new(at(10), PollIntervals::default(), START);
    assert!(engine.handle(Input::Tick, START, 0).iter().any(is_pull));
    let news = Input::Event(Event::Feed(FeedEvent { head: 12 }));
    assert!(
        !engine.handle(news, START, 0).iter().any(is_pull),
        "one call at a time"
    );
    let page = Pulled {
        local: at(11),
        head: 11,
    };
    let next = engine.handle(Input::Pulled(Ok(page)), START, 0);
    assert!(next.iter().any(is_pull), "{next:?}");
}

/// The page was written to the log, and its position read, just before a sale was.
#[test]
fn a_sale_during_the_last_step_of_a_page_goes_up_next() {
    let at = |server_seq, last_seq| LocalPosition {
        last_seq,
        oldest_pending: (last_seq > 0).then_some(START),
        cursor: Some(Cursor {
            timeline: 1,
            server_seq,
        }),
        ..LocalPosition::default()
    };
    let mut engine = SyncEngine::new(at(10, 0), PollIntervals::default(), START);
    assert!(engine.handle(Input::Tick, START, 0).iter().any(is_pull));
    let sale = engine.handle(Input::Nudged(at(10, 2)), START, 0);
    assert!(!sale.iter().any(is_push), "one call at a time");
    let page = Pulled {
        local: at(11, 0),
        head: 11,
    };
    let next = engine.handle(Input::Pulled(Ok(page)), START, 0);
    assert!(next.iter().any(is_push), "{next:?}");
}
