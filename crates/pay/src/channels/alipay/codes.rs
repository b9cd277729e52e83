//! What Alipay's codes mean (docs: domain §3.11, the errors-to-cashier table).

use qiantai_core::attempt::DeclineCode;

use crate::answer::{ConfigCause, UnknownCause};

/// The call succeeded; for a charge, it is paid.
pub(super) const SUCCESS: &str = "10000";
/// The customer is confirming; charges only.
pub(super) const WAIT_BUYER_PAY: &str = "10003";

/// What a code that is no success means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Final, nothing was charged.
    Declined(DeclineCode),
    /// The trade is closed.
    Closed,
    /// The trade's state does not allow what was asked.
    WrongState,
    /// Too late to cancel.
    CancelWindowPassed,
    /// More than is left of the payment.
    RefundTooLarge,
    /// The merchant account lacks the money for a refund.
    FundsShort,
    /// The trade is frozen; staff must act.
    Frozen,
    /// There is no bill of that day.
    NoBill,
    /// Nothing certain.
    Unknown(UnknownCause),
    /// Our set-up is wrong.
    Config(ConfigCause),
}

/// Every listed `sub_code`, then every listed `code`; anything else is unknown.
pub(super) fn fault(code: &str, sub_code: &str, words: &str) -> Fault {
    use DeclineCode as D;
    let declined = Fault::Declined;
    let bad_request = || Fault::Config(ConfigCause::BadRequest(words.to_owned()));
    let not_permitted = Fault::Config(ConfigCause::NotPermitted);
    match sub_code.strip_prefix("ACQ.").unwrap_or(sub_code) {
        "SYSTEM_ERROR" | "isp.unknow-error" | "aop.unknow-error" => internal(),
        "TRADE_NOT_EXIST" => Fault::Unknown(UnknownCause::NotFound),
        "TRADE_HAS_SUCCESS" => Fault::Unknown(UnknownCause::AlreadyPaid),
        "TRADE_HAS_CLOSE" => Fault::Closed,
        "CONTEXT_INCONSISTENT" => Fault::Unknown(UnknownCause::NumberReused),
        "PAYMENT_AUTH_CODE_INVALID" => declined(D::CodeExpired),
        "BUYER_BALANCE_NOT_ENOUGH" => declined(D::BalanceShort),
        "BUYER_BANKCARD_BALANCE_NOT_ENOUGH" => declined(D::CardBalanceShort),
        "BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR" => declined(D::DailyLimit),
        "BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR" => declined(D::MonthlyLimit),
        "BEYOND_PAY_RESTRICTION"
        | "BEYOND_PER_RECEIPT_RESTRICTION"
        | "BEYOND_PER_RECEIPT_SINGLE_RESTRICTION"
        | "BEYOND_PER_RECEIPT_DAY_RESTRICTION" => declined(D::MerchantLimit),
        "TOTAL_FEE_EXCEED" | "REQUEST_AMOUNT_EXCEED" | "PRODUCT_AMOUNT_LIMIT_ERROR" => {
            declined(D::SingleLimit)
        }
        "BUYER_SELLER_EQUAL" => declined(D::PayerIsMerchant),
        "BUYER_ENABLE_STATUS_FORBID" => declined(D::AccountUnusable),
        "ERROR_BALANCE_PAYMENT_DISABLE"
        | "MOBILE_PAYMENT_SWITCH_OFF"
        | "USER_FACE_PAYMENT_SWITCH_OFF" => declined(D::FeatureOff),
        "PULL_MOBILE_CASHIER_FAIL" => declined(D::PhoneNotReached),
        "PAYMENT_FAIL" => declined(D::IssuerRefused),
        "PAYMENT_REQUEST_HAS_RISK" => declined(D::RiskControl),
        "NO_PAYMENT_INSTRUMENTS_AVAILABLE" => declined(D::CardNotSupported),
        "SELLER_BEEN_BLOCKED" | "MERCHANT_STATUS_NOT_NORMAL" => {
            Fault::Config(ConfigCause::MerchantBlocked)
        }
        "MERCHANT_AGREEMENT_NOT_EXIST"
        | "PARTNER_ERROR"
        | "ACCESS_FORBIDDEN"
        | "isv.insufficient-isv-permissions" => not_permitted,
        "INVALID_PARAMETER" => bad_request(),
        "EXIST_FORBIDDEN_WORD" => Fault::Config(ConfigCause::ForbiddenWord(words.to_owned())),
        "TRADE_STATUS_ERROR" | "REASON_TRADE_STATUS_INVALID" | "REASON_ILLEGAL_STATUS" => {
            Fault::WrongState
        }
        "CANCEL_NOT_ALLOWED" => Fault::CancelWindowPassed,
        "REASON_TRADE_BEEN_FREEZEN" => Fault::Frozen,
        "REFUND_AMT_NOT_EQUAL_TOTAL" => Fault::RefundTooLarge,
        "SELLER_BALANCE_NOT_ENOUGH" => Fault::FundsShort,
        "isv.invalid-signature" | "isv.missing-signature" | "isv.invalid-app-id" => {
            Fault::Config(ConfigCause::Signature)
        }
        "isv.invalid-timestamp" => Fault::Config(ConfigCause::Clock),
        "isp.bill_not_exist" => Fault::NoBill,
        _ => match code {
            "20000" => internal(),
            "20001" | "40006" => not_permitted,
            "40001" | "40002" | "40003" => bad_request(),
            _ => Fault::Unknown(UnknownCause::Unlisted(unlisted(code, sub_code))),
        },
    }
}

fn internal() -> Fault {
    Fault::Unknown(UnknownCause::GatewayFault(500))
}

fn unlisted(code: &str, sub_code: &str) -> String {
    let code = if sub_code.is_empty() { code } else { sub_code };
    code.chars().take(64).collect()
}
