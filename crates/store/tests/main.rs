//! The store on real files: its promises, and what it does when disk, key or process fail.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod crash;
mod faults;
mod feed;
mod fixture;
mod leases;
mod log;
mod pin;
mod print;
mod pruning;
mod schema;
mod search;
mod second_copy;
#[cfg(target_os = "linux")]
mod small_disk;
mod upgrade;
mod vault;
