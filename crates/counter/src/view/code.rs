//! Paying by the customer's payment code (付款码).

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::Fen;
use crate::view::order::QrView;
use crate::view::top_up::{ChannelView, Choice};

/// What a scanner read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Scan {
    /// Everything before Enter.
    pub text: String,
}

/// What a scan is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ScanReading {
    /// A payment code.
    PaymentCode {
        /// Whose; none where the number is of no channel that is known here.
        channel: Option<ChannelView>,
    },
    /// A code that stands for an amount on sale.
    Offer {
        /// What it chooses; none where that is on sale no more.
        choice: Option<Choice>,
    },
    /// A receipt, which can be brought back.
    Receipt,
    /// Something else, to be looked for among the members.
    Other,
}

/// A code to print that chooses an amount on sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OfferCode {
    /// Name of the package; none for a plain amount.
    pub name: Option<String>,
    /// To pay.
    pub pay_fen: Fen,
    /// The code.
    pub qr: QrView,
}

/// Opens an order and charges the customer's payment code for it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StartCode {
    /// The intent of the form.
    pub intent: String,
    /// The price shown.
    pub quote_id: String,
    /// Which channel.
    pub channel: ChannelView,
    /// The payment code.
    pub code: String,
    /// The cashier confirmed an equal top-up within two minutes.
    pub duplicate_confirmed: bool,
}

/// Charges the customer's payment code for an order that waits for its money.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ChargeCode {
    /// The order.
    pub order_id: String,
    /// Which channel.
    pub channel: ChannelView,
    /// The payment code.
    pub code: String,
}

// Whoever knows a payment code can charge it: it stands in no log.

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scan(redacted)")
    }
}

impl fmt::Debug for StartCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "StartCode({}, {:?}, redacted)",
            self.intent, self.channel
        )
    }
}

impl fmt::Debug for ChargeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ChargeCode({}, {:?}, redacted)",
            self.order_id, self.channel
        )
    }
}
