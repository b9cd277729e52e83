//! Use cases of the front desk: sign in, open a shift, find a member, top up, print, synchronise.
//!
//! The window calls [`api`]; [`desk`] opens the shop's files and serves it. What is deliberately
//! absent: rules of money (they are in `qiantai-core`), SQL (in `qiantai-store`), and anything of
//! the desktop host.

mod account_input;
mod accounts;
pub mod api;
mod approval;
mod booked_price;
pub mod boot;
mod cases;
mod cash;
mod clock;
mod clock_watch;
mod code_payment;
pub mod codegen;
mod command_bar;
mod commit;
mod counter;
pub mod customer;
pub mod desk;
mod drawer;
mod drift;
pub mod error;
mod first_start;
mod guide;
mod leases;
mod member_page;
mod members;
mod methods;
mod offer_code;
mod order_list;
mod order_page;
mod orders;
mod overlay;
mod parse;
mod printing;
mod pruning;
mod qr_payment;
mod queue;
mod quotes;
mod receipts_back;
mod recorded;
mod registration;
mod rules;
mod second_copy;
mod serve;
mod settings;
mod shift;
mod shop_code;
mod shop_input;
mod show;
mod sign_in;
mod split;
pub mod surroundings;
mod sync_log;
mod terminal;
mod terminals;
mod top_up;
pub mod view;
pub mod voice;
mod words;

pub use counter::Counter;
pub use leases::{CounterLeases, SpendingOffline};
pub use show::order::OrderFile;
