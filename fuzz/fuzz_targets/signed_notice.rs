#![no_main]
#![allow(dead_code, reason = "each target uses one parser of all")]

#[path = "../../crates/pay/tests/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::signed_notice(bytes));
