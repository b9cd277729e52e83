//! Everything the shop knows of one member's money.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::member::MemberView;
use crate::view::order::OrderSummary;
use crate::view::{Fen, Ms};

/// A member with lots, coupons and history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MemberPage {
    /// As at the counter.
    pub member: MemberView,
    /// Lots with money left, in the order in which payments draw on them.
    pub lots: Vec<LotView>,
    /// Coupons that can be used, the one that lapses first on top.
    pub coupons: Vec<CouponView>,
    /// The newest orders.
    pub history: MemberOrders,
}

/// A member's orders as far as this terminal knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MemberOrders {
    /// Newest first.
    pub orders: Vec<OrderSummary>,
    /// There are older ones.
    pub has_earlier: bool,
}

/// Asks for a member's history from the newest order on, twenty more than are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EarlierOrders {
    /// Identity.
    pub member_id: String,
    /// How many are shown.
    pub shown: u32,
}

/// One top-up and what is left of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LotView {
    /// Number of the order; none for a balance brought from an older system.
    pub order_no: Option<String>,
    /// When it was credited.
    pub credited_at_ms: Ms,
    /// Principal at credit.
    pub principal_fen: Fen,
    /// Principal left.
    pub principal_left_fen: Fen,
    /// Bonus at credit.
    pub bonus_fen: Fen,
    /// Bonus left.
    pub bonus_left_fen: Fen,
    /// When bonus left expires; principal never does.
    pub bonus_expires_ms: Option<Ms>,
    /// True when that is within 30 days.
    pub expires_soon: bool,
}

/// Equal coupons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CouponView {
    /// Name.
    pub name: String,
    /// Face value.
    pub face_fen: Option<Fen>,
    /// Least bill, where there is one.
    pub threshold_fen: Option<Fen>,
    /// Last instant of validity.
    pub expires_ms: Ms,
    /// How many.
    pub count: u32,
}
