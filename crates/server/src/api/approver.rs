//! Who may do what a manager may.

use std::sync::Arc;

use qiantai_core::Timestamp;
use qiantai_core::decide;
use qiantai_core::ids::{StaffId, StoreId};
use qiantai_core::policy::Policy;
use qiantai_core::release::{NoReleaser, Releaser};

/// Whether a person is an active manager of the store by the rules in force (docs: domain §5.2).
/// That it is that person the terminal has checked; that it is the terminal, its signature of the call.
pub(super) fn is_manager(
    policies: Vec<Arc<Policy>>,
    store: StoreId,
    person: StaffId,
    now: Timestamp,
) -> bool {
    let state = of(policies);
    let rules = state.policy_of(store, now);
    rules.is_some_and(|policy| policy.is_manager(person))
}

/// Whether a person may let money be credited that `taker` took, by the rules in force.
pub(super) fn releaser(
    policies: Vec<Arc<Policy>>,
    store: StoreId,
    (taker, person): (StaffId, StaffId),
    now: Timestamp,
) -> Result<Releaser, NoReleaser> {
    let state = of(policies);
    let rules = state.policy_of(store, now);
    rules.map_or(Err(NoReleaser::NoManager), |policy| {
        policy.releaser(taker, person)
    })
}

fn of(policies: Vec<Arc<Policy>>) -> decide::State {
    decide::State {
        policies,
        ..decide::State::default()
    }
}
