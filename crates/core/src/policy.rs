//! The shop's rules as one versioned document. Orders keep the version they used, so an
//! offline order is settled by the rules of its own time.

use time::Date;

use crate::attempt::Channel;
use crate::brand::Brand;
use crate::clock::{Millis, Timestamp};
use crate::ids::{CouponTemplateId, PackageId, PromotionId, StaffId, StoreId, TenantId, TierId};
use crate::merchant_account::MerchantAccount;
use crate::money::Money;
use crate::risk_floor::RiskFloor;

/// Everything a decision needs to know about one store, valid from `effective_from`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Counts up by one with each publication.
    pub version: u32,
    /// Orders quoted at or after this instant use this version.
    pub effective_from: Timestamp,
    /// The tenant.
    pub tenant: TenantId,
    /// The store.
    pub store: Store,
    /// Staff who may sign in here.
    pub staff: Vec<Staff>,
    /// Packages on sale.
    pub packages: Vec<Package>,
    /// Amount buttons without a package, in display order.
    pub fixed_amounts: Vec<Money>,
    /// Whether a free amount may be typed.
    pub custom_amount: bool,
    /// Ladder promotions; at most one grants an amount bonus per order.
    pub ladders: Vec<Ladder>,
    /// Tiers by rising threshold; the first has threshold zero.
    pub tiers: Vec<Tier>,
    /// Coupon kinds that packages and ladders grant.
    pub coupon_templates: Vec<CouponTemplate>,
    /// How principal and bonus are drawn; frozen on each lot.
    pub spend_order: SpendOrder,
    /// Most bonus an order may earn, in basis points of the amount paid.
    pub bonus_cap_bp: u32,
    /// Days until granted bonus expires; `None` for never.
    pub bonus_valid_days: Option<u16>,
    /// Growth and points.
    pub earning: Earning,
    /// Limits by law or product.
    pub compliance: ComplianceProfile,
    /// When an order needs a second pair of eyes (docs: domain §3.8).
    pub review: ReviewThresholds,
    /// Bounds of work without the server.
    pub offline: OfflineLimits,
    /// Payment methods in display order.
    pub channels: Vec<Channel>,
    /// Where the money of the shop's own code goes; `None` where it has none.
    pub merchant_account: Option<MerchantAccount>,
    /// How long a quote may be used (default 15 min).
    pub quote_valid: Millis,
    /// How long an order waits for payment at the counter (default 15 min).
    pub order_valid: Millis,
    /// How long one QR attempt is shown (default 5 min).
    pub qr_valid: Millis,
}

/// A shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// Identity.
    pub id: StoreId,
    /// Five digits, part of every order number.
    pub code: String,
    /// Name on screen and receipt.
    pub name: String,
    /// Trade of the shop.
    pub kind: StoreKind,
    /// Address on the receipt.
    pub address: String,
    /// Phone on the receipt.
    pub phone: String,
    /// Where members complain (12315 or the shop's own line).
    pub complaint_phone: String,
    /// Minutes past midnight at which the business date changes.
    pub cut_off_minutes: u16,
    /// One line on refunds for the receipt.
    pub refund_rule: String,
    /// How it looks to its customers.
    pub brand: Brand,
}

/// Trade of a shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// 健身
    Gym,
    /// 美发
    Salon,
    /// 美容
    Beauty,
}

/// A member of staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// Identity.
    pub id: StaffId,
    /// Short number typed or shown at sign-in.
    pub staff_no: String,
    /// Name on screen and receipt.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// Salt and Argon2id output of the PIN (parameters: m=19 MiB, t=2, p=1).
    pub pin: PinHash,
    /// False after leaving the shop.
    pub active: bool,
}

/// Argon2id of a PIN.
#[derive(Clone, PartialEq, Eq)]
pub struct PinHash {
    /// Random salt.
    pub salt: [u8; 16],
    /// Argon2id output.
    pub hash: [u8; 32],
}

impl std::fmt::Debug for PinHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PinHash(redacted)")
    }
}

/// Roles of domain §2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// 收银
    Cashier,
    /// 店长
    Manager,
    /// 财务
    Finance,
    /// 异常专员
    ExceptionHandler,
    /// 稽核
    Auditor,
    /// 总部
    HeadOffice,
}

/// A stored-value package such as 充300送50; matches its amount exactly by id and version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Identity.
    pub id: PackageId,
    /// Counts up with each edit.
    pub version: u32,
    /// Name on screen and receipt.
    pub name: String,
    /// Price.
    pub pay: Money,
    /// Bonus granted.
    pub bonus: Money,
    /// Coupons granted, with count.
    pub coupons: Vec<(CouponTemplateId, u16)>,
    /// Points on top of those earned by the amount.
    pub extra_points: i64,
    /// First and last business date on sale.
    pub on_sale: Option<(Date, Date)>,
}

/// A ladder promotion (docs: domain §3.4): the highest row whose threshold ≤ amount counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// Identity.
    pub id: PromotionId,
    /// Counts up with each edit.
    pub version: u32,
    /// Rule name shown as the reason of a bonus.
    pub name: String,
    /// Rows in any order.
    pub rows: Vec<LadderRow>,
    /// First and last business date.
    pub dates: Option<(Date, Date)>,
}

/// One row of a ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LadderRow {
    /// Least amount paid.
    pub threshold: Money,
    /// What it grants.
    pub bonus: LadderBonus,
    /// Coupons granted, with count.
    pub coupons: Vec<(CouponTemplateId, u16)>,
}

/// The bonus of a ladder row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LadderBonus {
    /// A fixed amount.
    Fixed(Money),
    /// Basis points of the amount paid, floored to whole yuan.
    Percent(u32),
    /// 每满 `every` 送 `bonus`, at most `cap`.
    EveryFull {
        /// Step.
        every: Money,
        /// Bonus per full step.
        bonus: Money,
        /// Most bonus in total.
        cap: Money,
    },
}

/// A tier (docs: domain §3.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Identity.
    pub id: TierId,
    /// 0 for the lowest.
    pub rank: u8,
    /// Name on screen and receipt.
    pub name: String,
    /// Net principal recharged over the member's life that reaches this tier.
    pub threshold: Money,
    /// Price level in basis points: 9000 means 9折.
    pub price_bp: u32,
    /// Points rate in basis points: 15000 means one and a half times.
    pub points_rate_bp: u32,
    /// Months until re-evaluation.
    pub valid_months: u8,
    /// What an upgrade to it grants, in words.
    pub benefits: Vec<String>,
}

/// A kind of coupon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponTemplate {
    /// Identity.
    pub id: CouponTemplateId,
    /// Name on screen and receipt.
    pub name: String,
    /// Face value.
    pub face: Money,
    /// Least bill.
    pub threshold: Money,
    /// Days of validity after issue.
    pub valid_days: u16,
}

/// How a payment draws from a lot (docs: domain §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpendOrder {
    /// 按比例, the default.
    Proportional,
    /// 先本后赠
    BonusLast,
    /// 先赠后本
    BonusFirst,
}

impl SpendOrder {
    /// Stable number, part of hashes that are kept for ever.
    pub const fn number(self) -> u8 {
        match self {
            SpendOrder::Proportional => 1,
            SpendOrder::BonusLast => 2,
            SpendOrder::BonusFirst => 3,
        }
    }
}

/// Growth and points earned by a top-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earning {
    /// Growth per whole yuan paid.
    pub growth_per_yuan: i64,
    /// Points per whole yuan paid, before rates.
    pub points_per_yuan: i64,
    /// Rate for top-ups in basis points.
    pub recharge_rate_bp: u32,
}

/// Limits with an effective date (docs: domain §3.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComplianceProfile {
    /// `cn_service`, `shanghai_gym`, `open`.
    pub name: String,
    /// The limits that apply.
    pub limits: Vec<ComplianceLimit>,
}

/// One limit and what happens beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComplianceLimit {
    /// What is limited.
    pub kind: LimitKind,
    /// Greatest allowed amount.
    pub amount: Money,
    /// What happens beyond it.
    pub action: LimitAction,
    /// First instant at which it applies.
    pub effective_from: Timestamp,
}

/// What a limit measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    /// Outstanding principal of the member after the top-up.
    OutstandingPrincipal,
    /// All kinds together, bought and still running, renewals included.
    AllKindsTogether,
    /// The amount of one order (the product's own cap).
    SingleOrder,
    /// Cash paid by one person in one order.
    CashByPerson,
}

/// What happens beyond a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitAction {
    /// Refuse.
    Block,
    /// Ask for review.
    Review,
    /// Say so and go on.
    Warn,
}

/// Review triggers (docs: domain §3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReviewThresholds {
    /// A single payment above this.
    pub single_pay: Money,
    /// The member's payments within 24 h above this.
    pub day_sum: Money,
    /// Cash of a member registered today above this.
    pub new_member_cash: Money,
}

/// Bounds of offline top-ups (docs: domain §5.6) and of payments beyond leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfflineLimits {
    /// Most cash per offline order.
    pub cash_per_order: Money,
    /// Most unsynced cash per terminal.
    pub cash_per_terminal: Money,
    /// What terminals may take of stored value beyond their leases.
    pub risk_floor: RiskFloor,
}
