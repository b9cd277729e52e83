//! What the customer's display shows: nothing that the people in front of it may not see.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::Fen;
use crate::view::brand::BrandView;
use crate::view::order::{PartsView, QrView};
use crate::view::session::{Language, Theme};
use crate::view::top_up::ChannelView;

/// Everything on the customer's display.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CustomerView {
    /// Language of the screen.
    pub language: Language,
    /// Light or dark.
    pub theme: Theme,
    /// How the shop looks.
    pub brand: BrandView,
    /// Name of the shop.
    pub shop: String,
    /// Training: no real money moves.
    pub training: bool,
    /// The order on the counter's screen; none between two customers.
    pub order: Option<CustomerOrder>,
}

/// An order as its customer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CustomerOrder {
    /// Name of the member, masked.
    pub member: String,
    /// Method; none before anybody was asked for money.
    pub channel: Option<ChannelView>,
    /// To pay.
    pub pay_fen: Fen,
    /// Of a split: what is paid in cash, and what is asked for here.
    pub parts: Option<PartsView>,
    /// Bonus.
    pub bonus_fen: Fen,
    /// Where it stands.
    pub state: CustomerState,
    /// QR code to scan, while it may be paid.
    pub qr: Option<QrView>,
    /// Cash to give back.
    pub change_fen: Option<Fen>,
    /// What the member can spend; set once credited.
    pub balance_after_fen: Option<Fen>,
    /// Not yet confirmed by the server: the balance may still become another.
    pub provisional: bool,
}

/// What a customer needs to know of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CustomerState {
    /// Nothing to do yet.
    Preparing,
    /// Scan the QR code and pay.
    Scan,
    /// The payment code was read and is being charged.
    Charging,
    /// Confirm on the phone.
    Confirm,
    /// Nobody knows yet; do not pay again.
    Checking,
    /// Nothing was paid.
    NotPaid,
    /// Paid; the credit waits for a person.
    Received,
    /// Paid and credited.
    Done,
    /// The staff has something to say.
    AskStaff,
}

/// Where the customer's display is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CustomerDisplay {
    /// There is none.
    Off,
    /// On a second screen, whenever there is one.
    #[default]
    SecondScreen,
    /// In a window of its own, to be moved wherever it is wanted.
    Window,
}
