//! One behaviour on both databases: whatever the ledger is asked, told or suffers.

pub mod cluster;
pub mod day;
mod faults;
mod reads;
mod schema;
mod small_words;
