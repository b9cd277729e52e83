//! A few days of a few seeds, twice.

use qiantai_sim::{Plan, run};

#[test]
fn seeds_run_without_violation_and_replay_exactly() {
    for (seed, days, terminals) in [(1, 3, 2), (4, 2, 2), (3, 2, 3)] {
        let plan = Plan::of_seed(seed, days, terminals);
        let report = run(&plan).unwrap();
        assert_eq!(report.violation, None, "seed {seed}");
        assert!(report.deeds > 0 && !report.faults.is_empty(), "{report:?}");
        assert_eq!(run(&plan).unwrap(), report, "seed {seed} does not replay");
    }
}
