//! Recharge orders.

use crate::attempt::Channel;
use crate::clock::Timestamp;
use crate::ids::{DeviceId, MemberId, OrderId, PackageId, ShiftId, StaffId, StoreId};
use crate::money::Money;
use crate::quote::Quote;

/// 充值单.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RechargeOrder {
    /// Identity.
    pub id: OrderId,
    /// `CZ…`, 30 characters (docs: domain §3.10).
    pub order_no: String,
    /// Who is topped up.
    pub member: MemberId,
    /// Where.
    pub store: StoreId,
    /// On which terminal.
    pub device: DeviceId,
    /// In which shift.
    pub shift: ShiftId,
    /// Who took the order.
    pub cashier: StaffId,
    /// Who gets the credit for selling.
    pub seller: Option<StaffId>,
    /// The manager who let it pass the cap on what is taken offline. Whoever took the money stands
    /// here only after letting it be credited alone: see [`RechargeOrder::released_by_taker`].
    pub approver: Option<StaffId>,
    /// What was chosen.
    pub choice: AmountChoice,
    /// Amount, bonus, gifts and why, as frozen when the order was opened: the rule snapshot.
    pub quote: Quote,
    /// For a split whose rest a gateway is asked for: what is paid in cash. It is in the books once the
    /// rest is paid, and belongs to the customer until then (docs: adr 0039).
    pub cash_part: Option<Money>,
    /// Where it stands.
    pub state: OrderState,
    /// Set when paid.
    pub paid: Option<PaidFact>,
    /// Set when credited; the account before and after.
    pub credit: Option<Credit>,
    /// Written while the server was out of reach.
    pub offline: bool,
    /// Reprints so far.
    pub copies: u32,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When an unpaid order closes.
    pub expires_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
}

impl RechargeOrder {
    /// What a gateway is asked for.
    pub fn asked(&self) -> Money {
        self.quote.pay - self.cash_part.unwrap_or(Money::ZERO)
    }

    /// Who took the money let it be credited too, for nobody else in the store could (docs: adr
    /// 0040).
    pub fn released_by_taker(&self) -> bool {
        self.approver == Some(self.cashier)
    }
}

/// What the cashier chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountChoice {
    /// A fixed or typed amount; the ladder applies.
    Amount(Money),
    /// A package by id and version.
    Package(PackageId, u32),
}

/// How an order was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidFact {
    /// By which channel; of a split, the one beside cash.
    pub channel: Channel,
    /// Amount received for the order, both parts of a split.
    pub amount: Money,
    /// For a split: what of the amount is cash.
    pub cash_part: Option<Money>,
    /// Cash handed over, where all of it is cash.
    pub tendered: Option<Money>,
    /// The channel's number.
    pub channel_txn_no: Option<String>,
    /// When.
    pub paid_at: Timestamp,
}

impl PaidFact {
    /// What came by [`PaidFact::channel`].
    pub fn by_channel(&self) -> Money {
        self.amount - self.cash_part.unwrap_or(Money::ZERO)
    }
}

/// What a credit did to the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credit {
    /// Principal before and after.
    pub principal: (Money, Money),
    /// Bonus before and after.
    pub bonus: (Money, Money),
    /// Points granted.
    pub points: i64,
    /// Growth granted.
    pub growth: i64,
    /// Tier before and after.
    pub tier: (crate::ids::TierId, crate::ids::TierId),
    /// When bonus of this credit expires.
    pub bonus_expires_at: Option<Timestamp>,
    /// When.
    pub credited_at: Timestamp,
}

/// States of domain §2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderState {
    /// Priced, nothing asked for yet.
    Created,
    /// Waiting for a reviewer.
    PendingReview,
    /// Refused by a reviewer; final.
    Rejected,
    /// Waiting for payment.
    PendingPayment,
    /// Paid, not yet credited.
    Paid,
    /// Credited.
    Credited,
    /// Cancelled unpaid by the cashier.
    Cancelled,
    /// Closed unpaid on expiry.
    Closed,
    /// Needs a person; an exception case is open.
    Abnormal,
    /// Part of the money went back.
    PartiallyRefunded,
    /// All money went back.
    Refunded,
    /// Undone in the same shift.
    Voided,
}

impl OrderState {
    /// Every state, in the order of the table.
    pub const ALL: [OrderState; 12] = [
        OrderState::Created,
        OrderState::PendingReview,
        OrderState::Rejected,
        OrderState::PendingPayment,
        OrderState::Paid,
        OrderState::Credited,
        OrderState::Cancelled,
        OrderState::Closed,
        OrderState::Abnormal,
        OrderState::PartiallyRefunded,
        OrderState::Refunded,
        OrderState::Voided,
    ];

    /// The states that may follow this one (docs: domain §2.2). Review, refund and void are here
    /// before the operations that use them, so that the table is read in one place.
    pub const fn successors(self) -> &'static [OrderState] {
        use OrderState::{
            Abnormal, Cancelled, Closed, Created, Credited, Paid, PartiallyRefunded,
            PendingPayment, PendingReview, Refunded, Rejected, Voided,
        };
        match self {
            Created => &[PendingReview, PendingPayment, Abnormal],
            // Cancelled: the cashier withdraws the order, and its review case with it.
            PendingReview => &[PendingPayment, Rejected, Paid, Cancelled, Abnormal],
            PendingPayment => &[Paid, Cancelled, Closed, Abnormal],
            Paid => &[Credited, Abnormal],
            Credited => &[PartiallyRefunded, Refunded, Voided],
            PartiallyRefunded => &[PartiallyRefunded, Refunded],
            // Money may still arrive for an order that was given up.
            Rejected | Cancelled | Closed => &[Abnormal],
            Abnormal | Refunded | Voided => &[],
        }
    }

    /// Whether `to` may follow this state.
    pub fn can_become(self, to: OrderState) -> bool {
        self.successors().contains(&to)
    }

    /// True while the order counts for duplicate and day-sum checks: it may still be paid, or
    /// its money is with the shop.
    pub const fn is_alive(self) -> bool {
        !matches!(
            self,
            OrderState::Rejected
                | OrderState::Cancelled
                | OrderState::Closed
                | OrderState::Refunded
                | OrderState::Voided
        )
    }
}
