//! Payments that staff record: the money was taken outside any gateway, on the bank's own card
//! terminal, by a transfer to the shop's account or by the shop's own code, and is known by a
//! reference that is keyed in. Nobody but the shop's bank statement verifies it (docs: domain
//! §4.5, "bank transfer by statement").

use crate::attempt::Channel;
use crate::clock::Timestamp;
use crate::half_width::half_width;
use crate::ids::{OrderId, StoreId};
use crate::recharge::RechargeOrder;

/// How the money came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordedMethod {
    /// 刷卡 on a terminal of the bank that this program does not speak with.
    Card,
    /// 转账 to the shop's account.
    Transfer,
    /// 店码: the customer scanned the shop's own code, and the cashier saw the payment on the
    /// customer's phone or in the merchant's app. It stays unverified until the statement says so.
    ShopCode,
}

impl RecordedMethod {
    /// Every method.
    pub const ALL: [RecordedMethod; 3] = [
        RecordedMethod::Card,
        RecordedMethod::Transfer,
        RecordedMethod::ShopCode,
    ];

    /// The channel that the money is booked under.
    pub const fn channel(self) -> Channel {
        match self {
            RecordedMethod::Card => Channel::Card,
            RecordedMethod::Transfer => Channel::Transfer,
            RecordedMethod::ShopCode => Channel::ShopCode,
        }
    }

    /// The method that a channel stands for; `None` for cash and for what a gateway carries.
    pub const fn of(channel: Channel) -> Option<RecordedMethod> {
        match channel {
            Channel::Card => Some(RecordedMethod::Card),
            Channel::Transfer => Some(RecordedMethod::Transfer),
            Channel::ShopCode => Some(RecordedMethod::ShopCode),
            Channel::Wechat
            | Channel::Alipay
            | Channel::Unionpay
            | Channel::Ecny
            | Channel::Cash => None,
        }
    }

    /// Whether a cashier may say that a reference used before is another payment. A card terminal
    /// counts its vouchers anew with each batch, and a shop may have two; of a payment by the
    /// shop's code often the last digits alone are keyed in; a bank gives the number of a transfer
    /// once.
    pub const fn may_repeat(self) -> bool {
        !matches!(self, RecordedMethod::Transfer)
    }
}

/// Fewest characters of a reference: a card terminal's voucher number has six.
pub const REFERENCE_CHARS_MIN: usize = 4;
/// Most characters of a reference: the longest serial numbers of banks.
pub const REFERENCE_CHARS_MAX: usize = 32;

/// Voucher or trace number of a card terminal, serial number of a transfer, the customer's number
/// of a payment by the shop's code or its last places: 4 to 32 of `A`–`Z`, `0`–`9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaymentReference(String);

/// Why what was keyed in is no reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceFault {
    /// Nothing was keyed in.
    #[error("empty")]
    Empty,
    /// Fewer characters than [`REFERENCE_CHARS_MIN`].
    #[error("too short")]
    TooShort,
    /// More characters than [`REFERENCE_CHARS_MAX`].
    #[error("too long")]
    TooLong,
    /// Something other than letters, digits and hyphens.
    #[error("character {0:?}")]
    Character(char),
    /// The customer's card number, which must not be kept (docs: domain §3.14).
    #[error("a card number")]
    CardNumber,
}

impl PaymentReference {
    /// Reads a reference as keyed in, scanned or copied: full-width forms become plain ones,
    /// letters capitals, and spaces between groups go.
    ///
    /// # Errors
    /// See [`ReferenceFault`].
    pub fn parse(method: RecordedMethod, text: &str) -> Result<PaymentReference, ReferenceFault> {
        let mut reference = String::new();
        for typed in text.chars().filter(|c| !c.is_whitespace()) {
            let character = half_width(typed).to_ascii_uppercase();
            if !(character.is_ascii_alphanumeric() || character == '-') {
                return Err(ReferenceFault::Character(typed));
            }
            if reference.len() == REFERENCE_CHARS_MAX {
                return Err(ReferenceFault::TooLong);
            }
            reference.push(character);
        }
        match reference.len() {
            0 => Err(ReferenceFault::Empty),
            1..REFERENCE_CHARS_MIN => Err(ReferenceFault::TooShort),
            _ if method == RecordedMethod::Card && is_card_number(&reference) => {
                Err(ReferenceFault::CardNumber)
            }
            _ => Ok(PaymentReference(reference)),
        }
    }

    /// As it is kept, shown and compared.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// 16 to 19 digits whose check digit is right (Luhn), as on the front of a card.
fn is_card_number(reference: &str) -> bool {
    let is_long = (16..=19).contains(&reference.len());
    if !is_long || !reference.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let digits = reference.bytes().rev().map(|byte| u32::from(byte - b'0'));
    let sum: u32 = digits
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 => digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// A reference that an order was paid with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedReference {
    /// The order.
    pub order: OrderId,
    /// How it was paid.
    pub method: RecordedMethod,
    /// The reference, in the form of [`PaymentReference::as_str`].
    pub reference: String,
    /// In which store.
    pub store: StoreId,
    /// When.
    pub paid_at: Timestamp,
    /// False once the order's money went back: the reference is free again.
    pub alive: bool,
}

impl UsedReference {
    /// What an order says; `None` unless its payment was recorded by hand.
    pub fn of(order: &RechargeOrder) -> Option<UsedReference> {
        let paid = order.paid.as_ref()?;
        Some(UsedReference {
            order: order.id,
            method: RecordedMethod::of(paid.channel)?,
            reference: paid.channel_txn_no.clone()?,
            store: order.store,
            paid_at: paid.paid_at,
            alive: order.state.is_alive(),
        })
    }

    /// Whether a payment with the same words is questioned because of this one: any transfer, and
    /// another payment of the same store on the same business date.
    pub fn clashes(
        &self,
        method: RecordedMethod,
        reference: &PaymentReference,
        store: StoreId,
        at: Timestamp,
        cut_off_minutes: u16,
    ) -> bool {
        let is_same = self.alive && self.method == method && self.reference == reference.0;
        is_same
            && match method {
                RecordedMethod::Transfer => true,
                RecordedMethod::Card | RecordedMethod::ShopCode => {
                    let date = |at: Timestamp| at.business_date(cut_off_minutes);
                    self.store == store && date(self.paid_at) == date(at)
                }
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RecordedMethod::{Card, Transfer};

    #[test]
    fn what_is_keyed_in_becomes_one_form_or_a_reason() {
        let longest = "A".repeat(REFERENCE_CHARS_MAX);
        let too_long = "A".repeat(REFERENCE_CHARS_MAX + 1);
        let cases: &[(RecordedMethod, &str, Result<&str, ReferenceFault>)] = &[
            (Card, "000123", Ok("000123")),
            (Card, " 0001 23\t", Ok("000123")),
            (Card, "１２３４ａｂ", Ok("1234AB")),
            (Transfer, "2026-1122-ab", Ok("2026-1122-AB")),
            (Transfer, &longest, Ok(&longest)),
            (Transfer, &too_long, Err(ReferenceFault::TooLong)),
            (Card, "", Err(ReferenceFault::Empty)),
            (Card, " \u{3000} ", Err(ReferenceFault::Empty)),
            (Card, "123", Err(ReferenceFault::TooShort)),
            (Card, "12345😀", Err(ReferenceFault::Character('😀'))),
            (Card, "凭证0001", Err(ReferenceFault::Character('凭'))),
            (Card, "0001_2", Err(ReferenceFault::Character('_'))),
            (
                Card,
                "0001\u{202e}2",
                Err(ReferenceFault::Character('\u{202e}')),
            ),
            // A card number is never kept; a bank's serial number may look like one.
            (Card, "4111 1111 1111 1111", Err(ReferenceFault::CardNumber)),
            (Card, "6222020000000000000", Err(ReferenceFault::CardNumber)),
            (Card, "4111111111111112", Ok("4111111111111112")),
            (Transfer, "4111111111111111", Ok("4111111111111111")),
        ];
        for (method, typed, expected) in cases {
            let found = PaymentReference::parse(*method, typed);
            let found = found.as_ref().map(PaymentReference::as_str).map_err(|e| *e);
            assert_eq!(found, *expected, "{typed:?}");
            if let Ok(text) = found {
                let again = PaymentReference::parse(*method, text);
                assert_eq!(again.as_ref().map(PaymentReference::as_str), Ok(text));
            }
        }
    }
}
