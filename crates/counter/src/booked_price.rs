//! The price of a service against a member's balance, before anything is done (docs: domain §1).

use qiantai_core::Money;
use qiantai_core::ids::MemberId;

use crate::counter::Counter;
use crate::error::CallError;
use crate::parse;
use crate::show::member::available;
use crate::view::booked_price::{BookedPrice, CoveringTopUp, PriceCover};
use crate::view::member::MemberKey;
use crate::view::top_up::{Choice, Offer, TopUpForm};

const FEN_PER_YUAN: i64 = 100;

impl Counter {
    /// Whether the balance is enough for a price, and the smallest top-up that makes it so.
    pub(crate) fn cover_price(&self, request: &BookedPrice) -> Result<PriceCover, CallError> {
        self.staff()?;
        let price = parse::amount(&request.price)?;
        let id = MemberId(parse::id(&request.member_id)?);
        let form = self.top_up_form(&MemberKey {
            member_id: request.member_id.clone(),
        })?;
        let overlay = self.overlay(&[id])?;
        let balance = overlay.account(id).map_or(Money::ZERO, available);
        let lacks = Money::from_fen((price.fen() - balance.fen()).max(0));
        let left = Money::from_fen((balance.fen() - price.fen()).max(0));
        Ok(PriceCover {
            price_fen: price.into(),
            lacks_fen: lacks.into(),
            left_fen: left.into(),
            top_up: (lacks > Money::ZERO)
                .then(|| covering(&form, lacks))
                .flatten(),
        })
    }
}

/// The cheapest offer that adds at least `lacks`; where none does, that amount in whole yuan, if
/// amounts may be typed.
fn covering(form: &TopUpForm, lacks: Money) -> Option<CoveringTopUp> {
    let enough = |offer: &&Offer| {
        offer.blocked.is_none() && offer.pay_fen.0 + offer.bonus_fen.0 >= lacks.fen()
    };
    let offers = form.offers.iter().filter(enough);
    if let Some(offer) = offers.min_by_key(|offer| offer.pay_fen.0) {
        return Some(CoveringTopUp {
            choice: offer.choice.clone(),
            pay_fen: offer.pay_fen,
        });
    }
    let yuan = (lacks.fen() + FEN_PER_YUAN - 1) / FEN_PER_YUAN;
    form.custom.then(|| CoveringTopUp {
        choice: Choice::Typed {
            text: yuan.to_string(),
        },
        pay_fen: Money::from_fen(yuan * FEN_PER_YUAN).into(),
    })
}
