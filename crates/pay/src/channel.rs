//! The interface that every gateway implements.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use qiantai_core::attempt;
use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;

use crate::answer::{CloseAnswer, GatewayAnswer, QrAnswer, RefundAnswer, ReverseAnswer};
use crate::bill::{BillAnswer, BillRequest};
use crate::credentials::Expiry;
use crate::notice::{Notice, NoticeError, NoticeReceipt, PaymentNotice};

/// One merchant account at one gateway.
///
/// Every call may be repeated with the same numbers: a gateway gives the same answer to the same
/// content. No call returns an error; what went wrong is part of the answer, because each kind
/// of trouble means something different for the money.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Which channel this is.
    fn id(&self) -> ChannelId;

    /// Asks for a QR code that the customer scans.
    async fn create_qr(&self, request: &QrRequest) -> QrAnswer;

    /// Charges the payment code that the customer shows (付款码).
    async fn charge_code(&self, request: &CodeRequest) -> GatewayAnswer;

    /// Asks what became of an attempt. A gateway that keeps no record of a QR code before it is
    /// scanned answers [`crate::UnknownCause::NotFoundOrNotScanned`] until then.
    async fn query(&self, attempt_no: &str) -> GatewayAnswer;

    /// Asks, as ourselves, about the payment of a [`Notice::Hint`]. Success is of that very payment
    /// and of our attempt.
    async fn confirm(&self, notice: &PaymentNotice) -> GatewayAnswer {
        self.query(&notice.attempt_no).await
    }

    /// Closes an unpaid QR attempt, so that it can no longer be paid. `asked_at` is when the code was
    /// last asked for: what a gateway has no record of may be on its way for a while from then.
    /// Without, the time in the number stands for it, which is a terminal's.
    async fn close(&self, attempt_no: &str, asked_at: Option<Timestamp>) -> CloseAnswer;

    /// Undoes a payment-code attempt, paid or not (撤销). To be repeated until it answers.
    /// `charged_at` is when the charge went out, as for [`Channel::close`].
    async fn reverse(&self, attempt_no: &str, charged_at: Option<Timestamp>) -> ReverseAnswer;

    /// Returns money to the payer. After any doubt repeat with the same `refund_no`: a new
    /// number pays twice.
    async fn refund(&self, request: &RefundRequest) -> RefundAnswer;

    /// Asks what became of a refund.
    async fn query_refund(&self, query: &RefundQuery) -> RefundAnswer;

    /// Fetches, checks and reads the gateway's own list of one day. A channel whose gateway keeps
    /// none leaves this as it is.
    async fn fetch_bill(&self, request: &BillRequest) -> BillAnswer {
        let _ = request;
        BillAnswer::NotOffered
    }

    /// The certificates in the settings that end one day and must be renewed by hand.
    fn expiries(&self) -> Vec<Expiry> {
        Vec::new()
    }

    /// Verifies and reads a notice that the gateway posted to us. `body` must be the raw bytes.
    /// The caller still compares the amount with the attempt, and applies each notice once.
    fn parse_notice(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notice, NoticeError>;

    /// The answer that this gateway expects to a notice with this body.
    fn notice_response(&self, notice: &[u8], receipt: NoticeReceipt) -> http::Response<Bytes>;
}

/// Name of a channel in configuration, routes and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub &'static str);

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A QR code to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QrRequest {
    /// Our number of the attempt (`out_trade_no`), stored before the call.
    pub attempt_no: String,
    /// Amount to be paid; above zero.
    pub amount: Money,
    /// What the customer sees; at most 127 characters.
    pub subject: String,
    /// The wallet the cashier chose. A channel of one wallet ignores it.
    pub wallet: Wallet,
    /// When the code stops being payable.
    pub expires_at: Timestamp,
    /// Where the gateway posts its notice; `None` where the server cannot be reached.
    pub notify_url: Option<String>,
}

/// A payment code to be charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRequest {
    /// Our number of the attempt (`out_trade_no`), stored before the call.
    pub attempt_no: String,
    /// Amount to be paid; above zero.
    pub amount: Money,
    /// What the customer sees; at most 127 characters.
    pub subject: String,
    /// The code read from the customer's phone.
    pub auth_code: AuthCode,
    /// Where the gateway posts its notice, if it sends one for payment codes.
    pub notify_url: Option<String>,
}

/// Money to be returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundRequest {
    /// The attempt that was paid.
    pub attempt_no: String,
    /// The channel's number of the payment to return, needed when one attempt was paid twice;
    /// `None` means the first payment.
    pub channel_txn_no: Option<String>,
    /// Our number of the refund, stored before the call.
    pub refund_no: String,
    /// Amount of the whole payment.
    pub paid: Money,
    /// Amount to return; above zero, and with earlier refunds no more than was paid.
    pub amount: Money,
    /// What the customer sees; at most 80 characters.
    pub reason: String,
    /// Where the gateway posts its notice, if it takes an address with a refund.
    pub notify_url: Option<String>,
}

/// A refund to be asked about; some gateways want the attempt as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundQuery {
    /// The attempt that was paid.
    pub attempt_no: String,
    /// Our number of the refund.
    pub refund_no: String,
}

/// A customer's payment code. Single-use and worth money, so it is never logged
/// (docs: domain §3.11).
#[derive(Clone, PartialEq, Eq)]
pub struct AuthCode(String);

impl AuthCode {
    /// Wraps the digits that were scanned.
    pub fn new(digits: impl Into<String>) -> AuthCode {
        AuthCode(digits.into())
    }

    /// The digits, for the request to the gateway only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AuthCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthCode(hidden)")
    }
}

/// The customer's wallet, for channels that carry several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wallet {
    /// 微信支付
    Wechat,
    /// 支付宝
    Alipay,
    /// 云闪付
    Unionpay,
    /// 数字人民币
    Ecny,
}

impl Wallet {
    /// The wallet behind a payment method of the counter; `None` for methods without one.
    pub fn of(method: attempt::Channel) -> Option<Wallet> {
        match method {
            attempt::Channel::Wechat => Some(Wallet::Wechat),
            attempt::Channel::Alipay => Some(Wallet::Alipay),
            attempt::Channel::Unionpay => Some(Wallet::Unionpay),
            attempt::Channel::Ecny => Some(Wallet::Ecny),
            attempt::Channel::Card
            | attempt::Channel::Cash
            | attempt::Channel::Transfer
            | attempt::Channel::ShopCode => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_code_never_reaches_a_log() {
        let request = CodeRequest {
            attempt_no: "ZF1".to_owned(),
            amount: Money::from_yuan(3),
            subject: "充值".to_owned(),
            auth_code: AuthCode::new("134567890123456789"),
            notify_url: None,
        };
        let printed = format!("{request:?}");
        assert!(printed.contains("AuthCode(hidden)"), "{printed}");
        assert!(!printed.contains("1345"), "{printed}");
    }

    #[test]
    fn only_wallets_are_wallets() {
        let check = |method, expected| assert_eq!(Wallet::of(method), expected, "{method:?}");
        check(attempt::Channel::Wechat, Some(Wallet::Wechat));
        check(attempt::Channel::Alipay, Some(Wallet::Alipay));
        check(attempt::Channel::Unionpay, Some(Wallet::Unionpay));
        check(attempt::Channel::Ecny, Some(Wallet::Ecny));
        check(attempt::Channel::Card, None);
        check(attempt::Channel::Cash, None);
        check(attempt::Channel::Transfer, None);
        check(attempt::Channel::ShopCode, None);
    }
}
