//! What a database does for the ledger: it answers questions and takes steps.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use qiantai_core::ids::TenantId;
use qiantai_core::policy::Policy;

use super::record::{Record, Value};
use super::table::{Question, Step};
use super::{DatabaseReport, LedgerError};

/// A database that holds a ledger. Every call blocks: callers on an async runtime use its
/// blocking threads.
pub trait Database: Send + Sync {
    /// Answers every question as of one moment; one list of rows for each, in order.
    fn ask(&self, questions: Vec<Question>) -> Result<Vec<Vec<Record>>, LedgerError>;

    /// The same for the writer, which alone changes what it asks about.
    fn ask_for_writing(&self, questions: Vec<Question>) -> Result<Vec<Vec<Record>>, LedgerError> {
        self.ask(questions)
    }

    /// Shows every row of the answers as of one moment, without holding them all: which question
    /// it answers, and its values.
    fn scan(
        &self,
        questions: Vec<Question>,
        visit: &mut dyn FnMut(usize, &[Value]),
    ) -> Result<(), LedgerError>;

    /// Takes the steps in one transaction: all of them or none.
    fn change(&self, tenant: TenantId, by: By, steps: Vec<Step>) -> Result<(), LedgerError>;

    /// Runs a statement that changes rows and returns them.
    fn change_and_return(&self, statement: Question) -> Result<Vec<Record>, LedgerError>;

    /// See [`super::Ledger::is_shared`]. What follows is for databases that are.
    fn is_shared(&self) -> bool {
        false
    }

    /// See [`super::Ledger::hold`].
    fn hold(&self, _tenant: TenantId) -> Result<(), LedgerError> {
        Ok(())
    }

    /// See [`super::Ledger::may_write`].
    fn may_write(&self, _tenant: TenantId) -> Result<(), LedgerError> {
        Ok(())
    }

    /// See [`super::Ledger::let_go`].
    fn let_go(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    /// See [`super::Archive::examine`].
    fn examine(&self) -> Result<DatabaseReport, LedgerError>;

    /// Rules that were read before.
    fn policies_read(&self) -> &PolicyShelf;
}

/// Whose change it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The writer's of the tenant; nobody else may make it.
    Writer,
    /// Any process's.
    Anyone,
}

/// Policies as read, by tenant: documents never change, and a batch needs them all.
#[derive(Default)]
pub struct PolicyShelf(Mutex<HashMap<TenantId, Vec<Arc<Policy>>>>);

impl PolicyShelf {
    /// What was read, if it is still all there is.
    pub(super) fn take(&self, tenant: TenantId, count: usize) -> Option<Vec<Arc<Policy>>> {
        let known = lock(&self.0);
        known
            .get(&tenant)
            .filter(|policies| policies.len() == count)
            .cloned()
    }

    /// Keeps what was read.
    pub(super) fn put(&self, tenant: TenantId, policies: Vec<Arc<Policy>>) {
        lock(&self.0).insert(tenant, policies);
    }
}

/// A panic while the lock was held left no half-done work behind: transactions roll back on
/// drop, and the other guarded values change in single steps.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
