//! Payments that staff record.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::order::Approval;
use crate::view::top_up::ChannelView;

/// Shows the shop's own code for a top-up; nothing is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ShowShopCode {
    /// The intent of the form.
    pub intent: String,
    /// The price shown.
    pub quote_id: String,
    /// The cashier confirmed an equal top-up within two minutes.
    pub duplicate_confirmed: bool,
}

/// Records a payment that the bank's card terminal or the shop's account has received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PayRecorded {
    /// The intent of the form.
    pub intent: String,
    /// The price shown.
    pub quote_id: String,
    /// By card, by transfer or by the shop's code.
    pub channel: ChannelView,
    /// What the bank calls the payment, as keyed in.
    pub reference: String,
    /// The cashier confirmed that a reference used before is another payment.
    pub reference_confirmed: bool,
    /// The cashier confirmed an equal top-up within two minutes.
    pub duplicate_confirmed: bool,
    /// A manager's PIN, where one was asked for.
    pub approval: Option<Approval>,
}
