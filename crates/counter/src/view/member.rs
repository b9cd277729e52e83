//! Members.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::{Fen, Ms};

/// What was typed or scanned into the search box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MemberSearch {
    /// Text.
    pub text: String,
    /// Scanned: the whole number of a card, a member or a phone, and nothing that begins so.
    pub exact: bool,
}

/// One hit, masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MemberHit {
    /// Identity.
    pub id: String,
    /// Full name: the cashier must be able to call the person.
    pub name: String,
    /// 138****5678
    pub phone: String,
    /// Member number.
    pub member_no: String,
    /// Tier name.
    pub tier: String,
    /// Balance available.
    pub available_fen: Fen,
    /// Month of birth, to tell namesakes apart.
    pub birth_month: Option<u8>,
}

/// Names one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MemberKey {
    /// Identity.
    pub member_id: String,
}

/// A member at the counter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MemberView {
    /// Identity.
    pub id: String,
    /// Full name.
    pub name: String,
    /// Masked phone.
    pub phone: String,
    /// Member number.
    pub member_no: String,
    /// Tier name.
    pub tier: String,
    /// Balance available.
    pub available_fen: Fen,
    /// Principal.
    pub principal_fen: Fen,
    /// Bonus.
    pub bonus_fen: Fen,
    /// Part that is still provisional: own top-ups that the server has not confirmed.
    pub provisional_fen: Fen,
    /// Points.
    pub points: i32,
    /// Net principal recharged over the member's life.
    pub recharged_fen: Fen,
    /// The next tier and what is missing, unless at the top.
    pub next_tier: Option<NextTier>,
    /// Bonus that expires within 30 days.
    pub expiring: Option<ExpiringBonus>,
    /// Usable coupons.
    pub coupons: u32,
    /// False when frozen, merged or closed.
    pub active: bool,
    /// Latest top-ups known here, newest first, at most four.
    pub recent: Vec<RecentEntry>,
    /// State of the server's books that this shows.
    pub as_of_ms: Option<Ms>,
}

/// The way to the next tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NextTier {
    /// Its name.
    pub name: String,
    /// Missing amount.
    pub missing_fen: Fen,
    /// Progress from this tier's threshold to the next, in per cent.
    pub percent: u8,
}

/// Bonus about to expire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ExpiringBonus {
    /// How much.
    pub amount_fen: Fen,
    /// First expiry.
    pub at_ms: Ms,
}

/// A line of recent history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RecentEntry {
    /// When.
    pub at_ms: Ms,
    /// Paid.
    pub pay_fen: Fen,
    /// Bonus.
    pub bonus_fen: Fen,
    /// Not yet confirmed by the server.
    pub provisional: bool,
}
