//! Random histories: whatever goes wrong, everything arrives once in the end.

use proptest::prelude::*;
use qiantai_core::clock::Millis;
use qiantai_sync::engine::{Failure, LocalPosition, StopReason};

use crate::world::{Mood, World};

#[derive(Clone, Debug)]
enum Step {
    Write(u64),
    Elsewhere(u64),
    Mood(Mood),
    Events(bool),
    Restore { lost: u64 },
    Pass(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1..400_u64).prop_map(Step::Write),
        (1..900_u64).prop_map(Step::Elsewhere),
        prop_oneof![
            Just(Mood::Answers),
            Just(Mood::Down),
            Just(Mood::LosesAnswers),
            Just(Mood::Stuck),
            Just(Mood::Refuses(Failure::Stop(StopReason::Revoked))),
            Just(Mood::Refuses(Failure::OutOfStep)),
            Just(Mood::Refuses(Failure::TimelineChanged)),
        ]
        .prop_map(Step::Mood),
        any::<bool>().prop_map(Step::Events),
        (1..300_u64).prop_map(|lost| Step::Restore { lost }),
        (1..200_000_i64).prop_map(Step::Pass),
    ]
}

fn carry_out(world: &mut World, step: Step) {
    match step {
        Step::Write(count) => world.write(count),
        Step::Elsewhere(entries) => world.elsewhere(entries),
        Step::Mood(mood) => world.server.mood = mood,
        Step::Events(true) => world.server.events = true,
        Step::Events(false) => world.break_events(),
        Step::Restore { lost } => {
            world.break_events();
            let server = &mut world.server;
            server.timeline += 1;
            server.has = server.has.saturating_sub(lost);
            let has = server.has;
            server.posted.retain(|&seq, _| seq <= has);
            server.head = server.head.saturating_sub(lost).max(has);
        }
        Step::Pass(ms) => {
            let before = world.calls.len();
            world.run(Millis(ms));
            let calls = i64::try_from(world.calls.len() - before).unwrap();
            // A call for each 256 operations or 500 entries, and tries a moment apart.
            assert!(calls < 60 + ms / 250, "{calls} calls in {ms} ms");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn everything_arrives_once(
        known in any::<bool>(),
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let mut world =
            if known { World::known() } else { World::with(LocalPosition::default()) };
        for step in steps {
            carry_out(&mut world, step);
        }
        world.server.mood = Mood::Answers;
        world.server.events = true;
        world.run(Millis::minutes(5));
        world.assert_all_posted_once();
    }
}
