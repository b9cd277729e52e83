//! Choosing and pricing a top-up.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::order::PartsView;
use crate::view::{Fen, Ms};

/// What the counter offers for one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TopUpForm {
    /// Names this intent: sending it twice tops up once.
    pub intent: String,
    /// Amounts and packages in order of display.
    pub offers: Vec<Offer>,
    /// What to top up, where the balance is low.
    pub suggested: Option<Choice>,
    /// Whether a free amount may be typed.
    pub custom: bool,
    /// Payment methods in order of display.
    pub channels: Vec<ChannelOffer>,
}

/// One button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Offer {
    /// What to send back.
    pub choice: Choice,
    /// Name of the package where it says more than the amounts; none for a plain amount.
    pub name: Option<String>,
    /// To pay.
    pub pay_fen: Fen,
    /// Bonus.
    pub bonus_fen: Fen,
    /// Highest bonus per yuan among the offers that no limit forbids.
    pub most_favourable: bool,
    /// The limit that forbids it by every method.
    pub blocked: Option<NoticeView>,
    /// The limit that forbids it in cash.
    pub blocked_in_cash: Option<NoticeView>,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Choice {
    /// A button with an amount.
    Amount {
        /// To pay.
        fen: Fen,
    },
    /// A typed amount, exactly as typed.
    Typed {
        /// Text.
        text: String,
    },
    /// A package.
    Package {
        /// Identity.
        id: String,
        /// Version shown.
        version: u32,
    },
}

/// One payment method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ChannelOffer {
    /// Which.
    pub channel: ChannelView,
    /// False while the server or the channel is out of reach.
    pub available: bool,
    /// Message key that says why not, or what it takes.
    pub reason: Option<String>,
    /// Since when its gateway fails, where it does.
    pub down_since_ms: Option<Ms>,
}

impl ChannelOffer {
    /// The reason where the gateway fails: the method stands behind the others until it is back.
    pub const DOWN: &str = "top_up.channel_down";
    /// The reason where the server has no gateway for the method.
    pub const ABSENT: &str = "top_up.channel_absent";

    /// Whether the server can be reached and the method cannot be paid by all the same.
    pub fn is_of_failing_channel(&self) -> bool {
        matches!(
            self.reason.as_deref(),
            Some(ChannelOffer::DOWN | ChannelOffer::ABSENT)
        )
    }
}

/// Channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ChannelView {
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
    /// 店码
    ShopCode,
}

/// Asks for a price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct QuoteRequest {
    /// The intent of the form.
    pub intent: String,
    /// Who.
    pub member_id: String,
    /// What.
    pub choice: Choice,
    /// By which method; of a split, the one beside cash.
    pub channel: ChannelView,
    /// For a split: the part in cash, as typed; empty where there is none.
    #[serde(default)]
    pub cash_part: String,
}

/// What will be true afterwards, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct QuoteView {
    /// Names this price; sent back when paying. A changed price is shown again, not charged.
    pub quote_id: String,
    /// To pay.
    pub pay_fen: Fen,
    /// Both parts of a split.
    pub parts: Option<PartsView>,
    /// Bonus.
    pub bonus_fen: Fen,
    /// When that bonus would expire.
    pub bonus_expires_ms: Option<Ms>,
    /// Balance available afterwards.
    pub balance_after_fen: Fen,
    /// Principal afterwards.
    pub principal_after_fen: Fen,
    /// Bonus afterwards.
    pub bonus_after_fen: Fen,
    /// Points earned.
    pub points: i32,
    /// Coupons granted: name and count.
    pub coupons: Vec<(String, u16)>,
    /// Tier now.
    pub tier_before: String,
    /// Tier afterwards.
    pub tier_after: String,
    /// True when the tier rises.
    pub upgrade: bool,
    /// Names of the rules that gave something.
    pub reasons: Vec<String>,
    /// Limits touched.
    pub notices: Vec<NoticeView>,
    /// True when a limit blocks this top-up or this method.
    pub blocked: bool,
    /// An equal top-up of this member within two minutes: ask before charging.
    pub duplicate_of: Option<String>,
    /// Another order of this member whose payment has not ended: ask before charging.
    pub unsettled: Option<String>,
    /// When this price stops being valid.
    pub valid_until_ms: Ms,
}

/// A limit in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NoticeView {
    /// Message key.
    pub message_key: String,
    /// The limit.
    pub limit_fen: Fen,
    /// What would be reached.
    pub reached_fen: Fen,
    /// True when it blocks here.
    pub blocks: bool,
    /// True when somebody had to look at it first, for which no counter has a place.
    pub reviews: bool,
}
