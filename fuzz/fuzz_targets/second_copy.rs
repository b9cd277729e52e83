#![no_main]
#![allow(dead_code, reason = "each target uses one parser of all")]

#[path = "../../crates/wire/tests/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::second_copy(bytes));
