//! Table `account`.

use qiantai_core::account::Account;
use qiantai_core::ids::{MemberId, TenantId, TierId};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::super::row::{Columns, int};
use super::lot;

/// Writes the whole row and its lots.
pub(in super::super) fn save(db: &Connection, tenant: TenantId, account: &Account) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO account (tenant_id, member_id, principal_fen, bonus_fen,
             frozen_principal_fen, frozen_bonus_fen, debt_fen, recharged_fen, refunded_fen,
             bonus_granted_fen, growth, points, points_debt, tier_id, tier_valid_until_ms,
             last_seq)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
         ON CONFLICT (tenant_id, member_id) DO UPDATE SET
             principal_fen = excluded.principal_fen, bonus_fen = excluded.bonus_fen,
             frozen_principal_fen = excluded.frozen_principal_fen,
             frozen_bonus_fen = excluded.frozen_bonus_fen, debt_fen = excluded.debt_fen,
             recharged_fen = excluded.recharged_fen, refunded_fen = excluded.refunded_fen,
             bonus_granted_fen = excluded.bonus_granted_fen, growth = excluded.growth,
             points = excluded.points, points_debt = excluded.points_debt,
             tier_id = excluded.tier_id, tier_valid_until_ms = excluded.tier_valid_until_ms,
             last_seq = excluded.last_seq",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        account.member.0.as_bytes(),
        account.principal.fen(),
        account.bonus.fen(),
        account.frozen_principal.fen(),
        account.frozen_bonus.fen(),
        account.debt.fen(),
        account.recharged.fen(),
        account.refunded.fen(),
        account.bonus_granted.fen(),
        account.growth,
        account.points,
        account.points_debt,
        account.tier.0.as_bytes(),
        account.tier_valid_until.map(|at| at.ms()),
        int(account.last_seq),
    ])?;
    lot::save_all(db, tenant, account.member, &account.lots)
}

pub(in super::super) fn find(
    db: &Connection,
    tenant: TenantId,
    member: MemberId,
) -> Result<Option<Account>> {
    let account = db
        .prepare_cached("SELECT * FROM account WHERE tenant_id = ?1 AND member_id = ?2")?
        .query_row(params![tenant.0.as_bytes(), member.0.as_bytes()], |row| {
            Ok(Account {
                member,
                principal: row.fen("principal_fen")?,
                bonus: row.fen("bonus_fen")?,
                frozen_principal: row.fen("frozen_principal_fen")?,
                frozen_bonus: row.fen("frozen_bonus_fen")?,
                debt: row.fen("debt_fen")?,
                recharged: row.fen("recharged_fen")?,
                refunded: row.fen("refunded_fen")?,
                bonus_granted: row.fen("bonus_granted_fen")?,
                growth: row.get("growth")?,
                points: row.get("points")?,
                points_debt: row.get("points_debt")?,
                tier: TierId(row.id("tier_id")?),
                tier_valid_until: row.at_opt("tier_valid_until_ms")?,
                last_seq: row.count("last_seq")?,
                lots: Vec::new(),
            })
        })
        .optional()?;
    match account {
        None => Ok(None),
        Some(account) => Ok(Some(Account {
            lots: lot::with_anything_left(db, tenant, member)?,
            ..account
        })),
    }
}
