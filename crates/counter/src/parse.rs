//! Reading what the window sent.

use qiantai_core::Money;
use qiantai_core::amount_input::{self, AmountInputError};
use qiantai_core::half_width::half_width;
use time::{Date, Month};
use uuid::Uuid;

use crate::error::{CallError, ErrorCode};

/// An id.
///
/// # Errors
/// `not_found`: an id that is none names nothing.
pub fn id(text: &str) -> Result<Uuid, CallError> {
    Uuid::parse_str(text).map_err(|_| CallError::new(ErrorCode::NotFound, "not_found"))
}

/// An amount as a person typed it.
///
/// # Errors
/// `InvalidInput` with the sentence for what is wrong with it.
pub fn amount(text: &str) -> Result<Money, CallError> {
    amount_input::parse(text)
        .map_err(|error| CallError::new(ErrorCode::InvalidInput, amount_error(error)))
}

/// A day as a person typed it: 2026-11-22, 2026/11/22, 20261122, or 11-22 of this year. `None` for
/// nothing typed.
///
/// # Errors
/// `InvalidInput` with the sentence for a day that does not exist.
pub fn day(text: &str, today: Date) -> Result<Option<Date>, CallError> {
    let text: String = text.trim().chars().map(half_width).collect();
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || CallError::new(ErrorCode::InvalidInput, "day_wrong");
    let mut parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    if let [whole] = parts[..]
        && whole.len() == 8
        && whole.is_ascii()
    {
        parts = vec![&whole[..4], &whole[4..6], &whole[6..]];
    }
    let (year, month, day) = match parts[..] {
        [year, month, day] => (number(year, 4).ok_or_else(wrong)?, month, day),
        [month, day] => (
            u16::try_from(today.year()).map_err(|_| wrong())?,
            month,
            day,
        ),
        _ => return Err(wrong()),
    };
    let month = number(month, 2).and_then(|month| u8::try_from(month).ok());
    let month = month.and_then(|month| Month::try_from(month).ok());
    let day = number(day, 2).and_then(|day| u8::try_from(day).ok());
    let (Some(month), Some(day)) = (month, day) else {
        return Err(wrong());
    };
    Date::from_calendar_date(i32::from(year), month, day)
        .map(Some)
        .map_err(|_| wrong())
}

/// Plain digits, at most `digits` of them.
fn number(text: &str, digits: usize) -> Option<u16> {
    let plain = !text.is_empty() && text.len() <= digits;
    let plain = plain && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// Key of what is wrong with an amount, below `error.`.
pub fn amount_error(error: AmountInputError) -> &'static str {
    match error {
        AmountInputError::Empty => "amount_empty",
        AmountInputError::NotANumber => "amount_not_a_number",
        AmountInputError::Negative => "amount_negative",
        AmountInputError::Zero => "amount_zero",
        AmountInputError::TooPrecise => "amount_too_precise",
        AmountInputError::TooLarge => "amount_too_large",
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::day;

    #[test]
    fn days_are_read_as_people_write_them() {
        let today = date!(2026 - 11 - 22);
        let cases = [
            ("", Some(None)),
            ("  ", Some(None)),
            ("2026-11-21", Some(Some(date!(2026 - 11 - 21)))),
            ("2026/1/2", Some(Some(date!(2026 - 01 - 02)))),
            ("20260102", Some(Some(date!(2026 - 01 - 02)))),
            ("2026.01.02", Some(Some(date!(2026 - 01 - 02)))),
            ("11-21", Some(Some(date!(2026 - 11 - 21)))),
            ("２０２６－１１－２１", Some(Some(date!(2026 - 11 - 21)))),
            ("2028-02-29", Some(Some(date!(2028 - 02 - 29)))),
            ("2026-02-29", None),
            ("2026-13-01", None),
            ("2026-00-01", None),
            ("2026-11", None),
            ("11", None),
            ("昨天", None),
            ("2026-11-2x", None),
            ("+2026-11-21", None),
            ("2026-11-21-1", None),
        ];
        for (text, expected) in cases {
            assert_eq!(day(text, today).ok(), expected, "{text:?}");
        }
    }
}
