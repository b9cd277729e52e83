//! Walking the books from the first operation to the last: signatures, chains, postings, what
//! terminals are told, and every balance with what explains it. Says which row is the first that
//! does not hold.
//!
//! Reads only, and may run beside a server that writes.

mod audit;
mod chain;
mod members;
mod replayed;

use qiantai_core::ids::TenantId;

use crate::audit::AuditHead;
use crate::db::{Archive, Head, LedgerError, Tenant};
use chain::Walk;
pub use replayed::replayed;

/// Rows of the log read at one time, and members.
const PAGE: u32 = 256;

/// Books that hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whose.
    pub name: String,
    /// End of the log that was walked.
    pub head: Head,
    /// Legs posted.
    pub postings: u64,
    /// Members whose balance was explained.
    pub members: u64,
    /// End of the audit log that was walked.
    pub audit: AuditHead,
}

/// Why books were not found to hold.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A row does not hold.
    #[error(transparent)]
    Bad(#[from] BadRow),
    /// The books could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A server writes them faster than they can be decided again.
    #[error(
        "a server is writing these books faster than they can be decided again: {0} operations were, \
         and what they come to could not be compared; try again in a quiet hour, stop the server, or verify \
         a restored backup"
    )]
    Moving(u64),
}

/// The first row that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{row}: {what}")]
pub struct BadRow {
    /// Which row, such as `operation 17`.
    pub row: String,
    /// What is wrong with it.
    pub what: String,
}

impl BadRow {
    pub(crate) fn new(row: impl Into<String>, what: impl Into<String>) -> BadRow {
        BadRow {
            row: row.into(),
            what: what.into(),
        }
    }
}

/// Verifies the books of one tenant.
///
/// # Errors
/// See [`VerifyError`].
pub fn verify(ledger: &dyn Archive, tenant: &Tenant) -> Result<Verified, VerifyError> {
    let mut walk = Walk::from_start(tenant);
    let standing = ledger.standing(tenant.id)?;
    if let Some(table) = standing.beyond {
        let what = format!("has rows beyond operation {}", standing.head.server_seq);
        return Err(BadRow::new(format!("table {table}"), what).into());
    }
    walk.forward(ledger, standing.head)?;
    walk.compare_devices(ledger)?;
    let members = members::verify(ledger, tenant.id, &mut walk)?;
    members::verify_drawers(ledger, tenant.id, &mut walk)?;
    let audit = audit::verify(ledger, tenant.id)?;
    Ok(Verified {
        name: tenant.name.clone(),
        head: walk.head(),
        postings: walk.posted.legs,
        members,
        audit,
    })
}

/// What a page says, or which row of it cannot be read.
fn page_of<T>(
    limit: u32,
    read: impl Fn(u32) -> Result<T, LedgerError>,
    first_row: impl FnOnce() -> String,
) -> Result<T, PageError> {
    match read(limit) {
        Err(LedgerError::Corrupt(what)) if limit == 1 => {
            Err(PageError::Bad(BadRow::new(first_row(), what)))
        }
        Err(LedgerError::Corrupt(_)) => Err(PageError::ReadOneByOne),
        Err(error) => Err(PageError::Ledger(error)),
        Ok(page) => Ok(page),
    }
}

/// Why a page was not read.
enum PageError {
    /// Its first row is the bad one.
    Bad(BadRow),
    /// A row of it is bad; one at a time finds out which.
    ReadOneByOne,
    /// The books cannot be read.
    Ledger(LedgerError),
}

/// The tenants of a ledger, or why they cannot be read.
///
/// # Errors
/// See [`VerifyError`].
pub fn tenants(ledger: &dyn Archive) -> Result<Vec<Tenant>, VerifyError> {
    match ledger.tenants() {
        Err(LedgerError::Corrupt(what)) => Err(BadRow::new("table tenant", what).into()),
        other => Ok(other?),
    }
}

fn named(tenant: TenantId, table: &str) -> String {
    format!("{table} of tenant {tenant}")
}
