//! What a decision writes: balanced postings, journal rows and the rows beside them.

pub mod chain;

use crate::attempt::Channel;
use crate::clock::Timestamp;
use crate::ids::{
    AttemptId, CaseId, CouponId, CouponTemplateId, DeviceId, LotId, MemberId, OrderId, RowId,
    ShiftId, StaffId, StoreId, TierId,
};
use crate::money::Money;

/// One leg of a balanced entry. Debits are positive, credits negative; the legs of one
/// operation sum to zero per book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Counts from 0 within the operation.
    pub leg: u16,
    /// Money or the memo book of bonus.
    pub book: Book,
    /// Where.
    pub account: LedgerAccount,
    /// Debit > 0, credit < 0.
    pub amount: Money,
}

/// Bonus stands in a memo book of its own (docs: domain §4.2, policy A).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Book {
    /// Money.
    Money,
    /// 备查簿: bonus promised to members.
    Bonus,
}

/// Ledger accounts (shared sync.md, "The ledger").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LedgerAccount {
    /// What the shop owes a member from one lot.
    MemberPrincipal(MemberId, LotId),
    /// What a member owes the shop.
    MemberDebt(MemberId),
    /// Cash in the drawer of a shift.
    Drawer(ShiftId),
    /// Money on its way from a channel.
    Clearing(Channel),
    /// Earned.
    Revenue(StoreId),
    /// Received but not attributable yet.
    Suspense,
    /// Balances brought from an older system.
    Opening,
    /// Memo: bonus of one lot.
    MemberBonus(MemberId, LotId),
    /// Memo: bonus granted by a store.
    BonusGranted(StoreId),
}

/// 流水: one row of a member's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// Identity.
    pub id: RowId,
    /// The account.
    pub member: MemberId,
    /// Gapless per account, from 1.
    pub seq: u64,
    /// What happened.
    pub biz: BizType,
    /// Order, refund …: unique with `biz` and `leg`.
    pub biz_id: uuid::Uuid,
    /// Counts from 0.
    pub leg: u16,
    /// The lot.
    pub lot: LotId,
    /// Change of principal.
    pub d_principal: Money,
    /// Change of bonus.
    pub d_bonus: Money,
    /// Principal after.
    pub principal_after: Money,
    /// Bonus after.
    pub bonus_after: Money,
    /// Where.
    pub store: StoreId,
    /// In which shift.
    pub shift: Option<ShiftId>,
    /// By whom.
    pub operator: Option<StaffId>,
    /// When.
    pub at: Timestamp,
}

/// Journal types (docs: domain §2.1). Refunds bring theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BizType {
    /// A top-up.
    Recharge,
    /// Balances from an older system.
    Opening,
    /// A service paid from stored value.
    Consume,
}

/// A change of growth or points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarningEntry {
    /// Identity.
    pub id: RowId,
    /// The member.
    pub member: MemberId,
    /// Which of the two.
    pub kind: EarningKind,
    /// Change.
    pub delta: i64,
    /// After.
    pub after: i64,
    /// The order.
    pub order: Option<OrderId>,
    /// When it lapses (points: end of next year).
    pub expires_at: Option<Timestamp>,
    /// When.
    pub at: Timestamp,
}

/// Growth or points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarningKind {
    /// 成长值
    Growth,
    /// 积分
    Points,
}

/// A change of tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierEntry {
    /// Identity.
    pub id: RowId,
    /// The member.
    pub member: MemberId,
    /// Before.
    pub from: TierId,
    /// After.
    pub to: TierId,
    /// The order that caused it.
    pub order: Option<OrderId>,
    /// Net principal at that moment.
    pub basis: Money,
    /// Valid until.
    pub valid_until: Timestamp,
    /// Rules used.
    pub policy_version: u32,
    /// When.
    pub at: Timestamp,
}

/// One coupon of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coupon {
    /// Identity.
    pub id: CouponId,
    /// Kind.
    pub template: CouponTemplateId,
    /// Owner.
    pub member: MemberId,
    /// Order that granted it.
    pub order: OrderId,
    /// Where it stands.
    pub state: CouponState,
    /// Last instant of validity.
    pub expires_at: Timestamp,
    /// When it was issued.
    pub issued_at: Timestamp,
}

/// States of domain §2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CouponState {
    /// Usable.
    Issued,
    /// Reserved by an open bill.
    Locked,
    /// Used.
    Used,
    /// Lapsed.
    Expired,
    /// Taken back.
    Voided,
}

/// Care plan steps on days 1, 3, 5, 7 after credit (docs: domain §3.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarePlan {
    /// Identity.
    pub id: RowId,
    /// The member.
    pub member: MemberId,
    /// The order.
    pub order: OrderId,
    /// Day 0.
    pub starts_at: Timestamp,
}

/// 异常单: something a person must look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionCase {
    /// Identity.
    pub id: CaseId,
    /// What happened.
    pub kind: CaseKind,
    /// The order, if any.
    pub order: Option<OrderId>,
    /// The attempt, if any.
    pub attempt: Option<AttemptId>,
    /// The member, if any.
    pub member: Option<MemberId>,
    /// The device, if any.
    pub device: Option<DeviceId>,
    /// Money that waits for a decision.
    pub amount: Money,
    /// When it was opened; respond within 2 h, close within 24 h.
    pub opened_at: Timestamp,
}

/// Causes of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CaseKind {
    /// The gateway received another amount than the order's.
    AmountMismatch,
    /// Money came for an order already closed or cancelled.
    LatePayment,
    /// Money came twice for one order.
    SecondPayment,
    /// Paid, but the account could not be credited.
    CreditBlocked,
    /// A fact broke a limit and was posted all the same.
    LimitPassed,
    /// A fact disagreed with the rules of its time; the server's numbers were posted.
    QuoteDiffers,
    /// An equal top-up within 120 s was not confirmed by the cashier.
    DuplicateSuspected,
    /// The same action arrived with another content.
    ActionReused,
    /// A fact belongs to no open shift of its device, or the device has two.
    ShiftIrregular,
    /// A fact was signed for somebody unknown, inactive or without the right to do it.
    StaffIrregular,
    /// A fact could not be attributed; its money stands in suspense.
    Unattributed,
    /// An operation could not be read and is held.
    Held,
    /// A device sent two different histories.
    Fork,
    /// A device's clock was far off.
    ClockWrong,
    /// A payment was recorded with a reference that was used before.
    ReferenceUsed,
    /// A terminal drew on a lease what it did not hold.
    LeaseExceeded,
    /// More was spent without the server than there was; the member owes the rest.
    Overdrawn,
    /// Stored value of a member was spent who is frozen, merged or closed.
    MemberInactive,
    /// Under an attempt's number another merchant or application was paid.
    PaidElsewhere,
    /// A reversal was begun and the gateway does not say whether it was done.
    ReversalUnclear,
    /// A notice told of a payment, and the gateway has not said for a day whether we have it.
    NoticeUnconfirmed,
    /// A payment was returned at the platform, by nobody here, before it was credited.
    ReturnedOutside,
}

/// A message for other systems, written with the change it speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEvent {
    /// Identity.
    pub id: RowId,
    /// What happened.
    pub topic: Topic,
    /// Order, member, shift … by topic.
    pub subject: uuid::Uuid,
    /// When.
    pub at: Timestamp,
}

/// Topics of domain §2.1 that a top-up or a payment from stored value touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// `order.created`
    OrderCreated,
    /// `payment.success`
    PaymentSuccess,
    /// `account.credited`
    AccountCredited,
    /// `tier.changed`
    TierChanged,
    /// `coupon.issued`
    CouponIssued,
    /// `shift.opened`
    ShiftOpened,
    /// `case.opened`
    CaseOpened,
    /// `payment.surplus`: a second success must be refunded.
    PaymentSurplus,
    /// `consumption.settled`
    ConsumptionSettled,
}

/// A cashier's shift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Identity.
    pub id: ShiftId,
    /// `JB…`.
    pub shift_no: String,
    /// Where.
    pub store: StoreId,
    /// Terminal.
    pub device: DeviceId,
    /// Who.
    pub cashier: StaffId,
    /// When.
    pub opened_at: Timestamp,
    /// Σ counted float.
    pub opening_float: Money,
    /// Where it stands.
    pub state: ShiftState,
}

/// States of domain §2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShiftState {
    /// Counting the float.
    Opening,
    /// Selling.
    Open,
    /// Counting at the end.
    Counting,
    /// Signed by the cashier.
    Closed,
    /// Signed by the manager.
    Approved,
}

/// Cash into or out of a drawer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashMovement {
    /// Identity.
    pub id: RowId,
    /// The shift.
    pub shift: ShiftId,
    /// Why.
    pub kind: CashMovementKind,
    /// Into the drawer > 0.
    pub amount: Money,
    /// The order, for sales.
    pub order: Option<OrderId>,
    /// When.
    pub at: Timestamp,
}

/// Kinds that a top-up touches; the others come with shifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CashMovementKind {
    /// 备用金
    Float,
    /// A top-up paid in cash.
    Sale,
}
