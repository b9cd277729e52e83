//! The training protocol's messages. Amounts are whole fen, times are milliseconds since 1970 UTC.
//!
//! Requests refuse unknown fields, as the strictest real gateways do; answers and notices allow
//! them, because real gateways add fields without notice.

use qiantai_core::attempt::DeclineCode;
use serde::{Deserialize, Serialize};

use crate::channel::Wallet;

/// Path that makes a QR code: [`CreatePayment`] → [`PaymentAnswer`].
pub const CREATE: &str = "/training/v1/payments";
/// Path that charges a payment code: [`ChargeCode`] → [`PaymentAnswer`].
pub const CHARGE: &str = "/training/v1/charges";
/// Path that asks about an attempt: [`AttemptRef`] → [`PaymentAnswer`].
pub const QUERY: &str = "/training/v1/payments/query";
/// Path that closes a QR attempt: [`AttemptRef`] → [`PaymentAnswer`].
pub const CLOSE: &str = "/training/v1/payments/close";
/// Path that reverses a payment-code attempt: [`AttemptRef`] → [`PaymentAnswer`].
pub const REVERSE: &str = "/training/v1/payments/reverse";
/// Path that refunds: [`CreateRefund`] → [`RefundReply`].
pub const REFUND: &str = "/training/v1/refunds";
/// Path that asks about a refund: [`RefundRef`] → [`RefundReply`].
pub const QUERY_REFUND: &str = "/training/v1/refunds/query";

/// Makes a QR code. The same number with the same content gets the same code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreatePayment {
    /// Merchant number, as in the header.
    pub merchant: String,
    /// The merchant's number: 6 to 32 of `0-9 A-Z a-z _ - | *`.
    pub attempt_no: String,
    /// Amount, above zero.
    pub amount_fen: i64,
    /// What the customer sees, 1 to 127 characters.
    pub subject: String,
    /// Which wallet the phone plays.
    pub wallet: WalletName,
    /// End of validity, at most two hours ahead.
    pub expires_at_ms: i64,
    /// Where notices go.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub notify_url: Option<String>,
}

/// Charges a payment code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargeCode {
    /// Merchant number, as in the header.
    pub merchant: String,
    /// The merchant's number.
    pub attempt_no: String,
    /// Amount, above zero.
    pub amount_fen: i64,
    /// What the customer sees, 1 to 127 characters.
    pub subject: String,
    /// The digits of the code.
    pub auth_code: String,
    /// Where notices go.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub notify_url: Option<String>,
}

/// Names an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptRef {
    /// Merchant number, as in the header.
    pub merchant: String,
    /// The merchant's number.
    pub attempt_no: String,
}

/// Returns money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateRefund {
    /// Merchant number, as in the header.
    pub merchant: String,
    /// The attempt that was paid.
    pub attempt_no: String,
    /// Which payment of the attempt; the first if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub channel_txn_no: Option<String>,
    /// The merchant's number of the refund.
    pub refund_no: String,
    /// Amount, above zero.
    pub amount_fen: i64,
    /// What the customer sees, 1 to 80 characters.
    pub reason: String,
}

/// Names a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundRef {
    /// Merchant number, as in the header.
    pub merchant: String,
    /// The merchant's number of the refund.
    pub refund_no: String,
}

/// How an attempt stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentAnswer {
    /// Merchant number.
    pub merchant: String,
    /// The merchant's number.
    pub attempt_no: String,
    /// Where it stands.
    pub state: PaymentState,
    /// What the QR code says; in the answer to [`CREATE`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub payload: Option<String>,
    /// The first payment, in state `PAID` and after a reversal that returned money.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub paid: Option<Paid>,
    /// Why it was declined, in state `FAILED`; see [`decline_name`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decline: Option<String>,
}

/// Where an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentState {
    /// Waiting, not scanned.
    NotScanned,
    /// The customer is confirming.
    UserPaying,
    /// Paid; stays so after refunds.
    Paid,
    /// Declined; final.
    Failed,
    /// Closed or expired unpaid.
    Closed,
    /// Reversed; any money went back.
    Reversed,
    /// A state this version does not know.
    #[serde(other, skip_serializing)]
    Unlisted,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// The gateway's number.
    pub channel_txn_no: String,
    /// Amount received.
    pub amount_fen: i64,
    /// When.
    pub paid_at_ms: i64,
    /// Opaque name of the payer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub payer: Option<String>,
}

/// How a refund stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundReply {
    /// Merchant number.
    pub merchant: String,
    /// The merchant's number of the refund.
    pub refund_no: String,
    /// The gateway's number of the refund.
    pub channel_refund_no: String,
    /// Amount returned.
    pub amount_fen: i64,
}

/// A notice of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidNotice {
    /// Number of the event, the same in every repetition.
    pub notice_id: String,
    /// Merchant number, as in the header.
    pub merchant: String,
    /// The merchant's number of the attempt.
    pub attempt_no: String,
    /// What was paid.
    pub paid: Paid,
}

/// The body of every answer with a 4xx status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// See [`FaultCode`].
    pub code: String,
    /// For people.
    pub message: String,
}

/// Codes of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultCode {
    /// 401: unknown merchant or wrong signature. Not signed.
    SignError,
    /// 401: more than five minutes apart. Not signed.
    ClockOff,
    /// 400: the message breaks a rule.
    BadRequest,
    /// 400: a QR attempt cannot be reversed, a payment-code attempt cannot be closed.
    WrongKind,
    /// 404: no such attempt.
    AttemptNotFound,
    /// 403: the merchant has no contract for this.
    NotPermitted,
    /// 403: the merchant may not receive money at present.
    MerchantBlocked,
    /// 403: what is sold bears a forbidden word.
    ForbiddenWord,
    /// 409: the number is known with other content.
    AttemptNoUsed,
    /// 409: paid already.
    AlreadyPaid,
    /// 409: closed, expired, declined or reversed.
    OrderClosed,
    /// 409: never paid.
    NotPaid,
    /// 409: more than is left of the payment.
    RefundExceedsPaid,
    /// 409: the refund number is known with other content.
    RefundNoUsed,
    /// 404: no such refund.
    RefundNotFound,
}

impl FaultCode {
    const ALL: [FaultCode; 15] = [
        FaultCode::SignError,
        FaultCode::ClockOff,
        FaultCode::BadRequest,
        FaultCode::WrongKind,
        FaultCode::AttemptNotFound,
        FaultCode::NotPermitted,
        FaultCode::MerchantBlocked,
        FaultCode::ForbiddenWord,
        FaultCode::AttemptNoUsed,
        FaultCode::AlreadyPaid,
        FaultCode::OrderClosed,
        FaultCode::NotPaid,
        FaultCode::RefundExceedsPaid,
        FaultCode::RefundNoUsed,
        FaultCode::RefundNotFound,
    ];

    /// The code as it stands in [`Fault::code`].
    pub fn name(self) -> &'static str {
        match self {
            FaultCode::SignError => "SIGN_ERROR",
            FaultCode::ClockOff => "CLOCK_OFF",
            FaultCode::BadRequest => "BAD_REQUEST",
            FaultCode::WrongKind => "WRONG_KIND",
            FaultCode::AttemptNotFound => "ATTEMPT_NOT_FOUND",
            FaultCode::NotPermitted => "NOT_PERMITTED",
            FaultCode::MerchantBlocked => "MERCHANT_BLOCKED",
            FaultCode::ForbiddenWord => "FORBIDDEN_WORD",
            FaultCode::AttemptNoUsed => "OUT_TRADE_NO_USED",
            FaultCode::AlreadyPaid => "ALREADY_PAID",
            FaultCode::OrderClosed => "ORDER_CLOSED",
            FaultCode::NotPaid => "NOT_PAID",
            FaultCode::RefundExceedsPaid => "REFUND_EXCEEDS_PAID",
            FaultCode::RefundNoUsed => "REFUND_NO_USED",
            FaultCode::RefundNotFound => "REFUND_NOT_FOUND",
        }
    }

    /// Reads a code; `None` for one that this version does not know.
    pub fn of(name: &str) -> Option<FaultCode> {
        FaultCode::ALL.into_iter().find(|code| code.name() == name)
    }
}

/// A wallet's name in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WalletName {
    /// 微信支付
    Wechat,
    /// 支付宝
    Alipay,
    /// 云闪付
    Unionpay,
    /// 数字人民币
    Ecny,
}

impl From<Wallet> for WalletName {
    fn from(wallet: Wallet) -> WalletName {
        match wallet {
            Wallet::Wechat => WalletName::Wechat,
            Wallet::Alipay => WalletName::Alipay,
            Wallet::Unionpay => WalletName::Unionpay,
            Wallet::Ecny => WalletName::Ecny,
        }
    }
}

/// Every cause for which the training gateway declines.
pub const DECLINES: [DeclineCode; 18] = [
    DeclineCode::BalanceShort,
    DeclineCode::CardBalanceShort,
    DeclineCode::DailyLimit,
    DeclineCode::MonthlyLimit,
    DeclineCode::SingleLimit,
    DeclineCode::MerchantLimit,
    DeclineCode::CodeExpired,
    DeclineCode::CodeInvalid,
    DeclineCode::CardNotSupported,
    DeclineCode::IssuerRefused,
    DeclineCode::PasswordTries,
    DeclineCode::RiskControl,
    DeclineCode::AccountUnusable,
    DeclineCode::CustomerCancelled,
    DeclineCode::PayerIsMerchant,
    DeclineCode::NotCompleted,
    DeclineCode::FeatureOff,
    DeclineCode::PhoneNotReached,
];

/// A cause's name in messages.
pub fn decline_name(code: DeclineCode) -> &'static str {
    match code {
        DeclineCode::BalanceShort => "BALANCE_SHORT",
        DeclineCode::CardBalanceShort => "CARD_BALANCE_SHORT",
        DeclineCode::DailyLimit => "DAILY_LIMIT",
        DeclineCode::MonthlyLimit => "MONTHLY_LIMIT",
        DeclineCode::SingleLimit => "SINGLE_LIMIT",
        DeclineCode::MerchantLimit => "MERCHANT_LIMIT",
        DeclineCode::CodeExpired => "CODE_EXPIRED",
        DeclineCode::CodeInvalid => "CODE_INVALID",
        DeclineCode::CardNotSupported => "CARD_NOT_SUPPORTED",
        DeclineCode::IssuerRefused => "ISSUER_REFUSED",
        DeclineCode::PasswordTries => "PASSWORD_TRIES",
        DeclineCode::RiskControl => "RISK_CONTROL",
        DeclineCode::AccountUnusable => "ACCOUNT_UNUSABLE",
        DeclineCode::CustomerCancelled => "CUSTOMER_CANCELLED",
        DeclineCode::PayerIsMerchant => "PAYER_IS_MERCHANT",
        DeclineCode::NotCompleted => "NOT_COMPLETED",
        DeclineCode::FeatureOff => "FEATURE_OFF",
        DeclineCode::PhoneNotReached => "PHONE_NOT_REACHED",
    }
}

/// Reads a cause; `None` for one that this version does not know.
pub fn decline_of(name: &str) -> Option<DeclineCode> {
    DECLINES
        .into_iter()
        .find(|code| decline_name(*code) == name)
}
