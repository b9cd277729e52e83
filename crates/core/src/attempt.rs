//! Payment attempts.

use crate::clock::Timestamp;
use crate::ids::{AttemptId, OrderId};
use crate::money::Money;

/// 支付单: one try to be paid for an order, by one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentAttempt {
    /// Identity.
    pub id: AttemptId,
    /// `ZF…`; the gateway's `out_trade_no`. Never reused.
    pub attempt_no: String,
    /// The order.
    pub order: OrderId,
    /// Which channel.
    pub channel: Channel,
    /// How the customer pays.
    pub method: PayMethod,
    /// Amount asked for.
    pub amount: Money,
    /// Where it stands.
    pub state: AttemptState,
    /// What the QR code says, once the gateway made it.
    pub qr_payload: Option<String>,
    /// When the QR stops being valid.
    pub expires_at: Timestamp,
    /// The channel's number of the payment.
    pub channel_txn_no: Option<String>,
    /// When the channel says it was paid.
    pub paid_at: Option<Timestamp>,
    /// Why it failed.
    pub decline: Option<DeclineCode>,
    /// What was wrong with the shop's own set-up, where that is why it failed and is known.
    pub config_fault: Option<ConfigFault>,
    /// Whether the customer had paid and gets the money back; for a reversed attempt, where the
    /// gateway says it.
    pub money_returned: Option<bool>,
    /// Set once the cashier asked to cancel; the gateway has the last word.
    pub cancel_requested: bool,
    /// Payments of this attempt that nobody owes us: second successes, each sent back once.
    pub surplus: Vec<Surplus>,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
}

impl PaymentAttempt {
    /// Whether it ended and money reported from now on is money that came after its end. After a
    /// reversal of what was or may have been paid, a success is older than the reversal.
    pub fn may_be_paid_late(&self) -> bool {
        match self.state {
            AttemptState::Failed | AttemptState::Closed => true,
            AttemptState::Reversed => self.money_returned == Some(false),
            _ => false,
        }
    }
}

/// A payment beyond what the order asks, standing in suspense until the gateway sent it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surplus {
    /// The channel's number of that payment.
    pub channel_txn_no: String,
    /// Amount received.
    pub amount: Money,
    /// True once it was sent back.
    pub refunded: bool,
}

/// Payment channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// 微信支付
    Wechat,
    /// 支付宝
    Alipay,
    /// 云闪付
    Unionpay,
    /// 数字人民币
    Ecny,
    /// 刷卡
    Card,
    /// 现金
    Cash,
    /// 对公转账
    Transfer,
    /// 店码: the shop's own code, which leads to its merchant account and tells nobody.
    ShopCode,
}

impl Channel {
    /// Stable number, part of hashes that are kept for ever.
    pub const fn number(self) -> u8 {
        match self {
            Channel::Wechat => 1,
            Channel::Alipay => 2,
            Channel::Unionpay => 3,
            Channel::Ecny => 4,
            Channel::Card => 5,
            Channel::Cash => 6,
            Channel::Transfer => 7,
            Channel::ShopCode => 8,
        }
    }
}

impl PayMethod {
    /// Stable number, part of hashes that are kept for ever.
    pub const fn number(self) -> u8 {
        match self {
            PayMethod::Qr => 1,
            PayMethod::Code => 2,
            PayMethod::Recorded => 3,
        }
    }
}

/// How the customer pays within a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PayMethod {
    /// The customer scans our QR code.
    Qr,
    /// We scan the customer's payment code.
    Code,
    /// Keyed in or counted by staff.
    Recorded,
}

/// States of domain §2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttemptState {
    /// Made, not yet sent to the gateway.
    Init,
    /// The gateway has it; waiting for the customer.
    Submitted,
    /// The gateway says that the customer is confirming.
    UserPaying,
    /// Nobody knows; money may have moved.
    Unknown,
    /// Paid.
    Succeeded,
    /// Declined by the gateway; final.
    Failed,
    /// Being reversed.
    Reversing,
    /// Reversed; final.
    Reversed,
    /// Closed unpaid; final.
    Closed,
}

/// Causes that end an attempt unpaid; texts in shared errors-to-cashier table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeclineCode {
    /// Account balance short.
    BalanceShort,
    /// Bank card balance short.
    CardBalanceShort,
    /// Customer's daily limit.
    DailyLimit,
    /// Customer's monthly limit.
    MonthlyLimit,
    /// Limit of one payment.
    SingleLimit,
    /// The merchant's receiving limit.
    MerchantLimit,
    /// Payment code expired.
    CodeExpired,
    /// Payment code wrong or used.
    CodeInvalid,
    /// Card not supported.
    CardNotSupported,
    /// The issuer refused.
    IssuerRefused,
    /// Wrong password too often.
    PasswordTries,
    /// Risk control.
    RiskControl,
    /// The customer's account cannot pay.
    AccountUnusable,
    /// The customer gave up.
    CustomerCancelled,
    /// Payer and merchant are the same.
    PayerIsMerchant,
    /// Not completed after the password.
    NotCompleted,
    /// The pay feature is switched off on the phone.
    FeatureOff,
    /// The phone could not be asked to confirm.
    PhoneNotReached,
}

impl DeclineCode {
    /// Stable number, part of hashes that are kept for ever.
    pub const fn number(self) -> u8 {
        match self {
            DeclineCode::BalanceShort => 1,
            DeclineCode::CardBalanceShort => 2,
            DeclineCode::DailyLimit => 3,
            DeclineCode::MonthlyLimit => 4,
            DeclineCode::SingleLimit => 5,
            DeclineCode::MerchantLimit => 6,
            DeclineCode::CodeExpired => 7,
            DeclineCode::CodeInvalid => 8,
            DeclineCode::CardNotSupported => 9,
            DeclineCode::IssuerRefused => 10,
            DeclineCode::PasswordTries => 11,
            DeclineCode::RiskControl => 12,
            DeclineCode::AccountUnusable => 13,
            DeclineCode::CustomerCancelled => 14,
            DeclineCode::PayerIsMerchant => 15,
            DeclineCode::NotCompleted => 16,
            DeclineCode::FeatureOff => 17,
            DeclineCode::PhoneNotReached => 18,
        }
    }
}

/// What is wrong with the shop's own set-up; class CONFIG of the shared errors-to-cashier table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConfigFault {
    /// The gateway does not accept our signature: wrong key or wrong merchant.
    Signature,
    /// The server's clock is too far from the gateway's.
    Clock,
    /// The shop has no contract for this product, or may not use it.
    NotPermitted,
    /// The gateway stopped the merchant from receiving money.
    MerchantBlocked,
    /// The gateway calls the request wrong.
    BadRequest,
    /// What is sold bears a word that the gateway forbids.
    ForbiddenWord,
}

impl ConfigFault {
    /// Stable number, part of hashes that are kept for ever.
    pub const fn number(self) -> u8 {
        match self {
            ConfigFault::Signature => 1,
            ConfigFault::Clock => 2,
            ConfigFault::NotPermitted => 3,
            ConfigFault::MerchantBlocked => 4,
            ConfigFault::BadRequest => 5,
            ConfigFault::ForbiddenWord => 6,
        }
    }
}

/// What a gateway's answer means for an attempt, as the server records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayOutcome {
    /// The gateway made the QR code.
    QrReady {
        /// What the QR code says.
        payload: String,
    },
    /// Paid.
    Success {
        /// The channel's number.
        channel_txn_no: String,
        /// Amount received.
        amount: Money,
        /// When, by the channel's clock.
        paid_at: Timestamp,
    },
    /// Declined; final.
    Declined(DeclineCode),
    /// The customer is confirming.
    UserPaying,
    /// Waiting for the customer; leaves [`AttemptState::Unknown`] when the gateway answers again.
    Waiting,
    /// Nobody knows.
    Unknown,
    /// The gateway confirms that it is closed unpaid.
    Closed,
    /// A reversal has begun.
    Reversing,
    /// The gateway confirms the reversal.
    Reversed {
        /// True when the customer had paid and gets the money back; `None` where the gateway does
        /// not say, and in operations that are older than the telling of it.
        money_returned: Option<bool>,
    },
    /// Refused because our own set-up is wrong; nothing was charged. What is wrong, unless the
    /// operation is older than the telling of it.
    ConfigError(Option<ConfigFault>),
    /// Under the attempt's number another merchant or application was paid. A person must look;
    /// the state of the attempt is as it was.
    PaidElsewhere {
        /// The channel's number of that payment.
        channel_txn_no: String,
        /// Amount that went there.
        amount: Money,
    },
    /// Paid, and returned since, in whole or in part, by somebody else than this server. Nothing is
    /// credited; a person must look.
    ReturnedOutside {
        /// The channel's number of that payment.
        channel_txn_no: String,
        /// Amount that was paid.
        amount: Money,
    },
    /// The gateway has not said for long whether it reversed. A person must look; it is asked on.
    ReversalUnclear,
    /// A notice that named nobody told of this payment, and the gateway has not said in a day
    /// whether it is ours. A person must look; the state of the attempt is as it was.
    NoticeUnconfirmed {
        /// The channel's number of that payment.
        channel_txn_no: String,
        /// Amount that the notice told.
        amount: Money,
    },
}

impl AttemptState {
    /// Every state, in the order of the table.
    pub const ALL: [AttemptState; 9] = [
        AttemptState::Init,
        AttemptState::Submitted,
        AttemptState::UserPaying,
        AttemptState::Unknown,
        AttemptState::Succeeded,
        AttemptState::Failed,
        AttemptState::Reversing,
        AttemptState::Reversed,
        AttemptState::Closed,
    ];

    /// The states that may follow this one (docs: domain §2.2).
    ///
    /// A notice can overtake our own request, so `Init` may jump ahead. `Failed`, `Closed` and
    /// `Reversed` are final for us; should the gateway report the money after all, the money is the
    /// fact, unless it is what a reversal sent back (see [`PaymentAttempt::may_be_paid_late`]).
    /// While an attempt is being reversed only a gateway that refused to reverse can say that it is
    /// paid; the server asks for no other word and takes none.
    pub const fn successors(self) -> &'static [AttemptState] {
        use AttemptState::{
            Closed, Failed, Init, Reversed, Reversing, Submitted, Succeeded, Unknown, UserPaying,
        };
        match self {
            Init => &[Submitted, UserPaying, Unknown, Succeeded, Failed, Closed],
            Submitted => &[UserPaying, Unknown, Succeeded, Failed, Closed],
            UserPaying => &[Unknown, Succeeded, Failed, Reversing, Closed],
            Unknown => &[Submitted, UserPaying, Succeeded, Failed, Reversing, Closed],
            Reversing => &[Reversed, Succeeded],
            Failed | Closed | Reversed => &[Succeeded],
            Succeeded => &[],
        }
    }

    /// Whether `to` may follow this state.
    pub fn can_become(self, to: AttemptState) -> bool {
        self.successors().contains(&to)
    }

    /// True while the gateway may still take money or must still answer.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            AttemptState::Init
                | AttemptState::Submitted
                | AttemptState::UserPaying
                | AttemptState::Unknown
                | AttemptState::Reversing
        )
    }
}
