//! What differs between the accounts in the stories that are told with each of them.

use std::path::Path;

use qiantai_core::attempt::DeclineCode;
use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;
use qiantai_pay::channels::training::message::WalletName;
use qiantai_pay::{GatewayAnswer, PendingState, RefundAnswer, RefundRefusal, UnknownCause};
use qiantai_paysim::Gateway;
use qiantai_paysim::gateway::Protocol;
use qiantai_paysim::protocols::alipay::{AlipayOpening, Mode};
use qiantai_paysim::protocols::shouqianba::ShouqianbaOpening;
use qiantai_paysim::protocols::unionpay::UnionpayOpening;
use qiantai_paysim::protocols::wechat::{CodeApi, KeyMode, WechatOpening};
use serde_json::{Value, json};

use super::desk::{BASE_URL, Desk};
use super::wechat::serial_of;
use crate::world::START;

/// The accounts that every story is told with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// Public key; payment codes by API v3.
    WechatKey,
    /// Platform certificates; payment codes by API v2.
    WechatCertificates,
    /// Bare public keys.
    AlipayKeys,
    /// Certificates.
    AlipayCertificates,
    /// The online gateway.
    Unionpay,
    /// The aggregator, with codes of WeChat Pay.
    Shouqianba,
}

impl Account {
    pub const ALL: [Account; 6] = [
        Account::WechatKey,
        Account::WechatCertificates,
        Account::AlipayKeys,
        Account::AlipayCertificates,
        Account::Unionpay,
        Account::Shouqianba,
    ];

    pub fn protocol(self) -> Protocol {
        match self {
            Account::WechatKey | Account::WechatCertificates => Protocol::Wechat,
            Account::AlipayKeys | Account::AlipayCertificates => Protocol::Alipay,
            Account::Unionpay => Protocol::Unionpay,
            Account::Shouqianba => Protocol::Shouqianba,
        }
    }

    pub fn channel(self) -> &'static str {
        match self.protocol() {
            Protocol::Training => "training",
            Protocol::Wechat => "wechat",
            Protocol::Alipay => "alipay",
            Protocol::Unionpay => "unionpay",
            Protocol::Shouqianba => "shouqianba",
        }
    }

    pub fn wallet(self) -> WalletName {
        match self.protocol() {
            Protocol::Training | Protocol::Wechat | Protocol::Shouqianba => WalletName::Wechat,
            Protocol::Alipay => WalletName::Alipay,
            Protocol::Unionpay => WalletName::Unionpay,
        }
    }

    pub fn open(self, gateway: &mut Gateway, now: Timestamp) -> Value {
        let wechat = |mode, codes| WechatOpening {
            name: "悦动健身",
            mchid: "1900000109",
            mode,
            codes,
        };
        let alipay = |mode| AlipayOpening {
            name: "悦动健身",
            app_id: "2021000000000001",
            mode,
        };
        match self {
            Account::WechatKey => {
                gateway.open_wechat(wechat(KeyMode::PublicKey, CodeApi::V3), BASE_URL, now)
            }
            Account::WechatCertificates => {
                gateway.open_wechat(wechat(KeyMode::Certificate, CodeApi::V2), BASE_URL, now)
            }
            Account::AlipayKeys => gateway.open_alipay(alipay(Mode::Keys), BASE_URL, now),
            Account::AlipayCertificates => {
                gateway.open_alipay(alipay(Mode::Certificates), BASE_URL, now)
            }
            Account::Unionpay => {
                let opening = UnionpayOpening {
                    name: "悦动健身",
                    mer_id: "777290058110048",
                };
                gateway.open_unionpay(opening, BASE_URL, now)
            }
            Account::Shouqianba => {
                let opening = ShouqianbaOpening {
                    name: "悦动健身",
                    vendor_sn: "91800001",
                    device_id: "front-desk-1",
                    // Each desk puts its own in its place.
                    terminal_file: Path::new("nowhere/terminal.json"),
                };
                gateway.open_shouqianba(opening, BASE_URL)
            }
        }
    }

    /// What a query says of a code that nobody scanned.
    pub fn unscanned(self) -> GatewayAnswer {
        match self.protocol() {
            Protocol::Training | Protocol::Wechat | Protocol::Shouqianba => {
                GatewayAnswer::Pending(PendingState::NotScanned)
            }
            Protocol::Alipay | Protocol::Unionpay => {
                GatewayAnswer::Unknown(UnknownCause::NotFoundOrNotScanned)
            }
        }
    }

    /// What a query says of a payment code that was declined after the password.
    pub fn failed(self) -> GatewayAnswer {
        match self.protocol() {
            Protocol::Training | Protocol::Wechat | Protocol::Shouqianba => {
                GatewayAnswer::Declined(DeclineCode::NotCompleted)
            }
            Protocol::Alipay => GatewayAnswer::Closed,
            Protocol::Unionpay => GatewayAnswer::Declined(DeclineCode::BalanceShort),
        }
    }

    /// Why an unpaid order is not refunded.
    pub fn unpaid(self) -> RefundRefusal {
        match self.protocol() {
            Protocol::Training | Protocol::Wechat | Protocol::Unionpay => RefundRefusal::NotPaid,
            Protocol::Alipay | Protocol::Shouqianba => RefundRefusal::TooLate,
        }
    }

    /// Causes, and what the shop learns of them.
    pub fn declines(self) -> Vec<(&'static str, DeclineCode)> {
        use DeclineCode as D;
        match self.protocol() {
            Protocol::Training | Protocol::Wechat => vec![
                ("balance_short", D::BalanceShort),
                ("card_balance_short", D::CardBalanceShort),
                ("daily_limit", D::DailyLimit),
                ("code_expired", D::CodeExpired),
                ("issuer_refused", D::IssuerRefused),
                ("risk_control", D::RiskControl),
                ("account_unusable", D::AccountUnusable),
            ],
            Protocol::Alipay => vec![
                ("balance_short", D::BalanceShort),
                ("card_balance_short", D::CardBalanceShort),
                ("daily_limit", D::DailyLimit),
                ("monthly_limit", D::MonthlyLimit),
                ("single_limit", D::SingleLimit),
                ("merchant_limit", D::MerchantLimit),
                ("code_expired", D::CodeExpired),
                ("issuer_refused", D::IssuerRefused),
                ("risk_control", D::RiskControl),
                ("account_unusable", D::AccountUnusable),
                ("payer_is_merchant", D::PayerIsMerchant),
                ("feature_off", D::FeatureOff),
                ("phone_not_reached", D::PhoneNotReached),
            ],
            Protocol::Unionpay => vec![
                ("balance_short", D::BalanceShort),
                ("daily_limit", D::DailyLimit),
                ("issuer_refused", D::IssuerRefused),
                ("risk_control", D::RiskControl),
                ("password_tries", D::PasswordTries),
                ("card_not_supported", D::CardNotSupported),
            ],
            Protocol::Shouqianba => vec![
                ("balance_short", D::BalanceShort),
                ("daily_limit", D::DailyLimit),
                ("single_limit", D::SingleLimit),
                ("merchant_limit", D::MerchantLimit),
                ("code_expired", D::CodeExpired),
                ("issuer_refused", D::IssuerRefused),
            ],
        }
    }

    /// What the same order again is answered while nobody has paid; `None` for a code.
    pub fn ordered_again(self) -> Option<UnknownCause> {
        match self.protocol() {
            Protocol::Training | Protocol::Wechat | Protocol::Alipay => None,
            Protocol::Unionpay => Some(UnknownCause::AlreadyPaid),
            Protocol::Shouqianba => Some(UnknownCause::NumberReused),
        }
    }

    /// What the same order again is answered when it is paid.
    pub fn ordered_when_paid(self) -> UnknownCause {
        match self.protocol() {
            Protocol::Shouqianba => UnknownCause::NumberReused,
            _ => UnknownCause::AlreadyPaid,
        }
    }

    /// What another order under a number that is known is answered.
    pub fn number_reused(self) -> UnknownCause {
        match self.protocol() {
            Protocol::Unionpay => UnknownCause::AlreadyPaid,
            _ => UnknownCause::NumberReused,
        }
    }

    /// The gateway has a call that closes a QR order.
    pub fn closes(self) -> bool {
        self.protocol() != Protocol::Unionpay
    }

    /// Closing again says the same; elsewhere the query that follows tells.
    pub fn closes_again(self) -> bool {
        self.protocol() != Protocol::Alipay
    }

    /// The gateway undoes a charge that waits for its password.
    pub fn reverses_unpaid(self) -> bool {
        self.protocol() != Protocol::Unionpay
    }

    /// A payment that was reversed is told as closed; elsewhere the reversal is a transaction of
    /// its own.
    pub fn tells_reversed(self) -> bool {
        self.protocol() != Protocol::Unionpay
    }

    /// The gateway answers questions about refunds.
    pub fn answers_refunds(self) -> bool {
        self.protocol() != Protocol::Shouqianba
    }

    /// What the notice of a refund says of a refund of `yuan`; `None` where none comes.
    pub fn tells_refund(self, answer: &RefundAnswer, yuan: i64) -> Option<bool> {
        match self.protocol() {
            Protocol::Shouqianba | Protocol::Training => None,
            // The sum of all refunds, which is no proof of one.
            Protocol::Alipay => Some(*answer == RefundAnswer::Accepted),
            Protocol::Wechat | Protocol::Unionpay => Some(matches!(
                answer,
                RefundAnswer::Succeeded { amount, .. } if *amount == Money::from_yuan(yuan)
            )),
        }
    }

    pub fn has_bills(self) -> bool {
        matches!(self.protocol(), Protocol::Wechat | Protocol::Alipay)
    }

    pub fn minds_the_clock(self) -> bool {
        matches!(self.protocol(), Protocol::Wechat | Protocol::Alipay)
    }

    pub fn answers_are_signed(self) -> bool {
        self.protocol() != Protocol::Shouqianba
    }

    pub fn tells_short_funds(self) -> bool {
        self.protocol() != Protocol::Unionpay
    }

    /// Wait before a notice is repeated for the first time.
    pub fn first_retry_s(self) -> u64 {
        match self.protocol() {
            Protocol::Training | Protocol::Wechat => 15,
            Protocol::Alipay => 240,
            Protocol::Unionpay => 60,
            Protocol::Shouqianba => 1,
        }
    }

    /// Replaces the shop's key by one that is not registered.
    pub fn spoil_key(self, settings: &mut Value) {
        if self == Account::Unionpay {
            let mut elsewhere = Gateway::new([8; 32]);
            settings["key_store"] = self.open(&mut elsewhere, START)["key_store"].clone();
            return;
        }
        if self == Account::Shouqianba {
            settings["vendor_key"] = json!("another");
            return;
        }
        let other = Desk::new(match self {
            Account::WechatKey => Account::WechatCertificates,
            _ => Account::WechatKey,
        });
        settings["private_key"] = other.settings["private_key"].clone();
        if self.protocol() == Protocol::Wechat {
            settings["serial_no"] = json!(serial_of(&settings["certificate"]));
            settings["certificate"] = Value::Null;
            settings["payment_code"] = json!("off");
        }
        // A certificate that does not belong to the key is refused before anything is sent.
        if self == Account::AlipayCertificates {
            settings["app_certificate"] = other.settings["certificate"].clone();
        }
    }
}
