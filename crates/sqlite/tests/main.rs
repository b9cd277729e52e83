//! Opening and migrating real files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod migrate;
mod open;
