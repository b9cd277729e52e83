//! What a service costs beside what a member has.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::Fen;
use crate::view::top_up::Choice;

/// The price of what a member is about to have done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BookedPrice {
    /// Who.
    pub member_id: String,
    /// As typed.
    pub price: String,
}

/// Whether a balance is enough for a price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PriceCover {
    /// The price.
    pub price_fen: Fen,
    /// What the balance lacks of it; zero where it is enough.
    pub lacks_fen: Fen,
    /// What the balance would still hold after it; zero where it is not enough.
    pub left_fen: Fen,
    /// The smallest top-up after which it is enough; none where it is already, or where nothing on
    /// sale makes it so.
    pub top_up: Option<CoveringTopUp>,
}

/// A top-up that makes a balance enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CoveringTopUp {
    /// To be chosen on the form.
    pub choice: Choice,
    /// To pay.
    pub pay_fen: Fen,
}
