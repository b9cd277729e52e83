//! The quote inside a signed body: what was promised. The rules that led there are not in it,
//! because the server computes them again from the policy version.

use minicbor::{Decode, Encode};
use qiantai_core::Money;
use qiantai_core::Timestamp;
use qiantai_core::ids::TierId;
use qiantai_core::quote::Quote;

use super::envelope::Around;
use super::value::Id;

/// What was promised, as an array: nearly every field is always there. The time of quoting is
/// written as the span before the wall time; growth only when it is not one per whole yuan; the
/// tier after only when it differs from the tier before.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct WireQuote {
    #[n(0)]
    policy_version: u32,
    #[n(1)]
    quoted_before_wall_ms: i64,
    #[n(2)]
    pay_fen: i64,
    #[n(3)]
    bonus_fen: i64,
    #[n(4)]
    points: i64,
    #[n(5)]
    growth: Option<i64>,
    #[n(6)]
    bonus_valid_days: Option<u16>,
    #[n(7)]
    tier_before: Id,
    #[n(8)]
    tier_after: Option<Id>,
    #[n(9)]
    coupons: Option<Vec<Grant>>,
}

/// Coupons of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct Grant {
    #[n(0)]
    template: Id,
    #[n(1)]
    count: u16,
}

impl WireQuote {
    /// Of a quote in an operation.
    pub fn new(quote: &Quote, around: &Around) -> WireQuote {
        let (before, after) = quote.tier;
        let grant = |&(template, count): &(_, u16)| Grant {
            template: Id::from(template),
            count,
        };
        WireQuote {
            policy_version: quote.policy_version,
            quoted_before_wall_ms: around.wall_time.ms().wrapping_sub(quote.quoted_at.ms()),
            pay_fen: quote.pay.fen(),
            bonus_fen: quote.bonus.fen(),
            bonus_valid_days: quote.bonus_valid_days,
            points: quote.points,
            growth: (quote.growth != quote.pay.whole_yuan()).then_some(quote.growth),
            coupons: (!quote.coupons.is_empty()).then(|| quote.coupons.iter().map(grant).collect()),
            tier_before: before.into(),
            tier_after: (after != before).then_some(after.into()),
        }
    }

    /// The quote, without rules and notices.
    pub fn into_quote(self, around: &Around) -> Quote {
        let before = TierId::from(self.tier_before);
        let quoted = around
            .wall_time
            .ms()
            .wrapping_sub(self.quoted_before_wall_ms);
        Quote {
            policy_version: self.policy_version,
            quoted_at: Timestamp::from_ms(quoted),
            pay: Money::from_fen(self.pay_fen),
            bonus: Money::from_fen(self.bonus_fen),
            bonus_valid_days: self.bonus_valid_days,
            points: self.points,
            growth: self
                .growth
                .unwrap_or(Money::from_fen(self.pay_fen).whole_yuan()),
            coupons: self
                .coupons
                .into_iter()
                .flatten()
                .map(|g| (g.template.into(), g.count))
                .collect(),
            tier: (before, self.tier_after.map_or(before, TierId::from)),
            rules: Vec::new(),
            notices: Vec::new(),
        }
    }
}
