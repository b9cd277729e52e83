//! Bugs of the server that lose rows: see [`crate::bug`].

use qiantai_core::decide::Change;
use qiantai_server::db::Entry;

use crate::bug::Bug;

/// A kind of change.
pub type Test = fn(&Change) -> bool;

/// Bugs that lose a kind of change.
pub const LOSSES: &[(Bug, Test)] = &[
    (Bug::CashMovementLost, |change| {
        matches!(change, Change::Cash(_))
    }),
    (Bug::AccountNotWritten, |change| {
        matches!(change, Change::Account(_))
    }),
    (Bug::JournalLost, |change| {
        matches!(change, Change::Journal(_))
    }),
    (Bug::OrderNotWritten, |change| {
        matches!(change, Change::Order(_))
    }),
    (Bug::CouponLost, |change| {
        matches!(change, Change::Coupon(_))
    }),
];

/// Whether it is a posting.
pub fn is_posting(change: &&Change) -> bool {
    matches!(change, Change::Posting(_))
}

/// Whether an entry has any such.
pub fn has(entry: &Entry, test: Test) -> bool {
    entry.changes.iter().any(test)
}
