//! Use cases of the counter against a real server and gateway in the same process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod amounts;
mod approvals;
mod bindings;
mod cases;
mod cash;
mod clocks;
mod code;
mod commands;
mod crash;
mod drawer;
mod drift;
mod first_start;
mod guide;
mod line;
mod locked;
mod member_page;
mod methods;
mod order_list;
mod outage;
mod paper;
mod print_queue;
mod printers;
mod pruning;
mod qr;
mod receipts_back;
mod recorded;
mod registration;
mod review;
mod rules;
mod search;
mod second_copy;
mod shop;
mod shop_code;
mod sign_in;
mod slips;
#[cfg(target_os = "linux")]
mod small_disk;
mod split;
mod split_asked;
#[cfg(unix)]
mod spooled;
mod start;
mod stored_value;
mod talking_printer;
mod till;
mod time;
#[cfg(target_os = "linux")]
mod usb_printers;
mod verdicts;
