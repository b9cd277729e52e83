//! One behaviour on both databases: whatever the ledger is asked, told or suffers.

mod adopt;
mod audit;
mod clock;
pub mod cluster;
pub mod day;
mod drift;
mod faults;
#[cfg(unix)]
mod following;
#[cfg(unix)]
mod handover;
mod hints;
mod hostile_text;
mod lease;
mod offline_spending;
mod outage;
mod reads;
mod references;
mod restore;
mod risk_floor;
mod roles;
mod schema;
mod second_history;
mod small_words;
mod split;
mod upgrade;
mod verify;
