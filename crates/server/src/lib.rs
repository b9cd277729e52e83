//! The authority: ledger, tiers, promotions, payments, events.

pub mod clock;
pub mod db;
pub mod writer;
