//! Synchronisation under virtual time: scripted servers, lost answers, long nights.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod driver;
mod engine;
mod following;
mod histories;
mod network;
mod signing;
mod stopped;
mod world;
