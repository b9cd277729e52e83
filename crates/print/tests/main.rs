//! Receipts as people and machines read them.

#![expect(clippy::unwrap_used, reason = "what fails to unwrap fails the test")]

mod escpos;
mod kinds;
mod layout;
mod pdf;
mod qr;
mod sample;
