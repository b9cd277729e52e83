//! One behaviour on both databases: whatever the ledger is asked, told or suffers.

mod adopt;
pub mod cluster;
pub mod day;
mod faults;
#[cfg(unix)]
mod handover;
mod lease;
mod reads;
mod references;
mod restore;
mod schema;
mod small_words;
mod verify;
