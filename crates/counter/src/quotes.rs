//! Prices shown and not yet charged. In memory only: after a restart the counter asks again.

use std::collections::VecDeque;

use qiantai_core::attempt::Channel;
use qiantai_core::ids::{ActionId, MemberId};
use qiantai_core::quote::Quote;
use qiantai_core::recharge::AmountChoice;
use uuid::Uuid;

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
    /// By which method.
    pub channel: Channel,
    /// The price.
    pub quote: Quote,
}

/// The latest prices shown.
#[derive(Default)]
pub struct QuoteShelf {
    shown: VecDeque<ShownQuote>,
}

impl QuoteShelf {
    /// Remembers a price; the oldest is forgotten.
    pub fn put(&mut self, shown: ShownQuote) {
        if self.shown.len() == SHELF_MAX {
            self.shown.pop_front();
        }
        self.shown.push_back(shown);
    }

    /// The price of that name for that intent.
    pub fn find(&self, id: Uuid, intent: ActionId) -> Option<&ShownQuote> {
        self.shown
            .iter()
            .find(|shown| shown.id == id && shown.intent == intent)
    }
}
