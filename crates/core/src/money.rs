//! Money in fen.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use rust_decimal::Decimal;
use rust_decimal::RoundingStrategy;
use rust_decimal::prelude::ToPrimitive;

/// An amount in fen (1/100 yuan). Negative amounts are debits or shortfalls.
///
/// Arithmetic panics on overflow in every build: a wrapped amount would be invented money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

impl Money {
    /// No money.
    pub const ZERO: Money = Money(0);

    /// The amount of `fen`.
    pub const fn from_fen(fen: i64) -> Money {
        Money(fen)
    }

    /// The amount of whole `yuan`; panics on overflow.
    pub const fn from_yuan(yuan: i64) -> Money {
        match yuan.checked_mul(100) {
            Some(fen) => Money(fen),
            None => panic!("amount of money overflows"),
        }
    }

    /// The amount in fen.
    pub const fn fen(self) -> i64 {
        self.0
    }

    /// Whole yuan, rounded towards zero.
    pub const fn whole_yuan(self) -> i64 {
        self.0 / 100
    }

    /// True when the amount is exactly zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// True when the amount is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// True when the amount is above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Sum, or `None` on overflow; for amounts that come from outside.
    pub const fn checked_add(self, other: Money) -> Option<Money> {
        match self.0.checked_add(other.0) {
            Some(fen) => Some(Money(fen)),
            None => None,
        }
    }

    /// Difference, or `None` on overflow; for amounts that come from outside.
    pub const fn checked_sub(self, other: Money) -> Option<Money> {
        match self.0.checked_sub(other.0) {
            Some(fen) => Some(Money(fen)),
            None => None,
        }
    }

    /// `self × numerator ÷ denominator`, rounded half up (docs: domain §3.1, §3.14).
    ///
    /// Panics when the denominator is zero, the product has more than 28 digits or the result
    /// leaves the range of `i64`.
    pub fn ratio_round_half_up(self, numerator: i64, denominator: i64) -> Money {
        let product = i128::from(self.0) * i128::from(numerator);
        let quotient = Decimal::from_i128_with_scale(product, 0) / Decimal::from(denominator);
        Money(round_half_up(quotient))
    }

    /// `self × rate` in basis points, floored to whole yuan (percent rows of a ladder,
    /// docs: domain §3.4).
    pub fn basis_points_floor_yuan(self, basis_points: u32) -> Money {
        let fen = i128::from(self.0) * i128::from(basis_points) / 10_000;
        let yuan = fen.div_euclid(100);
        Money::from_yuan(i64::try_from(yuan).expect("a share of an amount fits its own type"))
    }
}

/// The one rounding rule of the product: half away from zero.
pub fn round_half_up(value: Decimal) -> i64 {
    value
        .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
        .to_i64()
        .expect("rounded amount fits i64")
}

impl Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        Money(
            self.0
                .checked_add(other.0)
                .expect("amount of money overflows"),
        )
    }
}

impl Sub for Money {
    type Output = Money;
    fn sub(self, other: Money) -> Money {
        Money(
            self.0
                .checked_sub(other.0)
                .expect("amount of money overflows"),
        )
    }
}

impl Neg for Money {
    type Output = Money;
    fn neg(self) -> Money {
        Money(self.0.checked_neg().expect("amount of money overflows"))
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Money) {
        *self = *self + other;
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Money) {
        *self = *self - other;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(amounts: I) -> Money {
        amounts.fold(Money::ZERO, Add::add)
    }
}

impl fmt::Display for Money {
    /// `1,234.50`, without a currency sign; `-5.00` below zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fen = self.0.unsigned_abs();
        let yuan = (fen / 100).to_string();
        let mut grouped = String::with_capacity(yuan.len() + yuan.len() / 3);
        for (index, digit) in yuan.chars().enumerate() {
            if index > 0 && (yuan.len() - index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{grouped}.{:02}", fen % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::Money;

    const fn fen(fen: i64) -> Money {
        Money::from_fen(fen)
    }

    #[test]
    fn shown_in_yuan_with_grouped_thousands() {
        let cases = [
            (0, "0.00"),
            (5, "0.05"),
            (-5, "-0.05"),
            (100, "1.00"),
            (99_999, "999.99"),
            (100_000, "1,000.00"),
            (-123_456_789, "-1,234,567.89"),
            (i64::MIN, "-92,233,720,368,547,758.08"),
        ];
        for (amount, shown) in cases {
            assert_eq!(fen(amount).to_string(), shown);
        }
    }

    #[test]
    fn ratios_round_half_away_from_zero() {
        let cases = [
            (14_000, 30_000, 35_000, 12_000),
            (1, 1, 2, 1),
            (-1, 1, 2, -1),
            (1, 1, 3, 0),
            (2, 1, 3, 1),
            (5, 3, 10, 2),
            (
                1_000_000_000_000,
                999_999_999_999,
                1_000_000_000_000,
                999_999_999_999,
            ),
        ];
        for (amount, numerator, denominator, expected) in cases {
            let found = fen(amount).ratio_round_half_up(numerator, denominator);
            assert_eq!(
                found,
                fen(expected),
                "{amount} × {numerator} ÷ {denominator}"
            );
        }
    }

    #[test]
    fn percentages_floor_to_whole_yuan() {
        let cases = [
            (29_900, 1_000, 2_900),
            (33_300, 1_550, 5_100),
            (99, 10_000, 0),
            (0, 9_000, 0),
        ];
        for (amount, basis_points, expected) in cases {
            assert_eq!(
                fen(amount).basis_points_floor_yuan(basis_points),
                fen(expected)
            );
        }
    }

    #[test]
    fn what_comes_from_outside_may_overflow_quietly() {
        assert_eq!(fen(i64::MAX).checked_add(fen(1)), None);
        assert_eq!(fen(i64::MIN).checked_sub(fen(1)), None);
        assert_eq!(fen(1).checked_add(fen(2)), Some(fen(3)));
        assert_eq!(fen(1).checked_sub(fen(2)), Some(fen(-1)));
    }

    #[test]
    #[should_panic(expected = "overflows")]
    fn our_own_sums_may_not() {
        let _ = fen(i64::MAX) + fen(1);
    }
}
