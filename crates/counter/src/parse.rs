//! Reading what the window sent.

use qiantai_core::Money;
use qiantai_core::amount_input::{self, AmountInputError};
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
