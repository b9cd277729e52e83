//! What merchants ask for, in one form for all protocols.

use std::fmt;

use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_pay::channels::training::message::WalletName;
use serde::{Deserialize, Serialize};

/// The protocols by which merchants reach the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Our own, for practice.
    Training,
    /// 微信支付
    Wechat,
    /// 支付宝
    Alipay,
    /// 云闪付
    Unionpay,
    /// 收钱吧
    Shouqianba,
}

/// How a gateway treats an unpaid order of a QR code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QrHabits {
    /// A declined try ends the order; elsewhere the customer may try again.
    pub ends_on_decline: bool,
    /// The order closes when its time is over; elsewhere it can no longer be paid, and stays open
    /// for this long.
    pub stays_open: Option<Millis>,
    /// How long one code opens the order, whatever time the order itself has.
    pub code_lives: Millis,
}

impl Protocol {
    pub(crate) const fn qr_habits(self) -> QrHabits {
        match self {
            Protocol::Training => QrHabits {
                ends_on_decline: true,
                stays_open: None,
                code_lives: Millis::hours(2),
            },
            Protocol::Wechat => QrHabits {
                ends_on_decline: false,
                stays_open: Some(Millis::days(7)),
                code_lives: Millis::hours(2),
            },
            Protocol::Alipay | Protocol::Unionpay => QrHabits {
                ends_on_decline: false,
                stays_open: None,
                code_lives: Millis::hours(2),
            },
            Protocol::Shouqianba => QrHabits {
                ends_on_decline: false,
                stays_open: None,
                code_lives: Millis::minutes(4),
            },
        }
    }

    /// What the QR codes of this protocol say before their token.
    pub const fn payload_prefix(self) -> &'static str {
        match self {
            Protocol::Training => super::PAYLOAD_PREFIX,
            Protocol::Wechat => "weixin://wxpay/bizpayurl?pr=",
            Protocol::Alipay => "https://qr.alipay.com/",
            Protocol::Unionpay => "https://qr.95516.com/00010000/",
            Protocol::Shouqianba => "https://qr.shouqianba.com/",
        }
    }

    pub(crate) const ALL: [Protocol; 5] = [
        Protocol::Training,
        Protocol::Wechat,
        Protocol::Alipay,
        Protocol::Unionpay,
        Protocol::Shouqianba,
    ];
}

/// Names one attempt: whose it is, and the merchant's number of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttemptKey {
    /// How the merchant reaches the gateway.
    pub protocol: Protocol,
    /// The merchant's number at the gateway.
    pub merchant: String,
    /// The merchant's number of the attempt.
    pub attempt_no: String,
}

/// A payment that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPayment {
    /// Which attempt.
    pub key: AttemptKey,
    /// Amount, above zero.
    pub amount: Money,
    /// What the customer sees.
    pub subject: String,
    /// By a code of ours or one of the customer's.
    pub means: Means,
    /// Where notices go.
    pub notify_url: Option<String>,
    /// What else a repetition has to repeat, in the protocol's own form.
    pub rest: String,
}

/// How the customer pays.
#[derive(Clone, PartialEq, Eq)]
pub enum Means {
    /// The customer scans the merchant's code.
    Qr {
        /// Which wallet the phone plays.
        wallet: WalletName,
        /// When the code stops being payable.
        expires_at: Timestamp,
    },
    /// The merchant scans the customer's code.
    Code {
        /// Its digits.
        auth_code: String,
    },
}

impl fmt::Debug for Means {
    // A payment code must not be printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Means::Qr { wallet, expires_at } => f
                .debug_struct("Qr")
                .field("wallet", wallet)
                .field("expires_at", expires_at)
                .finish(),
            Means::Code { .. } => f.debug_struct("Code").finish_non_exhaustive(),
        }
    }
}

/// Money that is to go back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRefund {
    /// The attempt that was paid.
    pub key: AttemptKey,
    /// Which payment of the attempt; the first if absent.
    pub channel_txn_no: Option<String>,
    /// The merchant's number of the refund.
    pub refund_no: String,
    /// Amount, above zero.
    pub amount: Money,
    /// What the customer sees.
    pub reason: String,
    /// Where the notice of its end goes.
    pub notify_url: Option<String>,
}

/// Why the book refuses; each protocol has its own words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookRefusal {
    /// The number is known with other content.
    #[error("the number is known with other content")]
    NumberUsed,
    /// Closed or reversed before it arrived.
    #[error("the number was given up before it arrived")]
    Voided,
    /// There is no such attempt.
    #[error("there is no such attempt")]
    NotFound,
    /// A QR attempt cannot be reversed, a payment-code attempt cannot be closed.
    #[error("this kind of attempt does not allow that")]
    WrongKind,
    /// Too late: it is paid.
    #[error("the attempt is paid")]
    AlreadyPaid,
    /// Declined, closed or reversed before.
    #[error("the attempt is over")]
    Over,
    /// There is no such payment to return.
    #[error("there is no such payment")]
    NotPaid,
    /// More than is left of the payment.
    #[error("more than is left of the payment")]
    RefundExceedsPaid,
    /// The refund number is known with other content.
    #[error("the refund number is known with other content")]
    RefundNumberUsed,
    /// There is no such refund.
    #[error("there is no such refund")]
    RefundNotFound,
}
