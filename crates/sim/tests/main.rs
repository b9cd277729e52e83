//! Simulated days with fixed seeds, and the planted bugs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attack;
mod bugs;
mod payments;
mod seeds;
