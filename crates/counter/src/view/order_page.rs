//! One order with everything that led to it and came of it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::order::OrderView;
use crate::view::queue::QueuedOperation;
use crate::view::top_up::{ChannelView, NoticeView};
use crate::view::{Fen, Ms};

/// An order from the rules that priced it to the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OrderPage {
    /// As on the paying screen.
    pub order: OrderView,
    /// Who took it.
    pub cashier: String,
    /// Who sold it, if someone else did.
    pub seller: Option<String>,
    /// Taken while the server was out of reach.
    pub offline: bool,
    /// Version of the rules that priced it.
    pub policy_version: u32,
    /// When it was priced.
    pub quoted_at_ms: Ms,
    /// The rule snapshot: every rule that was looked at, in order.
    pub rules: Vec<RuleView>,
    /// Limits that it touched.
    pub limits: Vec<NoticeView>,
    /// Tries to be paid, oldest first.
    pub attempts: Vec<AttemptView>,
    /// What this terminal signed about it, oldest first.
    pub operations: Vec<QueuedOperation>,
    /// What the books hold of it; empty while nothing is credited.
    pub postings: Vec<PostingView>,
}

/// One rule of the snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RuleView {
    /// Key of the kind.
    pub kind_key: String,
    /// Name.
    pub name: String,
    /// Key of what became of it.
    pub verdict_key: String,
    /// True when it counted.
    pub counted: bool,
    /// Bonus it gave.
    pub bonus_fen: Fen,
}

/// One try to be paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AttemptView {
    /// Number, which the channel knows too.
    pub attempt_no: String,
    /// By which channel.
    pub channel: ChannelView,
    /// Key of how the customer pays.
    pub method_key: String,
    /// Key of where it stands.
    pub state_key: String,
    /// Key of why it failed.
    pub decline_key: Option<String>,
    /// Asked for.
    pub amount_fen: Fen,
    /// When it was started.
    pub started_at_ms: Ms,
    /// When the channel says it was paid.
    pub paid_at_ms: Option<Ms>,
    /// The channel's number of the payment.
    pub channel_txn_no: Option<String>,
}

/// One effect on the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PostingView {
    /// Money came in: into the drawer for cash, else on its way from the channel.
    Received {
        /// By which channel.
        channel: ChannelView,
        /// How much.
        amount_fen: Fen,
    },
    /// The shop owes the member more principal.
    Principal {
        /// How much.
        amount_fen: Fen,
        /// Before.
        before_fen: Fen,
        /// After.
        after_fen: Fen,
    },
    /// Bonus was granted, in the memo book.
    Bonus {
        /// How much.
        amount_fen: Fen,
        /// Before.
        before_fen: Fen,
        /// After.
        after_fen: Fen,
    },
    /// Points were granted.
    Points {
        /// How many.
        count: i32,
    },
    /// Growth was granted.
    Growth {
        /// How much.
        count: i32,
    },
    /// Coupons were granted.
    Coupon {
        /// Name.
        name: String,
        /// How many.
        count: u16,
    },
    /// The tier rose.
    Tier {
        /// Before.
        before: String,
        /// After.
        after: String,
    },
    /// A payment beyond what the order asked.
    Surplus {
        /// How much.
        amount_fen: Fen,
        /// True once the channel sent it back.
        refunded: bool,
    },
}
