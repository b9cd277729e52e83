//! The whole system: the real window before the real counter, store, server and gateway.
//!
//! Controls are found by role and accessible name, as assistive technology finds them.
#![cfg(all(feature = "desktop", target_os = "linux"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on must stop, and says where"
)]

mod amounts;
mod approval;
mod books;
mod cases;
mod clock;
mod command;
mod crash;
mod customer;
mod drawer;
mod early_scans;
mod faults;
mod first_start;
mod keyboard;
mod led;
mod member_page;
mod methods;
mod mounted_disk;
mod names;
mod new_member;
mod offline;
mod orders;
mod painting;
mod pay_states;
mod phone;
mod price;
mod printing;
mod recorded;
mod rules;
mod screens;
mod second_start;
mod set_up;
mod settings;
mod shop;
mod shop_code;
mod small_window;
mod split;
#[expect(dead_code, reason = "the counter's own tests ask it more")]
#[path = "../crates/counter/tests/talking_printer.rs"]
mod talking_printer;
mod tills;
mod top_up;
mod tour;
mod trouble;
mod voice;
