//! Prices and codes shown and not yet charged. In memory only: after a restart the counter asks
//! again.

use std::collections::VecDeque;

use qiantai_core::Money;
use qiantai_core::attempt::Channel;
use qiantai_core::ids::{ActionId, MemberId, OrderId};
use qiantai_core::quote::Quote;
use qiantai_core::recharge::AmountChoice;
use uuid::Uuid;

use crate::view::order::OrderView;

/// How many prices are remembered; a counter shows one at a time.
const SHELF_MAX: usize = 64;

/// A price as it was shown.
#[derive(Clone)]
pub struct ShownQuote {
    /// Its name.
    pub id: Uuid,
    /// The intent that it belongs to.
    pub intent: ActionId,
    /// Who.
    pub member: MemberId,
    /// What was chosen.
    pub choice: AmountChoice,
    /// By which method; of a split, the one beside cash.
    pub channel: Channel,
    /// For a split: the part in cash.
    pub cash_part: Option<Money>,
    /// The price.
    pub quote: Quote,
}

/// A code of the shop's own that is or was on the screen, for an order that is not written yet.
#[derive(Clone)]
pub struct ShownCode {
    /// The order that it is for.
    pub order: OrderId,
    /// What it asks for.
    pub pay: Money,
    /// What the window shows, with the number that the order will have.
    pub view: OrderView,
}

/// The latest prices and codes shown.
#[derive(Default)]
pub struct QuoteShelf {
    shown: VecDeque<ShownQuote>,
    codes: VecDeque<ShownCode>,
}

impl QuoteShelf {
    /// Remembers a price; the oldest is forgotten.
    pub fn put(&mut self, shown: ShownQuote) {
        if self.shown.len() == SHELF_MAX {
            self.shown.pop_front();
        }
        self.shown.push_back(shown);
    }

    /// Remembers a code in place of an earlier one of its order; the oldest is forgotten.
    pub fn put_code(&mut self, code: ShownCode) {
        self.codes.retain(|known| known.order != code.order);
        if self.codes.len() == SHELF_MAX {
            self.codes.pop_front();
        }
        self.codes.push_back(code);
    }

    /// The code shown for an order.
    pub fn code(&self, order: OrderId) -> Option<&ShownCode> {
        self.codes.iter().find(|code| code.order == order)
    }

    /// The price of that name for that intent.
    pub fn find(&self, id: Uuid, intent: ActionId) -> Option<&ShownQuote> {
        self.shown
            .iter()
            .find(|shown| shown.id == id && shown.intent == intent)
    }
}
