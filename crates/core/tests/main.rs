//! The domain seen from outside: prices, decisions, histories.

mod actions;
mod approvals;
mod attempts;
mod books;
mod cash;
mod chain;
mod histories;
mod members;
mod new_members;
mod opening;
mod payment_codes;
mod pricing;
mod recorded;
mod shifts;
mod shop;
mod spending;
mod states;
mod top_up_commands;
mod typing;
