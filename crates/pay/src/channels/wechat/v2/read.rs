//! What the answers of API v2 mean.

use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;

use super::call::Params;
use crate::answer::{GatewayAnswer, PaidFact, ReverseAnswer, UnknownCause};
use crate::beijing;
use crate::channels::wechat::account::Account;
use crate::channels::wechat::message::CURRENCY;
use crate::channels::wechat::read::{self, Trouble};
use crate::yuan;

/// The answer to a charge.
pub(in crate::channels::wechat) fn charged(
    account: &Account,
    attempt_no: &str,
    outcome: Result<Params, Trouble>,
) -> GatewayAnswer {
    match outcome
        .and_then(succeeded)
        .map(|params| fact(&params, attempt_no))
    {
        Ok(Ok(fact)) => GatewayAnswer::Success(fact),
        Ok(Err(cause)) => GatewayAnswer::Unknown(cause),
        Err(trouble) => read::standing(account, attempt_no, Err(trouble)),
    }
}

/// The answer to a reversal. `recall` says whether it has to be repeated.
pub(in crate::channels::wechat) fn reversed(
    account: &Account,
    attempt_no: &str,
    outcome: Result<Params, Trouble>,
    charged_at: Option<Timestamp>,
    now: Timestamp,
) -> ReverseAnswer {
    match outcome.and_then(succeeded) {
        Ok(params) if params.get("recall").is_some_and(|recall| recall == "N") => {
            ReverseAnswer::Reversed {
                money_returned: None,
            }
        }
        Ok(_) => ReverseAnswer::Unknown(UnknownCause::Unlisted("recall".to_owned())),
        Err(trouble) => read::reversed(account, attempt_no, Err(trouble), charged_at, now),
    }
}

fn succeeded(params: Params) -> Result<Params, Trouble> {
    let field = |name: &str| params.get(name).cloned().unwrap_or_default();
    match field("result_code").as_str() {
        "SUCCESS" => Ok(params),
        "FAIL" => Err(Trouble::Refused {
            code: field("err_code"),
            message: field("err_code_des"),
        }),
        other => Err(Trouble::Unknown(UnknownCause::Unlisted(other.to_owned()))),
    }
}

fn fact(params: &Params, attempt_no: &str) -> Result<PaidFact, UnknownCause> {
    let field = |name: &str| {
        params
            .get(name)
            .map(String::as_str)
            .filter(|v| !v.is_empty())
    };
    let lacks = |name: &str| UnknownCause::Unreadable(format!("the field {name} is missing"));
    if field("out_trade_no") != Some(attempt_no) || field("fee_type").is_some_and(|c| c != CURRENCY)
    {
        return Err(UnknownCause::Mismatched);
    }
    let number = field("transaction_id").ok_or_else(|| lacks("transaction_id"))?;
    let amount = field("total_fee")
        .and_then(yuan::from_fen)
        .filter(|amount: &Money| amount.is_positive());
    let paid_at = field("time_end").and_then(beijing::from_compact);
    Ok(PaidFact {
        channel_txn_no: number.to_owned(),
        amount: amount.ok_or_else(|| lacks("total_fee"))?,
        paid_at: paid_at.ok_or_else(|| lacks("time_end"))?,
        payer: field("openid").map(str::to_owned),
    })
}
