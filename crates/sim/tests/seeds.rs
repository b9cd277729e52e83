//! A few days of a few seeds, twice.

use qiantai_sim::{Plan, run};

#[test]
fn seeds_run_without_violation_and_replay_exactly() {
    for (seed, days, terminals) in [(1, 3, 2), (4, 2, 2), (3, 2, 3), (5, 2, 2)] {
        let plan = Plan::of_seed(seed, days, terminals);
        let report = run(&plan).unwrap();
        assert_eq!(report.violation, None, "seed {seed}");
        assert!(report.deeds > 0 && !report.faults.is_empty(), "{report:?}");
        let is_restored = report.faults.contains_key("restored backup");
        assert_eq!(is_restored, seed == 5, "seed {seed}");
        assert_eq!(run(&plan).unwrap(), report, "seed {seed} does not replay");
    }
}
