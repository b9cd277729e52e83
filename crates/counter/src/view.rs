//! What the window is shown and what it sends. Plain values; amounts in fen, times in
//! milliseconds, ids as text.

pub mod account;
pub mod booked_price;
pub mod boot;
pub mod brand;
pub mod case;
pub mod code;
pub mod command;
pub mod customer;
pub mod drawer;
pub mod event;
pub mod first_start;
pub mod member;
pub mod member_page;
pub mod new_member;
pub mod order;
pub mod order_list;
pub mod order_page;
pub mod printer;
pub mod queue;
pub mod receipt_back;
pub mod recorded;
pub mod rules;
pub mod second_copy;
pub mod session;
pub mod terminals;
pub mod top_up;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An amount in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(transparent)]
#[ts(type = "number")]
pub struct Fen(pub i64);

/// Milliseconds since 1970 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(transparent)]
#[ts(type = "number")]
pub struct Ms(pub i64);

impl From<qiantai_core::Money> for Fen {
    fn from(money: qiantai_core::Money) -> Fen {
        Fen(money.fen())
    }
}

impl From<Fen> for qiantai_core::Money {
    fn from(fen: Fen) -> qiantai_core::Money {
        qiantai_core::Money::from_fen(fen.0)
    }
}

impl From<qiantai_core::Timestamp> for Ms {
    fn from(at: qiantai_core::Timestamp) -> Ms {
        Ms(at.ms())
    }
}
