//! Table `recharge_order`: 充值单.

use qiantai_core::attempt::Channel;
use qiantai_core::clock::Timestamp;
use qiantai_core::decide::RecentOrder;
use qiantai_core::ids::{
    DeviceId, MemberId, OrderId, PackageId, ShiftId, StaffId, StoreId, TenantId, TierId,
};
use qiantai_core::money::Money;
use qiantai_core::quote::Quote;
use qiantai_core::recharge::{AmountChoice, Credit, OrderState, PaidFact, RechargeOrder};
use qiantai_wire::feed::QuoteDto;

use crate::db::LedgerError;
use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, damaged, values};
use crate::db::table::{OnConflict, Question, Table, When};

pub(in crate::db) static TABLE: Table = Table::new(
    "recharge_order",
    &[
        ("order_id", Bytes),
        ("order_no", Text),
        ("member_id", Bytes),
        ("store_id", Bytes),
        ("device_id", Bytes),
        ("shift_id", Bytes),
        ("cashier_id", Bytes),
        ("seller_id", Bytes),
        ("choice_fen", Int),
        ("package_id", Bytes),
        ("package_version", Int),
        ("pay_fen", Int),
        ("bonus_fen", Int),
        ("policy_version", Int),
        ("quote", Text),
        ("state", Text),
        ("paid_channel", Text),
        ("paid_fen", Int),
        ("tendered_fen", Int),
        ("channel_txn_no", Text),
        ("paid_ms", Int),
        ("principal_before_fen", Int),
        ("principal_after_fen", Int),
        ("bonus_before_fen", Int),
        ("bonus_after_fen", Int),
        ("credit_points", Int),
        ("credit_growth", Int),
        ("tier_before_id", Bytes),
        ("tier_after_id", Bytes),
        ("credit_bonus_expires_ms", Int),
        ("credited_ms", Int),
        ("offline", Int),
        ("copies", Int),
        ("opened_ms", Int),
        ("expires_ms", Int),
        ("changed_ms", Int),
        ("approver_id", Bytes),
        ("cash_part_fen", Int),
    ],
    1,
    OnConflict::Replace(
        &[
            "state",
            "paid_channel",
            "paid_fen",
            "tendered_fen",
            "channel_txn_no",
            "paid_ms",
            "principal_before_fen",
            "principal_after_fen",
            "bonus_before_fen",
            "bonus_after_fen",
            "credit_points",
            "credit_growth",
            "tier_before_id",
            "tier_after_id",
            "credit_bonus_expires_ms",
            "credited_ms",
            "copies",
            "expires_ms",
            "changed_ms",
            "approver_id",
        ],
        When::Always,
    ),
);

pub(in crate::db) fn row(order: &RechargeOrder) -> Result<Vec<Value>, LedgerError> {
    let (choice_fen, package) = match order.choice {
        AmountChoice::Amount(amount) => (Some(amount), None),
        AmountChoice::Package(id, version) => (None, Some((id.0, version))),
    };
    let quote = serde_json::to_string(&QuoteDto::from(&order.quote))
        .map_err(|error| damaged(error.to_string()))?;
    let (paid, credit) = (order.paid.as_ref(), order.credit.as_ref());
    Ok(values![
        order.id.0,
        &order.order_no,
        order.member.0,
        order.store.0,
        order.device.0,
        order.shift.0,
        order.cashier.0,
        order.seller.map(|id| id.0),
        choice_fen,
        package.map(|(id, _)| id),
        package.map(|(_, version)| version),
        order.quote.pay,
        order.quote.bonus,
        order.quote.policy_version,
        quote,
        order.state.code(),
        paid.map(|paid| paid.channel.code()),
        paid.map(|paid| paid.amount),
        paid.and_then(cash_handed_over),
        paid.and_then(|paid| paid.channel_txn_no.as_deref()),
        paid.map(|paid| paid.paid_at),
        credit.map(|credit| credit.principal.0),
        credit.map(|credit| credit.principal.1),
        credit.map(|credit| credit.bonus.0),
        credit.map(|credit| credit.bonus.1),
        credit.map(|credit| credit.points),
        credit.map(|credit| credit.growth),
        credit.map(|credit| credit.tier.0.0),
        credit.map(|credit| credit.tier.1.0),
        credit.and_then(|credit| credit.bonus_expires_at),
        credit.map(|credit| credit.credited_at),
        order.offline,
        order.copies,
        order.opened_at,
        order.expires_at,
        order.changed_at,
        order.approver.map(|id| id.0),
        order.cash_part,
    ])
}

pub(in crate::db) fn of_ids(tenant: TenantId, ids: impl IntoIterator<Item = OrderId>) -> Question {
    Question::new("SELECT * FROM recharge_order WHERE tenant_id = ?1 AND order_id IN (?2)")
        .with(tenant.0)
        .each(Bytes, ids.into_iter().map(|id| id.0))
}

/// Identities of the orders that hold these numbers.
pub(in crate::db) fn ids_of_numbers<'a>(
    tenant: TenantId,
    numbers: impl IntoIterator<Item = &'a String>,
) -> Question {
    Question::new("SELECT order_id FROM recharge_order WHERE tenant_id = ?1 AND order_no IN (?2)")
        .with(tenant.0)
        .each(Text, numbers)
}

/// Orders of any age whose payment was recorded with one of these references.
pub(in crate::db) fn of_references<'a>(
    tenant: TenantId,
    references: impl IntoIterator<Item = &'a String>,
) -> Question {
    Question::new(
        "SELECT * FROM recharge_order
         WHERE tenant_id = ?1 AND paid_channel IN ('card', 'transfer', 'shop_code')
             AND channel_txn_no IN (?2)
         ORDER BY paid_ms, order_id",
    )
    .with(tenant.0)
    .each(Text, references)
}

/// A store's that were opened at or after `since` or wait for a person, and every store's that are
/// under way.
pub(in crate::db) fn since(tenant: TenantId, store: StoreId, since: Timestamp) -> Question {
    Question::new(
        "SELECT * FROM recharge_order
         WHERE tenant_id = ?1 AND (store_id = ?2 AND (opened_ms >= ?3 OR state = 'abnormal')
             OR state IN ('created', 'pending_review', 'pending_payment', 'paid'))
         ORDER BY opened_ms, order_id",
    )
    .with(tenant.0)
    .with(store.0)
    .with(since)
}

pub(in crate::db) fn overdue(now: Timestamp) -> Question {
    Question::new(
        "SELECT * FROM recharge_order WHERE state IN ('pending_payment', 'pending_review')
             AND expires_ms <= ?1
         ORDER BY tenant_id, expires_ms, order_id",
    )
    .with(now)
}

/// What duplicate and day-sum checks need.
pub(in crate::db) fn recent(tenant: TenantId, members: &[MemberId], since: Timestamp) -> Question {
    Question::new(
        "SELECT order_id, member_id, pay_fen, opened_ms, state FROM recharge_order
         WHERE tenant_id = ?1 AND opened_ms >= ?2 AND member_id IN (?3)
         ORDER BY member_id, opened_ms, order_id",
    )
    .with(tenant.0)
    .with(since)
    .each(Bytes, members.iter().map(|id| id.0))
}

pub(in crate::db) fn read_recent(row: &Record) -> Result<RecentOrder, LedgerError> {
    let state: OrderState = row.code("state")?;
    Ok(RecentOrder {
        order: id(row)?,
        member: MemberId(row.id("member_id")?),
        pay: row.fen("pay_fen")?,
        opened_at: row.at("opened_ms")?,
        alive: state.is_alive(),
    })
}

/// Orders of members that were credited, whatever became of them since.
pub(in crate::db) fn credited_of(tenant: TenantId, members: &[MemberId]) -> Question {
    Question::of_members(
        "SELECT order_id, member_id, paid_fen FROM recharge_order
         WHERE tenant_id = ?1 AND credited_ms IS NOT NULL AND member_id IN (?2)",
        tenant,
        members,
    )
}

/// Whose, which, and with how much.
pub(in crate::db) fn read_credited(
    row: &Record,
) -> Result<(MemberId, OrderId, Money), LedgerError> {
    Ok((
        MemberId(row.id("member_id")?),
        id(row)?,
        row.fen("paid_fen")?,
    ))
}

pub(in crate::db) fn id(row: &Record) -> Result<OrderId, LedgerError> {
    Ok(OrderId(row.id("order_id")?))
}

pub(in crate::db) fn read_of_tenant(
    row: &Record,
) -> Result<(TenantId, RechargeOrder), LedgerError> {
    Ok((TenantId(row.id("tenant_id")?), read(row)?))
}

pub(in crate::db) fn read(row: &Record) -> Result<RechargeOrder, LedgerError> {
    Ok(RechargeOrder {
        id: id(row)?,
        order_no: row.text("order_no")?.to_owned(),
        member: MemberId(row.id("member_id")?),
        store: StoreId(row.id("store_id")?),
        device: DeviceId(row.id("device_id")?),
        shift: ShiftId(row.id("shift_id")?),
        cashier: StaffId(row.id("cashier_id")?),
        seller: row.id_opt("seller_id")?.map(StaffId),
        approver: row.id_opt("approver_id")?.map(StaffId),
        choice: choice(row)?,
        quote: quote(row)?,
        cash_part: row.fen_opt("cash_part_fen")?,
        state: row.code("state")?,
        paid: paid(row)?,
        credit: credit(row)?,
        offline: row.flag("offline")?,
        copies: row.count("copies")?,
        opened_at: row.at("opened_ms")?,
        expires_at: row.at("expires_ms")?,
        changed_at: row.at("changed_ms")?,
    })
}

fn choice(row: &Record) -> Result<AmountChoice, LedgerError> {
    match row.id_opt("package_id")? {
        Some(id) => Ok(AmountChoice::Package(
            PackageId(id),
            row.count("package_version")?,
        )),
        None => Ok(AmountChoice::Amount(row.fen("choice_fen")?)),
    }
}

fn quote(row: &Record) -> Result<Quote, LedgerError> {
    let dto: QuoteDto =
        serde_json::from_str(row.text("quote")?).map_err(|error| damaged(error.to_string()))?;
    Ok(Quote::from(dto))
}

/// What `tendered_fen` holds: cash handed over, or of a split its part in cash, of which no change is
/// noted.
fn cash_handed_over(paid: &PaidFact) -> Option<Money> {
    paid.tendered.or(paid.cash_part)
}

fn paid(row: &Record) -> Result<Option<PaidFact>, LedgerError> {
    let Some(channel) = row.code_opt("paid_channel")? else {
        return Ok(None);
    };
    let cash = row.fen_opt("tendered_fen")?;
    Ok(Some(PaidFact {
        channel,
        amount: row.fen("paid_fen")?,
        cash_part: cash.filter(|_| channel != Channel::Cash),
        tendered: cash.filter(|_| channel == Channel::Cash),
        channel_txn_no: row.text_opt("channel_txn_no")?.map(str::to_owned),
        paid_at: row.at("paid_ms")?,
    }))
}

fn credit(row: &Record) -> Result<Option<Credit>, LedgerError> {
    let Some(credited_at) = row.at_opt("credited_ms")? else {
        return Ok(None);
    };
    Ok(Some(Credit {
        principal: (
            row.fen("principal_before_fen")?,
            row.fen("principal_after_fen")?,
        ),
        bonus: (row.fen("bonus_before_fen")?, row.fen("bonus_after_fen")?),
        points: row.count("credit_points")?,
        growth: row.count("credit_growth")?,
        tier: (
            TierId(row.id("tier_before_id")?),
            TierId(row.id("tier_after_id")?),
        ),
        bonus_expires_at: row.at_opt("credit_bonus_expires_ms")?,
        credited_at,
    }))
}
