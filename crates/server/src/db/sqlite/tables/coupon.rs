//! Table `coupon`.

use qiantai_core::ids::{CouponId, CouponTemplateId, MemberId, OrderId, TenantId};
use qiantai_core::ledger::Coupon;
use rusqlite::{Connection, Result, params};

use super::super::codes::Code;
use super::super::row::Columns;

pub(in super::super) fn save(db: &Connection, tenant: TenantId, coupon: &Coupon) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO coupon (tenant_id, coupon_id, template_id, member_id, order_id, state,
             expires_ms, issued_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (tenant_id, coupon_id) DO UPDATE SET state = excluded.state",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        coupon.id.0.as_bytes(),
        coupon.template.0.as_bytes(),
        coupon.member.0.as_bytes(),
        coupon.order.0.as_bytes(),
        coupon.state.code(),
        coupon.expires_at.ms(),
        coupon.issued_at.ms(),
    ])?;
    Ok(())
}

pub(in super::super) fn usable(db: &Connection, tenant: TenantId) -> Result<Vec<Coupon>> {
    db.prepare_cached(
        "SELECT * FROM coupon WHERE tenant_id = ?1 AND state IN ('issued', 'locked')
         ORDER BY coupon_id",
    )?
    .query_map(params![tenant.0.as_bytes()], |row| {
        Ok(Coupon {
            id: CouponId(row.id("coupon_id")?),
            template: CouponTemplateId(row.id("template_id")?),
            member: MemberId(row.id("member_id")?),
            order: OrderId(row.id("order_id")?),
            state: row.code("state")?,
            expires_at: row.at("expires_ms")?,
            issued_at: row.at("issued_ms")?,
        })
    })?
    .collect()
}
