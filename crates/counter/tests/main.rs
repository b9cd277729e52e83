//! Use cases of the counter against a real server and gateway in the same process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod amounts;
mod bindings;
mod cash;
mod clocks;
mod crash;
#[cfg(target_os = "linux")]
mod disk;
mod line;
mod outage;
mod paper;
mod printers;
mod qr;
mod search;
mod shop;
mod sign_in;
mod slips;
mod start;
mod till;
mod time;
