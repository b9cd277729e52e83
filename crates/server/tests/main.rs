//! The server against a real ledger file and the simulated gateway, in virtual time.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

mod api;
mod atomicity;
mod channels;
mod codes;
mod conformance;
mod copies;
mod credit;
mod encryption;
mod engine;
mod enrolment;
mod entering;
mod gateway;
mod harness;
mod interface;
mod keeping;
#[cfg(target_os = "linux")]
mod key_store_tests;
mod new_members;
mod new_shop;
mod official;
mod operating;
mod pay_command;
mod pay_tls;
mod payments;
mod process;
mod protocol;
mod push;
mod quarantine;
mod receipts;
mod replay;
mod revocation;
mod rules;
mod sample;
mod set_up;
mod shipped;
mod signed;
mod slowness;
mod stores;
mod strangers;
mod surplus;
mod terminals;
mod till;
