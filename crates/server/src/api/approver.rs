//! Who may do what a manager may.

use std::sync::Arc;

use qiantai_core::Timestamp;
use qiantai_core::decide;
use qiantai_core::ids::{StaffId, StoreId};
use qiantai_core::policy::{Policy, Role};

/// Whether a person is an active manager of the store by the rules in force (docs: domain §5.2).
/// That it is that person the terminal has checked.
pub(super) fn is_manager(
    mut policies: Vec<Arc<Policy>>,
    store: StoreId,
    person: StaffId,
    now: Timestamp,
) -> bool {
    policies.retain(|policy| policy.store.id == store);
    let state = decide::State {
        policies,
        ..decide::State::default()
    };
    let Some(policy) = state.policy_at(now) else {
        return false;
    };
    let mut staff = policy.staff.iter();
    staff.any(|one| one.id == person && one.active && one.role == Role::Manager)
}
