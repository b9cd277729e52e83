//! Recharge orders and payment attempts.

use qiantai_core::attempt::{PaymentAttempt, Surplus};
use qiantai_core::ids::{
    AttemptId, DeviceId, MemberId, OrderId, PackageId, ShiftId, StaffId, StoreId, TierId,
};
use qiantai_core::recharge::{AmountChoice, Credit, PaidFact, RechargeOrder};
use qiantai_core::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::QuoteDto;
use crate::codes::{
    AttemptStateDto, ChannelDto, ConfigFaultDto, DeclineCodeDto, OrderStateDto, PayMethodDto,
};

/// 充值单.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderDto {
    /// Identity.
    pub id: Uuid,
    /// `CZ…`, 30 characters.
    pub order_no: String,
    /// Who is topped up.
    pub member: Uuid,
    /// Where.
    pub store: Uuid,
    /// On which terminal.
    pub device: Uuid,
    /// In which shift.
    pub shift: Uuid,
    /// Who took the order.
    pub cashier: Uuid,
    /// Who sold it.
    pub seller: Option<Uuid>,
    /// The manager who let it pass the cap on offline cash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<Uuid>,
    /// What was chosen.
    pub choice: AmountChoiceDto,
    /// Amount, bonus, gifts and why.
    pub quote: QuoteDto,
    /// For a split whose rest a gateway is asked for: what is paid in cash. In the books once the rest
    /// is paid, and the customer's until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cash_part_fen: Option<i64>,
    /// Where it stands.
    pub state: OrderStateDto,
    /// Set when paid.
    pub paid: Option<PaidFactDto>,
    /// Set when credited.
    pub credit: Option<CreditDto>,
    /// Written while the server was out of reach.
    pub offline: bool,
    /// Reprints so far.
    pub copies: u32,
    /// When it was opened.
    pub opened_at_ms: i64,
    /// When an unpaid order closes.
    pub expires_at_ms: i64,
    /// When it last changed.
    pub changed_at_ms: i64,
}

impl From<&RechargeOrder> for OrderDto {
    fn from(order: &RechargeOrder) -> OrderDto {
        OrderDto {
            id: order.id.0,
            order_no: order.order_no.clone(),
            member: order.member.0,
            store: order.store.0,
            device: order.device.0,
            shift: order.shift.0,
            cashier: order.cashier.0,
            seller: order.seller.map(|id| id.0),
            approver: order.approver.map(|id| id.0),
            choice: order.choice.into(),
            quote: (&order.quote).into(),
            cash_part_fen: order.cash_part.map(Money::fen),
            state: order.state.into(),
            paid: order.paid.as_ref().map(PaidFactDto::from),
            credit: order.credit.map(CreditDto::from),
            offline: order.offline,
            copies: order.copies,
            opened_at_ms: order.opened_at.ms(),
            expires_at_ms: order.expires_at.ms(),
            changed_at_ms: order.changed_at.ms(),
        }
    }
}

impl From<OrderDto> for RechargeOrder {
    fn from(dto: OrderDto) -> RechargeOrder {
        RechargeOrder {
            id: OrderId(dto.id),
            order_no: dto.order_no,
            member: MemberId(dto.member),
            store: StoreId(dto.store),
            device: DeviceId(dto.device),
            shift: ShiftId(dto.shift),
            cashier: StaffId(dto.cashier),
            seller: dto.seller.map(StaffId),
            approver: dto.approver.map(StaffId),
            choice: dto.choice.into(),
            quote: dto.quote.into(),
            cash_part: dto.cash_part_fen.map(Money::from_fen),
            state: dto.state.into(),
            paid: dto.paid.map(PaidFact::from),
            credit: dto.credit.map(Credit::from),
            offline: dto.offline,
            copies: dto.copies,
            opened_at: Timestamp::from_ms(dto.opened_at_ms),
            expires_at: Timestamp::from_ms(dto.expires_at_ms),
            changed_at: Timestamp::from_ms(dto.changed_at_ms),
        }
    }
}

/// What the cashier chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AmountChoiceDto {
    /// A fixed or typed amount; the ladder applies.
    Amount {
        /// That amount.
        amount_fen: i64,
    },
    /// A package by id and version.
    Package {
        /// Identity.
        package: Uuid,
        /// Version shown.
        version: u32,
    },
}

impl From<AmountChoice> for AmountChoiceDto {
    fn from(choice: AmountChoice) -> AmountChoiceDto {
        match choice {
            AmountChoice::Amount(amount) => AmountChoiceDto::Amount {
                amount_fen: amount.fen(),
            },
            AmountChoice::Package(package, version) => AmountChoiceDto::Package {
                package: package.0,
                version,
            },
        }
    }
}

impl From<AmountChoiceDto> for AmountChoice {
    fn from(dto: AmountChoiceDto) -> AmountChoice {
        match dto {
            AmountChoiceDto::Amount { amount_fen } => {
                AmountChoice::Amount(Money::from_fen(amount_fen))
            }
            AmountChoiceDto::Package { package, version } => {
                AmountChoice::Package(PackageId(package), version)
            }
        }
    }
}

/// How an order was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaidFactDto {
    /// By which channel; of a split, the one beside cash.
    pub channel: ChannelDto,
    /// Amount received for the order, both parts of a split.
    pub amount_fen: i64,
    /// For a split: what of the amount is cash; the rest came by the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cash_part_fen: Option<i64>,
    /// Cash handed over, where all of it is cash.
    pub tendered_fen: Option<i64>,
    /// The channel's number.
    pub channel_txn_no: Option<String>,
    /// When.
    pub paid_at_ms: i64,
}

impl From<&PaidFact> for PaidFactDto {
    fn from(paid: &PaidFact) -> PaidFactDto {
        PaidFactDto {
            channel: paid.channel.into(),
            amount_fen: paid.amount.fen(),
            cash_part_fen: paid.cash_part.map(Money::fen),
            tendered_fen: paid.tendered.map(Money::fen),
            channel_txn_no: paid.channel_txn_no.clone(),
            paid_at_ms: paid.paid_at.ms(),
        }
    }
}

impl From<PaidFactDto> for PaidFact {
    fn from(dto: PaidFactDto) -> PaidFact {
        PaidFact {
            channel: dto.channel.into(),
            amount: Money::from_fen(dto.amount_fen),
            cash_part: dto.cash_part_fen.map(Money::from_fen),
            tendered: dto.tendered_fen.map(Money::from_fen),
            channel_txn_no: dto.channel_txn_no,
            paid_at: Timestamp::from_ms(dto.paid_at_ms),
        }
    }
}

/// What a credit did to the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreditDto {
    /// Principal before.
    pub principal_before_fen: i64,
    /// Principal after.
    pub principal_after_fen: i64,
    /// Bonus before.
    pub bonus_before_fen: i64,
    /// Bonus after.
    pub bonus_after_fen: i64,
    /// Points granted.
    pub points: i64,
    /// Growth granted.
    pub growth: i64,
    /// Tier before.
    pub tier_before: Uuid,
    /// Tier after.
    pub tier_after: Uuid,
    /// When bonus of this credit expires.
    pub bonus_expires_at_ms: Option<i64>,
    /// When.
    pub credited_at_ms: i64,
}

impl From<Credit> for CreditDto {
    fn from(credit: Credit) -> CreditDto {
        CreditDto {
            principal_before_fen: credit.principal.0.fen(),
            principal_after_fen: credit.principal.1.fen(),
            bonus_before_fen: credit.bonus.0.fen(),
            bonus_after_fen: credit.bonus.1.fen(),
            points: credit.points,
            growth: credit.growth,
            tier_before: credit.tier.0.0,
            tier_after: credit.tier.1.0,
            bonus_expires_at_ms: credit.bonus_expires_at.map(Timestamp::ms),
            credited_at_ms: credit.credited_at.ms(),
        }
    }
}

impl From<CreditDto> for Credit {
    fn from(dto: CreditDto) -> Credit {
        let pair = |before, after| (Money::from_fen(before), Money::from_fen(after));
        Credit {
            principal: pair(dto.principal_before_fen, dto.principal_after_fen),
            bonus: pair(dto.bonus_before_fen, dto.bonus_after_fen),
            points: dto.points,
            growth: dto.growth,
            tier: (TierId(dto.tier_before), TierId(dto.tier_after)),
            bonus_expires_at: dto.bonus_expires_at_ms.map(Timestamp::from_ms),
            credited_at: Timestamp::from_ms(dto.credited_at_ms),
        }
    }
}

/// 支付单: one try to be paid for an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttemptDto {
    /// Identity.
    pub id: Uuid,
    /// `ZF…`; the gateway's `out_trade_no`.
    pub attempt_no: String,
    /// The order.
    pub order: Uuid,
    /// Which channel.
    pub channel: ChannelDto,
    /// How the customer pays.
    pub method: PayMethodDto,
    /// Amount asked for.
    pub amount_fen: i64,
    /// Where it stands.
    pub state: AttemptStateDto,
    /// What the QR code says, once the gateway made it.
    pub qr_payload: Option<String>,
    /// When the QR stops being valid.
    pub expires_at_ms: i64,
    /// The channel's number of the payment.
    pub channel_txn_no: Option<String>,
    /// When the channel says it was paid.
    pub paid_at_ms: Option<i64>,
    /// Why it failed.
    pub decline: Option<DeclineCodeDto>,
    /// What was wrong with the shop's own set-up, where that is why it failed and is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_fault: Option<ConfigFaultDto>,
    /// Whether the customer had paid and gets the money back; for a reversed attempt, where the
    /// gateway says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money_returned: Option<bool>,
    /// The cashier asked to cancel.
    pub cancel_requested: bool,
    /// Payments beyond what the order asks.
    #[serde(default)]
    pub surplus: Vec<SurplusDto>,
    /// When it was started.
    pub started_at_ms: i64,
    /// When it last changed.
    pub changed_at_ms: i64,
}

impl From<&PaymentAttempt> for AttemptDto {
    fn from(attempt: &PaymentAttempt) -> AttemptDto {
        AttemptDto {
            id: attempt.id.0,
            attempt_no: attempt.attempt_no.clone(),
            order: attempt.order.0,
            channel: attempt.channel.into(),
            method: attempt.method.into(),
            amount_fen: attempt.amount.fen(),
            state: attempt.state.into(),
            qr_payload: attempt.qr_payload.clone(),
            expires_at_ms: attempt.expires_at.ms(),
            channel_txn_no: attempt.channel_txn_no.clone(),
            paid_at_ms: attempt.paid_at.map(Timestamp::ms),
            decline: attempt.decline.map(DeclineCodeDto::from),
            config_fault: attempt.config_fault.map(ConfigFaultDto::from),
            money_returned: attempt.money_returned,
            cancel_requested: attempt.cancel_requested,
            surplus: attempt.surplus.iter().map(SurplusDto::from).collect(),
            started_at_ms: attempt.started_at.ms(),
            changed_at_ms: attempt.changed_at.ms(),
        }
    }
}

impl From<AttemptDto> for PaymentAttempt {
    fn from(dto: AttemptDto) -> PaymentAttempt {
        PaymentAttempt {
            id: AttemptId(dto.id),
            attempt_no: dto.attempt_no,
            order: OrderId(dto.order),
            channel: dto.channel.into(),
            method: dto.method.into(),
            amount: Money::from_fen(dto.amount_fen),
            state: dto.state.into(),
            qr_payload: dto.qr_payload,
            expires_at: Timestamp::from_ms(dto.expires_at_ms),
            channel_txn_no: dto.channel_txn_no,
            paid_at: dto.paid_at_ms.map(Timestamp::from_ms),
            decline: dto.decline.map(Into::into),
            config_fault: dto.config_fault.map(Into::into),
            money_returned: dto.money_returned,
            cancel_requested: dto.cancel_requested,
            surplus: dto.surplus.into_iter().map(Surplus::from).collect(),
            started_at: Timestamp::from_ms(dto.started_at_ms),
            changed_at: Timestamp::from_ms(dto.changed_at_ms),
        }
    }
}

/// A payment beyond what the order asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SurplusDto {
    /// The channel's number of that payment.
    pub channel_txn_no: String,
    /// Amount received.
    pub amount_fen: i64,
    /// True once it was sent back.
    pub refunded: bool,
}

impl From<&Surplus> for SurplusDto {
    fn from(surplus: &Surplus) -> SurplusDto {
        SurplusDto {
            channel_txn_no: surplus.channel_txn_no.clone(),
            amount_fen: surplus.amount.fen(),
            refunded: surplus.refunded,
        }
    }
}

impl From<SurplusDto> for Surplus {
    fn from(dto: SurplusDto) -> Surplus {
        Surplus {
            channel_txn_no: dto.channel_txn_no,
            amount: Money::from_fen(dto.amount_fen),
            refunded: dto.refunded,
        }
    }
}
