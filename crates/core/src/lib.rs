//! The domain of Qiantai: money, members, accounts, tiers, quotes, orders, payment attempts and
//! the decisions about them. Pure: no IO, no clock, no randomness, no serialisation.

pub mod account;
pub mod amount_input;
pub mod attempt;
pub mod brand;
pub mod clock;
pub mod compliance;
pub mod decide;
pub mod drawer;
pub mod half_width;
pub mod ids;
pub mod lease;
pub mod ledger;
pub mod masking;
pub mod member;
pub mod member_input;
pub mod merchant_account;
pub mod money;
pub mod number_text;
pub mod operation;
pub mod order_no;
pub mod payment_code;
pub mod pinyin_key;
pub mod policy;
pub mod policy_change;
pub mod quote;
pub mod recharge;
pub mod recorded_payment;
pub mod release;
pub mod risk_floor;
pub mod surname;
pub mod tier;
pub mod top_up_command;

pub use clock::{Millis, Timestamp};
pub use money::Money;
