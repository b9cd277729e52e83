//! What is typed about a shop and its people, at the first start and later.

use qiantai_core::brand::{self, ShortNameError};
use qiantai_core::half_width::half_width;
use qiantai_core::member_input::{self, NameError};
use qiantai_core::policy::{PinHash, Role};
use qiantai_core::policy_change::printed_phone;
use qiantai_store::pin_hash;

use crate::error::{CallError, ErrorCode};
use crate::surroundings::Surroundings;
use crate::view::brand::BrandView;
use crate::view::first_start::ReceiptHeader;
use crate::view::session::RoleView;

/// Digits of a PIN.
const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=8;
/// Numbers of managers and of everybody else begin after these, as in the manuals.
const MANAGERS_AFTER: u32 = 8_000;
const CASHIERS_AFTER: u32 = 1_000;

/// The field that an answer is about, as the window calls it.
#[derive(Clone, Copy)]
pub(crate) struct Field(pub(crate) &'static str);

pub(crate) const NAME: Field = Field("name");
pub(crate) const ROLE: Field = Field("role");
pub(crate) const PIN: Field = Field("pin");
pub(crate) const METHODS: Field = Field("methods");
const SHORT_NAME: Field = Field("short_name");
const AGAIN: Field = Field("again");
const ADDRESS: Field = Field("address");
const PHONE: Field = Field("phone");
const COMPLAINTS: Field = Field("complaint_phone");
const REFUNDS: Field = Field("refund_rule");

pub(crate) fn wrong(field: Field, key: &str) -> CallError {
    CallError::new(ErrorCode::InvalidInput, key).with("field", field.0)
}

/// Names and lines: what can be read out and printed, in 40 characters at most.
pub(crate) fn named(field: Field, typed: &str) -> Result<String, CallError> {
    member_input::name(typed).map_err(|error| unnamed(field, error))
}

pub(crate) fn unnamed(field: Field, error: NameError) -> CallError {
    let key = match error {
        NameError::Empty => "set_up_empty",
        NameError::TooLong => "set_up_too_long",
        NameError::Emoji => "set_up_emoji",
        NameError::Invisible => "set_up_invisible",
        NameError::NoLetter => "set_up_no_letter",
    };
    wrong(field, key)
}

/// What a receipt says, as it is printed.
pub(crate) fn receipt(typed: &ReceiptHeader) -> Result<ReceiptHeader, CallError> {
    Ok(ReceiptHeader {
        address: named(ADDRESS, &typed.address)?,
        phone: phone_of(PHONE, &typed.phone)?,
        complaint_phone: phone_of(COMPLAINTS, &typed.complaint_phone)?,
        refund_rule: named(REFUNDS, &typed.refund_rule)?,
    })
}

fn phone_of(field: Field, typed: &str) -> Result<String, CallError> {
    printed_phone(typed).ok_or_else(|| wrong(field, "set_up_phone"))
}

/// Colour and short name, as they are shown.
pub(crate) fn brand_of(typed: &BrandView) -> Result<BrandView, CallError> {
    let name = typed.short_name.as_deref().unwrap_or_default();
    Ok(BrandView {
        accent: typed.accent,
        short_name: brand::short_name(name).map_err(no_short_name)?,
    })
}

pub(crate) fn no_short_name(error: ShortNameError) -> CallError {
    match error {
        ShortNameError::Name(error) => unnamed(SHORT_NAME, error),
        ShortNameError::TooLong => wrong(SHORT_NAME, "set_up_short_name_too_long")
            .with("most", brand::SHORT_NAME_MAX.to_string()),
    }
}

/// Cashiers and managers are made here, and nobody else.
pub(crate) fn given_role(role: RoleView) -> Result<Role, CallError> {
    match role {
        RoleView::Cashier => Ok(Role::Cashier),
        RoleView::Manager => Ok(Role::Manager),
        _ => Err(wrong(ROLE, "set_up_role")),
    }
}

/// The lowest number that nobody has.
pub(crate) fn free_number<'a>(role: Role, taken: impl Iterator<Item = &'a str> + Clone) -> String {
    let after = match role {
        Role::Manager => MANAGERS_AFTER,
        _ => CASHIERS_AFTER,
    };
    let is_free = |number: &String| taken.clone().all(|it| it != number);
    let mut numbers = (after + 1..).map(|number| number.to_string());
    numbers.find(is_free).unwrap_or_default()
}

/// A PIN that nobody guesses in the few tries that a lock-out leaves (docs: domain §5.2).
pub(crate) fn pin_of(typed: &str, again: &str) -> Result<String, CallError> {
    let pin = plain(typed);
    if !pin.bytes().all(|byte| byte.is_ascii_digit()) || !PIN_DIGITS.contains(&pin.len()) {
        return Err(wrong(PIN, "set_up_pin_digits"));
    }
    if is_weak(pin.as_bytes()) {
        return Err(wrong(PIN, "set_up_pin_weak"));
    }
    match pin == plain(again) {
        true => Ok(pin),
        false => Err(wrong(AGAIN, "set_up_pin_differs")),
    }
}

/// What is kept of a PIN.
pub(crate) fn hashed(pin: &str, surroundings: &dyn Surroundings) -> PinHash {
    let mut salt = [0; 16];
    for half in salt.chunks_mut(8) {
        half.copy_from_slice(&surroundings.random().to_be_bytes());
    }
    pin_hash(pin, salt)
}

fn plain(typed: &str) -> String {
    typed.trim().chars().map(half_width).collect()
}

/// Digits that are equal, that count up or down, or that repeat in pairs.
fn is_weak(digits: &[u8]) -> bool {
    let steps = |by: i16| {
        let mut pairs = digits.windows(2);
        pairs.all(|pair| i16::from(pair[1]) - i16::from(pair[0]) == by)
    };
    let halves =
        digits.len().is_multiple_of(2) && digits.chunks(2).all(|pair| pair == &digits[..2]);
    steps(0) || steps(1) || steps(-1) || halves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_that_are_guessed_first_are_refused() {
        for (typed, expected) in [
            ("", Some("error.set_up_pin_digits")),
            ("123", Some("error.set_up_pin_digits")),
            ("123456789", Some("error.set_up_pin_digits")),
            ("12a4", Some("error.set_up_pin_digits")),
            ("12 45", Some("error.set_up_pin_digits")),
            ("1111", Some("error.set_up_pin_weak")),
            ("1234", Some("error.set_up_pin_weak")),
            ("９８７６", Some("error.set_up_pin_weak")),
            ("1212", Some("error.set_up_pin_weak")),
            ("272727", Some("error.set_up_pin_weak")),
            ("1235", None),
            ("１３５８", None),
            (" 80215 ", None),
            ("20260131", None),
        ] {
            let refused = pin_of(typed, typed).err().map(|error| error.message_key);
            assert_eq!(refused.as_deref(), expected, "{typed}");
        }
        let refused = pin_of("8021", "8012").expect_err("they differ");
        assert_eq!(refused.message_key, "error.set_up_pin_differs");
    }

    #[test]
    fn numbers_are_given_in_order() {
        let taken = ["8001", "1001", "1003"];
        for (role, expected) in [(Role::Manager, "8002"), (Role::Cashier, "1002")] {
            assert_eq!(free_number(role, taken.into_iter()), expected);
        }
    }
}
