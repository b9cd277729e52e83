//! The terminal's encrypted store: own operations as signed bytes, the replica of what the server
//! told, the print queue, PINs, and the key vault that opens it. The only place of the terminal
//! with SQL.
//!
//! What is deliberately absent: rules. The store keeps, finds and orders; `qiantai-core` decides,
//! and the counter lays open operations over the replica.

mod drift;
mod error;
mod feed;
mod leases;
mod operation_log;
mod pin;
mod pruning;
mod registration;
mod search;
mod second_copy;
mod store;
mod tables;
pub mod vault;

pub use drift::{Compared, Mended};
pub use error::{OpenError, StoreError};
pub use leases::LeaseDue;
pub use operation_log::{Answer, Commit, CommitError, Committed};
pub use pin::{LOCKED_FOR, Moment, PinResult, WRONG_TRIES_MAX, hash_of as pin_hash};
pub use pruning::{Old, Pruned};
pub use qiantai_sqlite::Fault;
pub use registration::{NewMember, SealedMember};
pub use search::{MemberHit, SearchQuery};
pub use second_copy::{CopyFault, SecondCopy, is_same_disk};
pub use store::{Store, StoreKeys};
pub use tables::clock_mark::{ClockMark, ServerAnchor};
pub use tables::cursor::{SnapshotMark, SyncMark};
pub use tables::lease::OwnLease;
pub use tables::operation::{LogHead, OwnOperation, Unacknowledged};
pub use tables::print_job::{
    CANCELLED, INTERRUPTED, NewPrintJob, PrintJob, PrintState, PrintTrouble,
};
pub use tables::replica_member::KnownMember;
