//! The wire formats seen from outside: what is written is read, and nothing else is.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod corpora;
mod feed;
mod hostile;
mod operation;
mod parsers;
mod protocol;
mod receipt;
mod samples;
mod vectors;
