//! What Shouqianba's codes mean (docs: the errors-to-cashier table).

use qiantai_core::attempt::DeclineCode;

use crate::answer::{ConfigCause, UnknownCause};

/// What an `error_code` means, of the call or of the business step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Final, nothing was charged.
    Declined(DeclineCode),
    /// Done already; a question tells.
    Noop,
    /// The order's state does not allow it.
    WrongState,
    /// More than is left of the payment.
    RefundTooLarge,
    /// The merchant account lacks the money for a refund.
    FundsShort,
    /// The terminal's key is not the one in force.
    WrongKey,
    /// The terminal has to be activated again.
    NotActivated,
    /// Nothing certain.
    Unknown(UnknownCause),
    /// Our set-up is wrong.
    Config(ConfigCause),
}

pub(super) fn fault(code: &str, words: &str) -> Fault {
    use DeclineCode as D;
    let declined = Fault::Declined;
    let unknown = Fault::Unknown;
    match code {
        "INVALID_BARCODE" => declined(D::CodeInvalid),
        "EXPIRED_BARCODE" => declined(D::CodeExpired),
        "INSUFFICIENT_FUND" => declined(D::BalanceShort),
        "BUYER_OVER_DAILY_LIMIT" => declined(D::DailyLimit),
        "BUYER_OVER_TRANSACTION_LIMIT" => declined(D::SingleLimit),
        "SELLER_OVER_DAILY_LIMIT" | "UPAY_STORE_OVER_DAILY_LIMIT" => declined(D::MerchantLimit),
        "TRADE_FAILED" => declined(D::IssuerRefused),
        "TRADE_TIMEOUT" => declined(D::NotCompleted),
        "UNEXPECTED_PROVIDER_ERROR" => declined(D::CodeInvalid),
        "TRADE_NOT_EXIST" | "UPAY_ORDER_NOT_EXISTS" => unknown(UnknownCause::NotFound),
        "TRADE_HAS_SUCCESS" => unknown(UnknownCause::AlreadyPaid),
        "CLIENT_SN_CONFLICT" | "REFUND_REQUEST_CONFLICT" => unknown(UnknownCause::NumberReused),
        "SELLER_BALANCE_NOT_ENOUGH" | "ACCOUNT_BALANCE_NOT_ENOUGH" => Fault::FundsShort,
        "REFUNDABLE_AMOUNT_NOT_ENOUGH" | "REFUND_AMT_NOT_EQUAL_TOTAL" => Fault::RefundTooLarge,
        "UPAY_CANCEL_ORDER_NOOP" | "UPAY_REFUND_ORDER_NOOP" => Fault::Noop,
        "UPAY_CANCEL_INVALID_ORDER_STATE"
        | "UPAY_REFUND_INVALID_ORDER_STATE"
        | "UPAY_TCP_ORDER_NOT_REFUNDABLE" => Fault::WrongState,
        "ILLEGAL_SIGN" => Fault::WrongKey,
        "INVALID_TERMINAL" | "TERMINAL_NOT_EXISTS" | "UPAY_TERMINAL_NOT_EXISTS" => {
            Fault::NotActivated
        }
        "UPAY_TERMINAL_STATUS_ABNORMAL" => Fault::Config(ConfigCause::NotPermitted),
        "INVALID_PARAMS" => Fault::Config(ConfigCause::BadRequest(words.to_owned())),
        "UNKNOWN_SYSTEM_ERROR" | "MAINTENANCE_INPROGRESS" => {
            unknown(UnknownCause::GatewayFault(500))
        }
        _ => unlisted(code),
    }
}

pub(super) fn unlisted(code: &str) -> Fault {
    Fault::Unknown(UnknownCause::Unlisted(code.chars().take(64).collect()))
}
