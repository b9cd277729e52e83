//! Table `recharge_order`: 充值单.

use qiantai_core::clock::Timestamp;
use qiantai_core::decide::RecentOrder;
use qiantai_core::ids::{
    DeviceId, MemberId, OrderId, PackageId, ShiftId, StaffId, StoreId, TenantId, TierId,
};
use qiantai_core::quote::Quote;
use qiantai_core::recharge::{AmountChoice, Credit, OrderState, PaidFact, RechargeOrder};
use qiantai_wire::feed::QuoteDto;
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params, params};

use super::super::codes::Code;
use super::super::row::{Columns, damaged};

pub(in super::super) fn save(
    db: &Connection,
    tenant: TenantId,
    order: &RechargeOrder,
) -> Result<()> {
    let (choice_fen, package) = match order.choice {
        AmountChoice::Amount(amount) => (Some(amount.fen()), None),
        AmountChoice::Package(id, version) => (None, Some((id.0.into_bytes(), version))),
    };
    let quote = serde_json::to_string(&QuoteDto::from(&order.quote))
        .map_err(|error| damaged(error.to_string()))?;
    let (paid, credit) = (order.paid.as_ref(), order.credit.as_ref());
    db.prepare_cached(SAVE)?.execute(named_params! {
        ":tenant": tenant.0.as_bytes(),
        ":order": order.id.0.as_bytes(),
        ":order_no": order.order_no,
        ":member": order.member.0.as_bytes(),
        ":store": order.store.0.as_bytes(),
        ":device": order.device.0.as_bytes(),
        ":shift": order.shift.0.as_bytes(),
        ":cashier": order.cashier.0.as_bytes(),
        ":seller": order.seller.map(|id| id.0.into_bytes()),
        ":choice_fen": choice_fen,
        ":package": package.map(|(id, _)| id),
        ":package_version": package.map(|(_, version)| version),
        ":pay_fen": order.quote.pay.fen(),
        ":bonus_fen": order.quote.bonus.fen(),
        ":policy_version": order.quote.policy_version,
        ":quote": quote,
        ":state": order.state.code(),
        ":paid_channel": paid.map(|paid| paid.channel.code()),
        ":paid_fen": paid.map(|paid| paid.amount.fen()),
        ":tendered_fen": paid.and_then(|paid| paid.tendered).map(|amount| amount.fen()),
        ":channel_txn_no": paid.and_then(|paid| paid.channel_txn_no.as_deref()),
        ":paid_ms": paid.map(|paid| paid.paid_at.ms()),
        ":principal_before_fen": credit.map(|credit| credit.principal.0.fen()),
        ":principal_after_fen": credit.map(|credit| credit.principal.1.fen()),
        ":bonus_before_fen": credit.map(|credit| credit.bonus.0.fen()),
        ":bonus_after_fen": credit.map(|credit| credit.bonus.1.fen()),
        ":credit_points": credit.map(|credit| credit.points),
        ":credit_growth": credit.map(|credit| credit.growth),
        ":tier_before": credit.map(|credit| credit.tier.0.0.into_bytes()),
        ":tier_after": credit.map(|credit| credit.tier.1.0.into_bytes()),
        ":credit_bonus_expires_ms":
            credit.and_then(|credit| credit.bonus_expires_at).map(|at| at.ms()),
        ":credited_ms": credit.map(|credit| credit.credited_at.ms()),
        ":offline": order.offline,
        ":copies": order.copies,
        ":opened_ms": order.opened_at.ms(),
        ":expires_ms": order.expires_at.ms(),
        ":changed_ms": order.changed_at.ms(),
    })?;
    Ok(())
}

const SAVE: &str = "
    INSERT INTO recharge_order (tenant_id, order_id, order_no, member_id, store_id, device_id,
        shift_id, cashier_id, seller_id, choice_fen, package_id, package_version, pay_fen,
        bonus_fen, policy_version, quote, state, paid_channel, paid_fen, tendered_fen,
        channel_txn_no, paid_ms, principal_before_fen, principal_after_fen, bonus_before_fen,
        bonus_after_fen, credit_points, credit_growth, tier_before_id, tier_after_id,
        credit_bonus_expires_ms, credited_ms, offline, copies, opened_ms, expires_ms, changed_ms)
    VALUES (:tenant, :order, :order_no, :member, :store, :device, :shift, :cashier, :seller,
        :choice_fen, :package, :package_version, :pay_fen, :bonus_fen, :policy_version, :quote,
        :state, :paid_channel, :paid_fen, :tendered_fen, :channel_txn_no, :paid_ms,
        :principal_before_fen, :principal_after_fen, :bonus_before_fen, :bonus_after_fen,
        :credit_points, :credit_growth, :tier_before, :tier_after, :credit_bonus_expires_ms,
        :credited_ms, :offline, :copies, :opened_ms, :expires_ms, :changed_ms)
    ON CONFLICT (tenant_id, order_id) DO UPDATE SET
        state = excluded.state, paid_channel = excluded.paid_channel,
        paid_fen = excluded.paid_fen, tendered_fen = excluded.tendered_fen,
        channel_txn_no = excluded.channel_txn_no, paid_ms = excluded.paid_ms,
        principal_before_fen = excluded.principal_before_fen,
        principal_after_fen = excluded.principal_after_fen,
        bonus_before_fen = excluded.bonus_before_fen, bonus_after_fen = excluded.bonus_after_fen,
        credit_points = excluded.credit_points, credit_growth = excluded.credit_growth,
        tier_before_id = excluded.tier_before_id, tier_after_id = excluded.tier_after_id,
        credit_bonus_expires_ms = excluded.credit_bonus_expires_ms,
        credited_ms = excluded.credited_ms, copies = excluded.copies,
        expires_ms = excluded.expires_ms, changed_ms = excluded.changed_ms";

pub(in super::super) fn find(
    db: &Connection,
    tenant: TenantId,
    id: OrderId,
) -> Result<Option<RechargeOrder>> {
    db.prepare_cached("SELECT * FROM recharge_order WHERE tenant_id = ?1 AND order_id = ?2")?
        .query_row(params![tenant.0.as_bytes(), id.0.as_bytes()], read)
        .optional()
}

pub(in super::super) fn of_number(
    db: &Connection,
    tenant: TenantId,
    order_no: &str,
) -> Result<Option<RechargeOrder>> {
    db.prepare_cached("SELECT * FROM recharge_order WHERE tenant_id = ?1 AND order_no = ?2")?
        .query_row(params![tenant.0.as_bytes(), order_no], read)
        .optional()
}

/// Opened at or after `since`, or not final.
pub(in super::super) fn since(
    db: &Connection,
    tenant: TenantId,
    since: Timestamp,
) -> Result<Vec<RechargeOrder>> {
    db.prepare_cached(
        "SELECT * FROM recharge_order
         WHERE tenant_id = ?1 AND (opened_ms >= ?2
             OR state IN ('created', 'pending_review', 'pending_payment', 'paid', 'abnormal'))
         ORDER BY opened_ms, order_id",
    )?
    .query_map(params![tenant.0.as_bytes(), since.ms()], read)?
    .collect()
}

pub(in super::super) fn overdue(
    db: &Connection,
    now: Timestamp,
) -> Result<Vec<(TenantId, RechargeOrder)>> {
    db.prepare_cached(
        "SELECT * FROM recharge_order WHERE state IN ('pending_payment', 'pending_review')
             AND expires_ms <= ?1",
    )?
    .query_map(params![now.ms()], |row| {
        Ok((TenantId(row.id("tenant_id")?), read(row)?))
    })?
    .collect()
}

/// What duplicate and day-sum checks need.
pub(in super::super) fn recent(
    db: &Connection,
    tenant: TenantId,
    member: MemberId,
    since: Timestamp,
) -> Result<Vec<RecentOrder>> {
    db.prepare_cached(
        "SELECT order_id, pay_fen, opened_ms, state FROM recharge_order
         WHERE tenant_id = ?1 AND member_id = ?2 AND opened_ms >= ?3
         ORDER BY opened_ms, order_id",
    )?
    .query_map(
        params![tenant.0.as_bytes(), member.0.as_bytes(), since.ms()],
        |row| {
            let state: OrderState = row.code("state")?;
            Ok(RecentOrder {
                order: OrderId(row.id("order_id")?),
                member,
                pay: row.fen("pay_fen")?,
                opened_at: row.at("opened_ms")?,
                alive: !matches!(
                    state,
                    OrderState::Cancelled | OrderState::Closed | OrderState::Rejected
                ),
            })
        },
    )?
    .collect()
}

fn read(row: &Row<'_>) -> Result<RechargeOrder> {
    Ok(RechargeOrder {
        id: OrderId(row.id("order_id")?),
        order_no: row.get("order_no")?,
        member: MemberId(row.id("member_id")?),
        store: StoreId(row.id("store_id")?),
        device: DeviceId(row.id("device_id")?),
        shift: ShiftId(row.id("shift_id")?),
        cashier: StaffId(row.id("cashier_id")?),
        seller: row.id_opt("seller_id")?.map(StaffId),
        choice: choice(row)?,
        quote: quote(row)?,
        state: row.code("state")?,
        paid: paid(row)?,
        credit: credit(row)?,
        offline: row.get("offline")?,
        copies: row.get("copies")?,
        opened_at: row.at("opened_ms")?,
        expires_at: row.at("expires_ms")?,
        changed_at: row.at("changed_ms")?,
    })
}

fn choice(row: &Row<'_>) -> Result<AmountChoice> {
    match row.id_opt("package_id")? {
        Some(id) => Ok(AmountChoice::Package(
            PackageId(id),
            row.get("package_version")?,
        )),
        None => Ok(AmountChoice::Amount(row.fen("choice_fen")?)),
    }
}

fn quote(row: &Row<'_>) -> Result<Quote> {
    let json: String = row.get("quote")?;
    let dto: QuoteDto = serde_json::from_str(&json).map_err(|error| damaged(error.to_string()))?;
    Ok(Quote::from(dto))
}

fn paid(row: &Row<'_>) -> Result<Option<PaidFact>> {
    let Some(channel) = row.code_opt("paid_channel")? else {
        return Ok(None);
    };
    Ok(Some(PaidFact {
        channel,
        amount: row.fen("paid_fen")?,
        tendered: row.fen_opt("tendered_fen")?,
        channel_txn_no: row.get("channel_txn_no")?,
        paid_at: row.at("paid_ms")?,
    }))
}

fn credit(row: &Row<'_>) -> Result<Option<Credit>> {
    let Some(credited_at) = row.at_opt("credited_ms")? else {
        return Ok(None);
    };
    Ok(Some(Credit {
        principal: (
            row.fen("principal_before_fen")?,
            row.fen("principal_after_fen")?,
        ),
        bonus: (row.fen("bonus_before_fen")?, row.fen("bonus_after_fen")?),
        points: row.get("credit_points")?,
        growth: row.get("credit_growth")?,
        tier: (
            TierId(row.id("tier_before_id")?),
            TierId(row.id("tier_after_id")?),
        ),
        bonus_expires_at: row.at_opt("credit_bonus_expires_ms")?,
        credited_at,
    }))
}
