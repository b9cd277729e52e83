//! The server against a real ledger file and the simulated gateway, in virtual time.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

mod api;
mod atomicity;
mod channels;
mod codes;
mod conformance;
mod encryption;
mod engine;
mod enrolment;
mod gateway;
mod harness;
mod interface;
mod keeping;
mod new_members;
mod official;
mod operating;
mod pay_command;
mod payments;
mod process;
mod protocol;
mod push;
mod replay;
mod revocation;
mod sample;
mod slowness;
mod stores;
mod surplus;
mod till;
