//! A split: a part of a top-up in cash, the rest by card or transfer (docs: adr 0029).

use qiantai_core::Money;
use qiantai_core::attempt::Channel;
use qiantai_core::quote::CashShare;
use qiantai_core::recharge::PaidFact;
use qiantai_core::recorded_payment::RecordedMethod;

use crate::error::{CallError, ErrorCode};
use crate::parse;
use crate::view::order::PartsView;

/// What an error is about, where it stands next to the field of the part in cash.
const FIELD: &str = "cash_part";

/// The part in cash as typed; nothing typed is no split.
///
/// # Errors
/// What was typed is no amount, or the method pays the whole.
pub(crate) fn read_part(text: &str, channel: Channel) -> Result<Option<Money>, CallError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    // The code asks for the whole.
    if RecordedMethod::of(channel).is_none() || channel == Channel::ShopCode {
        return Err(CallError::new(ErrorCode::WrongState, "split_not_offered"));
    }
    let part = parse::amount(text).map_err(|error| error.with("field", FIELD))?;
    Ok(Some(part))
}

/// Leaves something for the other method.
///
/// # Errors
/// The part is all of `pay` or more.
pub(crate) fn check_part(part: Option<Money>, pay: Money) -> Result<(), CallError> {
    if part.is_none_or(|part| part < pay) {
        return Ok(());
    }
    let whole = CallError::new(ErrorCode::InvalidInput, "cash_part_whole");
    Err(whole.with("field", FIELD).with("amount", pay.to_string()))
}

/// What of a top-up by `channel` is cash.
pub(crate) fn share_of(channel: Channel, part: Option<Money>) -> CashShare {
    match channel {
        Channel::Cash => CashShare::Whole,
        _ => CashShare::of_part(part),
    }
}

/// Both parts of `pay`.
pub(crate) fn parts_of(part: Option<Money>, pay: Money) -> Option<PartsView> {
    part.map(|part| PartsView {
        cash_fen: part.into(),
        other_fen: (pay - part).into(),
    })
}

/// Both parts of a payment.
pub(crate) fn parts_paid(paid: &PaidFact) -> Option<PartsView> {
    parts_of(paid.cash_part, paid.amount)
}
