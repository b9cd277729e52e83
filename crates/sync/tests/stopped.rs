//! A terminal that is not believed any more hands over what it has.

use qiantai_core::clock::Millis;
use qiantai_sync::engine::{Action, StopReason, SyncStatus};

use crate::world::{Mood, World};

const SECOND: Millis = Millis::seconds(1);

#[test]
fn what_a_stopped_terminal_has_arrives_whole() {
    let mut world = World::known();
    world.run(SECOND);
    world.server.mood = Mood::Keeps;
    world.write(1_000);
    world.run(SECOND);
    assert!(world.server.kept.iter().copied().eq(1..=1_000));
    let reason = StopReason::Forked;
    let status = world.status();
    assert!(
        matches!(status, SyncStatus::Stopped { reason: shown, pending: 1_000, .. } if shown == reason),
        "{status:?}"
    );
    // What it goes on to write arrives too, by itself.
    world.write(2);
    let start = world.now;
    world.run(Millis::minutes(2));
    assert!(world.server.kept.iter().copied().eq(1..=1_002));
    let is_push = |call: &&Action| matches!(call, Action::Push { .. });
    assert_eq!(world.calls_since(start).iter().filter(is_push).count(), 1);
    // And what a restored server lacks, again.
    world.server.kept.clear();
    world.run(Millis::minutes(70));
    assert!(world.server.kept.iter().copied().eq(1..=1_002));
    let pushes = world.calls_since(start);
    assert!(
        pushes
            .iter()
            .filter(|call| matches!(call, Action::Push { .. }))
            .count()
            <= 8
    );
}
