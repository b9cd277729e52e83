//! Who lets money be credited that waits for a person (docs: domain §5.2, adr 0040).

use crate::ids::StaffId;
use crate::policy::{Policy, Role};

/// Whoever may let it, seen from who took the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Releaser {
    /// Another person.
    Other,
    /// The same person, whom nobody in the store could stand in for. The books say so.
    Taker,
}

/// Why a person may not let it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoReleaser {
    /// No active manager of the store.
    #[error("no active manager of the store")]
    NoManager,
    /// Took the money, and another manager works in the store.
    #[error("took the money, and another manager works in the store")]
    TookIt,
}

impl Policy {
    /// Whether `person` may let money be credited that `taker` took and that waits. Nobody approves
    /// their own action as long as the store has a second manager; the only one may, or the money
    /// of a person who works alone would wait for ever.
    ///
    /// # Errors
    /// Why the person may not.
    pub fn releaser(&self, taker: StaffId, person: StaffId) -> Result<Releaser, NoReleaser> {
        if !self.is_manager(person) {
            return Err(NoReleaser::NoManager);
        }
        match (person == taker, self.only_manager() == Some(taker)) {
            (false, _) => Ok(Releaser::Other),
            (true, true) => Ok(Releaser::Taker),
            (true, false) => Err(NoReleaser::TookIt),
        }
    }

    /// Whether a person is an active manager of the store.
    pub fn is_manager(&self, person: StaffId) -> bool {
        self.managers().any(|manager| manager == person)
    }

    /// The only active manager of the store, where there is but one.
    pub fn only_manager(&self) -> Option<StaffId> {
        let mut managers = self.managers();
        let first = managers.next()?;
        managers.next().is_none().then_some(first)
    }

    fn managers(&self) -> impl Iterator<Item = StaffId> {
        let active = self.staff.iter().filter(|person| person.active);
        let managers = active.filter(|person| person.role == Role::Manager);
        managers.map(|person| person.id)
    }
}
