//! The domain seen from outside: prices, decisions, histories.

mod actions;
mod approvals;
mod attacks;
mod attempts;
mod books;
mod cash;
mod chain;
mod drawer;
mod histories;
mod leases;
mod members;
mod new_members;
mod opening;
mod payment_codes;
mod pricing;
mod recorded;
mod release;
mod rules;
mod shifts;
mod shop;
mod spending;
mod split;
mod split_asked;
mod states;
mod top_up_commands;
mod typing;
