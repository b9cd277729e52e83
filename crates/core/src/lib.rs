//! The domain of Qiantai: money, members, accounts, tiers, quotes, orders, payment attempts and
//! the decisions about them. Pure: no IO, no clock, no randomness, no serialisation.

pub mod account;
pub mod attempt;
pub mod clock;
pub mod decide;
pub mod ids;
pub mod ledger;
pub mod member;
pub mod money;
pub mod operation;
pub mod policy;
pub mod quote;
pub mod recharge;
pub mod tier;

pub use clock::{Millis, Timestamp};
pub use money::Money;
