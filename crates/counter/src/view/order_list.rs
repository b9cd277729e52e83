//! Finding orders.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::order::OrderSummary;
use crate::view::top_up::ChannelView;
use crate::view::{Fen, Ms};

/// Which orders are wanted. Everything asked for must fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OrderFilter {
    /// When they were opened.
    pub period: OrderPeriod,
    /// First business day as typed, for [`OrderPeriod::Days`]; empty for as far back as known.
    pub from: String,
    /// Last business day as typed, for [`OrderPeriod::Days`]; empty for today.
    pub to: String,
    /// How they stand.
    pub group: Option<OrderGroup>,
    /// By which method.
    pub channel: Option<ChannelView>,
    /// Who took them.
    pub cashier_id: Option<String>,
    /// Part of an order number, or a member as in the search box.
    pub text: String,
}

/// Spans of business days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OrderPeriod {
    /// Today.
    Today,
    /// Yesterday.
    Yesterday,
    /// Today and the six days before.
    Week,
    /// Days that were typed.
    Days,
}

/// How orders stand, as people ask for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OrderGroup {
    /// Paid and credited.
    Credited,
    /// Still under way.
    Open,
    /// Ended without money.
    Unpaid,
    /// A person must look at it.
    Trouble,
}

/// Orders that fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OrderList {
    /// Newest first, at most 200.
    pub lines: Vec<OrderLine>,
    /// How many fit.
    pub count: u32,
    /// How many of them are credited.
    pub credited: u32,
    /// What these were paid.
    pub paid_fen: Fen,
    /// Their bonus.
    pub bonus_fen: Fen,
    /// True when there were too many orders to look at all: older ones are missing everywhere.
    pub cut: bool,
    /// How long today still lasts by the counter's clock; after that, days mean other days.
    pub today_left_ms: Ms,
}

/// One order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OrderLine {
    /// What a list shows of it.
    pub order: OrderSummary,
    /// Who took it.
    pub cashier: String,
}
