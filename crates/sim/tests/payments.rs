//! A few shop days of payments, twice, and the table of their rates.

use qiantai_sim::{PaymentPlan, rate_table, run_payments};

#[test]
fn shop_days_of_payments_end_well_and_replay_exactly() {
    for seed in [1, 2] {
        let plan = PaymentPlan {
            seed,
            days: 1,
            visits: 10,
            bug: None,
        };
        let report = run_payments(&plan).unwrap();
        assert_eq!(report.violation, None, "seed {seed}");
        let ended: u64 = report.ends.values().sum();
        assert!(ended > 0 && ended == report.orders, "{report:?}");
        assert!(report.ends.contains_key("credited"), "{report:?}");
        let again = run_payments(&plan).unwrap();
        assert_eq!(again, report, "seed {seed} does not replay");
    }
}

/// A day in which WeChat Pay cannot bring a second payment back and nobody acts on it yet.
#[test]
fn a_refund_that_is_stuck_waits_in_an_open_case() {
    let plan = PaymentPlan {
        seed: 133,
        days: 1,
        visits: 10,
        bug: None,
    };
    let report = run_payments(&plan).unwrap();
    assert_eq!(report.violation, None);
    let waiting = report.ends.get("credited, surplus in an open case");
    assert_eq!(waiting, Some(&1), "{report:?}");
}

#[test]
fn the_rates_are_those_of_the_document() {
    let document = include_str!("../../../docs/simulation.md");
    assert!(document.contains(&rate_table()), "\n{}", rate_table());
}
