//! A split: a part of a top-up in cash, the rest by card or transfer (docs: adr 0029) or by a gateway
//! (docs: adr 0039).

use qiantai_core::Money;
use qiantai_core::attempt::Channel;
use qiantai_core::quote::CashShare;
use qiantai_core::recharge::RechargeOrder;
use qiantai_core::recorded_payment::RecordedMethod;

use crate::error::{CallError, ErrorCode};
use crate::parse;
use crate::quotes::ShownQuote;
use crate::top_up::QR_CHANNELS;
use crate::view::order::{LooseCash, PartsView, Stage};

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
    // The shop's code asks for the whole.
    let is_keyed = RecordedMethod::of(channel).is_some() && channel != Channel::ShopCode;
    if !is_keyed && !QR_CHANNELS.contains(&channel) {
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

/// The part in cash that is taken before a gateway is asked for the rest.
pub(crate) fn asked_part(shown: &ShownQuote) -> Option<Money> {
    shown
        .cash_part
        .filter(|_| QR_CHANNELS.contains(&shown.channel))
}

/// Both parts of an order: as paid, else as it was opened.
pub(crate) fn parts_of_order(order: &RechargeOrder) -> Option<PartsView> {
    match &order.paid {
        Some(paid) => parts_of(paid.cash_part, paid.amount),
        None => parts_of(order.cash_part, order.quote.pay),
    }
}

/// What becomes of the cash beside a gateway's payment; nothing where none lies there, or it is in the
/// books.
pub(crate) fn loose_cash(order: &RechargeOrder, stage: Stage) -> Option<LooseCash> {
    if order.cash_part.is_none() || order.paid.is_some() {
        return None;
    }
    match stage {
        Stage::Opening
        | Stage::Preparing
        | Stage::Waiting
        | Stage::Charging
        | Stage::UserPaying
        | Stage::Unknown
        | Stage::Reversing
        | Stage::Cancelling => Some(LooseCash::Keep),
        // A success after its end credits nothing, so both are safe.
        Stage::Failed => Some(LooseCash::KeepOrGiveBack),
        Stage::Review | Stage::Refused | Stage::Ended | Stage::Abnormal => {
            Some(LooseCash::GiveBack)
        }
        Stage::Paid | Stage::Credited => None,
    }
}
