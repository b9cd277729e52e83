//! Use cases of the front desk: sign in, open a shift, find a member, top up, print, synchronise.

pub mod api;
pub mod codegen;
pub mod error;
pub mod view;
