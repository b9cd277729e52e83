//! A gateway's own list of one day, in one form for all gateways.

use std::iter::Sum;

use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use time::Date;

use crate::answer::{ConfigCause, UnknownCause};

/// Which day is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BillRequest {
    /// The gateway's day: midnight to midnight, China time.
    pub date: Date,
}

/// The answer to a request for a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BillAnswer {
    /// Fetched, its hash and its own sums checked. May be empty.
    Ready(Vec<BillLine>),
    /// The gateway has not finished it; ask again later that day.
    NotYet,
    /// The gateway's bills do not reach back, or forward, to that day.
    OutOfRange,
    /// This gateway keeps no bills.
    NotOffered,
    /// The file is not what the gateway promised; carries what is wrong, for support.
    Damaged(String),
    /// No answer to rely on; repeat.
    Unknown(UnknownCause),
    /// Our own set-up is wrong.
    ConfigError(ConfigCause),
}

/// One movement of money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillLine {
    /// What moved.
    pub kind: BillKind,
    /// Our number of the attempt.
    pub attempt_no: String,
    /// The channel's number of the payment.
    pub channel_txn_no: String,
    /// Our number of the refund; `None` for payments.
    pub refund_no: Option<String>,
    /// The channel's number of the refund; `None` for payments.
    pub channel_refund_no: Option<String>,
    /// What was paid or returned, as the attempt or refund states it; never negative.
    pub amount: Money,
    /// The part of it that moves the merchant's account, without coupons of the gateway; before
    /// the fee, never negative.
    pub settled: Money,
    /// What the gateway keeps.
    pub fee: Fee,
    /// When, by the channel's clock.
    pub at: Timestamp,
}

/// What a line of a bill tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BillKind {
    /// The customer paid.
    Payment,
    /// Money went back by a refund.
    Refund,
    /// Money went back by a reversal (撤销).
    Reversal,
}

/// A gateway's fee, in thousandths of a fen: bills carry more decimals than money has. Above zero
/// is a cost, below zero a fee given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fee(i64);

impl Fee {
    /// From a text of yuan with at most five decimals; `None` for anything else.
    pub fn from_yuan_text(text: &str) -> Option<Fee> {
        let yuan = Decimal::from_str_exact(text.trim()).ok()?;
        let parts = yuan.checked_mul(Decimal::from(100_000))?;
        parts
            .fract()
            .is_zero()
            .then(|| parts.to_i64())
            .flatten()
            .map(Fee)
    }

    /// Thousandths of a fen.
    pub const fn milli_fen(self) -> i64 {
        self.0
    }

    /// The same fee with the other sign, for bills that count costs as negative.
    #[must_use]
    pub const fn negated(self) -> Fee {
        Fee(self.0.saturating_neg())
    }

    /// In whole fen, halves away from zero. Round sums, not lines.
    pub const fn rounded(self) -> Money {
        let half = if self.0 < 0 { -500 } else { 500 };
        Money::from_fen(self.0.saturating_add(half) / 1_000)
    }
}

impl Sum for Fee {
    fn sum<I: Iterator<Item = Fee>>(fees: I) -> Fee {
        Fee(fees.fold(0, |sum, fee| sum.saturating_add(fee.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_keep_five_decimals_and_are_rounded_as_a_sum() {
        let check = |text: &str, milli_fen: Option<i64>| {
            assert_eq!(Fee::from_yuan_text(text).map(Fee::milli_fen), milli_fen);
        };
        check("3.00000", Some(300_000));
        check("-0.00540", Some(-540));
        check("0.000001", None);
        check("", None);
        check("1,000", None);
        check("99999999999999999999", None);
        let fees = ["0.00540", "0.00540"].map(|text| Fee::from_yuan_text(text).expect("a fee"));
        let sum: Fee = fees.into_iter().sum();
        assert_eq!(sum.rounded(), Money::from_fen(1));
        assert_eq!(sum.negated().rounded(), Money::from_fen(-1));
        assert_eq!(Fee(499).rounded(), Money::ZERO);
    }
}
