//! Table `lot`.

use qiantai_core::account::Lot;
use qiantai_core::ids::{LotId, MemberId, OrderId, TenantId};
use rusqlite::{Connection, Result, params};

use super::super::codes::Code;
use super::super::row::Columns;

/// Writes the lots that have anything left; those that are no longer named are used up.
pub(super) fn save_all(
    db: &Connection,
    tenant: TenantId,
    member: MemberId,
    lots: &[Lot],
) -> Result<()> {
    for used_up in with_anything_left(db, tenant, member)?
        .iter()
        .filter(|before| lots.iter().all(|lot| lot.id != before.id))
    {
        db.prepare_cached(
            "UPDATE lot SET principal_left_fen = 0, bonus_left_fen = 0
             WHERE tenant_id = ?1 AND member_id = ?2 AND lot_id = ?3",
        )?
        .execute(params![
            tenant.0.as_bytes(),
            member.0.as_bytes(),
            used_up.id.0.as_bytes()
        ])?;
    }
    let mut statement = db.prepare_cached(
        "INSERT INTO lot (tenant_id, member_id, lot_id, order_id, principal_init_fen,
             principal_left_fen, bonus_init_fen, bonus_left_fen, bonus_expires_ms, spend_order,
             credited_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (tenant_id, member_id, lot_id) DO UPDATE SET
             principal_left_fen = excluded.principal_left_fen,
             bonus_left_fen = excluded.bonus_left_fen
         WHERE principal_left_fen <> excluded.principal_left_fen
             OR bonus_left_fen <> excluded.bonus_left_fen",
    )?;
    for lot in lots {
        statement.execute(params![
            tenant.0.as_bytes(),
            member.0.as_bytes(),
            lot.id.0.as_bytes(),
            lot.order.map(|id| id.0.into_bytes()),
            lot.principal_init.fen(),
            lot.principal_left.fen(),
            lot.bonus_init.fen(),
            lot.bonus_left.fen(),
            lot.bonus_expires_at.map(|at| at.ms()),
            lot.spend_order.code(),
            lot.credited_at.ms(),
        ])?;
    }
    Ok(())
}

/// Oldest first.
pub(super) fn with_anything_left(
    db: &Connection,
    tenant: TenantId,
    member: MemberId,
) -> Result<Vec<Lot>> {
    db.prepare_cached(
        "SELECT * FROM lot
         WHERE tenant_id = ?1 AND member_id = ?2
             AND (principal_left_fen > 0 OR bonus_left_fen > 0)
         ORDER BY credited_ms, lot_id",
    )?
    .query_map(params![tenant.0.as_bytes(), member.0.as_bytes()], |row| {
        Ok(Lot {
            id: LotId(row.id("lot_id")?),
            order: row.id_opt("order_id")?.map(OrderId),
            principal_init: row.fen("principal_init_fen")?,
            principal_left: row.fen("principal_left_fen")?,
            bonus_init: row.fen("bonus_init_fen")?,
            bonus_left: row.fen("bonus_left_fen")?,
            bonus_expires_at: row.at_opt("bonus_expires_ms")?,
            spend_order: row.code("spend_order")?,
            credited_at: row.at("credited_ms")?,
        })
    })?
    .collect()
}
