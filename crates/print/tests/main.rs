//! Receipts as people and machines read them.

mod escpos;
mod layout;
mod pdf;
mod qr;
mod sample;
